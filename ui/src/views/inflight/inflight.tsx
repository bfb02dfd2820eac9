// SPDX-License-Identifier: Apache-2.0
/* Requests, or all spans, that are open now, oldest first: what hangs is at the top. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { getInflight } from '../../api/client';
import { usePoll } from '../../api/use-poll';
import type { Attribute, Inflight as Answer } from '../../api/wire';
import { Icon } from '../../components/icon';
import { ServiceName } from '../../components/parts';
import { ErrorState, StaleNotice, State } from '../../components/states';
import { formatDuration, plural } from '../../model/format';
import { openRequests, type OpenRequest } from '../../model/open-requests';
import { logShare } from '../../model/scale';
import { inRange, navigate } from '../../routes/location';
import { inflightHref, traceHref } from '../../routes/routes';

const LIMIT = 500;
const REFRESH_MS = 1000;

export function Attributes({ list }: { list: readonly Attribute[] }) {
  return (
    <>
      {list.slice(0, 4).map(({ key, value }) => (
        <span class="pair" key={key}>
          <span class="muted">{key}=</span>
          {String(value).slice(0, 80)}
        </span>
      ))}
    </>
  );
}

function Row({ request: { span, below, waitsFor } }: { request: OpenRequest }) {
  const place = [span.instance, span.host].filter(Boolean).join(' on ');
  return (
    <li>
      <a class="open-row" href={inRange(traceHref(span.trace_id, span.span_id))}>
        <span class="age">{formatDuration(span.age_ns)}</span>
        <span class="age-strip" aria-hidden="true">
          <span style={{ width: `max(${logShare(span.age_ns) * 100}%, 3px)` }} />
        </span>
        <span class="what">
          <ServiceName name={span.service} />
          <span class="operation clip">{span.name}</span>
        </span>
        <span class="muted clip place">{place}</span>
        <span class="attributes clip">
          {waitsFor && (
            <span class="waits">
              waits for {waitsFor.service} {waitsFor.name}
              {below > 1 && `, ${plural(below, 'span')} open below`}{' '}
            </span>
          )}
          <Attributes list={span.attributes ?? []} />
        </span>
      </a>
    </li>
  );
}

function Head() {
  return (
    <div class="open-row head" aria-hidden="true">
      <span class="age">Open for</span>
      <span class="age-strip">
        {['0.1 ms', '1', '10', '100', '1 s'].map((label) => (
          <span key={label}>{label}</span>
        ))}
      </span>
      <span>Span</span>
      <span class="place">Process</span>
      <span class="attributes">Attributes</span>
    </div>
  );
}

interface Props {
  service: string;
  show: 'requests' | 'spans';
}

/** What is shown: the newest answer while one follows, the one at which one stopped otherwise. */
function Bar({ answer, shown, service, show, following, follow }: Props & { answer: Answer; shown: number; following: boolean; follow: (on: boolean) => void }) {
  const services = [...new Set([...answer.spans.map((span) => span.service), service])].filter(Boolean).sort();
  return (
    <div class="hose-bar">
      <span class="muted" role="status">
        {answer.more ? 'The oldest ' : ''}
        {plural(shown, show === 'requests' ? 'request' : 'open span')}, oldest first
      </span>
      <label class="check">
        Service
        <select class="field" value={service} onChange={(event) => navigate(inRange(inflightHref(event.currentTarget.value, show)))}>
          <option value="">all</option>
          {services.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button type="button" class={following ? 'button live on' : 'button live'} aria-pressed={following} onClick={() => follow(!following)}>
        <Icon name={following ? 'pause' : 'play'} />
        {following ? 'Following' : 'Paused'}
      </button>
    </div>
  );
}

export function Inflight({ service, show }: Props) {
  const poll = usePoll(service, (options) => getInflight({ service, limit: LIMIT }, options), REFRESH_MS);
  const following = useSignal(true);
  useEffect(() => poll.pause(!following.value), [poll, following.value]);
  const answer = poll.data.value;
  const error = poll.error.value;
  if (!answer) {
    if (error) return <ErrorState error={error} retry={poll.refresh} />;
    return <p class="hose-bar muted">Looking for open spans…</p>;
  }
  const rows = show === 'requests' ? openRequests(answer.spans) : answer.spans.map((span) => ({ span, below: 0, waitsFor: undefined }));
  return (
    <>
      <Bar answer={answer} shown={rows.length} service={service} show={show} following={following.value} follow={(on) => (following.value = on)} />
      {rows.length === 0 ? (
        <State icon="check" title="Nothing is in flight">
          <p>No span is open right now. Requests show up here the moment they begin, before they end.</p>
        </State>
      ) : (
        <div class="open-table">
          <Head />
          <ol class="open-list">
            {rows.map((request) => (
              <Row key={request.span.trace_id + request.span.span_id} request={request} />
            ))}
          </ol>
        </div>
      )}
      <StaleNotice error={error} />
    </>
  );
}
