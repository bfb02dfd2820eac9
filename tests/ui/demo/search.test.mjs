// SPDX-License-Identifier: Apache-2.0
/* Search over the demo: form and TraceQL, cells of the heatmap and the traces in them, and what slow ones have in common. */
import assert from 'node:assert/strict';
import { eventually, FAILED_REQUEST, param, region, stage } from '../browser.mjs';

const { look } = stage();

const box = (page) => page.getByRole('combobox', { name: 'TraceQL' });
const rows = (page) => region(page, 'Traces').locator('tbody tr');
const heatmap = (page) => page.getByRole('application', { name: /^Heatmap/ });

look('the form finds what its query says, with values of the demo', async ({ page }) => {
  await page.goto('/search?range=15m');
  await rows(page).first().waitFor();
  await page.locator('.query-form select').first().selectOption('web');
  await page.getByLabel('Operation').fill('POST /post');
  assert.equal(await box(page).inputValue(), '{ resource.service.name = "web" && name = "POST /post" }');
  await box(page).press('Enter');
  await eventually('posts alone', async () => {
    const texts = await rows(page).allInnerTexts();
    return texts.length > 0 && texts.every((text) => text.includes('POST /post'));
  });
  await box(page).fill('{ resource.service.name = "cell" && span.db.sy');
  await box(page).press('End');
  await page.keyboard.type('s');
  await page.getByRole('option', { name: 'span.db.system', exact: true }).waitFor();
});

look('a cell of the heatmap lists the traces that are in it, one opens, and back returns to the cell', async ({ page }) => {
  await page.goto(`/search?${new URLSearchParams({ q: '{ name = "GET /dashboard" }', range: '5m' })}`);
  await heatmap(page).waitFor();
  await heatmap(page).focus();
  /* The newest column may be empty at the cell where the keyboard begins: on to the left until there is something. */
  await eventually('a cell with traces', async () => {
    await heatmap(page).focus();
    for (const key of ['ArrowLeft', 'Shift+ArrowUp', 'Shift+ArrowUp', 'Shift+ArrowUp', 'Shift+ArrowUp', 'Shift+ArrowLeft', 'Shift+ArrowLeft', 'Enter']) await page.keyboard.press(key);
    await page.getByRole('heading', { name: 'Traces of the region' }).waitFor();
    return rows(page).first().waitFor({ timeout: 2000 }).then(() => true, () => false);
  });
  const chosen = param(page, 'region');
  assert.ok(chosen);
  await rows(page).first().getByRole('link').first().click();
  await page.getByRole('treegrid').waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'Traces of the region' }).waitFor();
  assert.equal(param(page, 'region'), chosen);
  await page.getByRole('button', { name: 'Show all' }).click();
  await eventually('no region', () => param(page, 'region') === null);
});

look('what slow ones have in common leads to them', async ({ page }) => {
  await page.goto(`/search?${new URLSearchParams({ range: '15m', lens: 'common' })}`);
  const differences = region(page, 'Differences');
  await differences.getByRole('row').nth(1).waitFor();
  await differences.getByRole('link').or(differences.getByRole('button')).first().click();
  await eventually('a narrower query', () => (param(page, 'q') ?? '').includes('='));
  await rows(page).first().waitFor();
});

look('a query that is none is marked where it is wrong, and the next one runs', { forgive: FAILED_REQUEST }, async ({ page }) => {
  await page.goto(`/search?${new URLSearchParams({ q: '{ name = "x"' })}`);
  await page.getByRole('alert').getByText(/line 1, column \d+/).waitFor();
  assert.equal(await box(page).getAttribute('aria-invalid'), 'true');
  await box(page).fill('{ name = "GET /dashboard" }');
  await box(page).press('Enter');
  await rows(page).first().waitFor();
});
