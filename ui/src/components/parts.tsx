// SPDX-License-Identifier: Apache-2.0
/* Small parts that all views use. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { clock } from '../api/session';
import { formatAge, formatMoment, unixMs } from '../model/format';
import { serviceColour } from '../model/service-colour';
import { utc } from '../routes/location';
import { Icon, type IconName } from './icon';

/** A service's name with its colour. */
export function ServiceName({ name, count }: { name: string; count?: string }) {
  return (
    <span class={`service s${serviceColour(name)}`}>
      <span class="clip">{name}</span>
      {count !== undefined && <span class="count">{count}</span>}
    </span>
  );
}

export type MarkKind = 'died' | 'error' | 'in_flight' | 'incomplete' | 'orphan' | 'duplicate' | 'observed' | 'ok';

const MARK_ICONS: Record<MarkKind, IconName> = {
  died: 'close',
  error: 'bang',
  in_flight: 'open',
  incomplete: 'broken',
  orphan: 'broken',
  duplicate: 'copy',
  observed: 'eye',
  ok: 'check',
};

export function Mark({ kind, children, title }: { kind: MarkKind; children: ComponentChildren; title?: string }) {
  return (
    <span class={`mark ${kind}`} title={title}>
      <Icon name={MARK_ICONS[kind]} />
      <span>{children}</span>
    </span>
  );
}

/** How long ago a moment was; follows the clock by itself. */
export function Ago({ unixNs, suffix = '' }: { unixNs: string; suffix?: string }) {
  const ms = unixMs(unixNs);
  const age = formatAge(clock.value - ms);
  return <time title={formatMoment(ms, utc.value)}>{age === 'now' ? age : age + suffix}</time>;
}

async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/* The clipboard API exists only on localhost and https; a collector may be on neither. */
function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.style.position = 'fixed';
  area.style.opacity = '0';
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  return copied;
}

export function CopyButton({ text, label, icon = 'copy' }: { text: string; label: string; icon?: IconName }) {
  const copied = useSignal(false);
  const copy = async () => {
    copied.value = await copyText(text);
    setTimeout(() => (copied.value = false), 1500);
  };
  return (
    <button type="button" class="copy" aria-label={label} title={copied.value ? 'Copied' : label} onClick={copy}>
      <Icon name={copied.value ? 'check' : icon} />
    </button>
  );
}

/** A share of a limit as a bar. */
export function Meter({ share, label, tone = '' }: { share: number; label: string; tone?: string }) {
  const percent = Math.min(Math.max(share, 0), 1) * 100;
  return (
    <div
      class={`meter ${tone}`}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(percent)}
    >
      <div style={{ width: `${percent}%` }} />
    </div>
  );
}

interface Choice<T> {
  value: T;
  label: string;
}

/** One of a few choices, all of them in sight. */
export function Segments<T extends string>(props: {
  name: string;
  legend: string;
  value: T;
  choices: readonly Choice<T>[];
  onChange: (value: T) => void;
}) {
  return (
    <span class="segments" role="radiogroup" aria-label={props.legend}>
      {props.choices.map(({ value, label }) => (
        <label key={value}>
          <input
            type="radio"
            name={props.name}
            value={value}
            checked={value === props.value}
            onChange={() => props.onChange(value)}
          />
          {label}
        </label>
      ))}
    </span>
  );
}
