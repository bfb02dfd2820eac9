// SPDX-License-Identifier: Apache-2.0
/* The agents that have been heard of: are they connected, is their clock right, do they fall behind? */
import type { AgentStatus } from '../../api/wire';
import { Ago } from '../../components/parts';
import { State } from '../../components/states';
import { formatBytes, formatCount, formatDuration } from '../../model/format';

/* Beyond this a trace over two hosts shows children before their parents. */
const SKEW_WORTH_A_MARK_NS = 50e6;

/* An agent that has not reported yet is known by its batches only. */
const known = (value: number | undefined, format: (value: number) => string) => (value === undefined ? '–' : format(value));

function Row({ agent }: { agent: AgentStatus }) {
  const skewed = Math.abs(agent.clock_skew_ns) > SKEW_WORTH_A_MARK_NS;
  return (
    <tr>
      <th scope="row">
        {agent.id}
        {agent.host !== undefined && agent.host !== agent.id && <span class="muted"> {agent.host}</span>}
        {agent.problem && <span class="problem">{agent.problem}</span>}
      </th>
      <td>
        <span class={agent.connected ? 'lamp good' : 'lamp bad'}>{agent.connected ? 'Connected' : 'Gone'}</span>
      </td>
      <td>
        <Ago unixNs={agent.last_seen_unix_ns} suffix=" ago" />
      </td>
      <td class="number">{known(agent.processes, formatCount)}</td>
      <td class="number">{known(agent.spans, formatCount)}</td>
      <td class="number">{known(agent.sweep_lag_ns, formatDuration)}</td>
      <td class={skewed ? 'number bad' : 'number'}>{formatDuration(agent.clock_skew_ns)}</td>
      <td class="number">{known(agent.spool?.bytes, formatBytes)}</td>
      <td class="number">{known(agent.spool?.batches, formatCount)}</td>
      <td class="muted">{agent.version ?? '–'}</td>
    </tr>
  );
}

export function AgentsTable({ agents }: { agents: readonly AgentStatus[] }) {
  if (agents.length === 0) {
    return (
      <section class="sheet">
        <h2>Agents</h2>
        <State icon="unplugged" title="No agent has connected">
          <p>
            Start <span class="mono">weft-agent</span> on each host whose services record;{' '}
            <span class="mono">weft doctor</span> there tells what is missing.
          </p>
        </State>
      </section>
    );
  }
  return (
    <section class="sheet">
      <h2>Agents</h2>
      <div class="table-box" tabIndex={0} role="region" aria-label="Agents">
        <table class="agents">
          <thead>
            <tr>
              <th scope="col">Agent</th>
              <th scope="col">State</th>
              <th scope="col">Last seen</th>
              <th scope="col" class="number">Processes</th>
              <th scope="col" class="number">Spans</th>
              <th scope="col" class="number">Sweep lag</th>
              <th scope="col" class="number">Clock skew</th>
              <th scope="col" class="number">Spool</th>
              <th scope="col" class="number">Batches waiting</th>
              <th scope="col">Version</th>
            </tr>
          </thead>
          <tbody>
            {[...agents].sort((a, b) => (a.id < b.id ? -1 : 1)).map((agent) => (
              <Row key={agent.id} agent={agent} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
