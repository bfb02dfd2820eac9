// SPDX-License-Identifier: Apache-2.0
/* The bar at the top: the views, how many requests are open now, a way to any trace, the theme. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { getInflight } from '../api/client';
import { createPoll } from '../api/poll';
import { noteServerTime, token } from '../api/session';
import { inRange, navigate, setUtc, utc } from '../routes/location';
import { inflightHref, pageHref, traceHref, traceIdIn, type Page, type Route } from '../routes/routes';
import { cycleTheme, theme } from '../theme';
import { Icon } from './icon';

const MOST_COUNTED = 100;

function useInflightCount(): string | undefined {
  const poll = useMemo(
    () =>
      createPoll((signal) => getInflight({ limit: MOST_COUNTED }, { signal, token: token.value }), {
        intervalMs: 2000,
      }),
    [],
  );
  useEffect(() => () => poll.stop(), [poll]);
  const answer = poll.data.value;
  useEffect(() => {
    if (answer) noteServerTime(answer.as_of_unix_ns);
  }, [answer]);
  if (!answer || poll.error.value) return undefined;
  return answer.more ? `${MOST_COUNTED}+` : String(answer.spans.length);
}

function Search() {
  const text = useSignal('');
  const wrong = useSignal(false);
  const open = (event: Event) => {
    event.preventDefault();
    const traceId = traceIdIn(text.value);
    wrong.value = traceId === undefined && text.value.trim() !== '';
    if (traceId === undefined) return;
    text.value = '';
    navigate(traceHref(traceId));
  };
  return (
    <form role="search" onSubmit={open}>
      <Icon name="search" />
      <input
        class="field"
        type="search"
        aria-label="Open a trace by its id"
        aria-invalid={wrong.value}
        placeholder="Open a trace id"
        spellcheck={false}
        autocomplete="off"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          wrong.value = false;
        }}
      />
      {wrong.value && (
        <p class="wrong" role="alert">
          A trace id has 32 hexadecimal digits.
        </p>
      )}
    </form>
  );
}

const THEME_ICONS = { auto: 'auto', light: 'sun', dark: 'moon' } as const;
const THEME_LABELS = { auto: 'Theme: as the system', light: 'Theme: light', dark: 'Theme: dark' };

export function Nav({ view, pages }: { view: Route['view']; pages: readonly { page: Page; title: string }[] }) {
  const inflight = useInflightCount();
  const current = (is: boolean) => (is ? { 'aria-current': 'page' as const } : {});
  const link = ({ page, title }: { page: Page; title: string }) => (
    <li key={page}>
      <a href={inRange(pageHref(page))} {...current(view === page || (page === 'search' && view === 'trace'))}>
        {title}
      </a>
    </li>
  );
  return (
    <header class="nav">
      <a class="wordmark" href={inRange('/')} aria-label="Weft: overview">
        <Icon name="threads" />
        <span>weft</span>
      </a>
      <nav aria-label="Views">
        <ul>
          {pages.filter(({ page }) => page === 'overview').map(link)}
          {pages.filter(({ page }) => page === 'search').map(link)}
          <li>
            <a href={inRange(inflightHref())} {...current(view === 'inflight')}>
              Live
              <span class={inflight !== undefined && inflight !== '0' ? 'badge some' : 'badge'}>{inflight ?? '–'}</span>
            </a>
          </li>
          {pages.filter(({ page }) => page !== 'overview' && page !== 'search').map(link)}
          <li>
            <a href={inRange('/status')} {...current(view === 'status')}>
              Pipeline
            </a>
          </li>
        </ul>
      </nav>
      <Search />
      <button
        type="button"
        class="button quiet zone"
        aria-pressed={utc.value}
        aria-label="Times in UTC"
        title={utc.value ? 'Times are in UTC: show local time' : 'Times are local: show UTC'}
        onClick={() => setUtc(!utc.value)}
      >
        {utc.value ? 'UTC' : 'Local'}
      </button>
      <button
        type="button"
        class="button quiet square"
        aria-label={THEME_LABELS[theme.value]}
        title={THEME_LABELS[theme.value]}
        onClick={cycleTheme}
      >
        <Icon name={THEME_ICONS[theme.value]} />
      </button>
    </header>
  );
}
