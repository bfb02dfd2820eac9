// SPDX-License-Identifier: Apache-2.0
/* All dashboards by name, and a way to a new one. */
import { useSignal } from '@preact/signals';
import { getDashboards, type Listed } from '../../api/dashboards';
import { usePoll } from '../../api/use-poll';
import { Box, DataTable, PageHead, type Column } from '../../components/panel';
import { ErrorState, StaleNotice, State } from '../../components/states';
import { NAME } from '../../model/dashboard';
import { plural } from '../../model/format';
import { inRange, navigate } from '../../routes/location';
import { pageHref } from '../../routes/routes';
import type { PageProps } from '../pages';
import { DashboardView } from './dashboard';
import './dashboards.css';

const from = ({ shipped, saved }: Listed) => (shipped ? (saved ? 'came with Weft, changed here' : 'came with Weft') : 'made here');

const COLUMNS: Column<Listed>[] = [
  { id: 'name', title: 'Dashboard', cell: ({ name }) => <a href={inRange(pageHref('dashboards', name))}>{name}</a> },
  { id: 'from', title: 'From', grows: true, cell: (one) => <span class="muted">{from(one)}</span> },
];

function Fresh() {
  const name = useSignal('');
  const wrong = useSignal(false);
  const create = (event: Event) => {
    event.preventDefault();
    wrong.value = !NAME.test(name.value);
    if (!wrong.value) navigate(inRange(pageHref('dashboards', name.value, { edit: 'on' })));
  };
  return (
    <form class="dashboard-fresh" onSubmit={create}>
      <input
        class="field" aria-label="Name of a new dashboard" placeholder="new-dashboard" spellcheck={false} autocomplete="off" aria-invalid={wrong.value}
        value={name.value}
        onInput={(event) => {
          name.value = event.currentTarget.value;
          wrong.value = false;
        }}
      />
      <button class="button">Make a new one</button>
      {wrong.value && <p class="wrong" role="alert">A name has small letters, digits, - and _, and begins with a letter or digit.</p>}
    </form>
  );
}

function DashboardList() {
  const poll = usePoll('dashboards', getDashboards, 30_000);
  const list = poll.data.value;
  if (!list && poll.error.value) return <ErrorState error={poll.error.value} retry={poll.refresh} />;
  if (!list) return <div class="skeleton page-skeleton" aria-busy="true" />;
  return (
    <>
      <PageHead title="Dashboards" note={plural(list.length, 'dashboard')} />
      <div class="page-body">
        <Box title="Each dashboard" aside={<Fresh />}>
          {list.length > 0 && <DataTable label="Dashboards" rows={list} columns={COLUMNS} keyOf={({ name }) => name} />}
          {list.length === 0 && (
            <State icon="threads" title="There is no dashboard">
              <p>Make one above; those that come with Weft lie beside the page's files.</p>
            </State>
          )}
        </Box>
      </div>
      <StaleNotice error={poll.error.value} />
    </>
  );
}

export default function DashboardsPage({ id, query }: PageProps) {
  return id === '' ? <DashboardList /> : <DashboardView name={id} editing={query.get('edit') === 'on'} />;
}
