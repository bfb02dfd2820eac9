// SPDX-License-Identifier: Apache-2.0
/*
 * What a trace is, in a line, and what is wrong with it, in sentences: who died, what was lost
 * where, what has not arrived.
 */
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { LoadedTrace } from '../../api/trace-loader';
import { Ago, CopyButton, Mark, ServiceName } from '../../components/parts';
import { Icon, type IconName } from '../../components/icon';
import { countServices, STATUS } from '../../model/columns';
import { formatClock, formatCount, formatDuration, formatMoment, plural, unixMs } from '../../model/format';
import { lossSentence, processName } from '../../model/losses';
import { utc } from '../../routes/location';
import { Findings, type useFindings } from './findings';
import type { TraceStore } from './store';

function Fact({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Note({ icon, tone, children }: { icon: IconName; tone: string; children: ComponentChildren }) {
  return (
    <li class={tone}>
      <Icon name={icon} />
      <span>{children}</span>
    </li>
  );
}

/** The first span that died in process p; -1 if none did. */
function firstDied(trace: LoadedTrace, p: number): number {
  const c = trace.columns;
  for (let i = 0; i < c.count; i++) if (c.process[i] === p && c.status[i] === STATUS.died) return i;
  return -1;
}

function countDied(trace: LoadedTrace, p: number): number {
  const c = trace.columns;
  let died = 0;
  for (let i = 0; i < c.count; i++) if (c.process[i] === p && c.status[i] === STATUS.died) died++;
  return died;
}

/** "cell c2-0 died here, 41.2 ms into the trace, with 2 spans open": one for each process that did. */
function Deaths({ store }: { store: TraceStore }) {
  const trace = store.trace.value;
  return (
    <>
      {trace.processes.map((process, p) => {
        const at = trace.died_count > 0 ? firstDied(trace, p) : -1;
        if (at < 0) return null;
        const into = process.state_unix_ns
          ? (unixMs(process.state_unix_ns) - unixMs(trace.start_unix_ns)) * 1e6
          : trace.columns.start[at]! + trace.columns.duration[at]!;
        return (
          <Note key={p} icon="close" tone="bad">
            <strong>{processName(process)} died here</strong>, {formatDuration(into)} into the trace, with{' '}
            {plural(countDied(trace, p), 'span')} open.{' '}
            <button type="button" class="as-link" onClick={() => store.select(at)}>
              Show it
            </button>
          </Note>
        );
      })}
    </>
  );
}

const MOST_VERSIONS = 4;

/** Which version of each service was at work. */
function Versions({ trace }: { trace: LoadedTrace }) {
  const all = [...new Set(trace.processes.filter(({ version }) => version).map(({ service, version }) => `${service} ${version}`))];
  if (all.length === 0) return null;
  return (
    <Fact label="Versions">
      <span class="clip" title={all.join(', ')}>
        {all.slice(0, MOST_VERSIONS).join(', ')}
        {all.length > MOST_VERSIONS && ` and ${formatCount(all.length - MOST_VERSIONS)} more`}
      </span>
    </Fact>
  );
}

function Notes({ store }: { store: TraceStore }) {
  const trace = store.trace.value;
  const quiet = trace.complete && trace.losses.length + trace.died_count + trace.in_flight_count === 0;
  if (quiet) return null;
  const holes = !trace.complete && trace.in_flight_count === 0;
  return (
    <ul class="notes">
      <Deaths store={store} />
      {trace.losses.map((loss, n) => (
        <Note key={n} icon="warn" tone="warned">
          {lossSentence(loss, trace.processes)}
          {loss.explanation && <span class="why"> – {loss.explanation}</span>}
        </Note>
      ))}
      {trace.in_flight_count > 0 && (
        <Note icon="open" tone="warned">
          {plural(trace.in_flight_count, 'span is', 'spans are')} still open. This page follows until the last one ends.
        </Note>
      )}
      {!trace.complete && (
        <Note icon="broken" tone="">
          {trace.root ? 'Some spans name a parent that has not arrived' : 'No root span has arrived'}
          {holes && trace.losses.length === 0 && ', and no loss is known that would explain it: it may still be under way'}.
        </Note>
      )}
    </ul>
  );
}

function Counts({ trace }: { trace: LoadedTrace }) {
  const fine = trace.error_count + trace.died_count + trace.in_flight_count === 0;
  return (
    <Fact label="Status">
      <span class="marks">
        {fine && <Mark kind="ok">no span failed</Mark>}
        {trace.died_count > 0 && <Mark kind="died">{formatCount(trace.died_count)} died</Mark>}
        {trace.error_count > 0 && <Mark kind="error">{plural(trace.error_count, 'error')}</Mark>}
        {trace.in_flight_count > 0 && <Mark kind="in_flight">{formatCount(trace.in_flight_count)} in flight</Mark>}
      </span>
    </Fact>
  );
}

export function TraceHeader({ store, explained }: { store: TraceStore; explained: ReturnType<typeof useFindings> }) {
  const trace = store.trace.value;
  const startMs = unixMs(trace.start_unix_ns);
  const name = trace.root ? `${trace.root.operation} · ${trace.root.service}` : trace.trace_id;
  useEffect(() => {
    document.title = `${name} · Weft`;
  }, [name]);
  return (
    <header class="trace-head">
      <div class="title">
        {trace.root && <ServiceName name={trace.root.service} />}
        <h1>{trace.root?.operation ?? 'A trace without its root'}</h1>
        <span class="id">
          <span class="mono">{trace.trace_id}</span>
          <CopyButton text={trace.trace_id} label="Copy the trace id" />
        </span>
      </div>
      <dl class="facts">
        <Fact label="Duration">
          <strong>{formatDuration(trace.duration_ns)}</strong>
        </Fact>
        <Fact label="Started">
          <span title={formatMoment(startMs, utc.value)}>{formatClock(startMs, utc.value)}</span>{' '}
          <span class="muted ago">
            <Ago unixNs={trace.start_unix_ns} suffix=" ago" />
          </span>
        </Fact>
        <Fact label="Spans">{formatCount(trace.columns.count)}</Fact>
        <Counts trace={trace} />
        <Fact label="Tree">
          {trace.complete ? 'complete' : <Mark kind="incomplete">incomplete</Mark>}
        </Fact>
        <Versions trace={trace} />
        <Fact label="Services">
          <span class="services">
            {countServices(trace.columns, trace.processes).map(({ name, spans }) => (
              <ServiceName key={name} name={name} count={formatCount(spans)} />
            ))}
          </span>
        </Fact>
      </dl>
      <Findings store={store} explained={explained} />
      <Notes store={store} />
    </header>
  );
}
