// SPDX-License-Identifier: Apache-2.0
/* Losses and deaths in words. A sentence each: who, how many, where, why. */
import type { Process, TraceLoss } from '../api/wire';
import { formatCount } from './format';

const PLACES: Record<string, string> = {
  service: 'in the service',
  agent: 'in the agent',
  spool: "in the agent's spool",
  link: 'on the link',
  collector: 'in the collector',
};

/** Where a place of the API is, in words. */
export const placeInWords = (place: string) => PLACES[place] ?? `in ${place}`;

/** A process as people call it: "cell c2-0"; with its pid where it has no instance. */
export function processName(process: Process | undefined): string {
  if (!process) return 'an unknown process';
  if (process.instance) {
    return process.instance.startsWith(process.service) ? process.instance : `${process.service} ${process.instance}`;
  }
  return process.pid === undefined ? process.service : `${process.service} (pid ${process.pid})`;
}

function whoLost(loss: TraceLoss, processes: readonly Process[]): string {
  if (loss.process !== undefined) return processName(processes[loss.process]);
  if (loss.service) return loss.service;
  return loss.agent ? `agent ${loss.agent}` : 'somebody';
}

/** "cell c2-0 lost 17 spans here: ring_full", and where, if not in the service itself. */
export function lossSentence(loss: TraceLoss, processes: readonly Process[]): string {
  const who = whoLost(loss, processes);
  const count = `${formatCount(loss.count)} ${loss.count === 1 ? 'span' : 'spans'}`;
  const where = loss.place === 'service' ? 'here' : placeInWords(loss.place);
  return `${who} lost ${count} ${where}: ${loss.reason}`;
}
