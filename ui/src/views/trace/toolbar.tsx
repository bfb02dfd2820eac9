// SPDX-License-Identifier: Apache-2.0
/* Between head and picture: which picture, the search in the trace, the critical path, the export, the keys. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { exportTrace, type ExportForm } from '../../api/export';
import { asApiError } from '../../api/error';
import { findInTrace } from '../../api/trace-loader';
import { Icon } from '../../components/icon';
import { Segments } from '../../components/parts';
import { nextMatch } from '../../model/find';
import { formatCount } from '../../model/format';
import type { TraceLook, TraceTab } from '../../routes/routes';
import { Shortcuts } from './shortcuts';
import type { TraceStore } from './store';

const FIND_RESTS_MS = 120;

export interface LookProps {
  store: TraceStore;
  look: TraceLook;
  setLook: (change: Partial<TraceLook>) => void;
}

export function goToMatch(store: TraceStore, by: 1 | -1): void {
  const at = nextMatch(store.found.peek() ?? new Int32Array(0), store.cursor.peek(), by);
  if (at >= 0) store.show(at);
}

/** Keeps what is found in step with the text and the trace. */
function useFind(store: TraceStore, text: string): void {
  const { load } = store.trace.value;
  useEffect(() => {
    if (text.trim() === '') {
      store.find(load, undefined);
      return undefined;
    }
    let gone = false;
    const timer = setTimeout(() => {
      void findInTrace(load, text).then(
        (places) => !gone && store.find(load, places),
        () => undefined,
      );
    }, FIND_RESTS_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [store, load, text]);
}

function Find({ store, look, setLook }: LookProps) {
  const field = useRef<HTMLInputElement>(null);
  useFind(store, look.find);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'b' || !event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') goToMatch(store, event.shiftKey ? -1 : 1);
    else if (event.key === 'Escape') {
      setLook({ find: '' });
      field.current?.blur();
    } else return;
    event.preventDefault();
  };
  const found = store.found.value;
  const place = found ? found.indexOf(store.cursor.value) + 1 : 0;
  return (
    <span class="find" role="search" aria-label="Search in this trace">
      <Icon name="search" />
      <input
        ref={field}
        class="field"
        type="search"
        aria-label="Find spans in this trace"
        placeholder="Find spans, or key=value"
        spellcheck={false}
        value={look.find}
        onInput={(event) => setLook({ find: event.currentTarget.value })}
        onKeyDown={onKeyDown}
      />
      <span class="find-count muted" role="status">
        {found ? (found.length === 0 ? 'none' : `${place > 0 ? formatCount(place) : '–'} of ${formatCount(found.length)}`) : ''}
      </span>
      <button type="button" class="button quiet small" aria-label="Previous match" title="Previous match (b)" disabled={!found?.length} onClick={() => goToMatch(store, -1)}>
        ↑
      </button>
      <button type="button" class="button quiet small" aria-label="Next match" title="Next match (f)" disabled={!found?.length} onClick={() => goToMatch(store, 1)}>
        ↓
      </button>
    </span>
  );
}

const FORMS: { form: ExportForm; label: string }[] = [
  { form: 'json', label: 'JSON' },
  { form: 'otlp-json', label: 'OTLP' },
];

function Export({ traceId }: { traceId: string }) {
  const fault = useSignal('');
  const save = (form: ExportForm) => {
    fault.value = '';
    exportTrace(traceId, form).catch((caught: unknown) => (fault.value = asApiError(caught).message));
  };
  return (
    <span class="export" role="group" aria-label="Save this trace">
      Save as
      {FORMS.map(({ form, label }) => (
        <button key={form} type="button" class="button quiet small" title={`Save the trace as ${label}`} aria-label={`Save as ${label}`} onClick={() => save(form)}>
          {label}
        </button>
      ))}
      {fault.value !== '' && (
        <span class="bad" role="alert">
          {fault.value}
        </span>
      )}
    </span>
  );
}

const TABS: { value: TraceTab; label: string }[] = [
  { value: 'waterfall', label: 'Waterfall' },
  { value: 'flame', label: 'Flame graph' },
  { value: 'sums', label: 'Sums' },
  { value: 'diff', label: 'Compare' },
];

export function Toolbar({ store, look, setLook }: LookProps) {
  return (
    <div class="trace-tools">
      <Segments name="tab" legend="How the trace is shown" value={look.tab} choices={TABS} onChange={(tab) => setLook({ tab })} />
      <Find store={store} look={look} setLook={setLook} />
      {look.tab === 'waterfall' && (
        <label class="check">
          <input type="checkbox" checked={look.path} onChange={(event) => setLook({ path: event.currentTarget.checked })} />
          Critical path
        </label>
      )}
      <span class="end">
        <Export traceId={store.trace.value.trace_id} />
        <Shortcuts />
      </span>
    </div>
  );
}
