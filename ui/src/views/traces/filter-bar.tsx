// SPDX-License-Identifier: Apache-2.0
/*
 * The form above the list. Every change goes straight into the address; the list follows
 * from there. Text fields take effect on Enter or when left, and a duration that is none stays
 * put, marked, until it is mended.
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Service } from '../../api/wire';
import { Segments } from '../../components/parts';
import { isFiltered, LIMITS, NO_FILTERS, normalDuration, type Filters } from '../../model/filters';

interface Props {
  filters: Filters;
  services: readonly Service[];
  onChange: (filters: Filters) => void;
}

const STATUS_CHOICES = [
  { value: '', label: 'Any' },
  { value: 'ok', label: 'OK' },
  { value: 'error', label: 'Error' },
  { value: 'died', label: 'Died' },
  { value: 'in_flight', label: 'In flight' },
] as const;

const RANGE_CHOICES = [
  { value: '5m', label: '5 m' },
  { value: '15m', label: '15 m' },
  { value: '1h', label: '1 h' },
  { value: 'all', label: 'All' },
] as const;

function DurationField(props: { label: string; placeholder: string; value: string; onChange: (text: string) => void }) {
  const text = useSignal(props.value);
  const wrong = useSignal(false);
  useEffect(() => {
    text.value = props.value;
    wrong.value = false;
  }, [props.value]);
  const commit = () => {
    const trimmed = text.value.trim();
    const normal = trimmed === '' ? '' : normalDuration(trimmed);
    wrong.value = normal === undefined;
    if (normal !== undefined && normal !== props.value) props.onChange(normal);
  };
  return (
    <input
      class="field duration"
      aria-label={props.label}
      aria-invalid={wrong.value}
      title={wrong.value ? 'A number and its unit: 250us, 10ms, 1.5s, 2m' : props.label}
      placeholder={props.placeholder}
      spellcheck={false}
      autocomplete="off"
      value={text.value}
      onInput={(event) => (text.value = event.currentTarget.value)}
      onChange={commit}
      onKeyDown={(event) => event.key === 'Enter' && commit()}
    />
  );
}

/** The chosen service is a choice even when nothing has been heard of it lately. */
function serviceNames(services: readonly Service[], chosen: string): string[] {
  const names = services.map(({ name }) => name);
  if (chosen !== '' && !names.includes(chosen)) names.push(chosen);
  return names.sort();
}

function operationNames(services: readonly Service[], service: string): string[] {
  const among = service === '' ? services : services.filter(({ name }) => name === service);
  return [...new Set(among.flatMap(({ operations }) => operations))].sort();
}

export function FilterBar({ filters, services, onChange }: Props) {
  const set = (change: Partial<Filters>) => onChange({ ...filters, ...change });
  const operation = useSignal(filters.operation);
  useEffect(() => {
    operation.value = filters.operation;
  }, [filters.operation]);
  return (
    <form class="filters" aria-label="Filter" onSubmit={(event) => event.preventDefault()}>
      <div class="labelled">
        <label for="filter-service">Service</label>
        <select
          id="filter-service"
          class="field"
          value={filters.service}
          onChange={(event) => set({ service: event.currentTarget.value })}
        >
          <option value="">All services</option>
          {serviceNames(services, filters.service).map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </div>
      <div class="labelled grow">
        <label for="filter-operation">Operation</label>
        <input
          id="filter-operation"
          class="field"
          list="operations"
          placeholder="Any operation"
          spellcheck={false}
          autocomplete="off"
          value={operation.value}
          onInput={(event) => (operation.value = event.currentTarget.value)}
          onChange={() => set({ operation: operation.value.trim() })}
        />
        <datalist id="operations">
          {operationNames(services, filters.service).map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </div>
      <div class="labelled">
        <span>Status</span>
        <Segments
          name="status"
          legend="Status"
          value={filters.status}
          choices={STATUS_CHOICES}
          onChange={(status) => set({ status })}
        />
      </div>
      <div class="labelled">
        <span>Duration</span>
        <span class="between">
          <DurationField
            label="Shortest duration"
            placeholder="10ms"
            value={filters.minDuration}
            onChange={(minDuration) => set({ minDuration })}
          />
          <span class="muted">to</span>
          <DurationField
            label="Longest duration"
            placeholder="1.5s"
            value={filters.maxDuration}
            onChange={(maxDuration) => set({ maxDuration })}
          />
        </span>
      </div>
      <div class="labelled">
        <span>Last</span>
        <Segments
          name="range"
          legend="Time range"
          value={filters.range}
          choices={RANGE_CHOICES}
          onChange={(range) => set({ range })}
        />
      </div>
      <div class="labelled">
        <label for="filter-limit">Show</label>
        <select
          id="filter-limit"
          class="field"
          value={String(filters.limit)}
          onChange={(event) => set({ limit: Number(event.currentTarget.value) })}
        >
          {LIMITS.map((limit) => (
            <option key={limit} value={String(limit)}>
              {limit}
            </option>
          ))}
        </select>
      </div>
      <button
        type="button"
        class="button quiet clear"
        disabled={!isFiltered(filters)}
        onClick={() => onChange({ ...NO_FILTERS, limit: filters.limit })}
      >
        Clear
      </button>
    </form>
  );
}
