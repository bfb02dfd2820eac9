// SPDX-License-Identifier: Apache-2.0
/* The trace page beyond its waterfall: the analysis, the search, sums, flame graph, comparison, export, keys. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { detailOf, eventually, FAILED_REQUEST, param, region, spanRows, stage } from './browser.mjs';
import { IDS } from './fixture-data.mjs';
import { startFixture } from './fixture-server.mjs';

const scene = stage({ begin: startFixture });
const { look } = scene;

const open = async (page, id, query = '') => {
  await page.goto(`/trace/${id}${query}`);
  await page.getByRole('radiogroup', { name: 'How the trace is shown' }).waitFor();
};

look('the culprit is told in a sentence, and shown', async ({ page }) => {
  await open(page, IDS.died);
  await page.getByText('web "POST /post" failed because cell "redis LPUSH" died').waitFor();
  await page.getByRole('button', { name: 'Show the culprit' }).click();
  await detailOf(page).getByRole('heading', { name: 'redis LPUSH' }).waitFor();
  await detailOf(page).getByText('Not observed: no tap watches this cache').waitFor();
});

look('what a tap observed says so, and the call tells server and network', async ({ page }) => {
  await open(page, IDS.dashboard);
  const row = spanRows(page).filter({ hasText: 'observed by a tap' });
  await row.first().waitFor({ state: 'attached' });
  assert.equal(await row.count(), 1);
  await page.goto(`/trace/${IDS.dashboard}?span=00000000a0000004`);
  await detailOf(page).getByText('Server, as a tap saw it').waitFor();
  await detailOf(page).getByText('Network and queues').waitFor();
  await detailOf(page).getByText(/^p3 of 173$/).waitFor();
});

look('a span whose host\'s clock was wrong tells the recorded and the corrected time', async ({ page }) => {
  await open(page, IDS.dashboard);
  const trace = scene.at.fixture.traces.find((each) => each.trace_id === IDS.dashboard);
  const span = trace.spans.find(({ process }) => process === 1);
  await page.goto(`/trace/${IDS.dashboard}?span=${span.span_id}`);
  const clock = detailOf(page).locator('.corrected');
  await clock.getByText('\u22121.20\u00a0ms', { exact: true }).waitFor();
  const [recorded, , corrected] = (await clock.locator('dd').allInnerTexts()).map((text) => /\d\d:(\d\d):(\d\d\.\d{6})/.exec(text)).map((match) => match && Number(match[1]) * 60 + Number(match[2]));
  assert.ok(Math.abs(((recorded - corrected + 3600) % 3600) - 0.0012) < 2e-6, `${recorded} ${corrected}`);
});

look('the search counts, goes around, and lies in the address', async ({ page }) => {
  await open(page, IDS.dashboard);
  await spanRows(page).first().waitFor({ state: 'attached' });
  await page.keyboard.press('Control+b');
  await page.keyboard.type('db.system=memcached');
  const gets = scene.at.fixture.traces.find((each) => each.trace_id === IDS.dashboard).spans.filter(({ name }) => name === 'memcached get').length;
  await page.getByText(`– of ${gets}`).waitFor();
  assert.equal(param(page, 'find'), 'db.system=memcached');
  await page.keyboard.press('Enter');
  await page.getByText(`1 of ${gets}`, { exact: true }).waitFor();
  await page.keyboard.press('Shift+Enter');
  await page.getByText(`${gets} of ${gets}`, { exact: true }).waitFor();
  await eventually('rows that say so', async () => (await spanRows(page).filter({ hasText: 'found' }).count()) === gets);
  await page.keyboard.press('Escape');
  await eventually('no search', () => param(page, 'find') === null);
});

look('sums lead to the longest span; back leads to the sums', async ({ page }) => {
  await open(page, IDS.died, '?tab=sums');
  await page.getByRole('region', { name: 'By service' }).getByText('firehose').waitFor();
  await page.getByRole('region', { name: 'By operation' }).getByRole('button', { name: /^Show the longest/ }).first().click();
  await detailOf(page).waitFor();
  assert.equal(param(page, 'tab'), null);
  await page.goBack();
  await page.getByRole('region', { name: 'By operation' }).waitFor();
});

look('the flame graph tells its boxes to the keyboard', async ({ page }) => {
  await open(page, IDS.dashboard, '?tab=flame');
  await page.getByRole('application', { name: /^Flame graph/ }).focus();
  await page.keyboard.press('ArrowDown');
  await page.getByRole('status').getByText('GET /dashboard').waitFor();
  await page.keyboard.press('ArrowDown');
  await page.getByRole('status').getByText('cell read_inbox').waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Show all' }).waitFor();
  await page.keyboard.press('Enter');
  await detailOf(page).getByRole('heading', { name: 'cell read_inbox' }).waitFor();
});

look('two traces are compared', async ({ page }) => {
  await open(page, IDS.died, '?tab=diff');
  await page.getByLabel('The other trace').fill(IDS.dashboard);
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await page.getByRole('region', { name: 'Differences' }).getByText('redis LPUSH').waitFor();
  assert.equal(param(page, 'with'), IDS.dashboard);
});

look('a trace is saved as a file', async ({ page }) => {
  await open(page, IDS.dashboard);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save as JSON' }).click()]);
  assert.equal(download.suggestedFilename(), `trace-${IDS.dashboard}.json`);
  assert.equal(JSON.parse(await readFile(await download.path(), 'utf8')).trace_id, IDS.dashboard);
});

look('a template links spans to their logs, and no other address than of the web is taken', async ({ page }) => {
  await open(page, IDS.dashboard, '?span=00000000a0000001');
  await page.getByRole('button', { name: 'Link spans to their logs…' }).click();
  const field = page.getByLabel('Address of the logs');
  await field.fill('javascript:alert(1)//{trace_id}');
  await page.getByText('It must begin with http:// or https://.').waitFor();
  await field.fill('https://logs.example/?q={trace_id}');
  await page.getByRole('button', { name: 'Keep' }).click();
  const link = page.getByRole('link', { name: 'Logs of this span' });
  assert.equal(await link.getAttribute('href'), `https://logs.example/?q=${IDS.dashboard}`);
});

look('the collector says where logs are, and a reader\'s own address goes before', async ({ page }) => {
  scene.at.fixture.logLink = 'https://theirs.example/{service}';
  await open(page, IDS.dashboard, '?span=00000000a0000001');
  const link = page.getByRole('link', { name: 'Logs of this span' });
  const href = (want) => eventually(want, async () => (await link.getAttribute('href')) === want);
  const keep = async (text) => {
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByLabel('Address of the logs').fill(text);
    await page.getByRole('button', { name: 'Keep' }).click();
  };
  await href('https://theirs.example/web');
  await keep('https://mine.example/{span_id}');
  await href('https://mine.example/00000000a0000001');
  await page.reload();
  await href('https://mine.example/00000000a0000001');
  await keep('');
  await href('https://theirs.example/web');
  scene.at.fixture.logLink = 'javascript:alert(1)';
  await page.reload();
  await page.getByRole('button', { name: 'Link spans to their logs…' }).waitFor();
  assert.equal(await link.count(), 0);
  scene.at.fixture.logLink = '';
});

look('hostile text stays text in each picture of a trace, in the search and in the firehose', async ({ page }) => {
  await open(page, IDS.hostile, '?tab=sums');
  await page.getByRole('region', { name: 'By operation' }).getByText('onerror').first().waitFor();
  await page.getByRole('radio', { name: 'Flame graph' }).check();
  await page.getByRole('application', { name: /^Flame graph/ }).focus();
  await page.keyboard.press('ArrowDown');
  await page.getByRole('status').getByText('onerror').first().waitFor();
  await page.goto(`/search?q=${encodeURIComponent('{ status = error }')}`);
  await page.getByRole('region', { name: 'Traces' }).getByText('onerror').first().waitFor();
  await page.goto(`/inflight?show=firehose&q=${encodeURIComponent('{ status = error }')}`);
  await page.locator('.hose-list').getByText('onerror').first().waitFor();
  assert.equal(await page.evaluate(() => window.__pwned), undefined);
  assert.equal(await page.locator('main img, main script, main b, main i').count(), 0);
});

/* More spans than the analysis tells at once: a root, and what it calls one after another. */
function addLarge(fixture) {
  const [base] = fixture.traces;
  const [root] = base.spans;
  const trace_id = '019000000000000000000000000b16b1';
  const below = Array.from({ length: 5200 }, (_, i) => ({ ...root, span_id: (0xb16_0000 + i).toString(16).padStart(16, '0'), parent_id: root.span_id, name: 'step', start_offset_ns: i * 1000, duration_ns: 900 }));
  fixture.traces.push({ ...base, trace_id, span_count: below.length + 1, spans: [root, ...below] });
  return trace_id;
}

look('a held key asks for the analysis around the span where it ends alone, and again of a collector that is busy', { begin: () => startFixture({ arriving: false }), forgive: FAILED_REQUEST }, async ({ page, at }) => {
  const asked = [];
  await page.route(/analysis\/traces\/.*offset=/, (route) => {
    asked.push(new URL(route.request().url()).searchParams.get('offset'));
    return asked.length === 1 ? route.fulfill({ status: 503, json: { error: 'Too busy.' } }) : route.continue();
  });
  await open(page, addLarge(at.fixture));
  await page.locator('.findings').first().waitFor(); /* what comes with the trace is there */
  const self = () => detailOf(page).locator('dt:text-is("Self") + dd').innerText();
  const shown = (what) => eventually(what, async () => {
    await page.clock.runFor(20);
    return (await self()) !== '–';
  });
  await page.getByRole('treegrid').focus();
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000);
  const press = async (key) => {
    await page.keyboard.press(key);
    await page.clock.runFor(40);
  };
  await press('Enter');
  for (let i = 0; i < 20; i++) await press('ArrowDown');
  assert.deepEqual(asked, []);
  await shown('its own time');
  assert.ok(asked.length >= 2, 'it was asked again');
  await press('ArrowDown');
  assert.notEqual(await self(), '–', 'its neighbours came with it');
  await press('End');
  await shown('that of the last');
  assert.deepEqual([...new Set(asked)], ['0', '5120']);
});
