// SPDX-License-Identifier: Apache-2.0
/* The fleet's health: figures that have their places before they are known. */
import type { Fleet } from '../../api/overview';
import { serverNowMs } from '../../api/session';
import { Fact, Facts } from '../../components/facts';
import { formatBytes, formatDuration, formatRate, plural } from '../../model/format';
import { fleetHealth } from '../../model/overview';
import { inRange, windowNow } from '../../routes/location';

export function FleetFacts({ fleet }: { fleet: Fleet | undefined }) {
  const health = fleet && fleetHealth(fleet.status, windowNow(serverNowMs()).fromMs);
  const collector = fleet?.status.collector;
  const down = collector !== undefined && (!collector.ready || health?.storage !== '');
  const troubled = health?.troubled ?? [];
  return (
    <Facts label="The fleet">
      <Fact label="Collector" bad={down} under={health?.storage || (collector ? `head ${formatBytes(collector.head.bytes)} of ${formatBytes(collector.head.limit_bytes)}` : '')}>
        {collector ? (collector.ready ? (down ? 'In trouble' : 'Ready') : 'Not ready') : '–'}
      </Fact>
      <Fact label="Agents" bad={troubled.length > 0} under={troubled.length > 0 ? `in trouble: ${troubled.join(', ')}` : health?.agents === 0 ? 'none has connected yet' : 'all connected'}>
        {health ? `${health.connected} of ${health.agents}` : '–'}
      </Fact>
      <Fact label="Processes" under={fleet ? `of ${plural(fleet.services, 'service')}` : ''}>{fleet ? String(fleet.processes) : '–'}</Fact>
      <Fact label="Arriving" under={fleet?.status.freshness?.p99_ns === undefined ? 'spans' : `spans, visible after ${formatDuration(fleet.status.freshness.p99_ns)} (p99)`}>
        {collector ? formatRate(collector.accepted.spans_per_s) : '–'}
      </Fact>
      <Fact label="Losses" bad={(health?.lossPlaces ?? 0) > 0} under={<a href={inRange('/status')}>Pipeline</a>}>
        {health ? (health.lossPlaces === 0 ? 'None' : `in ${plural(health.lossPlaces, 'place')}`) : '–'}
      </Fact>
    </Facts>
  );
}
