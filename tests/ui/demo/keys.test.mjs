// SPDX-License-Identifier: Apache-2.0
/* Every key of the trace page on a trace of the demo: Jaeger's, and what the rows and the zoom have of their own. */
import assert from 'node:assert/strict';
import { api, detailOf, eventually, param, spanRows, stage } from '../browser.mjs';

let trace;
const { look } = stage({
  ready: async (at) => {
    const id = await eventually('a trace of several levels, to which nothing is added any more', async () => {
      const { traces } = await api(at.url, `/api/v1/traces?limit=500&end=${Date.now() - 10_000}000000`);
      return traces?.find((each) => each.complete && each.span_count >= 8 && each.span_count < 60 && each.services.length > 2)?.trace_id;
    }, 40_000);
    trace = await api(at.url, `/api/v1/traces/${id}`);
  },
});

const open = async (page) => {
  await page.goto(`/trace/${trace.trace_id}`);
  await spanRows(page).first().waitFor({ state: 'attached' });
};
const rowCount = async (page) => Number(await page.getByRole('treegrid').getAttribute('aria-rowcount'));
const active = (page) => page.getByRole('treegrid').getAttribute('aria-activedescendant');
const zoom = (page) => param(page, 'zoom')?.split('..').map(Number) ?? null;
const zoomed = (page, what, is) => eventually(what, () => {
  const now = zoom(page);
  return now && is(now) && now;
});
const press = async (page, ...keys) => {
  for (const key of keys) await page.keyboard.press(key);
};

look('] [ o p fold and unfold levels', async ({ page }) => {
  await open(page);
  const all = trace.spans.length;
  const becomes = (what, is) => eventually(what, async () => is(await rowCount(page)));
  await press(page, ']');
  await becomes('the roots alone', (rows) => rows < all);
  const folded = await rowCount(page);
  await press(page, 'o');
  await becomes('one level more', (rows) => rows > folded && rows <= all);
  const once = await rowCount(page);
  await press(page, 'p');
  await becomes('one level fewer', (rows) => rows < once);
  await press(page, '[');
  await becomes('all of them', (rows) => rows === all);
});

look('arrows zoom and pan, and so do a and d; Shift does it faster; Escape shows all', async ({ page }) => {
  await open(page);
  const wide = ([from, to]) => to - from;
  await press(page, 'ArrowUp');
  const first = await zoomed(page, 'a zoom', () => true);
  await press(page, 'ArrowUp');
  const second = await zoomed(page, 'a closer one', (now) => wide(now) < wide(first));
  await press(page, 'ArrowDown');
  await zoomed(page, 'one step back', (now) => wide(now) > wide(second));
  await press(page, 'Shift+ArrowUp');
  let at = await zoomed(page, 'much closer', (now) => wide(now) < wide(second));
  for (const [keys, way] of [[['a', 'ArrowLeft', 'Shift+ArrowLeft', 'A'], -1], [['d', 'ArrowRight', 'Shift+ArrowRight', 'D'], 1]]) {
    for (const key of keys) {
      await press(page, 'Escape');
      await eventually('all of it', () => zoom(page) === null);
      await press(page, 'Shift+ArrowUp', 'Shift+ArrowUp');
      at = await zoomed(page, 'the middle', () => true);
      await press(page, key);
      await zoomed(page, `${key} pans`, ([from]) => Math.sign(from - at[0]) === way);
    }
  }
  const before = zoom(page);
  await press(page, 'Shift+ArrowDown');
  await eventually('farther', () => zoom(page) === null || wide(zoom(page)) > wide(before));
  await press(page, 'Escape');
  await eventually('all of it', () => zoom(page) === null);
});

look('f and b go from span to span, s and w scroll', { height: 430 }, async ({ page }) => {
  await open(page);
  await press(page, 'f');
  await eventually('the next', async () => (await active(page)) === 'span-1');
  await press(page, 'f');
  await eventually('the one after', async () => (await active(page)) === 'span-2');
  await press(page, 'b');
  await eventually('the one before', async () => (await active(page)) === 'span-1');
  const scrolled = () => page.locator('.wf-scroll').evaluate((box) => box.scrollTop);
  const top = await scrolled();
  await press(page, 's');
  await eventually('farther down', async () => (await scrolled()) > top);
  await press(page, 'w');
  await eventually('up again', async () => (await scrolled()) <= top);
});

look('Ctrl+B searches, f and b then go from match to match, Escape ends it', async ({ page }) => {
  await open(page);
  const { name } = trace.spans.at(-1);
  const same = trace.spans.filter((span) => span.name === name).length;
  await press(page, 'Control+b');
  await page.keyboard.type(name);
  await page.getByText(`– of ${same}`).waitFor();
  await press(page, 'Enter');
  await page.getByText(`1 of ${same}`, { exact: true }).waitFor();
  assert.equal(param(page, 'find'), name);
  const found = await active(page);
  await page.getByRole('treegrid').focus();
  await press(page, 'Home', 'f');
  await eventually('the first match', async () => (await active(page)) === found);
  await press(page, 'Escape');
  await eventually('no search', () => param(page, 'find') === null);
});

look('? tells the keys, Enter opens a span, Escape closes what is open', async ({ page }) => {
  await open(page);
  await press(page, '?');
  const keys = page.getByRole('dialog', { name: 'Keys' });
  await keys.waitFor();
  const told = (await keys.innerText()).toLowerCase();
  for (const key of ['w', 's', 'f', 'b', 'a', 'd', '[', ']', 'o', 'p', 'esc', '?', 'ctrl']) assert.ok(told.includes(key), key);
  await press(page, 'Escape');
  await keys.waitFor({ state: 'hidden' });
  await page.getByRole('treegrid').focus();
  await press(page, 'Enter');
  await detailOf(page).waitFor();
  await press(page, 'Escape');
  await detailOf(page).waitFor({ state: 'detached' });
});
