// SPDX-License-Identifier: Apache-2.0
/*
 * What a view shows instead of data: an empty state says what to do, an error says what
 * happened and that the page tries again by itself.
 */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { ApiError } from '../api/error';
import { setToken } from '../api/session';
import { Icon, type IconName } from './icon';

export function State(props: { icon: IconName; title: string; failed?: boolean; children?: ComponentChildren }) {
  return (
    <section class={props.failed ? 'state failed' : 'state'} role={props.failed ? 'alert' : 'status'}>
      <Icon name={props.icon} />
      <h2>{props.title}</h2>
      {props.children}
    </section>
  );
}

function TokenForm({ onDone }: { onDone: () => void }) {
  const text = useSignal('');
  const submit = (event: Event) => {
    event.preventDefault();
    setToken(text.value.trim());
    onDone();
  };
  return (
    <form onSubmit={submit}>
      <input
        class="field mono"
        type="password"
        aria-label="Token"
        placeholder="Token"
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
      <button class="button primary">Sign in</button>
    </form>
  );
}

/** A failed request where there is nothing older to show. */
export function ErrorState({ error, retry }: { error: ApiError; retry: () => void }) {
  if (error.kind === 'unauthorized') {
    return (
      <State icon="key" title="This collector asks for a token" failed>
        <p>{error.message}</p>
        <TokenForm onDone={retry} />
      </State>
    );
  }
  if (error.kind === 'unreachable') {
    return (
      <State icon="unplugged" title="The collector does not answer" failed>
        <p>{error.message} Is weft-collector running? This page goes on trying and fills itself once it is back.</p>
        <button type="button" class="button" onClick={retry}>
          Try now
        </button>
      </State>
    );
  }
  return (
    <State icon="warn" title={error.status === 404 ? 'Not here' : 'The collector refused this'} failed>
      <p>{error.message}</p>
      <button type="button" class="button" onClick={retry}>
        Try again
      </button>
    </State>
  );
}

/** A failed refresh while older data stays in view. Floats, so that nothing moves. */
export function StaleNotice({ error }: { error: ApiError | undefined }) {
  return (
    <div class="stale" role="status" aria-live="polite">
      {error && (
        <p>
          <Icon name="unplugged" />
          <span>
            {error.kind === 'unreachable' ? 'The collector does not answer.' : error.message} What you see is from
            before; trying again…
          </span>
        </p>
      )}
    </div>
  );
}
