// SPDX-License-Identifier: Apache-2.0
/* Any query over any time: the editor, the shape, the drawing, and the traces behind a point. */
import { MOST_MARKS } from '../../api/marks';
import { CopyButton, Segments } from '../../components/parts';
import { PageHead, sortingFrom } from '../../components/panel';
import { PromqlEditor } from '../../components/promql-editor';
import { ErrorState, StaleNotice } from '../../components/states';
import { Icon } from '../../components/icon';
import { formatCount } from '../../model/format';
import { graphFrom, graphHref, graphParams, QUERIES_MOST, type GraphState } from '../../model/graph-state';
import { HEAT_SCHEMA } from '../../model/heat';
import { UNITS, unitOf } from '../../model/units';
import { hrefWith, inRange, navigate } from '../../routes/location';
import type { PageProps } from '../pages';
import { useAnswers, useMarks } from './answers';
import { Drawing, seriesNamed } from './drawing';
import { Exemplars } from './exemplars';
import './graph.css';

const UNIT_NAMES = { count: 'Numbers', rate: 'Per second', seconds: 'Seconds', bytes: 'Bytes', bytes_rate: 'Bytes a second', share: 'Percent' } as const;

const EXAMPLES: readonly { title: string; state: Partial<GraphState> }[] = [
  { title: 'Requests a second by service', state: { queries: ['sum by (service_name) (rate(traces_span_metrics_calls_total{span_kind="SPAN_KIND_SERVER"}[1m]))'], shape: 'stacked' } },
  { title: 'Slowest requests: p99 by service', state: { queries: ['histogram_quantile(0.99, sum by (service_name) (rate(traces_span_metrics_duration_seconds{span_kind="SPAN_KIND_SERVER"}[1m])))'] } },
  { title: 'How long requests take, as a heatmap', state: { queries: ['sum(rate(traces_span_metrics_duration_seconds{span_kind="SPAN_KIND_SERVER"}[1m]))'], shape: 'heatmap' } },
  { title: 'Processors in use by service', state: { queries: ['sum by (service) (rate(process_cpu_seconds_total[1m]))'], shape: 'areas' } },
];

const set = (state: Partial<GraphState>, replace = false) => navigate(hrefWith(graphParams(state)), { replace });

function Queries({ state, errors }: { state: GraphState; errors: readonly string[] }) {
  const rows = state.queries.length > 0 ? state.queries : [''];
  const change = (at: number, query: string) => set({ queries: rows.map((old, i) => (i === at ? query : old)), picked: undefined });
  return (
    <div class="graph-queries">
      {rows.map((query, i) => (
        <div class="graph-query" key={i}>
          <span class="number" aria-hidden="true">{i + 1}</span>
          <PromqlEditor label={`Query ${i + 1}`} query={query} error={errors[i] ?? ''} onRun={(text) => change(i, text)} />
          {rows.length > 1 && (
            <button
              type="button"
              class="button quiet square"
              aria-label={`Remove query ${i + 1}`}
              title="Remove"
              onClick={() => set({ queries: rows.filter((_, n) => n !== i), picked: undefined })}
            >
              <Icon name="close" />
            </button>
          )}
        </div>
      ))}
    </div>
  );
}

function Adder({ state }: { state: GraphState }) {
  /* A query that is added begins as a copy of the last one: the address keeps no empty ones. */
  const last = state.queries.at(-1);
  return (
    <button type="button" class="button" disabled={!last || state.queries.length >= QUERIES_MOST} onClick={() => set({ queries: [...state.queries, last ?? ''] })}>
      Add a query
    </button>
  );
}

function Controls({ state }: { state: GraphState }) {
  const guessed = UNIT_NAMES[unitOf(state.queries[0] ?? '')];
  const lines = state.shape === 'lines' || state.shape === 'areas';
  return (
    <div class="graph-controls">
      <Adder state={state} />
      <Segments
        name="shape" legend="Shown as" value={state.shape} onChange={(shape) => set({ shape })}
        choices={[
          { value: 'lines', label: 'Lines' }, { value: 'areas', label: 'Areas' }, { value: 'stacked', label: 'Stacked' },
          { value: 'heatmap', label: 'Heatmap' }, { value: 'table', label: 'Table' },
        ]}
      />
      <label class="graph-unit">
        Unit
        <select class="field" value={state.unit ?? ''} onChange={(event) => set({ unit: UNITS.find((unit) => unit === event.currentTarget.value) }, true)}>
          <option value="">{`Guessed: ${guessed.toLowerCase()}`}</option>
          {UNITS.map((unit) => (
            <option key={unit} value={unit}>{UNIT_NAMES[unit]}</option>
          ))}
        </select>
      </label>
      <label class="graph-check">
        <input type="checkbox" checked={state.log && lines} disabled={!lines} onChange={(event) => set({ log: event.currentTarget.checked }, true)} />
        Logarithmic
      </label>
      <label class="graph-check">
        <input type="checkbox" checked={state.marks} disabled={state.shape === 'table'} onChange={(event) => set({ marks: event.currentTarget.checked }, true)} />
        Marks
      </label>
    </div>
  );
}

function Examples() {
  return (
    <div class="graph-examples">
      <p class="muted">Write a PromQL query above; names, labels and values are offered as you type. Or begin with one of these:</p>
      <ul>
        {EXAMPLES.map(({ title, state }) => (
          <li key={title}>
            <a href={inRange(graphHref(state))}>{title}</a>
          </li>
        ))}
      </ul>
    </div>
  );
}

export default function GraphPage({ query }: PageProps) {
  const state = graphFrom(query);
  const asked = state.queries.length > 0;
  const poll = useAnswers(state.queries, state.shape === 'heatmap' ? HEAT_SCHEMA : undefined);
  const { marks, more } = useMarks(asked && state.marks);
  const answers = poll.data.value;
  const errors = state.queries.map((text, i) => (answers?.answers[i]?.query === text ? answers.answers[i]!.error : ''));
  const picked = answers && state.picked && seriesNamed(answers, state.picked.series);
  const pickedQuery = picked?.query ?? state.queries.find((text) => text === state.picked?.series);
  return (
    <>
      <PageHead title="Graph">
        {asked && <CopyButton text={window.location.href} label="Copy the address of this graph" icon="link" />}
      </PageHead>
      <div class="page-body">
        <section class="box" aria-label="Queries">
          <Queries state={state} errors={errors} />
          <Controls state={state} />
        </section>
        <section class="box" aria-label="Graph">
          {!asked && <Examples />}
          {asked && answers && (
            <Drawing
              state={state}
              answers={answers}
              marks={marks}
              sort={sortingFrom(query.get('sort'), 'last')}
              onSort={(sort) => navigate(hrefWith({ sort }), { replace: true })}
              onPick={(series, at) => set({ picked: { series: series.name, at } })}
            />
          )}
          {asked && answers && more && <p class="muted graph-note">{`The newest ${formatCount(MOST_MARKS)} marks are shown; the older part of this time has more.`}</p>}
          {asked && !answers && poll.error.value && <ErrorState error={poll.error.value} retry={poll.refresh} />}
          {asked && !answers && !poll.error.value && <div class="skeleton graph-skeleton" aria-busy="true" />}
        </section>
        {answers && state.picked && pickedQuery !== undefined && (
          <Exemplars query={pickedQuery} labels={picked?.labels ?? {}} name={state.picked.series} at={state.picked.at} stepSeconds={answers.span.stepSeconds} />
        )}
      </div>
      <StaleNotice error={answers ? poll.error.value : undefined} />
    </>
  );
}
