// SPDX-License-Identifier: Apache-2.0
/* The old version and the new one over time: how long they take, how much they do, how often they fail, how many run. */
import type { Deploy } from '../../api/deploys';
import type { MarkOfTime } from '../../api/marks';
import { Box } from '../../components/panel';
import { QueryChart, spanNow, type Query } from '../../components/query-chart';
import { unixMs } from '../../model/format';
import { errorShare, matching, redQueries } from '../../model/red';
import type { Window } from '../../model/time-range';

/* Old is grey blue, new is purple, in every picture of a deploy. */
const OLD = 1;
const NEW = 6;

export function DeployCharts({ deploy, cells, window }: { deploy: Deploy; cells: readonly MarkOfTime[]; window: Window }) {
  const { mark } = deploy;
  const seconds = Math.max(4 * spanNow(300, window).stepSeconds, 10);
  const of = (version: string | undefined) => matching({ service_name: mark.service, cell: mark.cell || undefined, version });
  const sides = [
    { version: mark.previous, name: mark.previous ?? 'others', colour: OLD },
    { version: mark.version, name: mark.version ?? 'this', colour: NEW },
  ].filter(({ version }) => version !== undefined);
  const each = (make: (of: string) => string, name = ''): Query[] =>
    sides.map((side) => ({ query: make(of(side.version)), legend: `${name}${side.name}`, colour: side.colour }));
  const red = (figure: 'p50' | 'p99' | 'rate') => (matchers: string) => redQueries({ by: [], of: matchers, seconds })[figure];
  const marks = cells.map((one) => ({ atMs: unixMs(one.from_unix_ns), title: one.title, text: one.cell ? `in cell ${one.cell}` : '' }));
  const shared = { window, marks, syncKey: `deploy ${mark.id}`, height: 170 };
  return (
    <>
      <div class="two">
        <Box title="p99" note="old against new">
          <QueryChart {...shared} label="p99 by version" unit="seconds" queries={each(red('p99'))} />
        </Box>
        <Box title="p50" note="old against new">
          <QueryChart {...shared} label="p50 by version" unit="seconds" queries={each(red('p50'))} />
        </Box>
      </div>
      <div class="two">
        <Box title="Requests" note="by version">
          <QueryChart {...shared} label="Requests a second by version" unit="rate" kind="stacked" queries={each(red('rate'))} />
        </Box>
        <Box title="Errors" note="part of the requests">
          <QueryChart {...shared} label="Errors by version" unit="share" queries={each((matchers) => errorShare(matchers, seconds))} />
        </Box>
      </div>
      <Box title="Processes" note="of all cells, by version">
        <QueryChart
          {...shared} label="Processes by version" unit="count" kind="stacked"
          queries={sides.map(({ version, name, colour }) => ({ query: `sum(weft_processes{${matching({ service: mark.service, version })}})`, legend: name, colour }))}
        />
      </Box>
    </>
  );
}
