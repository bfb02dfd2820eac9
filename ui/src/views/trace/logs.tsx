// SPDX-License-Identifier: Apache-2.0
/*
 * The link from a span to its logs. Where those are is told by the collector, if whoever runs it has set
 * that; a reader's own template of the address goes before and is kept in this browser.
 */
import { computed, signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { getPageSettings } from '../../api/client';
import { token } from '../../api/session';
import { formatCount, unixMs } from '../../model/format';
import { logHref, logTemplateFault, LOG_PLACES } from '../../model/log-link';
import { spanIdAt } from '../../model/columns';
import type { TraceStore } from './store';

const KEY = 'weft.logs';
/* Logs are written a little before and after. */
const MARGIN_MS = 1000;

function kept(): string {
  try {
    return localStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

const own = signal(kept());
const collectors = signal<string | undefined>(undefined);
const template = computed(() => own.value || (collectors.value ?? ''));

/* Asked for once: it changes with the collector's configuration alone. One that does not tell has none. */
async function askCollector(): Promise<void> {
  if (collectors.peek() !== undefined) return;
  collectors.value = '';
  try {
    collectors.value = (await getPageSettings({ token: token.peek() })).log_link ?? '';
  } catch {
    collectors.value = undefined;
  }
}

function keep(text: string): void {
  own.value = text;
  try {
    localStorage.setItem(KEY, text);
  } catch {
    // Storage is off: the template lives as long as this page does.
  }
}

function hrefFor(store: TraceStore, at: number): string | undefined {
  const { trace_id, start_unix_ns, columns: c, processes } = store.trace.value;
  const process = processes[c.process[at]!];
  const fromMs = Math.floor(unixMs(start_unix_ns) + c.start[at]! / 1e6) - MARGIN_MS;
  const toMs = Math.ceil(unixMs(start_unix_ns) + (c.start[at]! + c.duration[at]!) / 1e6) + MARGIN_MS;
  return logHref(template.value, {
    trace_id, span_id: spanIdAt(c, at), service: process?.service ?? '', host: process?.host ?? '', instance: process?.instance ?? '',
    from_ms: String(fromMs), to_ms: String(toMs), from_iso: new Date(fromMs).toISOString(), to_iso: new Date(toMs).toISOString(),
  });
}

function Editor({ onDone }: { onDone: () => void }) {
  const text = useSignal(own.value);
  const theirs = collectors.value ?? '';
  const fault = text.value.trim() === '' ? '' : logTemplateFault(text.value.trim());
  const submit = (event: Event) => {
    event.preventDefault();
    if (fault !== '') return;
    keep(text.value.trim());
    onDone();
  };
  return (
    <form class="log-form" onSubmit={submit}>
      <label>
        Address of the logs, kept in this browser
        <input class="field" value={text.value} placeholder={theirs || 'https://logs.example/?q={trace_id}&from={from_ms}&to={to_ms}'} aria-invalid={fault !== ''} spellcheck={false} onInput={(event) => (text.value = event.currentTarget.value)} />
      </label>
      <p class="muted">
        {fault || `${formatCount(LOG_PLACES.length)} places can stand in it: ${LOG_PLACES.map((place) => `{${place}}`).join(' ')}`}
        {theirs !== '' && '. Left empty, the collector\'s own address holds.'}
      </p>
      <span>
        <button class="button small primary" disabled={fault !== ''}>
          Keep
        </button>
        <button type="button" class="button quiet small" onClick={onDone}>
          Leave
        </button>
      </span>
    </form>
  );
}

export function LogLink({ store, at }: { store: TraceStore; at: number }) {
  const editing = useSignal(false);
  useEffect(() => void askCollector(), []);
  const href = hrefFor(store, at);
  if (editing.value) return <Editor onDone={() => (editing.value = false)} />;
  return (
    <p class="log-link">
      {href && (
        <a href={href} target="_blank" rel="noreferrer noopener">
          Logs of this span
        </a>
      )}
      <button type="button" class="as-link" onClick={() => (editing.value = true)}>
        {href ? 'Change' : 'Link spans to their logs…'}
      </button>
      {href && <span class="muted">{own.value === '' ? 'as the collector says' : 'as this browser keeps it'}</span>}
    </p>
  );
}
