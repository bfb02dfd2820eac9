// SPDX-License-Identifier: Apache-2.0
/*
 * Spans as they end, newest first, those that a filter lets through. The list stands still while it is
 * paused, and while somebody points at it or is in it with the keyboard; what came meanwhile is counted.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { ApiError } from '../../api/error';
import { followFirehose, type FirehoseGap, type FirehoseLine, type FirehoseSpan } from '../../api/firehose';
import { QueryError } from '../../api/stream';
import { Icon } from '../../components/icon';
import { Mark, ServiceName, type MarkKind } from '../../components/parts';
import { ErrorState, StaleNotice, State } from '../../components/states';
import { TraceqlBox } from '../../components/traceql-box';
import { EMPTY_LIST, rateOf, withLines } from '../../model/firehose-list';
import { formatClock, formatCount, formatDuration, formatRate, plural, unixMs } from '../../model/format';
import { inRange, navigate, utc } from '../../routes/location';
import { inflightHref, traceHref } from '../../routes/routes';
import { Attributes } from './inflight';

const MOST_SHOWN = 300;
const SHOW_EVERY_MS = 250;
const RATE_OVER = 20;

function useFirehose(q: string, isHeld: () => boolean) {
  const list = useSignal(EMPTY_LIST);
  const rate = useSignal(0);
  const error = useSignal<ApiError | undefined>(undefined);
  const connected = useSignal(false);
  useEffect(() => {
    const control = new AbortController();
    const counts: { ms: number; seen: number }[] = [];
    let fresh: FirehoseLine[] = [];
    let came = 0;
    const timer = setInterval(() => {
      const held = isHeld();
      if (fresh.length > 0 || (!held && list.peek().waited > 0)) list.value = withLines(list.peek(), fresh, held, MOST_SHOWN);
      fresh = [];
      counts.push({ ms: performance.now(), seen: came });
      if (counts.length > RATE_OVER) counts.shift();
      rate.value = rateOf(counts);
    }, SHOW_EVERY_MS);
    void followFirehose(q, {
      line: (line) => {
        came++;
        fresh.push(line);
      },
      trouble: (trouble) => {
        error.value = trouble;
        if (!trouble) connected.value = true;
      },
    }, control.signal);
    return () => {
      clearInterval(timer);
      control.abort();
    };
  }, [q]);
  return { list, rate, error, connected };
}

const MARKED: Partial<Record<FirehoseSpan['status'], MarkKind>> = { died: 'died', error: 'error' };

function SpanRow({ span }: { span: FirehoseSpan }) {
  const mark = MARKED[span.status];
  const endMs = unixMs(span.start_unix_ns) + span.duration_ns / 1e6;
  return (
    <li>
      <a class="hose-row" href={inRange(traceHref(span.trace_id, span.span_id))}>
        <span class="muted">{formatClock(endMs, utc.value)}</span>
        <span class="number">{formatDuration(span.duration_ns)}</span>
        <span class="what">
          <ServiceName name={span.service} />
          <span class="operation clip">{span.name}</span>
        </span>
        <span>{mark ? <Mark kind={mark}>{span.status}</Mark> : <span class="muted kind">{span.kind}</span>}</span>
        <span class="attributes clip">
          {span.status_message && <span class="bad">{span.status_message.slice(0, 120)} </span>}
          <Attributes list={span.attributes} />
        </span>
      </a>
    </li>
  );
}

const GAPS: Record<string, string> = { aged: 'the ledger did not keep them that long', damaged: 'what stood there cannot be read' };

function GapRow({ gap: { gap } }: { gap: FirehoseGap }) {
  return (
    <li class="hose-gap">
      <Icon name="broken" />
      {plural(gap.spans, 'span')} missed: {GAPS[gap.reason] ?? gap.reason}
    </li>
  );
}

export function Firehose({ q, service }: { q: string; service: string }) {
  const draft = useSignal(q === '' ? '{ }' : q);
  const paused = useSignal(false);
  const pointed = useRef(false);
  const { list, rate, error, connected } = useFirehose(q, () => paused.peek() || pointed.current);
  const run = () => {
    const text = draft.value.trim();
    navigate(inRange(inflightHref(service, 'firehose', text === '{ }' ? '' : text)));
  };
  const { shown, waited } = list.value;
  const fault = error.value;
  const refused = fault?.kind === 'refused' && fault.status === 400;
  return (
    <>
      <form
        class="hose-query"
        onSubmit={(event) => {
          event.preventDefault();
          run();
        }}
      >
        <TraceqlBox label="Filter" rows={1} draft={draft} written={q} fault={fault instanceof QueryError ? fault : undefined} run={run} />
      </form>
      <div class="hose-bar">
        <span class="muted" role="status">
          <span class="hose-rate">{formatRate(rate.value)}</span> spans{' '}
          {waited > 0 ? `· ${formatCount(waited)} wait` : `· the newest ${formatCount(shown.length)}`}
        </span>
        <button type="button" class={paused.value ? 'button live' : 'button live on'} aria-pressed={!paused.value} onClick={() => (paused.value = !paused.value)}>
          <Icon name={paused.value ? 'play' : 'pause'} />
          {paused.value ? 'Paused' : 'Live'}
        </button>
      </div>
      {refused && !(fault instanceof QueryError) && <p class="hose-fault bad" role="alert">{fault.message}</p>}
      {shown.length === 0 && fault?.kind === 'unauthorized' && <ErrorState error={fault} retry={() => window.location.reload()} />}
      {shown.length === 0 && !refused && fault?.kind !== 'unauthorized' && (
        <State icon="threads" title={connected.value ? 'Nothing has come yet' : 'Connecting…'}>
          <p>Spans show up here as they end, within a second{q !== '' && ', if the filter lets them through'}.</p>
        </State>
      )}
      {shown.length > 0 && (
        <ol
          class="hose-list"
          aria-label="Spans as they end"
          onPointerEnter={(event) => (pointed.current = event.pointerType === 'mouse')}
          onPointerLeave={() => (pointed.current = false)}
          onFocusIn={() => (pointed.current = true)}
          onFocusOut={() => (pointed.current = false)}
        >
          {shown.map((line) => ('gap' in line ? <GapRow key={line.cursor} gap={line} /> : <SpanRow key={line.cursor} span={line} />))}
        </ol>
      )}
      <StaleNotice error={shown.length > 0 && !refused ? fault : undefined} />
    </>
  );
}
