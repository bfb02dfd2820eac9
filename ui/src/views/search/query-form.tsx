// SPDX-License-Identifier: Apache-2.0
/* The form: what of the draft it can show, and what it says changes the draft. */
import { useSignal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { getServices } from '../../api/client';
import { getFields, getFieldValues } from '../../api/search';
import { usePoll } from '../../api/use-poll';
import { token } from '../../api/session';
import { Icon } from '../../components/icon';
import { normalDuration } from '../../model/duration-text';
import { ATTRIBUTE_OPS, EMPTY_FORM, parseForm, printForm, STATUS_WORDS, type AttributeCondition, type AttributeOp, type QueryForm } from '../../model/traceql';

const REFRESH_MS = 60_000;
const MOST_OFFERED = 200;

type Change = (part: Partial<QueryForm>) => void;

function Duration({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  const text = useSignal(value);
  useEffect(() => {
    text.value = value;
  }, [value]);
  const wrong = text.value.trim() !== '' && normalDuration(text.value) === undefined && text.value !== value;
  return (
    <label>
      {label}
      <input
        class="field short" value={text.value} placeholder="10ms" aria-invalid={wrong} spellcheck={false}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          const normal = normalDuration(text.value);
          if (normal !== undefined || text.value.trim() === '') onChange(normal ?? '');
        }}
      />
    </label>
  );
}

/** Values of a field, asked for when its condition gets the focus. */
function useValues(field: string) {
  const values = useSignal<{ field: string; list: string[] }>({ field: '', list: [] });
  const ask = () => {
    if (values.peek().field === field || !/^[a-z]+\.|^[a-zA-Z]+$/.test(field)) return;
    values.value = { field, list: [] };
    getFieldValues(field, { token: token.value }).then(
      (found) => {
        if (values.peek().field === field) values.value = { field, list: found.map(({ value }) => String(value)) };
      },
      () => undefined,
    );
  };
  return { list: values.value.field === field ? values.value.list : [], ask };
}

function Attribute(props: { n: number; condition: AttributeCondition; onChange: (next: AttributeCondition | undefined) => void }) {
  const { n, condition, onChange } = props;
  const { list, ask } = useValues(condition.field);
  return (
    <div class="condition" role="group" aria-label={`Attribute ${n + 1}`}>
      <input class="field" list="search-fields" aria-label="Attribute" placeholder="span.user.id" value={condition.field} spellcheck={false} onInput={(event) => onChange({ ...condition, field: event.currentTarget.value })} />
      <select class="field" aria-label="How it compares" value={condition.op} onChange={(event) => onChange({ ...condition, op: event.currentTarget.value as AttributeOp })}>
        {ATTRIBUTE_OPS.map((op) => (
          <option key={op}>{op}</option>
        ))}
      </select>
      <input class="field" list={`search-values-${n}`} aria-label="Value" placeholder="value" value={condition.value} spellcheck={false} onFocus={ask} onInput={(event) => onChange({ ...condition, value: event.currentTarget.value })} />
      <datalist id={`search-values-${n}`}>
        {list.map((value) => (
          <option key={value} value={value} />
        ))}
      </datalist>
      <button type="button" class="button quiet square" aria-label="Remove this attribute" title="Remove" onClick={() => onChange(undefined)}>
        <Icon name="close" />
      </button>
    </div>
  );
}

function keptNote({ rest, tail }: QueryForm): string {
  const kept = [...rest, tail].filter(Boolean);
  return kept.length > 0 ? `Kept as it is in the box: ${kept.join(', ')}` : '';
}

/** Conditions that are not finished have no place in the query: they live here until they are. */
function Attributes({ form, change, note }: { form: QueryForm; change: Change; note: string }) {
  const unfinished = useSignal<AttributeCondition[]>([]);
  const all = [...form.attributes, ...unfinished.value];
  const set = (n: number, next: AttributeCondition | undefined) => {
    const list = all.flatMap((each, i) => (i !== n ? [each] : next ? [next] : []));
    const done = (each: AttributeCondition) => each.field.trim() !== '' && each.value.trim() !== '';
    unfinished.value = list.filter((each) => !done(each));
    change({ attributes: list.filter(done) });
  };
  return (
    <div class="conditions">
      {all.map((condition, n) => (
        <Attribute key={n} n={n} condition={condition} onChange={(next) => set(n, next)} />
      ))}
      <button type="button" class="button quiet small" onClick={() => (unfinished.value = [...unfinished.value, { field: '', op: '=', value: '' }])}>
        + Attribute
      </button>
      <p class="form-note muted">{note}</p>
    </div>
  );
}

export function QueryFormView({ draft }: { draft: Signal<string> }) {
  const services = usePoll('services', getServices, REFRESH_MS).data.value?.services ?? [];
  const fields = usePoll('fields', getFields, REFRESH_MS).data.value ?? [];
  const parsed = parseForm(draft.value);
  const form = parsed ?? EMPTY_FORM;
  const change: Change = (part) => (draft.value = printForm({ ...form, ...part }));
  const chosen = services.filter(({ name }) => form.service === '' || name === form.service);
  const versions = [...new Set(chosen.flatMap((service) => service.versions))];
  const operations = [...new Set(chosen.flatMap((service) => service.operations))];
  return (
    <fieldset class="query-form" disabled={parsed === undefined}>
      <legend class="sr">Form</legend>
      <label>
        Service
        <select class="field" value={form.service} onChange={(event) => change({ service: event.currentTarget.value })}>
          <option value="">any</option>
          {[...new Set([...services.map(({ name }) => name), form.service])].filter(Boolean).map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="grows">
        Operation
        <input class="field" list="search-operations" placeholder="any" value={form.operation} spellcheck={false} onInput={(event) => change({ operation: event.currentTarget.value })} />
      </label>
      <label>
        Version
        <input class="field version" list="search-versions" placeholder="any" value={form.version} spellcheck={false} onInput={(event) => change({ version: event.currentTarget.value })} />
      </label>
      <label>
        Status
        <select class="field" value={form.status} onChange={(event) => change({ status: event.currentTarget.value })}>
          <option value="">any</option>
          {STATUS_WORDS.map((status) => (
            <option key={status} value={status}>
              {status.replace('_', ' ')}
            </option>
          ))}
        </select>
      </label>
      <Duration label="At least" value={form.min} onChange={(min) => change({ min, minOpen: false })} />
      <Duration label="At most" value={form.max} onChange={(max) => change({ max, maxOpen: false })} />
      <Attributes form={form} change={change} note={parsed === undefined ? 'The query says more than the form can show: change it in the box.' : keptNote(form)} />
      <datalist id="search-operations">
        {operations.slice(0, MOST_OFFERED).map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <datalist id="search-versions">
        {versions.slice(0, MOST_OFFERED).map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <datalist id="search-fields">
        {fields.map((field) => (
          <option key={field} value={field} />
        ))}
      </datalist>
    </fieldset>
  );
}
