// SPDX-License-Identifier: Apache-2.0
/* What a panel is, as a form; each change is one step that can be undone. */
import { PromqlEditor } from '../../components/promql-editor';
import { asksQueries, PANEL_KINDS, type Panel, type PanelQuery } from '../../model/dashboard';
import { UNITS } from '../../model/units';

const KIND_NAMES: Record<Panel['kind'], string> = {
  lines: 'Lines', areas: 'Areas', stacked: 'Stacked', heatmap: 'Heatmap', deploys: 'Deploys', phases: 'Phases', losses: 'Losses',
  'heavy-keys': 'Heaviest keys', 'heavy-clients': 'Heaviest clients',
};
const QUERIES_MOST = 8;

interface FormProps {
  panel: Panel;
  onChange: (panel: Panel) => void;
}

/** A copy without the fields that have no value: the schema knows no empty ones. */
function cleaned(panel: { [Name in keyof Panel]: Panel[Name] | undefined }): Panel {
  return Object.fromEntries(Object.entries(panel).filter(([name, value]) => value !== undefined && (value !== '' || name === 'title'))) as unknown as Panel;
}

function Queries({ panel, onChange }: FormProps) {
  const queries = panel.queries ?? [];
  const set = (list: PanelQuery[]) => onChange({ ...panel, queries: list });
  const change = (at: number, part: Partial<PanelQuery>) => set(queries.map((old, i) => (i === at ? { ...old, ...part } : old)));
  const legend = (at: number, text: string) => set(queries.map(({ legend: _, ...old }, i) => (i === at ? { ...old, ...(text ? { legend: text } : {}) } : { ...old, ...(_ === undefined ? {} : { legend: _ }) })));
  return (
    <div class="panel-queries">
      {queries.map((each, i) => (
        <div key={i}>
          <PromqlEditor
            label={`Query ${i + 1} of ${panel.title}`}
            query={each.query}
            onRun={(query) => (query === '' ? set(queries.filter((_, n) => n !== i)) : change(i, { query }))}
          />
          <input
            class="field" aria-label={`Legend of query ${i + 1}`} placeholder="{{label}}" maxLength={200} value={each.legend ?? ''}
            onChange={(event) => legend(i, event.currentTarget.value)}
          />
        </div>
      ))}
      {queries.length < QUERIES_MOST && (
        <button type="button" class="button" onClick={() => set([...queries, { query: queries.at(-1)?.query ?? 'weft_processes' }])}>
          Add a query
        </button>
      )}
    </div>
  );
}

export function PanelForm({ panel, onChange }: FormProps) {
  const set = (part: { [Name in keyof Panel]?: Panel[Name] | undefined }) => onChange(cleaned({ ...panel, ...part }));
  const kind = (value: string) => {
    const chosen = PANEL_KINDS.find((each) => each === value) ?? panel.kind;
    set({ kind: chosen, queries: asksQueries(chosen) ? (panel.queries ?? []) : undefined });
  };
  const within = (text: string, least: number, most: number) => Math.min(Math.max(Math.round(Number(text)) || least, least), most);
  return (
    <div class="panel-form">
      <label class="grows">
        Title
        <input class="field" maxLength={120} value={panel.title} onChange={(event) => set({ title: event.currentTarget.value })} />
      </label>
      <label class="grows">
        Note
        <input class="field" maxLength={200} value={panel.note ?? ''} onChange={(event) => set({ note: event.currentTarget.value })} />
      </label>
      <label>
        Shows
        <select class="field" value={panel.kind} onChange={(event) => kind(event.currentTarget.value)}>
          {PANEL_KINDS.map((each) => (
            <option key={each} value={each}>{KIND_NAMES[each]}</option>
          ))}
        </select>
      </label>
      <label>
        Unit
        <select class="field" value={panel.unit ?? ''} onChange={(event) => set({ unit: UNITS.find((unit) => unit === event.currentTarget.value) })}>
          <option value="">guessed</option>
          {UNITS.map((unit) => (
            <option key={unit} value={unit}>{unit.replace('_', ' ')}</option>
          ))}
        </select>
      </label>
      <label>
        Width, of 12
        <input class="field" type="number" min={1} max={12} value={panel.width ?? 6} onChange={(event) => set({ width: within(event.currentTarget.value, 1, 12) })} />
      </label>
      <label>
        Height
        <input class="field" type="number" min={80} max={1000} step={20} value={panel.height ?? 200} onChange={(event) => set({ height: within(event.currentTarget.value, 80, 1000) })} />
      </label>
      {asksQueries(panel.kind) && <Queries panel={panel} onChange={onChange} />}
    </div>
  );
}
