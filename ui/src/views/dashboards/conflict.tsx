// SPDX-License-Identifier: Apache-2.0
/* Somebody else saved the dashboard since it was opened here: what he did, and the three ways out. Nothing is lost until one is chosen. */
import type { Versioned } from '../../api/client';
import { difference, type Dashboard } from '../../model/dashboard';
import { formatClock } from '../../model/format';
import { utc } from '../../routes/location';

export interface ConflictProps {
  /** As it was opened here. */
  base: Dashboard;
  /** As it is now; undefined: what was saved is gone. */
  theirs: Versioned<Dashboard> | undefined;
  busy: boolean;
  onMine: () => void;
  onTheirs: () => void;
  onExport: () => void;
}

const list = (verb: string, titles: readonly string[]) => (titles.length > 0 ? [`${verb} ${titles.map((title) => `“${title}”`).join(', ')}`] : []);

function deeds(base: Dashboard, theirs: Dashboard): string {
  const { made, changed, gone, other } = difference(base, theirs);
  const said = [...list('made', made), ...list('changed', changed), ...list('removed', gone), ...(other ? ['changed its title or order'] : [])];
  return said.length > 0 ? `They ${said.join('; ')}.` : 'It says the same as when you opened it.';
}

export function Conflict({ base, theirs, busy, onMine, onTheirs, onExport }: ConflictProps) {
  const when = theirs?.writtenMs === undefined ? '' : ` at ${formatClock(theirs.writtenMs, utc.value).slice(0, 8)}`;
  return (
    <div class="dashboard-conflict" role="alert">
      <p>
        <b>{theirs ? `Somebody else saved this dashboard${when}, after you opened it.` : 'Somebody else removed this dashboard after you opened it.'}</b>{' '}
        {theirs && deeds(base, theirs.value)} Your changes are still here.
      </p>
      <p class="dashboard-ways">
        <button type="button" class="button primary" disabled={busy} onClick={onMine}>{theirs ? 'Keep mine' : 'Save mine again'}</button>
        <button type="button" class="button" disabled={busy} onClick={onTheirs}>{theirs ? 'Take theirs' : 'Let it go'}</button>
        <button type="button" class="button" onClick={onExport}>Export mine</button>
      </p>
    </div>
  );
}
