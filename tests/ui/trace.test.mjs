// SPDX-License-Identifier: Apache-2.0
/* One trace, against a real collector where WEFT_URL names one. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, collector, eventually, launch, openPage, spanRows } from './browser.mjs';

let browser;
let at;
let trace;

before(async () => {
  browser = await launch();
  at = await collector();
  const id = await eventually('a trace with some depth, to which nothing is added any more', async () => {
    const { traces } = await api(at.url, `/api/v1/traces?limit=200&end=${Date.now() - 10_000}000000`);
    return traces?.find((each) => each.complete && each.span_count >= 5 && each.span_count < 60)?.trace_id;
  });
  trace = await api(at.url, `/api/v1/traces/${id}`);
});
after(async () => {
  await browser?.close();
  await at?.close();
});

const open = async (query = '', options = {}) => {
  const opened = await openPage(browser, at.url, options);
  await opened.page.goto(`/trace/${trace.trace_id}${query}`);
  await spanRows(opened.page).first().waitFor({ state: 'attached' });
  return opened;
};
const spanInUrl = (page) => new URL(page.url()).searchParams.get('span');
const selected = (page) => page.locator('[role=row][aria-selected=true]');

test('every span of a small trace can be read', async () => {
  const { page, faults, close } = await open('', { height: 2000 });
  assert.equal(await page.getByRole('treegrid').getAttribute('aria-rowcount'), String(trace.spans.length));
  await eventually('all rows', async () => (await spanRows(page).count()) === trace.spans.length);
  const text = await page.getByRole('treegrid').innerText();
  for (const { name } of trace.spans) assert.ok(text.includes(name), `${name} is missing`);
  assert.deepEqual(faults, []);
  await close();
});

test('a deep link opens its span, and its attributes', async () => {
  const span = trace.spans.find((each) => each.attributes?.length > 0) ?? trace.spans[1];
  const { page, faults, close } = await open(`?span=${span.span_id}`);
  const detail = page.getByRole('complementary', { name: 'Span details' });
  await detail.getByRole('heading', { name: span.name, exact: true }).waitFor();
  assert.equal(await selected(page).count(), 1);
  for (const { key } of span.attributes ?? []) await detail.getByText(key, { exact: true }).first().waitFor();
  await detail.getByText(span.span_id, { exact: true }).waitFor();
  assert.deepEqual(faults, []);
  await close();
});

test('a click selects a span and the address follows', async () => {
  const { page, close } = await open();
  const box = await page.getByRole('treegrid').boundingBox();
  await page.mouse.click(box.x + box.width * 0.6, box.y + 24 + 12);
  await page.getByRole('complementary', { name: 'Span details' }).waitFor();
  const id = await eventually('the span in the address', () => spanInUrl(page));
  assert.ok(trace.spans.some((span) => span.span_id === id));
  await page.getByRole('button', { name: 'Close details' }).click();
  await eventually('the span gone from the address', () => spanInUrl(page) === null);
  await close();
});

test('keys move, fold, unfold, open and close', async () => {
  const { page, faults, close } = await open();
  const grid = page.getByRole('treegrid');
  const rowCount = async () => Number(await grid.getAttribute('aria-rowcount'));
  const active = () => grid.getAttribute('aria-activedescendant');
  await grid.focus();
  assert.equal(await active(), 'span-0');
  await page.keyboard.press('ArrowDown');
  assert.equal(await active(), 'span-1');
  await page.keyboard.press('End');
  assert.equal(await active(), `span-${trace.spans.length - 1}`);
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowLeft');
  await eventually('the root folded', async () => (await rowCount()) < trace.spans.length);
  assert.equal(await page.locator('#span-0').getAttribute('aria-expanded'), 'false');
  await page.keyboard.press('ArrowRight');
  await eventually('the root unfolded', async () => (await rowCount()) === trace.spans.length);
  await page.keyboard.press('ArrowRight');
  assert.equal(await active(), 'span-1');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await active(), 'span-0');
  await page.keyboard.press('Enter');
  await page.getByRole('complementary', { name: 'Span details' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('complementary', { name: 'Span details' }).waitFor({ state: 'detached' });
  assert.deepEqual(faults, []);
  await close();
});

test('zoom is in the address and survives a reload', async () => {
  const { page, close } = await open();
  await page.getByRole('treegrid').focus();
  await page.keyboard.press('+');
  await page.keyboard.press('+');
  const zoom = await eventually('the zoom in the address', () => new URL(page.url()).searchParams.get('zoom'));
  await page.reload();
  await spanRows(page).first().waitFor({ state: 'attached' });
  assert.equal(new URL(page.url()).searchParams.get('zoom'), zoom);
  await page.getByRole('treegrid').focus();
  await page.keyboard.press('0');
  await eventually('no zoom in the address', () => !new URL(page.url()).searchParams.has('zoom'));
  await close();
});

test('dragging over the minimap zooms, a double click shows everything', async () => {
  const { page, close } = await open();
  const box = await page.locator('.minimap').boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + 20, { steps: 4 });
  await page.mouse.up();
  await eventually('the zoom in the address', () => new URL(page.url()).searchParams.has('zoom'));
  await page.mouse.dblclick(box.x + box.width * 0.9, box.y + 20);
  await eventually('no zoom in the address', () => !new URL(page.url()).searchParams.has('zoom'));
  await close();
});

test('a span that died says so', async (t) => {
  const died = (await api(at.url, '/api/v1/traces?status=died&limit=1')).traces?.[0];
  if (!died) return t.skip('no process died in the memory of this collector');
  const { page, faults, close } = await openPage(browser, at.url);
  await page.goto(`/trace/${died.trace_id}`);
  await spanRows(page).filter({ hasText: 'died' }).first().waitFor({ state: 'attached' });
  await page.getByText(/died here/).first().waitFor();
  await page.getByRole('button', { name: 'Show it' }).first().click();
  await page.getByRole('complementary', { name: 'Span details' }).getByText('was gone before it ended').waitFor();
  assert.deepEqual(faults, []);
  await close();
});

test('a trace that is not here says so and leads back', async () => {
  const { page, close } = await openPage(browser, at.url);
  await page.goto('/trace/ffffffffffffffffffffffffffffffff');
  await page.getByRole('heading', { name: 'This trace is not here' }).waitFor();
  await page.getByRole('main').getByRole('link', { name: 'recent traces' }).click();
  await page.locator('a.trace-row').first().waitFor();
  await close();
});
