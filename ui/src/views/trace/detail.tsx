// SPDX-License-Identifier: Apache-2.0
/*
 * Everything about the selected span. Attributes, events and links come from the worker; while
 * they do, what the waterfall already knows stands here, so that the panel never blinks.
 */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { loadSpan } from '../../api/trace-loader';
import type { Attribute, Process, Span, SpanEvent, SpanLink } from '../../api/wire';
import { Icon } from '../../components/icon';
import { CopyButton, Mark, ServiceName } from '../../components/parts';
import { FLAG, KIND_ORDER, spanIdAt, STATUS_ORDER } from '../../model/columns';
import { formatCount, formatDuration, formatMoment, formatPercent, unixMs } from '../../model/format';
import { inRange, utc } from '../../routes/location';
import { traceHref } from '../../routes/routes';
import { SpanAnalysis } from './detail-analysis';
import { LogLink } from './logs';
import type { TraceStore } from './store';

/* Longer values are folded: a 4 KB statement should not push its neighbours away. */
const LONG = 300;

function useSpan(store: TraceStore, at: number): Span | undefined {
  const { load } = store.trace.value;
  const span = useSignal<{ key: string; span: Span } | undefined>(undefined);
  const key = `${load}/${at}`;
  useEffect(() => {
    let gone = false;
    void loadSpan(load, at).then(
      (found) => {
        if (!gone && found) span.value = { key, span: found };
      },
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [key]);
  /* While a newer state of the same span is under way, the one before is still right. */
  const known = span.value?.span;
  return known && known.span_id === spanIdAt(store.trace.value.columns, at) ? known : undefined;
}

function Section({ title, count, children }: { title: string; count?: number; children: ComponentChildren }) {
  return (
    <section class="detail-section">
      <h3>
        {title}
        {count !== undefined && <span class="muted"> {formatCount(count)}</span>}
      </h3>
      {children}
    </section>
  );
}

function Value({ attribute }: { attribute: Attribute }) {
  const open = useSignal(false);
  const text = String(attribute.value);
  const long = text.length > LONG;
  return (
    <span class={`value type-${attribute.type}`}>
      {long && !open.value ? `${text.slice(0, LONG)}…` : text}
      {long && (
        <button type="button" class="more" aria-expanded={open.value} onClick={() => (open.value = !open.value)}>
          {open.value ? 'Show less' : `Show all ${formatCount(text.length)} characters`}
        </button>
      )}
    </span>
  );
}

function Attributes({ list }: { list: readonly Attribute[] }) {
  return (
    <dl class="attributes-list">
      {list.map((attribute, n) => (
        <div key={`${n} ${attribute.key}`}>
          <dt title={attribute.type}>{attribute.key}</dt>
          <dd>
            <Value attribute={attribute} />
            <CopyButton text={String(attribute.value)} label={`Copy ${attribute.key}`} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Events({ events }: { events: readonly SpanEvent[] }) {
  return (
    <ol class="events">
      {events.map((event, n) => (
        <li key={n}>
          <span class="at">{`${event.offset_ns < 0 ? '' : '+'}${formatDuration(event.offset_ns)}`}</span>
          <span class="event-name">{event.name}</span>
          {event.attributes && event.attributes.length > 0 && <Attributes list={event.attributes} />}
        </li>
      ))}
    </ol>
  );
}

function Links({ links }: { links: readonly SpanLink[] }) {
  return (
    <ol class="links">
      {links.map((link, n) => (
        <li key={n}>
          <a class="mono" href={inRange(traceHref(link.trace_id, link.span_id))}>
            {link.trace_id.slice(-12)} / {link.span_id.slice(-8)}
          </a>
          <CopyButton text={link.trace_id} label="Copy the linked trace's id" />
          {link.attributes && link.attributes.length > 0 && <Attributes list={link.attributes} />}
        </li>
      ))}
    </ol>
  );
}

function Pair({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function ProcessFacts({ process }: { process: Process }) {
  const ended = process.state_unix_ns ? formatMoment(unixMs(process.state_unix_ns), utc.value) : undefined;
  return (
    <>
      <dl class="pairs">
        <Pair label="Service">
          <ServiceName name={process.service} />
        </Pair>
        {process.version && <Pair label="Version">{process.version}</Pair>}
        {process.instance && <Pair label="Instance">{process.instance}</Pair>}
        {process.cell && <Pair label="Cell">{process.cell}</Pair>}
        {process.host && <Pair label="Host">{process.host}</Pair>}
        {process.pid !== undefined && <Pair label="Pid">{process.pid}</Pair>}
        {process.start_unix_ns && <Pair label="Started">{formatMoment(unixMs(process.start_unix_ns), utc.value)}</Pair>}
        {process.state && (
          <Pair label="State">
            {process.state === 'died' ? <Mark kind="died">died</Mark> : process.state}
          </Pair>
        )}
        {ended && <Pair label="Ended">{ended}</Pair>}
      </dl>
      {process.resource && process.resource.length > 0 && <Attributes list={process.resource} />}
    </>
  );
}

function IdRow({ label, id, href, onOpen }: { label: string; id: string; href?: string; onOpen?: () => void }) {
  return (
    <Pair label={label}>
      {href ? (
        <a class="mono" href={href}>
          {id}
        </a>
      ) : onOpen ? (
        <button type="button" class="as-link mono" onClick={onOpen}>
          {id}
        </button>
      ) : (
        <span class="mono">{id}</span>
      )}
      <CopyButton text={id} label={`Copy the ${label.toLowerCase()} id`} />
    </Pair>
  );
}

function Marks({ store, at }: { store: TraceStore; at: number }) {
  const c = store.trace.value.columns;
  const status = STATUS_ORDER[c.status[at]!]!;
  const flags = c.flags[at]!;
  return (
    <p class="detail-marks">
      {status === 'died' && <Mark kind="died">died</Mark>}
      {status === 'error' && <Mark kind="error">error</Mark>}
      {status === 'in_flight' && <Mark kind="in_flight">in flight</Mark>}
      {status === 'ok' && <Mark kind="ok">ok</Mark>}
      <span class="muted">{KIND_ORDER[c.kind[at]!]}</span>
      {(flags & FLAG.observed) !== 0 && <Mark kind="observed">observed by a tap</Mark>}
      {(flags & FLAG.cycle) !== 0 && <Mark kind="orphan">its own ancestor</Mark>}
      {(flags & (FLAG.orphan | FLAG.cycle)) === FLAG.orphan && <Mark kind="orphan">parent missing</Mark>}
      {(flags & FLAG.duplicate) !== 0 && <Mark kind="duplicate">duplicate id</Mark>}
      {(flags & FLAG.remoteParent) !== 0 && <span class="muted">· called from another process</span>}
    </p>
  );
}

function fateSentence(store: TraceStore, at: number, process: Process | undefined): string {
  const { columns: c } = store.trace.value;
  const status = STATUS_ORDER[c.status[at]!];
  if (c.flags[at]! & FLAG.observed) return 'The cache recorded nothing: weft-tap saw this exchange on its wire.';
  if (status === 'died') {
    return `Its process${process?.pid === undefined ? '' : ` (pid ${process.pid})`} was gone before it ended. The end is the last moment known.`;
  }
  return status === 'in_flight' ? 'It was open at the last look. Its duration is its age then.' : '';
}

function Timing({ store, at }: { store: TraceStore; at: number }) {
  const { columns: c, duration_ns, start_unix_ns } = store.trace.value;
  return (
    <dl class="timing">
      <Pair label="Duration">{formatDuration(c.duration[at]!)}</Pair>
      <Pair label="Begins at">{formatDuration(c.start[at]!)}</Pair>
      <Pair label="Of the trace">{formatPercent(c.duration[at]! / duration_ns)}</Pair>
      <Pair label="Clock">{formatMoment(unixMs(start_unix_ns) + c.start[at]! / 1e6, utc.value).slice(11)}</Pair>
    </dl>
  );
}

export function Detail({ store, at }: { store: TraceStore; at: number }) {
  const trace = store.trace.value;
  const c = trace.columns;
  const span = useSpan(store, at);
  const process = trace.processes[c.process[at]!];
  const parent = c.parent[at]!;
  const spanId = spanIdAt(c, at);
  const fate = fateSentence(store, at, process);
  return (
    <aside class="detail" aria-label="Span details">
      <header>
        <div>
          {process && <ServiceName name={process.service} />}
          <h2>{c.names[c.name[at]!]}</h2>
        </div>
        <CopyButton text={window.location.origin + traceHref(trace.trace_id, spanId)} label="Copy a link to this span" icon="link" />
        <button type="button" class="copy" aria-label="Close details" title="Close (Esc)" onClick={() => store.select(-1)}>
          <Icon name="close" />
        </button>
      </header>
      <div class="detail-body">
        <Marks store={store} at={at} />
        {fate !== '' && <p class="fate">{fate}</p>}
        {span?.status_message && <p class="message">{span.status_message}</p>}
        <Timing store={store} at={at} />
        <SpanAnalysis store={store} at={at} />
        <LogLink store={store} at={at} />
        {span?.attributes && span.attributes.length > 0 && (
          <Section title="Attributes" count={span.attributes.length}>
            <Attributes list={span.attributes} />
            {(span.dropped_attributes ?? 0) > 0 && (
              <p class="muted">{formatCount(span.dropped_attributes ?? 0)} more did not fit into the span and were dropped.</p>
            )}
          </Section>
        )}
        {span?.events && span.events.length > 0 && (
          <Section title="Events" count={span.events.length}>
            <Events events={span.events} />
          </Section>
        )}
        {span?.links && span.links.length > 0 && (
          <Section title="Links" count={span.links.length}>
            <Links links={span.links} />
          </Section>
        )}
        {process && (
          <Section title="Process">
            <ProcessFacts process={process} />
          </Section>
        )}
        <Section title="Ids">
          <dl class="pairs ids">
            <IdRow label="Trace" id={trace.trace_id} />
            <IdRow label="Span" id={spanId} />
            {parent >= 0 ? (
              <IdRow label="Parent" id={spanIdAt(c, parent)} onOpen={() => store.select(parent)} />
            ) : (
              span?.parent_id && <IdRow label="Parent" id={span.parent_id} />
            )}
            {span?.tracestate && <Pair label="State">{span.tracestate}</Pair>}
          </dl>
        </Section>
      </div>
    </aside>
  );
}
