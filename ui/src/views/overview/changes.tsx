// SPDX-License-Identifier: Apache-2.0
/* What changed, what needs somebody first. Its box has one height, however much there is. */
import type { ApiError } from '../../api/error';
import { MOST_MARKS } from '../../api/marks';
import type { Happenings } from '../../api/overview';
import { Box, BoxMessage } from '../../components/panel';
import { Ago } from '../../components/parts';
import type { Happening } from '../../model/changes';
import { formatCount, plural } from '../../model/format';
import { inRange } from '../../routes/location';
import { pageHref, searchHref } from '../../routes/routes';
import { ENTRIES } from '../pages';

const HEIGHT = 176;
const MOST = 100;

/* Where it can be looked into. */
function hrefOf({ kind, deploy, service, operation }: Happening): string | undefined {
  if (kind === 'deploy' && ENTRIES.deploys && deploy !== undefined) return inRange(pageHref('deploys', String(deploy)));
  if (kind === 'hot-key') return inRange(pageHref('caches'));
  if (kind === 'errors') return inRange(searchHref({ service, operation, status: 'error' }));
  if (kind === 'death' && service) return inRange(searchHref({ service, status: 'died' }));
  return undefined;
}

function Row({ one }: { one: Happening }) {
  const href = hrefOf(one);
  return (
    <li>
      <span class={`tag ${one.tone}`}>{one.what}</span>
      <span class="what">
        {href === undefined ? <strong>{one.title}</strong> : <a href={href}>{one.title}</a>}
        {one.text !== '' && <span class="muted"> {one.text}</span>}
      </span>
      <span class="when muted">{Number.isNaN(one.atMs) ? 'now' : <Ago unixNs={`${Math.floor(one.atMs)}000000`} suffix=" ago" />}</span>
    </li>
  );
}

export function Changes({ told, error }: { told: Happenings | undefined; error: ApiError | undefined }) {
  const found = told?.found;
  const urgent = found?.filter(({ tone }) => tone === 'bad').length ?? 0;
  const worst = found === undefined || found.length === 0 ? '\u00a0' : urgent > 0 ? `${plural(urgent, 'thing')} to look at` : 'nothing that is worse';
  const note = told?.more ? `${worst}; of the marks of this time, the newest ${formatCount(MOST_MARKS)}` : worst;
  return (
    <Box title="What changed" note={note}>
      {found && found.length > 0 && (
        <ul class="changes" tabIndex={0} aria-label="What changed" style={{ height: `${HEIGHT}px` }}>
          {found.slice(0, MOST).map((one) => (
            <Row key={one.key} one={one} />
          ))}
          {found.length > MOST && <li class="muted">and {plural(found.length - MOST, 'more of it', 'more')}</li>}
        </ul>
      )}
      {found?.length === 0 && <BoxMessage height={HEIGHT}>Nothing: no deploy, death, alert, hot key or new error in this time.</BoxMessage>}
      {!found && error && <BoxMessage height={HEIGHT} failed>{error.message}</BoxMessage>}
      {!found && !error && <div class="skeleton" style={{ height: `${HEIGHT}px` }} aria-busy="true" />}
    </Box>
  );
}
