// SPDX-License-Identifier: Apache-2.0
/* One trace in the list: a link whose parts stand in the list's columns. */
import { Component } from 'preact';
import type { TraceSummary } from '../../api/wire';
import { Ago, Mark, ServiceName } from '../../components/parts';
import { formatCount, formatDuration, plural } from '../../model/format';
import { sameRow } from '../../model/live-list';
import { logShare } from '../../model/scale';
import { traceHref } from '../../routes/routes';

/** The worst that happened in a trace: it colours the row's edge and bar. */
function worst(trace: TraceSummary): 'died' | 'error' | 'in_flight' | 'fine' {
  if (trace.died_count > 0) return 'died';
  if (trace.error_count > 0) return 'error';
  return trace.in_flight_count > 0 ? 'in_flight' : 'fine';
}

function Marks({ trace }: { trace: TraceSummary }) {
  return (
    <>
      {trace.died_count > 0 && <Mark kind="died">{formatCount(trace.died_count)} died</Mark>}
      {trace.error_count > 0 && <Mark kind="error">{plural(trace.error_count, 'error')}</Mark>}
      {trace.in_flight_count > 0 && <Mark kind="in_flight">{formatCount(trace.in_flight_count)} in flight</Mark>}
      {!trace.complete && (
        <Mark kind="incomplete" title="A root or some parent has not arrived">
          incomplete
        </Mark>
      )}
    </>
  );
}

const CHIPS_SHOWN = 4;

export class TraceRow extends Component<{ trace: TraceSummary }> {
  override shouldComponentUpdate(next: { trace: TraceSummary }): boolean {
    return !sameRow(this.props.trace, next.trace);
  }

  override render({ trace }: { trace: TraceSummary }) {
    const chips = trace.services.slice(0, CHIPS_SHOWN);
    return (
      <li>
        <a class={`trace-row ${worst(trace)}`} href={traceHref(trace.trace_id)}>
          <span class="when">
            <Ago unixNs={trace.start_unix_ns} />
          </span>
          <span class="root">
            {trace.root ? (
              <>
                <ServiceName name={trace.root.service} />
                <span class="operation clip">{trace.root.operation}</span>
              </>
            ) : (
              <span class="muted">root not arrived</span>
            )}
          </span>
          <span class="duration">{formatDuration(trace.duration_ns)}</span>
          <span class="strip" aria-hidden="true">
            <span class="bar" style={{ width: `max(${logShare(trace.duration_ns) * 100}%, 3px)` }} />
          </span>
          <span class="spans">
            {formatCount(trace.span_count)}
            <span class="unit"> {trace.span_count === 1 ? 'span' : 'spans'}</span>
          </span>
          <span class="services">
            {chips.map(({ name, spans }) => (
              <ServiceName key={name} name={name} count={formatCount(spans)} />
            ))}
            {trace.services.length > CHIPS_SHOWN && (
              <span class="muted">+{trace.services.length - CHIPS_SHOWN}</span>
            )}
          </span>
          <span class="marks">
            <Marks trace={trace} />
          </span>
        </a>
      </li>
    );
  }
}
