// SPDX-License-Identifier: Apache-2.0
/* The newest traces of the old version and of the new one, and a way to all of them. */
import { getTracesOf } from '../../api/deploys';
import type { MarkOfTime } from '../../api/marks';
import { usePoll } from '../../api/use-poll';
import type { TraceSummary } from '../../api/wire';
import { Box, BoxMessage, DataTable, type Column } from '../../components/panel';
import { Ago, Mark } from '../../components/parts';
import { formatDuration } from '../../model/format';
import { quoted } from '../../model/red';
import type { Window } from '../../model/time-range';
import { inRange } from '../../routes/location';
import { pageHref, traceHref } from '../../routes/routes';

const HEIGHT = 196;
const SHOWN = 6;
const REFRESH_MS = 20_000;

const COLUMNS: Column<TraceSummary>[] = [
  { id: 'root', title: 'Trace', grows: true, cell: ({ trace_id, root }) => <a href={inRange(traceHref(trace_id))}>{root ? `${root.service} ${root.operation}` : trace_id}</a> },
  { id: 'failed', title: '', cell: ({ error_count, died_count }) => (died_count > 0 ? <Mark kind="died">died</Mark> : error_count > 0 ? <Mark kind="error">failed</Mark> : '') },
  { id: 'duration', title: 'Took', number: true, cell: ({ duration_ns }) => formatDuration(duration_ns) },
  { id: 'when', title: 'When', number: true, cell: ({ start_unix_ns }) => <Ago unixNs={start_unix_ns} suffix=" ago" /> },
];

function Traces({ mark, version, window }: { mark: MarkOfTime; version: string; window: Window }) {
  const conditions = { 'resource.service.name': mark.service, 'resource.service.version': version, 'resource.weft.cell': mark.cell };
  const q = `{ ${Object.entries(conditions).flatMap(([key, value]) => (value ? [`${key} = ${quoted(value)}`] : [])).join(' && ')} }`;
  const poll = usePoll(q, (options) => getTracesOf(q, window, SHOWN, options), REFRESH_MS);
  const traces = poll.data.value;
  const all = pageHref('search', '', { q, from: String(Math.floor(window.fromMs)), to: String(Math.ceil(window.toMs)) });
  return (
    <Box title={`Traces of ${version}`} note="the newest" aside={<a href={all}>Search in all of them</a>}>
      {traces && traces.length > 0 && <DataTable label={`Traces of ${version}`} rows={traces} columns={COLUMNS} keyOf={({ trace_id }) => trace_id} />}
      {traces?.length === 0 && <BoxMessage height={HEIGHT}>None in this time.</BoxMessage>}
      {!traces && poll.error.value && <BoxMessage height={HEIGHT} failed>{poll.error.value.message}</BoxMessage>}
      {!traces && !poll.error.value && <div class="skeleton" style={{ height: `${HEIGHT}px` }} aria-busy="true" />}
    </Box>
  );
}

export function VersionTraces({ mark, window }: { mark: MarkOfTime; window: Window }) {
  return (
    <div class="two">
      {mark.previous && <Traces mark={mark} version={mark.previous} window={window} />}
      {mark.version && <Traces mark={mark} version={mark.version} window={window} />}
    </div>
  );
}
