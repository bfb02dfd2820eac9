// SPDX-License-Identifier: Apache-2.0
/* The spans that are open now, oldest first: what hangs is at the top. */
import { useEffect, useMemo } from 'preact/hooks';
import { getInflight } from '../../api/client';
import { createPoll } from '../../api/poll';
import { token } from '../../api/session';
import type { Attribute, InflightSpan } from '../../api/wire';
import { ServiceName } from '../../components/parts';
import { ErrorState, StaleNotice, State } from '../../components/states';
import { formatDuration, plural } from '../../model/format';
import { logShare } from '../../model/scale';
import { inflightHref, traceHref } from '../../routes/routes';
import './inflight.css';

const LIMIT = 200;
const REFRESH_MS = 1000;

function Attributes({ list }: { list: readonly Attribute[] }) {
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

function Row({ span }: { span: InflightSpan }) {
  const place = [span.instance, span.host].filter(Boolean).join(' on ');
  return (
    <li>
      <a class="open-row" href={traceHref(span.trace_id, span.span_id)}>
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

export function InflightView({ service }: { service: string }) {
  const poll = useMemo(
    () =>
      createPoll((signal) => getInflight({ service, limit: LIMIT }, { signal, token: token.value }), {
        intervalMs: REFRESH_MS,
      }),
    [service],
  );
  useEffect(() => () => poll.stop(), [poll]);
  const answer = poll.data.value;
  const error = poll.error.value;
  if (!answer) {
    if (error) return <ErrorState error={error} retry={poll.refresh} />;
    return <p class="view-head muted">Looking for open spans…</p>;
  }
  return (
    <>
      <header class="view-head">
        <h1>In flight</h1>
        <p class="muted">
          {answer.more ? `The oldest ${answer.spans.length} open spans` : plural(answer.spans.length, 'open span')}
          {service !== '' && ` of ${service}`}, oldest first
          {service !== '' && (
            <>
              {' · '}
              <a href={inflightHref()}>all services</a>
            </>
          )}
        </p>
      </header>
      {answer.spans.length === 0 ? (
        <State icon="check" title="Nothing is in flight">
          <p>No span is open right now. Requests show up here the moment they begin, before they end.</p>
        </State>
      ) : (
        <div class="open-table">
          <Head />
          <ol class="open-list">
            {answer.spans.map((span) => (
              <Row key={span.trace_id + span.span_id} span={span} />
            ))}
          </ol>
        </div>
      )}
      <StaleNotice error={error} />
    </>
  );
}
