// SPDX-License-Identifier: Apache-2.0
/* Who calls whom: the graph of all services, and its calls in a table. */
import { getGraph } from '../../api/graph';
import { serverNowMs } from '../../api/session';
import { usePoll } from '../../api/use-poll';
import { Box, PageHead } from '../../components/panel';
import { refreshMs } from '../../components/query-chart';
import { ErrorState, StaleNotice, State } from '../../components/states';
import { formatCount, plural } from '../../model/format';
import { graphOf, scopeOf, SHOWN_AT_ONCE } from '../../model/service-graph';
import { timeRange, windowNow } from '../../routes/location';
import type { PageProps } from '../pages';
import { Calls } from './calls';
import { GraphBox } from './graph-box';
import { GraphTools, reachFrom } from './graph-tools';
import { ServiceView } from './service';
import './services.css';

const GRAPH_TRACES = 1000;
/* Reading traces costs more than a look at series. */
const GRAPH_LEAST_MS = 15_000;

function Services({ query }: { query: URLSearchParams }) {
  const range = JSON.stringify(timeRange.value);
  const poll = usePoll(range, (options) => getGraph(windowNow(serverNowMs()), GRAPH_TRACES, options), Math.max(refreshMs(), GRAPH_LEAST_MS));
  const wire = poll.data.value;
  if (!wire && poll.error.value) return <ErrorState error={poll.error.value} retry={poll.refresh} />;
  if (!wire) return <div class="skeleton page-skeleton" aria-busy="true" />;
  const graph = graphOf(wire);
  const scope = scopeOf(graph, { focal: query.get('focus') ?? '', reach: reachFrom(query.get('reach')) });
  const { shown, focal, reach } = scope;
  const part = shown.nodes.length < graph.nodes.length;
  return (
    <>
      <PageHead title="Services" note={`of the newest ${plural(wire.traces, 'trace')} in this time`} />
      {graph.nodes.length === 0 ? (
        <State icon="threads" title="No call was seen in this time">
          <p>Services and what they call show here with their first trace. Record one, or choose another time.</p>
        </State>
      ) : (
        <div class="page-body services">
          <Box
            title="Who calls whom"
            note={part ? `around ${focal}: ${formatCount(shown.nodes.length)} of ${plural(graph.nodes.length, 'node')}` : 'calls, median latency and failures on the way; choose a service for its own page'}
            aside={<GraphTools graph={graph} scope={scope} />}
          >
            <GraphBox graph={shown} focal={focal} whole={reach === 'all' && graph.nodes.length > SHOWN_AT_ONCE} label="Graph of services" />
          </Box>
          <Box title="Calls" note={part ? `${plural(shown.edges.length, 'pair')}, of what is shown above` : plural(shown.edges.length, 'pair')}>
            <Calls graph={shown} sort={query.get('sort')} hold={range} />
          </Box>
        </div>
      )}
      <StaleNotice error={poll.error.value} />
    </>
  );
}

export default function ServicesPage({ id, query }: PageProps) {
  return id === '' ? <Services query={query} /> : <ServiceView name={id} query={query} />;
}
