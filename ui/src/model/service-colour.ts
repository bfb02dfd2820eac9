// SPDX-License-Identifier: Apache-2.0
/*
 * A service's colour: the same in every view, session and browser, because it comes from the
 * name alone. Eight colours for any number of services means that two may share one, so
 * colour never stands without the name.
 */

export const SERVICE_COLOURS = 8;

/* FNV-1a with a final mix. The offset is chosen so that the services of the demo differ. */
const OFFSET = 67530;
const PRIME = 0x01000193;

/** 0 to SERVICE_COLOURS - 1: the N of --service-N. */
export function serviceColour(name: string): number {
  let hash = OFFSET;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), PRIME) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
  return ((hash ^ (hash >>> 12)) >>> 0) % SERVICE_COLOURS;
}
