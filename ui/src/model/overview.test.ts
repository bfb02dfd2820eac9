// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Status } from '../api/wire';
import { fleetHealth, requestsOf, versionsOf } from './overview';

const running = (service: string, version: string, count: string) => ({ metric: { service, version }, value: [0, count] as [number, string] });
const status = (more: object) => ({ collector: { ledger: { state: 'ok' }, segments: { state: 'ok' } }, agents: [], losses: [], ...more }) as unknown as Status;

describe('services of the overview', () => {
  it('are those that recorded, were counted or run, by name', () => {
    const versions = versionsOf([running('web', '1', '1'), running('web', '2', '3'), running('gone', '1', '0'), running('redis', '', '1')]);
    const rows = requestsOf([], { reds: new Map([['cell', { labels: {}, rate: 1, errors: 0, p50: 1, p99: 1 }]]), lines: new Map(), versions, deploys: [] });
    expect(rows.map(({ name }) => name)).toEqual(['cell', 'redis', 'web']);
    expect(rows[2]!.versions.map(({ version }) => version)).toEqual(['2', '1']);
  });
});

describe('the fleet', () => {
  it('is well', () => expect(fleetHealth(status({}), 0)).toMatchObject({ troubled: [], lossPlaces: 0, storage: '' }));
  it('tells who is in trouble, and what was lost in the time', () => {
    const agents = [{ id: 'a', connected: true }, { id: 'b', connected: false }, { id: 'c', connected: true, problem: 'x' }];
    const losses = [{ place: 'agent', reason: 'x', count: 1, last_unix_ns: '5000000000' }, { place: 'link', reason: 'y', count: 1, last_unix_ns: '1000000000' }];
    const collector = { ledger: { state: 'full' }, segments: { state: 'ok' } };
    expect(fleetHealth(status({ agents, losses, collector }), 2000)).toMatchObject({ agents: 3, connected: 2, troubled: ['b', 'c'], lossPlaces: 1, storage: 'ledger: the disk is full' });
  });
});
