// SPDX-License-Identifier: Apache-2.0
/* The box for TraceQL, with completion from the tags that there are, and the place of a fault. */
import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { getFields, getFieldValues, type FieldValue } from '../api/search';
import { token } from '../api/session';
import type { QueryError } from '../api/stream';
import { quoted } from '../model/traceql';
import { contextAt, rankedMatches, type CompletionContext } from '../model/traceql-complete';
import './traceql-box.css';

const MOST_SHOWN = 10;

interface Offer {
  context: CompletionContext;
  choices: string[];
  at: number;
}

const cache = new Map<string, Promise<string[]>>();

/** What can stand there, as it is written. Asked for once in a while, not with each key. */
function candidates(context: CompletionContext): Promise<string[]> {
  const key = context.kind === 'field' ? '' : context.field;
  const known = cache.get(key);
  if (known) return known;
  const written = ({ type, value }: FieldValue) => (type === 'string' ? quoted(String(value)) : String(value));
  const options = { token: token.value };
  const asked = context.kind === 'field' ? getFields(options) : getFieldValues(context.field, options).then((values) => values.map(written));
  cache.set(key, asked);
  const forget = () => cache.delete(key);
  asked.then(() => setTimeout(forget, 60_000), forget);
  return asked;
}

/** The text of a line with the column of a fault marked below it. */
function Fault({ fault, text }: { fault: QueryError; text: string }) {
  const line = text.split('\n')[fault.line - 1] ?? '';
  return (
    <div class="query-fault" role="alert">
      <pre class="mono">
        {line}
        {'\n'}
        {' '.repeat(Math.max(fault.column - 1, 0))}^
      </pre>
      <p>{fault.message}</p>
    </div>
  );
}

interface Props {
  draft: Signal<string>;
  /** The query that was run, to which the fault belongs. */
  written: string;
  fault: QueryError | undefined;
  run: () => void;
  /** What the button says. */
  label: string;
  rows?: number;
}

export function TraceqlBox({ draft, written, fault, run, label, rows = 2 }: Props) {
  const box = useRef<HTMLTextAreaElement>(null);
  const offer = useSignal<Offer | undefined>(undefined);
  const caret = useRef<number | undefined>(undefined);

  const look = (text: string, cursor: number) => {
    const context = contextAt(text, cursor);
    if (!context) {
      offer.value = undefined;
      return;
    }
    void candidates(context).then(
      (all) => {
        if (document.activeElement !== box.current || box.current?.value !== text) return;
        const choices = rankedMatches(all, context.word, MOST_SHOWN).filter((choice) => choice !== context.word);
        offer.value = choices.length > 0 ? { context, choices, at: -1 } : undefined;
      },
      () => (offer.value = undefined),
    );
  };
  const take = (choice: string) => {
    const context = offer.peek()?.context;
    if (!context) return;
    const after = draft.value.slice(context.to);
    const gap = after.startsWith(' ') ? '' : ' ';
    caret.current = context.from + choice.length + 1;
    draft.value = draft.value.slice(0, context.from) + choice + gap + after;
    offer.value = undefined;
  };
  useEffect(() => {
    if (caret.current === undefined || !box.current) return;
    box.current.focus();
    box.current.setSelectionRange(caret.current, caret.current);
    caret.current = undefined;
  });

  const step = (by: number) => {
    const now = offer.peek();
    if (now) offer.value = { ...now, at: (now.at + by + now.choices.length + (now.at < 0 && by < 0 ? 1 : 0)) % now.choices.length };
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const now = offer.value;
    if (now && event.key === 'ArrowDown') step(1);
    else if (now && event.key === 'ArrowUp') step(-1);
    else if (now && event.key === 'Escape') offer.value = undefined;
    else if (now && (event.key === 'Tab' && !event.shiftKey || event.key === 'Enter') && now.at >= 0) take(now.choices[now.at]!);
    else if (event.key === 'Enter' && !event.shiftKey) {
      offer.value = undefined;
      run();
    } else if (event.key === ' ' && event.ctrlKey && box.current) look(draft.value, box.current.selectionStart);
    else return;
    event.preventDefault();
  };
  const shown = offer.value;
  return (
    <div class="query-box">
      <div class="query-line">
        <span class="combobox">
          <textarea
            ref={box}
            class="field mono"
            rows={rows}
            role="combobox"
            aria-label="TraceQL"
            aria-expanded={shown !== undefined}
            aria-controls="query-offer"
            aria-autocomplete="list"
            aria-invalid={fault !== undefined && draft.value === written}
            {...(shown && shown.at >= 0 ? { 'aria-activedescendant': `query-offer-${shown.at}` } : {})}
            spellcheck={false}
            autocomplete="off"
            value={draft.value}
            onInput={(event) => {
              draft.value = event.currentTarget.value;
              look(draft.value, event.currentTarget.selectionStart);
            }}
            onKeyDown={onKeyDown}
            onBlur={() => (offer.value = undefined)}
          />
          <ul class="offer" id="query-offer" role="listbox" aria-label="Completions" hidden={shown === undefined}>
            {shown?.choices.map((choice, n) => (
              <li
                key={choice}
                id={`query-offer-${n}`}
                role="option"
                aria-selected={n === shown.at}
                onPointerDown={(event) => {
                  event.preventDefault();
                  take(choice);
                }}
              >
                {choice}
              </li>
            ))}
          </ul>
        </span>
        <button class="button primary">{label}</button>
      </div>
      {fault && draft.value === written && <Fault fault={fault} text={written} />}
    </div>
  );
}
