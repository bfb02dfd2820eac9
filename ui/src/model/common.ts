// SPDX-License-Identifier: Apache-2.0
/*
 * What a selection of spans has in common, beside the rest: of each value of each attribute, how large a
 * part of either has it; the largest difference first. From the series of TraceQL's compare().
 */

export interface CompareSeries {
  labels: Record<string, string | number | boolean>;
  values: readonly (number | string)[];
}

export interface Difference {
  attribute: string;
  value: string;
  selected: number;
  others: number;
  /** Parts of all spans on either side, 0 to 1. */
  selectedShare: number;
  othersShare: number;
}

export interface Comparison {
  selected: number;
  others: number;
  differences: Difference[];
}

const sum = (values: readonly (number | string)[]) => values.reduce<number>((all, each) => all + (typeof each === 'number' ? each : 0), 0);

/** What says the same of every span that it was found by. */
const DULL = /^(nestedSet|span:id|trace:id|traceDuration|duration$)/;

export function compareSeries(series: readonly CompareSeries[]): Comparison {
  const rows = new Map<string, Difference>();
  let selected = 0;
  let others = 0;
  for (const { labels, values } of series) {
    const type = labels['__meta_type'];
    const count = sum(values);
    /* An attribute that every span has, such as its name, tells how many there are. */
    if (type === 'selection_total') selected = Math.max(selected, count);
    else if (type === 'baseline_total') others = Math.max(others, count);
    else if (type === 'selection' || type === 'baseline') {
      const attribute = Object.keys(labels).find((label) => !label.startsWith('__'));
      if (attribute === undefined || DULL.test(attribute)) continue;
      const value = String(labels[attribute]);
      const key = `${attribute}\n${value}`;
      const row = rows.get(key) ?? { attribute, value, selected: 0, others: 0, selectedShare: 0, othersShare: 0 };
      rows.set(key, row);
      if (type === 'selection') row.selected += count;
      else row.others += count;
    }
  }
  const differences = [...rows.values()].map((row) => ({
    ...row, selectedShare: selected > 0 ? row.selected / selected : 0, othersShare: others > 0 ? row.others / others : 0,
  }));
  const weight = ({ selectedShare, othersShare }: Difference) => Math.abs(selectedShare - othersShare);
  return { selected, others, differences: differences.filter((row) => weight(row) > 0.005).sort((a, b) => weight(b) - weight(a)) };
}
