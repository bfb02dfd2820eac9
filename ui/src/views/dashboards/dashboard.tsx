// SPDX-License-Identifier: Apache-2.0
/* One dashboard: its panels over the page's time, and, with `edit=on`, the means to change it. Unsaved changes live as long as this view. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { asApiError } from '../../api/error';
import type { Versioned } from '../../api/client';
import { getDashboard, isStale, putDashboard, removeDashboard } from '../../api/dashboards';
import { chartMark, getMarks } from '../../api/marks';
import { token } from '../../api/session';
import { usePoll } from '../../api/use-poll';
import type { ChartMark } from '../../components/chart';
import { Icon } from '../../components/icon';
import { PageHead } from '../../components/panel';
import { refreshMs, spanNow } from '../../components/query-chart';
import { ErrorState, StaleNotice } from '../../components/states';
import {
  begun, changed, movedPanel, redone, undone, withoutPanel, withPanel, writeDashboard, type Dashboard, type History,
} from '../../model/dashboard';
import { hrefWith, inRange, navigate, timeRange } from '../../routes/location';
import { pageHref } from '../../routes/routes';
import { Conflict } from './conflict';
import { PanelForm } from './panel-form';
import { PanelView } from './panel-view';

const NEVER_MS = 2 ** 31 - 1;
const NONE: ChartMark[] = [];

/* Asked as often as the panels, and also where no mark is wanted: that it fails is told once, for all of them. */
const useDashboardMarks = (kinds: readonly string[]) =>
  usePoll(
    JSON.stringify([kinds, timeRange.value]),
    async (options) => (await getMarks(spanNow(), {}, options)).marks.filter(({ kind }) => kinds.includes(kind)).map(chartMark),
    refreshMs(),
  );

/* A file for the reader's disk, as it is in `dashboards/`. */
function download(name: string, dashboard: Dashboard): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([writeDashboard(dashboard)], { type: 'application/json' }));
  link.download = `${name}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

interface EditedProps {
  name: string;
  found: Dashboard;
  /** Of what was found; empty: there is none yet. */
  version: string;
  editing: boolean;
  reload: () => void;
}

function Edited({ name, found, version: first, editing, reload }: EditedProps) {
  const history = useSignal<History>(begun(found));
  const version = useSignal(first);
  const base = useSignal(found);
  const saved = useSignal(first === '' ? '' : JSON.stringify(found));
  const conflict = useSignal<{ theirs: Versioned<Dashboard> | undefined } | null>(null);
  const opened = useSignal(-1);
  const failure = useSignal('');
  const busy = useSignal(false);
  const { present, past, future } = history.value;
  const marks = useDashboardMarks(present.marks ?? []);
  const unsaved = JSON.stringify(present) !== saved.value;
  const change = (next: Dashboard) => (history.value = changed(history.value, next));

  useEffect(() => {
    if (!unsaved || !editing) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [unsaved, editing]);
  useEffect(() => {
    if (!editing) return;
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
      if (typing || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z') return;
      event.preventDefault();
      history.value = event.shiftKey ? redone(history.value) : undone(history.value);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [editing]);

  const tell = async (call: () => Promise<unknown>, then: () => void) => {
    busy.value = true;
    failure.value = '';
    try {
      await call();
      then();
    } catch (error) {
      if (isStale(error)) await meet();
      else failure.value = asApiError(error).message;
    }
    busy.value = false;
  };
  const meet = async () => {
    try {
      conflict.value = { theirs: await getDashboard(name, { token: token.value }) };
    } catch (error) {
      failure.value = asApiError(error).message;
    }
  };
  const save = (over: string) => tell(
    async () => (version.value = await putDashboard(name, present, over, { token: token.value })),
    () => {
      conflict.value = null;
      base.value = present;
      saved.value = JSON.stringify(present);
    },
  );
  const leave = () => {
    navigate(hrefWith({ edit: undefined }), { replace: true });
    reload();
  };
  const remove = () => tell(() => removeDashboard(name, version.value, { token: token.value }), leave);
  const take = (theirs: Versioned<Dashboard> | undefined) => {
    if (!theirs) return leave();
    conflict.value = null;
    version.value = theirs.version;
    base.value = theirs.value;
    saved.value = JSON.stringify(theirs.value);
    change(theirs.value);
  };
  const add = () => {
    opened.value = present.panels.length;
    change({ ...present, panels: [...present.panels, { title: 'New panel', kind: 'lines', queries: [{ query: 'sum by (service) (weft_processes)' }] }] });
  };
  const tools = (i: number, title: string) => (
    <>
      <button type="button" class="button quiet square" aria-label={`Move ${title} back`} title="Move back" disabled={i === 0} onClick={() => change(movedPanel(present, i, -1))}>
        <Icon name="left" />
      </button>
      <button type="button" class="button quiet square" aria-label={`Move ${title} on`} title="Move on" disabled={i === present.panels.length - 1} onClick={() => change(movedPanel(present, i, 1))}>
        <Icon name="right" />
      </button>
      <button type="button" class="button quiet" aria-expanded={opened.value === i} onClick={() => (opened.value = opened.value === i ? -1 : i)}>
        Change<span class="sr"> {title}</span>
      </button>
      <button type="button" class="button quiet square" aria-label={`Remove ${title}`} title="Remove" onClick={() => change(withoutPanel(present, i))}>
        <Icon name="close" />
      </button>
    </>
  );

  return (
    <>
      <PageHead
        title={
          <>
            <a href={inRange(pageHref('dashboards'))}>Dashboards</a> <span class="muted">/</span> {present.title}
          </>
        }
      >
        <button type="button" class="button" onClick={() => download(name, present)}>Export</button>
        <button type="button" class="button" aria-pressed={editing} onClick={() => navigate(hrefWith({ edit: editing ? undefined : 'on' }), { replace: true })}>
          {editing ? 'Stop editing' : 'Edit'}
        </button>
      </PageHead>
      <div class="page-body">
        {present.description && !editing && <p class="muted">{present.description}</p>}
        {editing && (
          <section class="box dashboard-bar" aria-label="Editing">
            <label class="grows">
              <span class="sr">Title of the dashboard</span>
              <input class="field" maxLength={120} value={present.title} onChange={(event) => change({ ...present, title: event.currentTarget.value || present.title })} />
            </label>
            <button type="button" class="button" onClick={add}>Add a panel</button>
            <button type="button" class="button" disabled={past.length === 0} onClick={() => (history.value = undone(history.value))}>Undo</button>
            <button type="button" class="button" disabled={future.length === 0} onClick={() => (history.value = redone(history.value))}>Redo</button>
            <button type="button" class="button" disabled={busy.value || version.value === ''} onClick={remove} title="What came with the page, if anything did, is shown again">
              Remove what was saved
            </button>
            <button type="button" class="button primary" disabled={busy.value || !unsaved || conflict.value !== null} onClick={() => save(version.value)}>{unsaved ? 'Save' : 'Saved'}</button>
            {failure.value && <p class="wrong" role="alert">{failure.value}</p>}
            {conflict.value && (
              <Conflict
                base={base.value}
                theirs={conflict.value.theirs}
                busy={busy.value}
                onMine={() => save(conflict.value?.theirs?.version ?? '')}
                onTheirs={() => take(conflict.value?.theirs)}
                onExport={() => download(name, present)}
              />
            )}
          </section>
        )}
        <div class="dashboard-grid">
          {present.panels.map((panel, i) => (
            <PanelView
              key={`${i} ${panel.kind} ${JSON.stringify(panel.repeat ?? '')}`}
              panel={panel}
              marks={marks.data.value ?? NONE}
              tools={editing ? tools(i, panel.title) : undefined}
              form={editing && opened.value === i ? <PanelForm panel={panel} onChange={(next) => change(withPanel(present, i, next))} /> : undefined}
            />
          ))}
        </div>
        {present.panels.length === 0 && <p class="muted dashboard-none">There is no panel yet: {editing ? 'add one above.' : 'choose Edit, then Add a panel.'}</p>}
      </div>
      <StaleNotice error={marks.error.value} />
    </>
  );
}

export function DashboardView({ name, editing }: { name: string; editing: boolean }) {
  const turn = useSignal(0);
  const poll = usePoll(JSON.stringify([name, turn.value]), async (options) => ({ found: await getDashboard(name, options) }), NEVER_MS);
  const answer = poll.data.value;
  if (!answer && poll.error.value) return <ErrorState error={poll.error.value} retry={poll.refresh} />;
  if (!answer) return <div class="skeleton page-skeleton" aria-busy="true" />;
  const fresh: Dashboard = { title: name, marks: ['deploy'], panels: [] };
  return <Edited key={turn.value} name={name} found={answer.found?.value ?? fresh} version={answer.found?.version ?? ''} editing={editing} reload={() => turn.value++} />;
}
