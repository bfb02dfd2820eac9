// SPDX-License-Identifier: Apache-2.0
/* UTC or local time: one choice for all pages, in the address. */
import assert from 'node:assert/strict';
import { eventually, param, spanRows, stage } from './browser.mjs';
import { IDS } from './fixture-data.mjs';
import { startFixture } from './fixture-server.mjs';

const { look } = stage({ begin: () => startFixture({ arriving: false }) });

const zoneOf = (page) => param(page, 'tz');
/* A zone that is half an hour off: minutes tell it from UTC at any time of the day. */
const THERE = { timezone: 'Asia/Kolkata' };

look('the zone goes along to every page, and back and forward', THERE, async ({ page }) => {
  await page.goto('/');
  const zone = page.getByRole('button', { name: 'Times in UTC' });
  assert.equal(await zone.getAttribute('aria-pressed'), 'false');
  await zone.click();
  await eventually('UTC in the address', () => zoneOf(page) === 'utc');
  const links = page.getByRole('navigation', { name: 'Views' }).getByRole('link');
  for (let i = 0; i < (await links.count()); i++) {
    await links.nth(i).click();
    await eventually('the page of the link', async () => (await links.nth(i).getAttribute('aria-current')) === 'page');
    assert.equal(zoneOf(page), 'utc', page.url());
    assert.match(await links.nth(i).getAttribute('href'), /tz=utc/);
  }
  await page.goBack();
  assert.equal(zoneOf(page), 'utc');
  await zone.click();
  await eventually('local time again', () => zoneOf(page) === null);
});

look('a trace tells its times in the chosen zone, and an id that is opened keeps it', THERE, async ({ page, at }) => {
  await page.goto('/status?tz=utc');
  const search = page.getByRole('searchbox', { name: 'Open a trace by its id' });
  await search.fill(IDS.dashboard);
  await search.press('Enter');
  await spanRows(page).first().waitFor({ state: 'attached' });
  assert.equal(zoneOf(page), 'utc');
  const trace = at.fixture.traces.find((each) => each.trace_id === IDS.dashboard);
  const utc = new Date(Number(BigInt(trace.start_unix_ns) / 1_000_000n)).toISOString().slice(11, 23);
  const started = page.locator('.trace-head .facts').getByText(/^\d\d:\d\d:\d\d\.\d{3}$/);
  assert.equal(await started.innerText(), utc);
  await page.getByRole('button', { name: 'Times in UTC' }).click();
  await eventually('the local time', async () => (await started.innerText()) !== utc);
  assert.equal((await started.innerText()).slice(6), utc.slice(6));
});
