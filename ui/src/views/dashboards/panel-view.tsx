// SPDX-License-Identifier: Apache-2.0
/* One panel of a dashboard, with what its queries leave open filled in; and its values, where it is repeated. */
import type { ComponentChildren } from 'preact';
import { labelValues } from '../../api/prom';
import { serverNowMs } from '../../api/session';
import { usePoll } from '../../api/use-poll';
import type { ChartKind, ChartMark } from '../../components/chart';
import { Icon } from '../../components/icon';
import { Box, BoxMessage } from '../../components/panel';
import { QueryChart, refreshMs, spanNow } from '../../components/query-chart';
import { QueryHeatmap } from '../../components/query-heatmap';
import { asksQueries, filled, repeated, type Panel } from '../../model/dashboard';
import { graphHref } from '../../model/graph-state';
import { inRange, windowNow } from '../../routes/location';
import { ListPanel } from './lists';

const HEIGHT = 200;
const REPEATED_MOST = 24;

interface PanelProps {
  panel: Panel;
  marks: readonly ChartMark[];
  /** Beside the title: what edits it. */
  tools?: ComponentChildren;
  /** Below the title: its form. */
  form?: ComponentChildren;
}

function Drawn({ panel, queries, marks }: { panel: Panel; queries: { query: string; legend?: string; colour?: number }[]; marks: readonly ChartMark[] }) {
  const height = panel.height ?? HEIGHT;
  const unit = panel.unit === undefined ? {} : { unit: panel.unit };
  if (!asksQueries(panel.kind)) return <ListPanel kind={panel.kind} title={panel.title} height={height} />;
  if (queries.length === 0) return <BoxMessage height={height}>This panel has no query yet.</BoxMessage>;
  if (panel.kind === 'heatmap') return <QueryHeatmap label={panel.title} query={queries[0]!.query} height={height} marks={marks} {...unit} />;
  return <QueryChart label={panel.title} queries={queries} kind={panel.kind as ChartKind} height={height} log={panel.log ?? false} marks={marks} syncKey="dashboard" {...unit} />;
}

function Single({ panel, value, marks, tools, form }: PanelProps & { value: string }) {
  const { fromMs, toMs } = windowNow(serverNowMs());
  const { stepSeconds } = spanNow();
  const queries = (panel.queries ?? []).map((each) => ({ ...each, query: filled(each.query, stepSeconds, (toMs - fromMs) / 1000, value) }));
  const shape = panel.kind === 'areas' || panel.kind === 'stacked' || panel.kind === 'heatmap' ? panel.kind : 'lines';
  const open = asksQueries(panel.kind) && queries.length > 0 && (
    <a
      class="dashboard-open"
      href={inRange(graphHref({ queries: queries.map(({ query }) => query), shape, unit: panel.unit, log: panel.log ?? false }))}
      aria-label={`Open ${panel.title} as a graph`}
      title="Open as a graph"
    >
      <Icon name="search" />
    </a>
  );
  return (
    <div class={`dashboard-panel w${panel.width ?? 6}`}>
      <Box title={panel.title} note={panel.note} aside={<span class="dashboard-tools">{open}{tools}</span>}>
        {form}
        <Drawn panel={panel} queries={queries} marks={marks} />
      </Box>
    </div>
  );
}

function Repeated(props: PanelProps & { repeat: { label: string; metric: string } }) {
  const { panel, repeat, tools, form, marks } = props;
  const poll = usePoll(JSON.stringify(repeat), (options) => labelValues(repeat.label, repeat.metric, options), Math.max(refreshMs(), 30_000));
  const values = (poll.data.value ?? []).filter((value) => value !== '').slice(0, REPEATED_MOST);
  if (values.length === 0) {
    return (
      <div class={`dashboard-panel w${panel.width ?? 6}`}>
        <Box title={panel.title} note={panel.note} aside={<span class="dashboard-tools">{tools}</span>}>
          {form}
          {poll.data.value || poll.error.value ? (
            <BoxMessage height={panel.height ?? HEIGHT} failed={poll.error.value !== undefined}>
              {poll.error.value?.message ?? `No ${repeat.label} is known on ${repeat.metric}.`}
            </BoxMessage>
          ) : (
            <div class="skeleton" style={{ height: `${panel.height ?? HEIGHT}px` }} aria-busy="true" />
          )}
        </Box>
      </div>
    );
  }
  return (
    <>
      {repeated(panel, values).map((each, i) => (
        <Single key={each.value} panel={each.panel} value={each.value} marks={marks} tools={i === 0 ? tools : undefined} form={i === 0 ? form : undefined} />
      ))}
    </>
  );
}

export function PanelView(props: PanelProps) {
  return props.panel.repeat ? <Repeated {...props} repeat={props.panel.repeat} /> : <Single {...props} value="" />;
}
