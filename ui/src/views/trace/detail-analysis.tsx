// SPDX-License-Identifier: Apache-2.0
/* What the analysis says of one span: its own time, its part of the critical path, its rank, and its call's two ends. */
import { useEffect } from 'preact/hooks';
import { loadSpanInsights, type SpanAnalyses } from '../../api/trace-loader';
import { formatCount, formatDuration, formatMicro, formatPercent, plural } from '../../model/format';
import { callOf, takeSpan } from '../../model/insight';
import { utc } from '../../routes/location';
import type { TraceStore } from './store';

function rankText(rank: number, among: number): string {
  if (!Number.isFinite(rank) || among < 2) return '–';
  return rank >= 0.995 ? `slowest of ${formatCount(among)}` : `p${Math.round(rank * 100)} of ${formatCount(among)}`;
}

function Share({ label, ns, of, tone }: { label: string; ns: number; of: number; tone: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <span class={`call-bar ${tone}`} aria-hidden="true">
          <span style={{ width: `${Math.min(ns / Math.max(of, 1), 1) * 100}%` }} />
        </span>
        {formatDuration(ns)}
      </dd>
    </div>
  );
}

/** What its host's clock said, and what it was when the root's clock is taken for true. */
function Corrected({ store, at, correction }: { store: TraceStore; at: number; correction: number }) {
  const { columns, start_unix_ns } = store.trace.value;
  const recorded = columns.start[at]!;
  const moment = (ns: number) => formatMicro(BigInt(start_unix_ns) + BigInt(Math.round(ns)), utc.value);
  const row = (label: string, ns: number) => (
    <div>
      <dt>{label}</dt>
      <dd>
        {moment(ns)} <span class="muted">{formatDuration(ns)} in</span>
      </dd>
    </div>
  );
  return (
    <section class="detail-section">
      <h3>Its host's clock was {correction < 0 ? 'ahead' : 'behind'}</h3>
      <dl class="pairs corrected">
        {row('Recorded', recorded)}
        <div>
          <dt>Corrected by</dt>
          <dd>
            {correction > 0 ? '+' : ''}
            {formatDuration(correction)}
          </dd>
        </div>
        {row('Corrected', recorded + correction)}
      </dl>
      <p class="muted">The bars show the recorded time; the critical path counts with the corrected one.</p>
    </section>
  );
}

function Call({ store, at }: { store: TraceStore; at: number }) {
  const insight = store.insight.value;
  const call = insight && callOf(insight, at);
  if (!call) return null;
  const { server_ns, network_ns = 0, observed, not_observed } = call;
  return (
    <section class="detail-section">
      <h3>The call's two ends</h3>
      {server_ns !== undefined && (
        <dl class="call">
          <Share label={observed ? 'Server, as a tap saw it' : 'Server'} ns={server_ns} of={server_ns + network_ns} tone="server" />
          <Share label="Network and queues" ns={network_ns} of={server_ns + network_ns} tone="network" />
        </dl>
      )}
      {not_observed !== undefined && <p class="muted">Not observed: {not_observed}</p>}
    </section>
  );
}

/* A selection that stands still for so long is looked at; one that a held key moves is not. */
const STILL_MS = 150;

/* Of a large trace a span's numbers, and those of its neighbours, are asked for when it is looked at. */
function useSpanInsight(store: TraceStore, at: number) {
  const insight = store.insight.value;
  const { load } = store.trace.value;
  const missing = insight !== undefined && !insight.whole && Number.isNaN(insight.self[at]);
  useEffect(() => {
    if (!missing) return;
    const take = (around: SpanAnalyses | undefined) => {
      const now = store.insight.peek();
      if (!around || !now || store.trace.peek().load !== load) return;
      around.spans.forEach((span, i) => span && takeSpan(now, around.from + i, span));
      store.explain(load, { ...now });
    };
    const timer = setTimeout(() => void loadSpanInsights(load, at).then(take, () => undefined), STILL_MS);
    return () => clearTimeout(timer);
  }, [load, at, missing]);
  return insight;
}

export function SpanAnalysis({ store, at }: { store: TraceStore; at: number }) {
  const insight = useSpanInsight(store, at);
  const { columns } = store.trace.value;
  const value = (ns: number | undefined) => (ns !== undefined && Number.isFinite(ns) ? formatDuration(ns) : '–');
  const critical = insight?.critical[at];
  const total = insight?.findings.critical_path.total_ns ?? 0;
  const correction = insight?.correction[at] ?? 0;
  const among = insight?.among[at] ?? 0;
  return (
    <>
      <dl class="timing">
        <div>
          <dt>Self</dt>
          <dd>{value(insight?.self[at])}</dd>
        </div>
        <div>
          <dt>Critical path</dt>
          <dd>{value(critical)}</dd>
        </div>
        <div>
          <dt>Of the answer</dt>
          <dd>{critical !== undefined && total > 0 ? formatPercent(critical / total) : '–'}</dd>
        </div>
        <div>
          <dt>Rank</dt>
          <dd title={among > 0 ? `Among ${plural(among, 'span')} named ${columns.names[columns.name[at]!]} in recent traces` : ''}>{rankText(insight?.rank[at] ?? NaN, among)}</dd>
        </div>
      </dl>
      {correction !== 0 && <Corrected store={store} at={at} correction={correction} />}
      <Call store={store} at={at} />
    </>
  );
}
