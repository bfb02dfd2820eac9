// SPDX-License-Identifier: Apache-2.0
/* What the spans of a region have in common, beside all others that the query finds. */
import { measure } from '../../api/search';
import { usePoll } from '../../api/use-poll';
import { Box, BoxMessage, DataTable, type Column } from '../../components/panel';
import { compareSeries, type Difference } from '../../model/common';
import { formatCount, formatPercent, plural } from '../../model/format';
import { durationRange, type Region } from '../../model/duration-map';
import { EMPTY_FORM, parseForm, printForm, quoted, wholeNs } from '../../model/traceql';
import { hrefWith } from '../../routes/location';
import type { Asked } from './search';

const VALUES_EACH = 20;
const MOST_SHOWN = 40;
const HEIGHT = 200;
const NEVER_MS = 2 ** 31 - 1;

const queryOf = ({ query }: Asked, { fromMs, toMs, fromS, toS }: Region) =>
  `${query} | compare({ duration > ${wholeNs(fromS)} && duration <= ${wholeNs(toS)} }, ${VALUES_EACH}, ${fromMs}000000, ${toMs}000000)`;

function Shares({ row }: { row: Difference }) {
  return (
    <span class="shares" aria-hidden="true">
      <span class="selected" style={{ width: `${row.selectedShare * 100}%` }} />
      <span class="others" style={{ width: `${row.othersShare * 100}%` }} />
    </span>
  );
}

/** The query with the value as one more condition, where it has a form. */
function narrowedHref(query: string, { attribute, value }: Difference): string | undefined {
  const form = parseForm(query);
  if (!form) return undefined;
  const bare = /^(-?\d+(\.\d+)?|true|false)$/.test(value) || attribute === 'kind' || attribute === 'status';
  return hrefWith({ q: printForm({ ...EMPTY_FORM, ...form, rest: [...form.rest, `${attribute} = ${bare ? value : quoted(value)}`] }), region: undefined, lens: undefined });
}

const columns = (query: string): Column<Difference>[] => [
  { id: 'attribute', title: 'Attribute', cell: (row) => <span class="mono">{row.attribute}</span> },
  {
    id: 'value', title: 'Value', grows: true,
    cell: (row) => {
      const href = narrowedHref(query, row);
      return href ? <a class="mono" href={href} title={`Search for ${row.value}`}>{row.value}</a> : <span class="mono" title={row.value}>{row.value}</span>;
    },
  },
  { id: 'bars', title: '', cell: (row) => <Shares row={row} /> },
  { id: 'selected', title: 'Selected', number: true, cell: (row) => formatPercent(row.selectedShare) },
  { id: 'others', title: 'Others', number: true, cell: (row) => formatPercent(row.othersShare) },
  { id: 'count', title: 'Spans', number: true, cell: (row) => formatCount(row.selected) },
];

export function Common({ asked, region, chosen }: { asked: Asked; region: Region; chosen: boolean }) {
  const query = queryOf(asked, region);
  const poll = usePoll(query, async (options) => compareSeries((await measure(query, asked.window, 0, options)).series), NEVER_MS);
  const answer = poll.data.value;
  const what = `${chosen ? 'the region' : 'the slowest'}: ${durationRange(region)}`;
  return (
    <Box title="What they have in common" note={answer ? `${plural(answer.selected, 'span')} (${what}) beside ${formatCount(answer.others)} others; the largest difference first` : what}>
      {!answer && poll.error.value && <BoxMessage height={HEIGHT} failed>{poll.error.value.message}</BoxMessage>}
      {!answer && !poll.error.value && <div class="skeleton heat-skeleton" aria-busy="true" />}
      {answer?.differences.length === 0 && <BoxMessage height={HEIGHT}>Nothing sets them apart: no value of an attribute is more frequent here than elsewhere.</BoxMessage>}
      {answer && answer.differences.length > 0 && (
        <DataTable label="Differences" rows={answer.differences.slice(0, MOST_SHOWN)} columns={columns(asked.query)} keyOf={(row) => `${row.attribute} ${row.value}`} />
      )}
    </Box>
  );
}
