// SPDX-License-Identifier: Apache-2.0
/*
 * README's pictures, of a collector that a demo with a killed cell and a deploy fills: `script/pictures`.
 * They wait for the deploy's verdict.
 */
import { join } from 'node:path';
import { api, drawn, eventually, launch, openPage, region, spanRows } from '../browser.mjs';
import { showpiece } from './pages.mjs';

const VERDICT_MS = 300_000;
const [url, directory] = process.argv.slice(2);
if (!directory) {
  console.error('usage: node tests/ui/demo/pictures.mjs URL DIRECTORY');
  process.exit(2);
}

async function judgedDeploy() {
  const { marks } = await api(url, '/api/v1/marks?kind=deploy');
  const deploys = await Promise.all((marks ?? []).map(({ id }) => api(url, `/api/v1/deploys/${id}`)));
  return deploys.some(({ cell }) => cell?.change === 'worse');
}

/* The part of a trace until somewhat after somebody died in it; the rest is in the minimap. */
async function untilDeath(traceId) {
  const { spans } = await api(url, `/api/v1/traces/${traceId}`);
  const ends = spans.filter(({ status }) => status === 'died').map((span) => span.start_offset_ns + span.duration_ns);
  return ends.length ? { zoom: `${-Math.round(ends[0] / 50)}..${Math.round(ends[0] * 2)}` } : {};
}

const PICTURES = {
  async trace(page) {
    const id = await showpiece(url);
    await page.goto(`/trace/${id}?${new URLSearchParams(await untilDeath(id))}`);
    await spanRows(page).first().waitFor({ state: 'attached' });
    await page.getByText('Looking for what held it up').waitFor({ state: 'detached' });
  },
  async search(page) {
    const q = '{ name = "GET /dashboard" }';
    await page.goto(`/search?${new URLSearchParams({ q, range: '2m' })}`);
    await region(page, 'Traces').locator('tbody tr').first().waitFor();
    await page.getByRole('application', { name: /^Heatmap/ }).waitFor();
  },
  async deploys(page) {
    await page.goto('/dashboards/deploys?range=2m');
    await page.locator('.dashboard-panel').first().waitFor();
    await page.getByText('worse').first().waitFor();
  },
};

await eventually('a deploy that made it worse', judgedDeploy, VERDICT_MS);
const browser = await launch();
for (const [name, visit] of Object.entries(PICTURES)) {
  const { page, faults, close } = await openPage(browser, url, { height: 860 });
  await visit(page);
  await drawn(page);
  await page.screenshot({ path: join(directory, `${name}.png`) });
  if (faults.length) throw new Error(`${name}: ${faults.join('; ')}`);
  await close();
}
await browser.close();
