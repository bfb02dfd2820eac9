// SPDX-License-Identifier: Apache-2.0
/*
 * What the analysis found, in sentences: the culprit on top, and behind a fold which calls held the
 * answer up, what is missing and why, and which clocks were wrong.
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Findings as Found } from '../../api/analysis';
import { asApiError } from '../../api/error';
import { loadInsight } from '../../api/trace-loader';
import { Icon } from '../../components/icon';
import { findSpan } from '../../model/columns';
import { formatCount, formatDuration, formatPercent, plural } from '../../model/format';
import type { TraceStore } from './store';

interface Explained {
  findings: Found | undefined;
  fault: string;
}

/** Asks for the analysis of each state of the trace; what was found before stays in view until it comes. */
export function useFindings(store: TraceStore): Explained {
  const known = useSignal<Explained>({ findings: undefined, fault: '' });
  const { load } = store.trace.value;
  useEffect(() => {
    let gone = false;
    loadInsight(load).then(
      (insight) => {
        if (gone || !insight) return;
        store.explain(load, insight);
        known.value = { findings: insight.findings, fault: '' };
      },
      (caught: unknown) => {
        if (!gone) known.value = { findings: known.peek().findings, fault: asApiError(caught).message };
      },
    );
    return () => {
      gone = true;
    };
  }, [store, load]);
  return known.value;
}

function SpanButton({ store, spanId, children }: { store: TraceStore; spanId: string | undefined; children: string }) {
  const at = findSpan(store.trace.value.columns, spanId ?? '');
  if (at < 0) return null;
  return (
    <button type="button" class="as-link" onClick={() => store.select(at)}>
      {children}
    </button>
  );
}

function Culprit({ store, findings }: { store: TraceStore; findings: Found }) {
  const { culprit, suspect_span_id } = findings;
  if (culprit) {
    return (
      <p class="culprit">
        <Icon name="bang" />
        <span>
          <strong>{culprit.sentence}</strong>{' '}
          <SpanButton store={store} spanId={culprit.span_id}>
            Show the culprit
          </SpanButton>
        </span>
      </p>
    );
  }
  if (!suspect_span_id) return null;
  return (
    <p class="culprit">
      <Icon name="bang" />
      <span>
        A span failed that nothing connects to the root.{' '}
        <SpanButton store={store} spanId={suspect_span_id}>
          Show it
        </SpanButton>
      </span>
    </p>
  );
}

function Clocks({ findings: { skew }, store }: { findings: Found; store: TraceStore }) {
  const wrong = skew.clocks.filter(({ offset_ns }) => offset_ns !== 0);
  if (wrong.length === 0) return null;
  const { processes } = store.trace.value;
  return (
    <>
      <h3>Clocks</h3>
      <ul>
        {wrong.map((clock, n) => (
          <li key={n}>
            {clock.host ?? processes[clock.process]?.host ?? processes[clock.process]?.instance ?? 'A host'} is{' '}
            {formatDuration(Math.abs(clock.offset_ns))} {clock.offset_ns > 0 ? 'ahead' : 'behind'}
            {clock.uncertainty_ns !== undefined && `, give or take ${formatDuration(clock.uncertainty_ns)}`}
            {`; ${formatCount(clock.agreeing)} of ${plural(clock.pairs, 'call')} say so`}
          </li>
        ))}
      </ul>
    </>
  );
}

function Holes({ findings, store }: { findings: Found; store: TraceStore }) {
  if (findings.holes.length === 0) return null;
  return (
    <>
      <h3>What is missing</h3>
      <ul>
        {findings.holes.map((hole, n) => (
          <li key={n}>
            {hole.sentence}{' '}
            <SpanButton store={store} spanId={hole.span_id}>
              Show where
            </SpanButton>
          </li>
        ))}
        {findings.holes_beyond > 0 && <li class="muted">and {formatCount(findings.holes_beyond)} more</li>}
      </ul>
    </>
  );
}

function Calls({ findings, store }: { findings: Found; store: TraceStore }) {
  if (findings.calls.length === 0) return null;
  return (
    <>
      <h3>What held the answer up</h3>
      <ol>
        {findings.calls.map((call) => (
          <li key={call.span_id}>
            {call.sentence}{' '}
            <SpanButton store={store} spanId={call.span_id}>
              Show it
            </SpanButton>
          </li>
        ))}
      </ol>
    </>
  );
}

function oneLine({ critical_path, holes, holes_beyond, ranked_among_traces }: Found): string {
  const missing = holes.length + holes_beyond;
  const parts = [];
  if (missing > 0) parts.push(plural(missing, 'hole'));
  if (critical_path.total_ns > 0 && critical_path.unknown_ns > 0) {
    parts.push(`${formatPercent(critical_path.unknown_ns / critical_path.total_ns)} of the answer's time is of no known span`);
  }
  if (ranked_among_traces > 0) parts.push(`ranked among ${plural(ranked_among_traces, 'trace')}`);
  return parts.join(' · ');
}

export function Findings({ store, explained: { findings, fault } }: { store: TraceStore; explained: Explained }) {
  if (!findings) {
    return <p class={fault === '' ? 'finding-line muted' : 'finding-line bad'}>{fault === '' ? 'Looking for what held it up…' : `No analysis: ${fault}`}</p>;
  }
  const more = findings.calls.length + findings.holes.length + findings.skew.clocks.filter(({ offset_ns }) => offset_ns !== 0).length > 0;
  return (
    <>
      <Culprit store={store} findings={findings} />
      {more ? (
        <details class="findings">
          <summary>
            <span>{findings.calls[0]?.sentence ?? findings.holes[0]?.sentence ?? 'Clocks differed'}</span>
            <span class="muted">{oneLine(findings)}</span>
          </summary>
          <div class="findings-body">
            <section>
              <Calls findings={findings} store={store} />
            </section>
            <section>
              <Holes findings={findings} store={store} />
              <Clocks findings={findings} store={store} />
            </section>
          </div>
        </details>
      ) : (
        <p class="finding-line muted">{oneLine(findings) || '\u00a0'}</p>
      )}
    </>
  );
}
