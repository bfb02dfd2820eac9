// SPDX-License-Identifier: Apache-2.0
/*
 * README's pictures, of a collector that a demo with a killed cell and a deploy fills: `script/pictures`.
 * They wait for the deploy's verdict.
 */
import { join } from 'node:path';
import { api, drawn, eventually, launch, openPage, spanRows } from './browser.mjs';
import { showpiece } from './demo/pages.mjs';

const [url, directory] = process.argv.slice(2);
if (!directory) {
  console.error('usage: node tests/ui/pictures.mjs URL DIRECTORY');
  process.exit(2);
}
const base = url.replace(/\/+$/, '');
const VERDICT_MS = 300_000;
const ask = (path) => api(base, path);

async function judgedDeploy() {
  const { marks } = await ask('/api/v1/marks?kind=deploy');
  for (const { id } of marks ?? [])
    if ((await ask(`/api/v1/deploys/${id}`)).cell?.change === 'worse') return true;
  return false;
}

const PICTURES = {
  async trace(page) {
    await page.goto(`/trace/${await showpiece(base)}`);
    await spanRows(page).first().waitFor({ state: 'attached' });
    await page.getByText('Looking for what held it up').waitFor({ state: 'detached' });
  },
  async search(page) {
    const q = '{ name = "GET /dashboard" && duration > 20ms }';
    await page.goto(`/search?${new URLSearchParams({ q, range: '5m' })}`);
    await page.getByRole('region', { name: 'Traces' }).locator('tbody tr').first().waitFor();
    await page.getByRole('application', { name: /^Heatmap/ }).waitFor();
  },
  async deploys(page) {
    await page.goto('/dashboards/deploys?range=5m');
    await page.locator('.dashboard-panel').first().waitFor();
  },
};

await eventually('a deploy that made it worse', judgedDeploy, VERDICT_MS);
const browser = await launch();
for (const [name, visit] of Object.entries(PICTURES)) {
  const { page, faults, close } = await openPage(browser, base, { width: 1280, height: 860 });
  await visit(page);
  await drawn(page);
  await page.screenshot({ path: join(directory, `${name}.png`) });
  if (faults.length) throw new Error(`${name}: ${faults.join('; ')}`);
  await close();
}
await browser.close();
