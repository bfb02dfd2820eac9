// SPDX-License-Identifier: Apache-2.0
/*
 * A box for a PromQL query: offers what can stand at the cursor, and underlines what the collector
 * finds wrong. Enter runs the query, Shift+Enter begins a line. The underline is drawn by a
 * copy of the text below it.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useId, useLayoutEffect, useRef } from 'preact/hooks';
import { placeAt, type Offer, type Place } from '../model/promql-complete';
import { faultIn } from '../model/promql-fault';
import { offersAt } from './promql-offers';
import './promql-editor.css';

interface EditorProps {
  label: string;
  query: string;
  /** The collector's sentence about `query`; '' where it has none. */
  error?: string;
  onRun: (query: string) => void;
}

interface Offers {
  place: Place;
  list: Offer[];
  chosen: number;
}

function List({ id, offers, take, choose }: { id: string; offers: Offers; take: (offer: Offer) => void; choose: (i: number) => void }) {
  const box = useRef<HTMLUListElement>(null);
  useEffect(() => {
    box.current?.children[offers.chosen]?.scrollIntoView({ block: 'nearest' });
  }, [offers.chosen]);
  return (
    <ul class="promql-offers" id={id} role="listbox" aria-label="Completions" ref={box}>
      {offers.list.map((offer, i) => (
        <li
          key={`${offer.text} ${offer.note}`}
          id={`${id}-${i}`}
          role="option"
          aria-selected={i === offers.chosen}
          onPointerEnter={() => choose(i)}
          onPointerDown={(event) => {
            event.preventDefault();
            take(offer);
          }}
        >
          <span class="mono">{offer.text}</span>
          <span class="note">{offer.note}</span>
        </li>
      ))}
    </ul>
  );
}

function Underline({ text, error }: { text: string; error: string }) {
  const fault = faultIn(text, error);
  if (!fault) return null;
  return (
    <pre class="promql-mirror" aria-hidden="true">
      {text.slice(0, fault.from)}
      <span class="fault">{text.slice(fault.from, fault.to) || ' '}</span>
      {text.slice(fault.to)}
    </pre>
  );
}

export function PromqlEditor({ label, query, error = '', onRun }: EditorProps) {
  const id = useId();
  const text = useSignal(query);
  const offers = useSignal<Offers | undefined>(undefined);
  const box = useRef<HTMLTextAreaElement>(null);
  const asked = useRef(0);
  useEffect(() => {
    text.value = query;
  }, [query]);
  useLayoutEffect(() => {
    const area = box.current;
    if (!area) return;
    area.style.height = 'auto';
    area.style.height = `${area.scrollHeight + 2}px`;
  }, [text.value]);

  const close = () => {
    asked.current++;
    offers.value = undefined;
  };
  const ask = async () => {
    const area = box.current;
    if (!area || area.selectionStart !== area.selectionEnd) return close();
    const turn = ++asked.current;
    const place = placeAt(area.value, area.selectionStart);
    const list = await offersAt(place, area.value);
    if (turn === asked.current) offers.value = list.length > 0 ? { place, list, chosen: 0 } : undefined;
  };
  const take = (offer: Offer) => {
    const area = box.current;
    if (!area || !offers.value) return;
    const { from, to } = offers.value.place;
    const rest = area.value.slice(to);
    const insert = offer.insert.endsWith('(') && rest.startsWith('(') ? offer.insert.slice(0, -1) : offer.insert;
    area.setRangeText(insert, from, to, 'end');
    text.value = area.value;
    close();
  };
  const run = () => {
    close();
    onRun(text.value.trim());
  };
  const choose = (by: number) => {
    const now = offers.value;
    if (now) offers.value = { ...now, chosen: (now.chosen + by + now.list.length) % now.list.length };
  };
  const onKey = (event: KeyboardEvent) => {
    const now = offers.value;
    const offer = now?.list[now.chosen];
    const typed = now?.place.typed;
    if (event.key === 'Escape' && now) close();
    else if (event.key === 'ArrowDown' && now) choose(1);
    else if (event.key === 'ArrowUp' && now) choose(-1);
    else if ((event.key === 'Tab' || (event.key === 'Enter' && !event.shiftKey)) && offer && offer.text !== typed) take(offer);
    else if (event.key === 'Enter' && !event.shiftKey) run();
    else if (event.key === ' ' && event.ctrlKey) void ask();
    else return;
    event.preventDefault();
  };

  const wrong = error !== '' && text.value.trim() === query;
  return (
    <div class="promql">
      <div class="promql-box">
        {wrong && <Underline text={text.value} error={error} />}
        <textarea
          ref={box}
          class="field mono"
          role="combobox"
          rows={1}
          aria-label={label}
          aria-autocomplete="list"
          aria-expanded={offers.value !== undefined}
          aria-controls={`${id}-list`}
          aria-invalid={wrong}
          {...(offers.value ? { 'aria-activedescendant': `${id}-list-${offers.value.chosen}` } : {})}
          {...(wrong ? { 'aria-describedby': `${id}-wrong` } : {})}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          placeholder="sum by (service_name) (rate(traces_span_metrics_calls_total[1m]))"
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
            void ask();
          }}
          onKeyDown={onKey}
          onClick={close}
          onBlur={() => {
            close();
            if (text.value.trim() !== query) onRun(text.value.trim());
          }}
        />
        {offers.value && (
          <List id={`${id}-list`} offers={offers.value} take={take} choose={(i) => offers.value && (offers.value = { ...offers.value, chosen: i })} />
        )}
      </div>
      {wrong && (
        <p class="promql-wrong" id={`${id}-wrong`} role="alert">
          {sentenceOf(text.value, error)}
        </p>
      )}
    </div>
  );
}

function sentenceOf(text: string, error: string): string {
  const fault = faultIn(text, error);
  if (!fault) return error;
  const where = fault.line > 1 || text.includes('\n') ? `Line ${fault.line}, column ${fault.column}` : `Column ${fault.column}`;
  return `${where}: ${fault.sentence}`;
}
