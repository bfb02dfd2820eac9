// SPDX-License-Identifier: Apache-2.0
/* What happens now: requests in flight, all open spans, or spans as they end. */
import { Segments } from '../../components/parts';
import { inRange, navigate } from '../../routes/location';
import { inflightHref, type LiveShow } from '../../routes/routes';
import { Firehose } from './firehose';
import { Inflight } from './inflight';
import './inflight.css';

export interface LiveState {
  service: string;
  show: LiveShow;
  q: string;
}

const SHOWS: { value: LiveShow; label: string }[] = [
  { value: 'requests', label: 'Requests in flight' },
  { value: 'spans', label: 'Open spans' },
  { value: 'firehose', label: 'Firehose' },
];

export function LiveView({ service, show, q }: LiveState) {
  return (
    <>
      <header class="live-head">
        <h1>Live</h1>
        <Segments name="show" legend="What is shown" value={show} choices={SHOWS} onChange={(value) => navigate(inRange(inflightHref(service, value, q)))} />
      </header>
      {show === 'firehose' ? <Firehose key={q} q={q} service={service} /> : <Inflight key={`${service} ${show}`} service={service} show={show} />}
    </>
  );
}
