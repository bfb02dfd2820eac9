// SPDX-License-Identifier: Apache-2.0
/* Search: one query in a form and in TraceQL, its results, the heatmap, and what slow spans have in common. */
import assert from 'node:assert/strict';
import { eventually, FAILED_REQUEST, param, region, stage } from './browser.mjs';
import { startFixture } from './fixture-server.mjs';

const scene = stage({ begin: () => startFixture({ arriving: false }) });
const { look } = scene;

const open = async (page, query = '') => {
  await page.goto(`/search${query}`);
  await page.getByRole('combobox', { name: 'TraceQL' }).waitFor();
};
const box = (page) => page.getByRole('combobox', { name: 'TraceQL' });
const rows = (page) => page.getByRole('region', { name: 'Traces' }).locator('tbody tr');

look('the form writes the query, the query fills the form', async ({ page }) => {
  await open(page);
  await rows(page).first().waitFor();
  await page.locator('select').first().selectOption('web');
  await page.getByLabel('Operation').fill('POST /post');
  await page.getByLabel('At least').fill('1ms');
  assert.equal(await box(page).inputValue(), '{ resource.service.name = "web" && name = "POST /post" && duration >= 1ms }');
  await box(page).fill('{ status = died && span.cell = "c2" && (span.a = 1 || span.b = 2) }');
  assert.equal(await page.getByLabel('Operation').inputValue(), '');
  assert.equal(await page.locator('.query-form').getByLabel('Status').inputValue(), 'died');
  assert.equal(await page.locator('.query-form').getByLabel('Attribute', { exact: true }).inputValue(), 'span.cell');
  await page.getByText('Kept as it is in the box: (span.a = 1 || span.b = 2)').waitFor();
  await box(page).fill('{ status = died } >> { name = "x" }');
  await page.getByText('The query says more than the form can show').waitFor();
  assert.equal(await page.getByLabel('Operation').isDisabled(), true);
});

look('a query is run by Enter, lies in the address, and back undoes it', async ({ page }) => {
  await open(page);
  await rows(page).first().waitFor();
  await box(page).fill('{ status = died }');
  await box(page).press('Enter');
  await eventually('one trace', async () => (await rows(page).count()) === 1);
  assert.equal(param(page, 'q'), '{ status = died }');
  await page.goBack();
  await eventually('all again', async () => (await rows(page).count()) > 1);
  assert.equal(await box(page).inputValue(), '{ }');
  await page.goForward();
  await eventually('one trace', async () => (await rows(page).count()) === 1);
  await rows(page).first().getByRole('link').first().click();
  await page.getByRole('treegrid').waitFor();
});

look('fields and values are completed from what there is', async ({ page }) => {
  await open(page);
  await box(page).fill('');
  await box(page).pressSequentially('{ span.http.st');
  await page.getByRole('option', { name: 'span.http.status_code' }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  assert.equal(await box(page).inputValue(), '{ span.http.status_code ');
  await box(page).pressSequentially('= 5');
  await page.getByRole('option', { name: '502' }).click();
  assert.equal(await box(page).inputValue(), '{ span.http.status_code = 502 ');
  await box(page).pressSequentially('&& resource.service.name = ');
  await page.getByRole('option', { name: '"web"', exact: true }).click();
  await box(page).pressSequentially('}');
  assert.equal(await box(page).inputValue(), '{ span.http.status_code = 502 && resource.service.name = "web" }');
});

look('a query that is none shows where', { forgive: FAILED_REQUEST }, async ({ page }) => {
  await open(page, `?q=${encodeURIComponent('{ name = "x"')}`);
  await page.getByRole('alert').getByText('line 1, column 12').waitFor();
  assert.equal(await box(page).getAttribute('aria-invalid'), 'true');
});

look('results sort, choose their columns, and come by root', async ({ page }) => {
  await open(page, `?q=${encodeURIComponent('{ span.http.status_code > 0 }')}`);
  await rows(page).first().waitFor();
  await page.getByRole('columnheader', { name: 'span.http.status_code' }).waitFor();
  await page.getByRole('button', { name: 'Duration', exact: true }).click();
  assert.equal(param(page, 'sort'), 'duration');
  await page.getByText('Columns', { exact: true }).click();
  await page.getByRole('checkbox', { name: 'Services' }).uncheck();
  await eventually('no such column', async () => (await page.getByRole('columnheader', { name: 'Services' }).count()) === 0);
  await page.getByRole('radio', { name: 'By root' }).check();
  await page.getByRole('region', { name: 'Traces by root operation' }).getByText('POST /post').waitFor();
});

look('a cell of the heatmap lists its traces, a region is compared with the rest', async ({ page }) => {
  await open(page, `?range=5m&q=${encodeURIComponent('{ name = "redis LRANGE" }')}`);
  const heat = page.getByRole('application', { name: /^Heatmap/ });
  await heat.waitFor();
  const all = await rows(page).count();
  await heat.focus();
  await page.keyboard.press('ArrowLeft');
  for (let step = 0; step < 60; step++) await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Traces of the region' }).waitFor();
  assert.ok(param(page, 'region'));
  await eventually('fewer traces', async () => (await rows(page).count()) < all);
  await page.getByRole('button', { name: 'Show all' }).click();
  await eventually('no region', () => param(page, 'region') === null);
  await page.getByRole('radio', { name: 'What do the slow ones have in common?' }).check();
  await page.getByRole('heading', { name: 'What they have in common' }).waitFor();
  await page.getByRole('region', { name: 'Differences' }).or(page.getByText('Nothing sets them apart')).first().waitFor();
});

const own = { begin: () => startFixture({ arriving: false }) };
const note = (page) => page.locator('.results .box .note').first();
const whole = (page) => eventually('a whole answer', async () => /^\d+\straces?\s(?!so far)/.test(await note(page).innerText()));

look('a followed search that takes long comes to its end, and is asked again after it', own, async ({ page, at }) => {
  at.fixture.searchMs = 2600;
  await open(page, '?live=on');
  await whole(page);
  const before = await rows(page).count();
  at.fixture.arrive();
  await eventually('one more', async () => (await rows(page).count()) === before + 1);
});

look('another time range is another search, which shows that it goes on', own, async ({ page, at }) => {
  await open(page);
  await whole(page);
  at.fixture.searchMs = 60_000;
  await page.getByRole('button', { name: 'Last hour' }).click();
  await page.getByRole('button', { name: 'Last 15 minutes' }).click();
  await eventually('progress', async () => /so far|Searching/.test(await note(page).innerText()));
});

look('rows that are held are those of the search that is shown', own, async ({ page, at }) => {
  for (let i = 0; i < 30; i++) at.fixture.arrive();
  await open(page, '?live=on&limit=20');
  await eventually('twenty', async () => (await rows(page).count()) === 20);
  await rows(page).first().getByRole('link').first().focus();
  at.fixture.arrive();
  await page.getByRole('button', { name: '1 new trace', exact: true }).waitFor();
  /* The focus stays where it is, and the address changes. */
  await page.evaluate(() => {
    history.pushState(null, '', '/search?live=on&limit=500');
    dispatchEvent(new PopStateEvent('popstate'));
  });
  await eventually('all', async () => (await rows(page).count()) > 30);
  assert.equal(await page.getByRole('combobox', { name: 'Traces at most' }).inputValue(), '500');
});

look('a search that ends without its result is told as a collector that is away, until an answer comes', { ...own, forgive: FAILED_REQUEST }, async ({ page, at }) => {
  at.fixture.cutShort = true;
  await open(page);
  const away = page.locator('.state').getByText('The collector does not answer');
  await away.waitFor();
  const asked = at.fixture.searches;
  await eventually('asked again', () => at.fixture.searches > asked + 1);
  assert.equal(await away.count(), 1);
  at.fixture.cutShort = false;
  await rows(page).first().waitFor();
  await eventually('no word of it', async () => (await away.count()) === 0);
});

look('the right button chooses no region', own, async ({ page }) => {
  await open(page, '?range=5m');
  const heat = page.getByRole('application', { name: /^Heatmap/ });
  await heat.click({ button: 'right' });
  assert.equal(param(page, 'region'), null);
  await heat.click();
  await eventually('a region', () => param(page, 'region') !== null);
});
