// SPDX-License-Identifier: Apache-2.0
/*
 * The pipeline: how much arrives and how fresh, what is kept, which agents are there,
 * and what was lost, each with its reason. Refreshed every second; every figure has a place of
 * fixed width, so nothing moves but the digits.
 */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { getStatus } from '../../api/client';
import { createPoll } from '../../api/poll';
import { noteServerTime, token } from '../../api/session';
import type { CollectorStatus, Status } from '../../api/wire';
import { Ago, Meter } from '../../components/parts';
import { Sparkline } from '../../components/sparkline';
import { ErrorState, StaleNotice } from '../../components/states';
import { formatBytes, formatCount, formatDuration, formatPercent, formatRate, unixMs } from '../../model/format';
import { AgentsTable } from './agents';
import { LossesTable } from './losses';
import './status.css';

const REFRESH_MS = 1000;
const HISTORY = 90;

/* What the lines show; the page keeps it from when it was opened. */
interface Moment {
  rate: number;
  p99Ns: number;
}

function useStatus() {
  const history = useSignal<readonly Moment[]>([]);
  const poll = useMemo(
    () => createPoll((signal) => getStatus({ signal, token: token.value }), { intervalMs: REFRESH_MS }),
    [],
  );
  useEffect(() => () => poll.stop(), [poll]);
  const answer = poll.data.value;
  useEffect(() => {
    if (!answer) return;
    noteServerTime(answer.collector.now_unix_ns);
    const now = { rate: answer.collector.accepted.spans_per_s, p99Ns: answer.freshness?.p99_ns ?? 0 };
    history.value = [...history.peek(), now].slice(-HISTORY);
  }, [answer]);
  return { poll, history: history.value };
}

function Fact({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Panel(props: { title: string; figure: ComponentChildren; note?: ComponentChildren; children: ComponentChildren }) {
  return (
    <section class="panel">
      <h2>{props.title}</h2>
      <p class="figure">{props.figure}</p>
      <p class="note">{props.note}</p>
      {props.children}
    </section>
  );
}

function Accepted({ accepted, history }: { accepted: CollectorStatus['accepted']; history: readonly Moment[] }) {
  return (
    <Panel title="Accepted" figure={formatRate(accepted.spans_per_s)} note="spans">
      <Sparkline values={history.map(({ rate }) => rate)} room={HISTORY} label="Spans a second over the last minute and a half" />
      <dl>
        <Fact label="Spans">{formatCount(accepted.spans)}</Fact>
        <Fact label="Batches">{formatCount(accepted.batches)}</Fact>
        <Fact label="Bytes">{formatBytes(accepted.bytes)}</Fact>
        <Fact label="Duplicate batches">{formatCount(accepted.duplicate_batches)}</Fact>
      </dl>
    </Panel>
  );
}

function Freshness({ freshness, history }: { freshness: Status['freshness']; history: readonly Moment[] }) {
  const { count = 0, p50_ns: p50Ns = NaN, p99_ns: p99Ns = NaN } = freshness ?? {};
  return (
    <Panel title="Freshness" figure={formatDuration(p99Ns)} note="from a span’s end to here, p99">
      <Sparkline values={history.map(({ p99Ns }) => p99Ns)} room={HISTORY} label="p99 over the last minute and a half" />
      <dl>
        <Fact label="p50">{formatDuration(p50Ns)}</Fact>
        <Fact label="p99">{formatDuration(p99Ns)}</Fact>
        <Fact label="Spans measured">{formatCount(count)}</Fact>
      </dl>
    </Panel>
  );
}

const share = (part: number, whole: number) => (whole > 0 ? part / whole : 0);

function Head({ head }: { head: CollectorStatus['head'] }) {
  const used = share(head.bytes, head.limit_bytes);
  return (
    <Panel
      title="Head memory"
      figure={formatBytes(head.bytes)}
      note={`${formatPercent(used)} of ${formatBytes(head.limit_bytes)}`}
    >
      <Meter share={used} label="Head memory in use" />
      <dl>
        <Fact label="Traces">{formatCount(head.traces)}</Fact>
        <Fact label="Spans">{formatCount(head.spans)}</Fact>
      </dl>
    </Panel>
  );
}

function Segments({ segments }: { segments: CollectorStatus['segments'] }) {
  const used = share(segments.bytes, segments.limit_bytes);
  const broken = segments.state !== 'ok' || segments.damaged.length > 0;
  return (
    <Panel
      title="Traces on disk"
      figure={formatBytes(segments.bytes)}
      note={`${formatPercent(used)} of ${formatBytes(segments.limit_bytes)}`}
    >
      <Meter share={used} label="Disk of the traces in use" tone={broken ? 'failed' : ''} />
      <dl>
        <Fact label="Spans">{formatCount(segments.spans)}</Fact>
        <Fact label="Bytes a span">{segments.spans > 0 ? (segments.bytes / segments.spans).toFixed(1) : '–'}</Fact>
        <Fact label="Segments">{formatCount(segments.count)}</Fact>
        <Fact label="Reaches back">{segments.oldest_unix_ns ? <Ago unixNs={segments.oldest_unix_ns} /> : '–'}</Fact>
        <Fact label="Aged out">{formatCount(segments.aged_spans)}</Fact>
      </dl>
      {segments.error && <p class="bad">{segments.error}</p>}
      {segments.damaged.map(({ file, why }) => (
        <p key={file} class="bad">
          {file}: {why}
        </p>
      ))}
    </Panel>
  );
}

const LEDGER_STATES = { ok: 'Writing', full: 'Disk full', failed: 'Failed' } as const;

function Ledger({ ledger }: { ledger: CollectorStatus['ledger'] }) {
  const used = share(ledger.bytes, ledger.limit_bytes);
  const broken = ledger.state !== 'ok';
  return (
    <Panel
      title="Ledger"
      figure={formatBytes(ledger.bytes)}
      note={`${formatPercent(used)} of ${formatBytes(ledger.limit_bytes)}`}
    >
      <Meter share={used} label="Ledger in use" tone={broken ? 'failed' : ''} />
      <dl>
        <Fact label="State">
          <span class={broken ? 'lamp bad' : 'lamp good'}>{LEDGER_STATES[ledger.state] ?? ledger.state}</span>
        </Fact>
        <Fact label="Segments">{formatCount(ledger.segments)}</Fact>
        <Fact label="Reaches back">{ledger.oldest_unix_ns ? <Ago unixNs={ledger.oldest_unix_ns} /> : '–'}</Fact>
        <Fact label="Dropped segments">{formatCount(ledger.dropped_segments)}</Fact>
      </dl>
      {ledger.error && <p class="bad">{ledger.error}</p>}
    </Panel>
  );
}

export function StatusView() {
  const { poll, history } = useStatus();
  const status = poll.data.value;
  const error = poll.error.value;
  if (!status) {
    if (error) return <ErrorState error={error} retry={poll.refresh} />;
    return <p class="status-head muted">Asking the collector…</p>;
  }
  const { collector } = status;
  const upNs = (unixMs(collector.now_unix_ns) - unixMs(collector.start_unix_ns)) * 1e6;
  return (
    <>
      <header class="status-head">
        <h1>Pipeline</h1>
        <p class="muted">
          weft-collector {collector.version}, up {formatDuration(Math.max(upNs, 1e9))}
        </p>
      </header>
      <div class="panels">
        <Accepted accepted={collector.accepted} history={history} />
        <Freshness freshness={status.freshness} history={history} />
        <Head head={collector.head} />
        <Segments segments={collector.segments} />
        <Ledger ledger={collector.ledger} />
      </div>
      <AgentsTable agents={status.agents} />
      <LossesTable losses={status.losses} />
      <StaleNotice error={error} />
    </>
  );
}
