// SPDX-License-Identifier: Apache-2.0
/* A stage whose collector is a real one, alone in a world of its own; `fill` gives it something to show. */
import { freePort, World } from '../../e2e/harness.mjs';
import { stage } from '../browser.mjs';

/**
 * `scene.at` has the world and the collector, which listens where it will listen again, and what `fill` gives.
 * `every(ms, work)` goes on working until the end, also while there is no collector.
 */
export const realStage = (fill) =>
  stage({
    begin: async () => {
      const world = new World();
      const timers = [];
      const at = {
        world,
        every: (ms, work) => timers.push(setInterval(() => void work().catch(() => {}), ms)),
        close: async () => {
          timers.forEach(clearInterval);
          await world.close();
        },
      };
      try {
        at.collector = await world.collector({ http: `127.0.0.1:${await freePort()}` });
        at.url = at.collector.url;
        Object.assign(at, await fill(at));
        return at;
      } catch (error) {
        world.printLogs();
        await at.close();
        throw error;
      }
    },
  });
