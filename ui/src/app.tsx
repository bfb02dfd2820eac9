// SPDX-License-Identifier: Apache-2.0
/* The frame of the page: its bar, and the view that the address names. */
import { useEffect } from 'preact/hooks';
import './app.css';
import { Nav } from './components/nav';
import { State } from './components/states';
import { inRange, route } from './routes/location';
import { PAGES, recentHref, type Page, type Route } from './routes/routes';
import { LiveView } from './views/inflight/live';
import { ENTRIES, PageView } from './views/pages';
import { StatusView } from './views/status/status';
import { TraceView } from './views/trace/trace';

const TITLES: Record<Exclude<Route['view'], Page>, string> = {
  trace: 'Trace',
  inflight: 'Live',
  status: 'Pipeline',
  unknown: 'Not found',
};

const BAR = PAGES.map((page) => ({ page, title: ENTRIES[page].title }));

const isPage = (view: Route['view']): view is Page => PAGES.some((page) => page === view);

function View({ at }: { at: Route }) {
  switch (at.view) {
    case 'trace':
      return <TraceView key={at.traceId} traceId={at.traceId} spanId={at.spanId} zoom={at.zoom} look={at.look} />;
    case 'inflight':
      return <LiveView service={at.service} show={at.show} q={at.q} />;
    case 'status':
      return <StatusView />;
    case 'unknown':
      return <Unknown path={at.path} />;
    default:
      return <PageView key={at.view} page={at.view} id={at.id} query={at.query} />;
  }
}

function Unknown({ path }: { path: string }) {
  return (
    <State icon="broken" title="There is no such page">
      <p>
        Nothing of Weft is at {path}. See the <a href={inRange(recentHref())}>recent traces</a>.
      </p>
    </State>
  );
}

export function App() {
  const at = route.value;
  useEffect(() => {
    const title = isPage(at.view) ? ENTRIES[at.view].title : TITLES[at.view];
    document.title = `${title} · Weft`;
  }, [at.view]);
  return (
    <>
      <a class="skip" href="#main" onClick={() => document.getElementById('main')?.focus()}>
        To the content
      </a>
      <Nav view={at.view} pages={BAR} />
      <main id="main" tabIndex={-1} class={`view-${at.view}`}>
        <View at={at} />
      </main>
    </>
  );
}
