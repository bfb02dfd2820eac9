// SPDX-License-Identifier: Apache-2.0
/* One cache: how much it is asked, what it finds, how long it takes, and what is hot in it. */
import { getCache, type CacheSummary } from '../../api/caches';
import { serverNowMs } from '../../api/session';
import { usePoll } from '../../api/use-poll';
import { Fact, Facts } from '../../components/facts';
import { Box, PageHead } from '../../components/panel';
import { Ago } from '../../components/parts';
import { QueryChart, refreshMs, spanNow } from '../../components/query-chart';
import { ErrorState, StaleNotice } from '../../components/states';
import { formatCount, formatPercent, formatRate, formatShort } from '../../model/format';
import { formatValue } from '../../model/units';
import { inRange, timeRange, windowNow } from '../../routes/location';
import { pageHref } from '../../routes/routes';
import { Heavy, type HeavyState } from './heavy';

const rate = (value: number | undefined) => (value === undefined ? '–' : formatRate(value));

function Figures({ cache }: { cache: CacheSummary }) {
  const { hottest } = cache;
  return (
    <Facts label="The cache">
      <Fact label="Commands" under={cache.peak_ratio === undefined ? '' : `fullest second ${formatCount(cache.peak_commands)}, ${cache.peak_ratio.toFixed(1)} times the mean`}>
        {rate(cache.commands_per_s)}
      </Fact>
      <Fact label="Hit rate">{cache.hit_rate === undefined ? '–' : formatPercent(cache.hit_rate)}</Fact>
      <Fact label="Errors">{rate(cache.errors_per_s)}</Fact>
      <Fact label="p99 of service time" under={`p50 ${formatValue(cache.p50_seconds, 'seconds')}, p99.9 ${formatValue(cache.p999_seconds, 'seconds')}`}>
        {formatValue(cache.p99_seconds, 'seconds')}
      </Fact>
      <Fact label="Different keys">{`≈ ${formatShort(cache.distinct_keys)}`}</Fact>
      <Fact label="Hottest key" under={hottest && `${formatPercent(hottest.share)} of the calls`}>
        <span class="mono" title={hottest?.key}>{hottest?.key ?? '–'}</span>
      </Fact>
    </Facts>
  );
}

/** The selector's text of a label's value. */
const quoted = (text: string) => JSON.stringify(text);

function Charts({ cache }: { cache: CacheSummary }) {
  const of = `cache=${quoted(cache.address)},host=${quoted(cache.host)}`;
  const window = `${Math.max(4 * spanNow().stepSeconds, 10)}s`;
  const rateOf = (metric: string) => `sum by (command) (rate(${metric}{${of}}[${window}]))`;
  const found = `sum(rate(weft_cache_hits_total{${of}}[${window}]))`;
  const looked = `${found} + sum(rate(weft_cache_misses_total{${of}}[${window}]))`;
  const quantile = (q: number) => `histogram_quantile(${q}, sum(rate(weft_cache_service_seconds{${of}}[${window}])))`;
  const sync = `cache ${cache.id}`;
  return (
    <>
      <div class="two">
        <Box title="Commands" note="by command">
          <QueryChart label="Commands a second by command" kind="stacked" unit="rate" syncKey={sync} queries={[{ query: rateOf('weft_cache_commands_total') }]} />
        </Box>
        <Box title="Service time" note="from the request's last byte to the reply's first">
          <QueryChart
            label="Quantiles of service time" unit="seconds" syncKey={sync}
            queries={[
              { query: quantile(0.5), legend: 'p50', colour: 1 },
              { query: quantile(0.99), legend: 'p99', colour: 0 },
              { query: quantile(0.999), legend: 'p99.9', colour: 6 },
            ]}
          />
        </Box>
      </div>
      <div class="two">
        <Box title="Hit rate" note="of the keys that were looked for">
          <QueryChart label="Hit rate" kind="areas" unit="share" height={150} syncKey={sync} queries={[{ query: `${found} / (${looked})`, legend: 'found', colour: 2 }]} />
        </Box>
        <Box title="Traffic">
          <QueryChart
            label="Bytes a second" kind="areas" unit="bytes_rate" height={150} syncKey={sync}
            queries={[
              { query: `sum(rate(weft_cache_reply_bytes_total{${of}}[${window}]))`, legend: 'replies', colour: 0 },
              { query: `sum(rate(weft_cache_request_bytes_total{${of}}[${window}]))`, legend: 'requests', colour: 4 },
            ]}
          />
        </Box>
      </div>
    </>
  );
}

export function CacheView({ id, heavy }: { id: string; heavy: HeavyState }) {
  const poll = usePoll(
    JSON.stringify([id, timeRange.value]),
    (options) => getCache(id, windowNow(serverNowMs()), options),
    refreshMs(),
  );
  const cache = poll.data.value;
  if (!cache && poll.error.value) return <ErrorState error={poll.error.value} retry={poll.refresh} />;
  if (!cache) return <div class="skeleton page-skeleton" aria-busy="true" />;
  return (
    <>
      <PageHead
        title={
          <>
            <a href={inRange(pageHref('caches'))}>Caches</a> <span class="muted">/</span> {cache.address}
          </>
        }
        note={`${cache.protocol} on ${cache.host}`}
      >
        <span class="muted">
          seen <Ago unixNs={cache.seen_unix_ns} suffix=" ago" />
        </span>
      </PageHead>
      <div class="page-body">
        <Figures cache={cache} />
        <Charts cache={cache} />
        <Heavy id={id} state={heavy} />
      </div>
      <StaleNotice error={poll.error.value} />
    </>
  );
}
