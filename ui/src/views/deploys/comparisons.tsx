// SPDX-License-Identifier: Apache-2.0
/* Each measure before and after, how sure the difference is, and from how many intervals. */
import type { Comparison, Verdict } from '../../api/deploys';
import { Box, BoxMessage, DataTable, type Column } from '../../components/panel';
import { formatDuration } from '../../model/format';
import { confidenceText, measureName, measureText, ratioText } from '../../model/verdict';
import { ChangeTag } from './change-tag';

const HEIGHT = 196;

const columns = (versions: boolean): Column<Comparison>[] => [
  { id: 'measure', title: 'Measure', cell: (one) => measureName(one.measure) },
  { id: 'before', title: versions ? 'Old' : 'Before', number: true, cell: (one) => measureText(one.measure, one.before) },
  { id: 'after', title: versions ? 'New' : 'After', number: true, cell: (one) => measureText(one.measure, one.after) },
  { id: 'ratio', title: 'Change', number: true, cell: (one) => ratioText(one.ratio) },
  { id: 'verdict', title: 'Verdict', cell: (one) => <ChangeTag change={one.change} /> },
  { id: 'confidence', title: 'Confidence', number: true, cell: (one) => <span title={`${one.before_intervals} and ${one.after_intervals} intervals`}>{confidenceText(one)}</span> },
];

function note({ basis, interval_ns: intervalNs = NaN, measures }: Verdict): string {
  if (basis === 'none') return '';
  const [first] = measures;
  const many = first ? `, ${first.before_intervals} and ${first.after_intervals} intervals of ${formatDuration(intervalNs)}` : '';
  return `${basis === 'versions' ? 'the new version against the old one' : 'after against before'}${many}`;
}

export function Comparisons({ title, verdict }: { title: string; verdict: Verdict }) {
  return (
    <Box title={title} note={note(verdict)}>
      {verdict.measures.length > 0 ? (
        <DataTable label={`Measures: ${title}`} rows={verdict.measures} columns={columns(verdict.basis === 'versions')} keyOf={({ measure }) => measure} />
      ) : (
        <BoxMessage height={HEIGHT}>Too early to say, or too few requests: a verdict takes eight intervals on each side.</BoxMessage>
      )}
      {verdict.yesterday && (
        <details>
          <summary>The same times of the day before</summary>
          <DataTable label={`The day before: ${title}`} rows={verdict.yesterday} columns={columns(false)} keyOf={({ measure }) => measure} />
        </details>
      )}
    </Box>
  );
}
