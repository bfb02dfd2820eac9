// SPDX-License-Identifier: Apache-2.0
/*
 * Each page of pages.mjs, filled by the demo: its heading, real data, nothing serious by axe and no sideways scroll,
 * in light, dark and on a phone, with a picture of each in tests/ui/out for a person to look at. Then what one does
 * there: back and forward undo and redo it, and its address, opened fresh, shows the same.
 */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { eventually, openPage, screenshot, seriousFaults, stage, FAILED_REQUEST } from '../browser.mjs';
import { NO_TAP, PAGES } from './pages.mjs';

const scene = stage();

async function settled(page) {
  await page.evaluate(() => Promise.all(document.getAnimations().filter(({ effect }) => effect.getTiming().iterations !== Infinity).map(({ finished }) => finished.catch(() => {}))));
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/* The page's own width against the window's: tables and graphs scroll in themselves. */
async function assertFits(page) {
  const { wide, room, by } = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const beyond = [...document.querySelectorAll('main *')].filter((each) => each.getBoundingClientRect().right > clientWidth + 1);
    return { wide: scrollWidth, room: clientWidth, by: beyond.slice(0, 3).map((each) => `${each.tagName}.${each.className}`) };
  });
  assert.ok(wide <= room, `the page is ${wide} wide in ${room}: ${by.join(', ')}`);
}

async function picture(page, name) {
  await settled(page);
  await assertFits(page);
  await screenshot(page, name);
}

/** Back and forward, and the address in a page of its own. */
async function assertAddressed(page, { alive, change, told, replaces }) {
  const state = async (of) => ({ url: of.url(), told: await told(of) });
  const arrives = (what, of, wanted) => eventually(what, async () => isDeepStrictEqual(await state(of), wanted));
  const before = await state(page);
  await change(page);
  const after = await eventually('another address, and what it says', async () => {
    const now = await state(page);
    return now.url !== before.url && now.told !== before.told && now;
  });
  if (!replaces) {
    await page.goBack();
    await arrives('what was before', page, before);
    await alive(page);
    await page.goForward();
    await arrives('what was after', page, after);
  }
  const fresh = await openPage(scene.browser, scene.at.url);
  try {
    await fresh.page.goto(after.url);
    await arrives('the same of the address alone', fresh.page, after);
    assert.deepEqual(fresh.faults, []);
  } finally {
    await fresh.close();
  }
}

for (const [name, entry] of Object.entries(PAGES)) {
  scene.look(name, { forgive: entry.refused ? FAILED_REQUEST : undefined }, async ({ page, at, t }) => {
    const address = typeof entry.at === 'string' ? entry.at : await entry.at(at.url);
    if (entry.needsTap && !(await (await fetch(`${at.url}/api/v1/caches`)).json()).caches.length) return t.skip(NO_TAP);
    await page.goto(address);
    await entry.title?.(page).waitFor();
    await entry.alive(page);
    await picture(page, `${name}-light`);
    assert.deepEqual(await seriousFaults(page), [], 'in light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture(page, `${name}-dark`);
    assert.deepEqual(await seriousFaults(page), [], 'in dark');
    if (entry.change) await assertAddressed(page, entry);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(address);
    await entry.alive(page);
    await picture(page, `${name}-phone`);
    assert.deepEqual(await seriousFaults(page), [], 'on a phone');
  });
}
