// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { begun, changed, difference, filled, movedPanel, readDashboard, redone, repeated, undone, withoutPanel, withPanel, writeDashboard, type Dashboard } from './dashboard';

const ONE: Dashboard = { title: 'One', panels: [{ title: 'a', kind: 'lines', queries: [{ query: 'x' }] }, { title: 'b', kind: 'losses' }] };
const SHIPPED = import.meta.glob<unknown>('../../../dashboards/*.json', { eager: true, import: 'default' });

describe('a dashboard', () => {
  it('is what it was after it was written', () => {
    expect(readDashboard(JSON.parse(writeDashboard(ONE)))).toEqual(ONE);
  });
  it('is read if it came with the page', () => {
    expect(Object.keys(SHIPPED)).toHaveLength(7);
    for (const [name, one] of Object.entries(SHIPPED)) expect(typeof readDashboard(one), name).toBe('object');
  });
  it('says what is wrong in it', () => {
    const wrong: [unknown, RegExp][] = [
      [null, /no object/], [{ title: 'x' }, /no panels/], [{ ...ONE, colour: 1 }, /"colour"/], [{ ...ONE, title: '' }, /"title"/],
      [{ title: 'x', panels: [{ title: 'x', kind: 'pie' }] }, /Panel 1: "kind"/],
      [{ title: 'x', panels: [{ title: 'x', kind: 'lines' }] }, /Panel 1 has no queries/],
      [{ title: 'x', panels: [{ title: 'x', kind: 'lines', queries: [{ query: '' }] }] }, /"queries"/],
      [{ title: 'x', marks: ['party'], panels: [] }, /"marks"/],
    ];
    for (const [value, sentence] of wrong) expect(readDashboard(value)).toMatch(sentence);
  });
});

describe('queries', () => {
  it('have their windows and values filled in, as text of a string', () => {
    expect(filled('rate(x{c="$value"}[$window])[$range]', 15, 3600.2, 'a"b')).toBe('rate(x{c="a\\"b"}[60s])[3600s]');
    expect(filled('[$window]', 1, 60)).toBe('[15s]');
  });
  it('stand once for each value', () => {
    const panel = { ...ONE.panels[0]!, title: 'of $value', repeat: { label: 'cell', metric: 'up' } };
    expect(repeated(panel, ['c1', 'c2']).map(({ panel: { title } }) => title)).toEqual(['of c1', 'of c2']);
    expect(repeated(ONE.panels[0]!, ['c1'])).toHaveLength(1);
  });
});

describe('changes', () => {
  it('are undone and done again, and a new one forgets what was undone', () => {
    const two = withoutPanel(ONE, 0);
    const three = withPanel(two, 0, { title: 'c', kind: 'deploys' });
    let history = changed(changed(begun(ONE), two), three);
    history = undone(undone(undone(history)));
    expect(history.present).toEqual(ONE);
    expect(redone(redone(redone(history))).present).toEqual(three);
    expect(redone(changed(history, three)).present).toEqual(three);
    expect(changed(history, { ...ONE }).past).toHaveLength(0);
  });
  it('move panels within the list', () => {
    const titles = (dashboard: Dashboard) => dashboard.panels.map(({ title }) => title).join('');
    expect(titles(movedPanel(ONE, 0, 1))).toBe('ba');
    expect(titles(movedPanel(ONE, 0, -1))).toBe('ab');
    expect(titles(movedPanel(ONE, 1, 1))).toBe('ab');
  });
});

describe('what somebody else did to a dashboard', () => {
  const [a, b] = ONE.panels as [Dashboard['panels'][0], Dashboard['panels'][0]];
  it('is told in titles of panels', () => {
    const after: Dashboard = { ...ONE, panels: [{ ...a, width: 12 }, { title: 'c', kind: 'losses' }] };
    expect(difference(ONE, after)).toEqual({ made: ['c'], changed: ['a'], gone: ['b'], other: false });
  });
  it('may be another order, or another title', () => {
    const none = { made: [], changed: [], gone: [] };
    expect(difference(ONE, { ...ONE, panels: [b, a] })).toEqual({ ...none, other: true });
    expect(difference(ONE, { ...ONE, title: 'Two' })).toEqual({ ...none, other: true });
    expect(difference(ONE, { ...ONE })).toEqual({ ...none, other: false });
  });
});
