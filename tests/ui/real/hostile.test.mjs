// SPDX-License-Identifier: Apache-2.0
/* Hostile text, through a real collector, on every page: it is shown as text, nothing of it is obeyed, no page gets wider. */
import assert from 'node:assert/strict';
import { api, detailOf, drawn, eventually, seriousFaults, spanRows } from '../browser.mjs';
import { BREAKOUT, DASHBOARD, EMOJI, FOUR_KIB, hostileTrace, IMAGE, LANGUAGES, MARKS, REVERSED, SCRIPT, SERVICES, TEMPLATE, traceId, WIDE } from './hostile-text.mjs';
import { sendSpans } from './spans.mjs';
import { realStage } from './world.mjs';

const TRACES = 24;
const RATE = 'sum by (service_name, span_name) (rate(traces_span_metrics_calls_total[1m]))';
const ABOUT = encodeURIComponent(SERVICES[0]);

const { look } = realStage(async ({ world, collector, url, every }) => {
  await world.agent(collector);
  const services = SERVICES.map((name, n) => world.scripted(`hostile-${n}`, { WEFT_SERVICE: name, WEFT_VERSION: MARKS[0].version }));
  await services[2].tell(`begin server ${SCRIPT} ${LANGUAGES.Hebrew}`);
  await services[2].tell(`string ${LANGUAGES.Arabic.replaceAll(' ', '-')} ${IMAGE}`);
  /* Figures are of what services record by themselves, not of spans that came by OTLP. */
  every(200, () => Promise.all([0, 1, 3].map(async (n) => {
    await services[n].tell(`begin server ${SCRIPT} ${EMOJI}`);
    await services[n].tell('end');
  })));
  const post = (path, method, body) => fetch(url + path, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  let sent = 0;
  const send = () => sendSpans(url, hostileTrace(sent++, Date.now() - 200));
  while (sent < TRACES) await send();
  every(500, send);
  const ids = [];
  for (const mark of MARKS) ids.push((await (await post('/api/v1/marks', 'POST', mark)).json()).id);
  assert.equal((await post('/api/v1/dashboards/hostile', 'PUT', DASHBOARD)).status, 200);
  await eventually('figures of them', async () => (await api(url, `/api/v1/query?query=${encodeURIComponent(RATE)}`)).data.result.length > 0);
  await eventually('a span in flight', async () => (await api(url, '/api/v1/inflight')).spans.length > 0);
  return { deploy: ids[0] };
});

/* Where it is looked at, and what has to be there to be read. */
const PAGES = {
  overview: [() => '/', [IMAGE, LANGUAGES.Arabic]],
  traces: [() => '/search?live=on', [SCRIPT, IMAGE]],
  trace: [() => `/trace/${traceId(0)}`, []],
  flame: [() => `/trace/${traceId(0)}?tab=flame`, []],
  sums: [() => `/trace/${traceId(0)}?tab=sums`, [SCRIPT, IMAGE, EMOJI]],
  diff: [() => `/trace/${traceId(0)}?tab=diff&with=${traceId(1)}`, [SCRIPT]],
  search: [() => `/search?${new URLSearchParams({ q: `{ resource.service.name = ${JSON.stringify(IMAGE)} }` })}`, [SCRIPT, IMAGE]],
  common: [() => '/search?lens=common', []],
  graph: [() => `/graph?${new URLSearchParams({ q: RATE, range: '5m' })}`, [IMAGE, SCRIPT]],
  table: [() => `/graph?${new URLSearchParams({ q: RATE, range: '5m', as: 'table' })}`, [IMAGE, SCRIPT]],
  services: [() => '/services', [IMAGE, LANGUAGES.Arabic]],
  service: [() => `/services/${ABOUT}`, [IMAGE, SCRIPT]],
  deploys: [() => '/deploys', [IMAGE, SCRIPT]],
  deploy: [({ deploy }) => `/deploys/${deploy}`, [IMAGE]],
  dashboard: [() => '/dashboards/hostile?range=5m', [IMAGE, SCRIPT, LANGUAGES.Hebrew]],
  editing: [() => '/dashboards/hostile?range=5m&edit=on', [SCRIPT]],
  live: [() => '/inflight?show=spans', [SCRIPT]],
  firehose: [() => '/inflight?show=firehose', []],
  caches: [() => '/caches', []],
  pipeline: [() => '/status', []],
};

/* Nothing became an element, ran, or made the page wider than its window. */
async function assertHarmless(page, where) {
  const found = await page.evaluate(() => ({
    pwned: window.__pwned,
    made: [...document.querySelectorAll('main img, main script, main iframe, main object, main b, main svg[onload], main [onerror], main title:not(svg title)')].map((each) => each.outerHTML.slice(0, 120)),
    links: [...document.querySelectorAll('a[href]')].map((each) => new URL(each.getAttribute('href'), location.href).href).filter((href) => !/^https?:/.test(href)),
    wide: document.documentElement.scrollWidth, room: document.documentElement.clientWidth,
    beyond: [...document.querySelectorAll('main *')].filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1).slice(0, 4).map(({ tagName, className }) => `${tagName}.${className}`),
  }));
  assert.equal(found.pwned, undefined, where);
  assert.deepEqual(found.made, [], where);
  assert.deepEqual(found.links, [], where);
  assert.ok(found.wide <= found.room, `${where} is ${found.wide} wide in ${found.room}: ${found.beyond.join(', ')}`);
}

for (const [name, [at, reads]] of Object.entries(PAGES)) {
  look(`hostile text is text: ${name}`, async ({ page, at: here }) => {
    await page.goto(at(here));
    for (const text of reads) await page.getByText(text).or(page.locator(`input[value=${JSON.stringify(text)}]`)).first().waitFor({ state: 'attached' });
    await drawn(page);
    await assertHarmless(page, 'at 1280');
    await page.setViewportSize({ width: 390, height: 844 });
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    await assertHarmless(page, 'at 390');
    assert.deepEqual(await seriousFaults(page), []);
  });
}

look("a span's details, found by its text, are text: ten languages, four kilobytes, events, links", async ({ page }) => {
  await page.goto(`/trace/${traceId(0)}`);
  await spanRows(page).first().waitFor({ state: 'attached' });
  await page.keyboard.press('Control+b');
  await page.keyboard.type('four.kib=x<y&z');
  await page.getByText(/of 4$/).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('treegrid').focus();
  await page.keyboard.press('Enter');
  const detail = detailOf(page);
  for (const text of [IMAGE, BREAKOUT, TEMPLATE, ...Object.values(LANGUAGES), `exception ${SCRIPT}`]) await detail.getByText(text).first().waitFor();
  await detail.getByRole('button', { name: /^Show all .* characters$/ }).first().click();
  assert.ok((await detail.innerText()).includes(FOUR_KIB));
  await assertHarmless(page, 'with details');
  await page.setViewportSize({ width: 390, height: 844 });
  await eventually('laid out for a phone', () => page.evaluate(() => window.innerWidth === 390 && document.documentElement.scrollWidth <= document.documentElement.clientWidth));
  await assertHarmless(page, 'with details on a phone');
});

look('a name that turns the direction of the text does not turn what stands beside it', async ({ page }) => {
  await page.goto(`/search?${new URLSearchParams({ q: `{ name = ${JSON.stringify(`${LANGUAGES.Hebrew} ${REVERSED}`)} }` })}`);
  for (const name of [`GET /${SCRIPT}`, IMAGE]) {
    const text = page.getByRole('region', { name: 'Traces' }).getByText(name, { exact: true }).first();
    assert.match(await text.evaluate((each) => getComputedStyle(each).unicodeBidi), /isolate|plaintext/, name);
  }
});

look('a service of a long name leaves room for its figures', async ({ page }) => {
  await page.goto('/');
  const row = page.getByRole('region', { name: 'Services' }).getByRole('row').filter({ hasText: WIDE.slice(0, 40) });
  const rate = await row.getByRole('cell').nth(2).boundingBox();
  assert.ok(rate.x + rate.width < 1280, JSON.stringify(rate));
});
