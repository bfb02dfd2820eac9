// SPDX-License-Identifier: Apache-2.0
/* The time range, for all pages at once: common ranges at one click, any other by typing it. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { serverNowMs } from '../api/session';
import {
  momentText, parseMoment, QUICK_SECONDS, rangeLabel, shifted, windowOf, zoomedOut, type TimeRange,
} from '../model/time-range';
import { setTimeRange, setUtc, timeRange, utc } from '../routes/location';
import { Icon } from './icon';
import { Segments } from './parts';
import './time-range.css';

function Quick({ onPick }: { onPick: (range: TimeRange) => void }) {
  const range = timeRange.value;
  return (
    <ul>
      {QUICK_SECONDS.map((seconds) => (
        <li key={seconds}>
          <button
            type="button"
            class="button quiet"
            aria-pressed={range.kind === 'last' && range.seconds === seconds}
            onClick={() => onPick({ kind: 'last', seconds })}
          >
            {rangeLabel({ kind: 'last', seconds }, false)}
          </button>
        </li>
      ))}
    </ul>
  );
}

function Exact({ onPick }: { onPick: (range: TimeRange) => void }) {
  const shown = windowOf(timeRange.value, serverNowMs());
  const from = useSignal(momentText(shown.fromMs, utc.value));
  const to = useSignal(timeRange.value.kind === 'last' ? 'now' : momentText(shown.toMs, utc.value));
  const wrong = useSignal('');
  const submit = (event: Event) => {
    event.preventDefault();
    const now = serverNowMs();
    const fromMs = parseMoment(from.value, now, utc.value);
    const toMs = parseMoment(to.value, now, utc.value);
    if (fromMs === undefined || toMs === undefined) wrong.value = 'Write 2026-11-22 14:03, -3h, now, or a Unix time.';
    else if (toMs - fromMs < 1000) wrong.value = 'The range ends before it begins.';
    else if (to.value.trim() === 'now' && from.value.trim().startsWith('-')) onPick({ kind: 'last', seconds: Math.round((now - fromMs) / 1000) });
    else onPick({ kind: 'between', fromMs, toMs });
  };
  const field = (label: string, text: typeof from) => (
    <label>
      {label}
      <input
        class="field mono"
        value={text.value}
        spellcheck={false}
        autocomplete="off"
        aria-invalid={wrong.value !== ''}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          wrong.value = '';
        }}
      />
    </label>
  );
  return (
    <form onSubmit={submit}>
      {field('From', from)}
      {field('To', to)}
      <button class="button primary">Show</button>
      {wrong.value && (
        <p class="wrong" role="alert">
          {wrong.value}
        </p>
      )}
      <Segments
        name="zone"
        legend="Time zone"
        value={utc.value ? 'utc' : 'local'}
        choices={[
          { value: 'local', label: 'Local' },
          { value: 'utc', label: 'UTC' },
        ]}
        onChange={(zone) => setUtc(zone === 'utc')}
      />
    </form>
  );
}

/* Closes on Escape and on whatever is touched outside. */
function useDismiss(open: boolean, close: () => void) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const onPointer = (event: PointerEvent) => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) close();
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape') close();
    };
    document.addEventListener('pointerdown', onPointer);
    document.addEventListener('keydown', onKey);
    return () => {
      document.removeEventListener('pointerdown', onPointer);
      document.removeEventListener('keydown', onKey);
    };
  }, [open]);
  return box;
}

export function TimeRangePicker() {
  const open = useSignal(false);
  const box = useDismiss(open.value, () => (open.value = false));
  const pick = (range: TimeRange) => {
    open.value = false;
    setTimeRange(range);
  };
  const move = (how: (window: ReturnType<typeof windowOf>) => TimeRange) => () =>
    setTimeRange(how(windowOf(timeRange.value, serverNowMs())));
  return (
    <div class="range" ref={box}>
      <button type="button" class="button square" aria-label="Earlier" title="Earlier" onClick={move((w) => shifted(w, -1))}>
        <Icon name="left" />
      </button>
      <button type="button" class="button label" aria-expanded={open.value} aria-haspopup="dialog" onClick={() => (open.value = !open.value)}>
        <span class="sr">Time range: </span>
        {rangeLabel(timeRange.value, utc.value)}
        {utc.value && <span class="muted">UTC</span>}
      </button>
      <button
        type="button"
        class="button square"
        aria-label="Later"
        title="Later"
        disabled={timeRange.value.kind === 'last'}
        onClick={move((w) => shifted(w, 1))}
      >
        <Icon name="right" />
      </button>
      <button type="button" class="button square" aria-label="Zoom out" title="Zoom out" onClick={move((w) => zoomedOut(w, serverNowMs()))}>
        <Icon name="minus" />
      </button>
      {open.value && (
        <div class="range-panel" role="dialog" aria-label="Time range">
          <Quick onPick={pick} />
          <Exact onPick={pick} />
        </div>
      )}
    </div>
  );
}
