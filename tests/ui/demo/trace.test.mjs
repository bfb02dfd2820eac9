// SPDX-License-Identifier: Apache-2.0
/* One trace, against a real collector where WEFT_URL names one. */
import assert from 'node:assert/strict';
import { api, eventually, FAILED_REQUEST, spanRows, stage } from '../browser.mjs';

let trace;
const scene = stage({
  ready: async (at) => {
    const id = await eventually('a trace with some depth, to which nothing is added any more', async () => {
      const { traces } = await api(at.url, `/api/v1/traces?limit=200&end=${Date.now() - 10_000}000000`);
      return traces?.find((each) => each.complete && each.span_count >= 5 && each.span_count < 60)?.trace_id;
    });
    trace = await api(at.url, `/api/v1/traces/${id}`);
  },
});
const { look } = scene;

const open = async (page, query = '') => {
  await page.goto(`/trace/${trace.trace_id}${query}`);
  await spanRows(page).first().waitFor({ state: 'attached' });
};
const spanInUrl = (page) => new URL(page.url()).searchParams.get('span');
const selected = (page) => page.locator('[role=row][aria-selected=true]');

look('every span of a small trace can be read', { height: 2000 }, async ({ page }) => {
  await open(page);
  assert.equal(await page.getByRole('treegrid').getAttribute('aria-rowcount'), String(trace.spans.length));
  await eventually('all rows', async () => (await spanRows(page).count()) === trace.spans.length);
  const text = await page.getByRole('treegrid').innerText();
  for (const { name } of trace.spans) assert.ok(text.includes(name), `${name} is missing`);
});

look('a deep link opens its span, and its attributes', async ({ page }) => {
  const span = trace.spans.find((each) => each.attributes?.length > 0) ?? trace.spans[1];
  await open(page, `?span=${span.span_id}`);
  const detail = page.getByRole('complementary', { name: 'Span details' });
  await detail.getByRole('heading', { name: span.name, exact: true }).waitFor();
  assert.equal(await selected(page).count(), 1);
  for (const { key } of span.attributes ?? []) await detail.getByText(key, { exact: true }).first().waitFor();
  await detail.getByText(span.span_id, { exact: true }).waitFor();
});

look('a click selects a span and the address follows', async ({ page }) => {
  await open(page);
  const box = await page.getByRole('treegrid').boundingBox();
  await page.mouse.click(box.x + box.width * 0.6, box.y + 24 + 12);
  await page.getByRole('complementary', { name: 'Span details' }).waitFor();
  const id = await eventually('the span in the address', () => spanInUrl(page));
  assert.ok(trace.spans.some((span) => span.span_id === id));
  await page.getByRole('button', { name: 'Close details' }).click();
  await eventually('the span gone from the address', () => spanInUrl(page) === null);
});

look('keys move, fold, unfold, open and close', async ({ page }) => {
  await open(page);
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
});

look('zoom is in the address and survives a reload', async ({ page }) => {
  await open(page);
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
});

look('dragging over the minimap zooms, a double click shows everything', async ({ page }) => {
  await open(page);
  const box = await page.locator('.minimap').boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + 20, { steps: 4 });
  await page.mouse.up();
  await eventually('the zoom in the address', () => new URL(page.url()).searchParams.has('zoom'));
  await page.mouse.dblclick(box.x + box.width * 0.9, box.y + 20);
  await eventually('no zoom in the address', () => !new URL(page.url()).searchParams.has('zoom'));
});

look('a span that died says so', async ({ page }) => {
  const died = await eventually('a trace in which a process died', async () => (await api(scene.at.url, '/api/v1/traces?status=died&limit=1')).traces?.[0], 60_000);
  await page.goto(`/trace/${died.trace_id}`);
  await spanRows(page).filter({ hasText: 'died' }).first().waitFor({ state: 'attached' });
  await page.getByText(/died here/).first().waitFor();
  await page.getByRole('button', { name: 'Show it' }).first().click();
  await page.getByRole('complementary', { name: 'Span details' }).getByText('was gone before it ended').waitFor();
});

look('a trace that is not here says so and leads back', { forgive: FAILED_REQUEST }, async ({ page }) => {
  await page.goto('/trace/ffffffffffffffffffffffffffffffff');
  await page.getByRole('heading', { name: 'This trace is not here' }).waitFor();
  await page.getByRole('main').getByRole('link', { name: 'recent traces' }).click();
  await page.locator('a.trace-row').first().waitFor();
});
