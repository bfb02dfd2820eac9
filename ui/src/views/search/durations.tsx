// SPDX-License-Identifier: Apache-2.0
/*
 * When the found spans were and how long they took, as a heatmap of all of them, not only of those
 * listed. A click on a cell, or a drag over several, chooses a region; the region's traces are then listed.
 */
import { useMemo, useRef } from 'preact/hooks';
import { measure } from '../../api/search';
import { usePoll } from '../../api/use-poll';
import { Box, BoxMessage } from '../../components/panel';
import { Segments } from '../../components/parts';
import { formatCount, formatMoment } from '../../model/format';
import { buildHeatmap, countIn, durationRange, regionText, slowestRegion, type Heatmap, type Region } from '../../model/duration-map';
import { stepSeconds } from '../../model/time-range';
import { hrefWith, navigate, route, utc } from '../../routes/location';
import { Common } from './common';
import { HeatCanvas } from './heat-canvas';
import type { Asked } from './search';

const COLUMNS = 90;
const HEIGHT = 190;
const NEVER_MS = 2 ** 31 - 1;
/* What counts as slow while nobody chose a region. */
const SLOW_SHARE = 0.05;

const setRegion = (region: Region | undefined) => navigate(hrefWith({ region: region && regionText(region) }));

async function heatmapOf({ query, window }: Asked, token: string | undefined, signal: AbortSignal | undefined): Promise<Heatmap> {
  const step = stepSeconds(window, COLUMNS);
  /* From a whole step on, so that cells stay where they are when one looks again. */
  const fromMs = Math.floor(window.fromMs / 1000 / step) * step * 1000;
  const columns = Math.ceil((window.toMs - fromMs) / 1000 / step);
  const toMs = fromMs + columns * step * 1000;
  const answer = await measure(`${query} | histogram_over_time(duration)`, { fromMs, toMs }, step, { token, signal });
  const series = answer.series.map(({ labels, values }) => ({ bound: Number(labels['__bucket']), counts: values.map((value) => (typeof value === 'number' ? value : 0)) }));
  return buildHeatmap(fromMs, step * 1000, columns, series.filter(({ bound }) => bound > 0));
}

function RegionLine({ map, region }: { map: Heatmap; region: Region }) {
  return (
    <span class="region-line">
      <strong>{formatCount(countIn(map, region))} spans</strong> of {durationRange(region)}, {formatMoment(region.fromMs, utc.value).slice(11, 19)} to{' '}
      {formatMoment(region.toMs, utc.value).slice(11, 19)}{' '}
      <button type="button" class="as-link" onClick={() => setRegion(undefined)}>
        Show all
      </button>
    </span>
  );
}

/** What is asked now: while it is followed the next only once the one before is answered, however long that takes. */
function useHeatmap(newest: Asked, range: string, attempt: number) {
  const of = JSON.stringify([newest.query, range]);
  const first = `${attempt} ${of}`;
  const under = useRef({ first, asked: newest, done: true });
  if (under.current.done || under.current.first !== first) under.current = { first, asked: newest, done: false };
  const { asked } = under.current;
  const poll = usePoll(JSON.stringify([asked.query, asked.window]), ({ token, signal }) => heatmapOf(asked, token, signal), NEVER_MS);
  under.current.done = poll.data.value !== undefined || poll.error.value !== undefined;
  /* While it is followed, the picture before stays until the next one is there. */
  const last = useRef<{ of: string; map: Heatmap } | undefined>(undefined);
  if (poll.data.value) last.current = { of, map: poll.data.value };
  return { asked, error: poll.error.value, map: poll.data.value ?? (last.current?.of === of ? last.current.map : undefined) };
}

export function Durations(props: { asked: Asked; range: string; attempt: number; region: Region | undefined }) {
  const { region } = props;
  const { asked, error, map } = useHeatmap(props.asked, props.range, props.attempt);
  const at = route.value;
  const lens = at.view === 'search' && at.query.get('lens') === 'common' ? 'common' : 'list';
  const slow = useMemo(() => map && slowestRegion(map, SLOW_SHARE), [map]);
  return (
    <>
      <Box
        title="Durations"
        note={map && region ? <RegionLine map={map} region={region} /> : map ? `${formatCount(map.total)} spans; choose a cell, or drag over several, to see their traces` : '\u00a0'}
        aside={
          <Segments
            name="lens" legend="What is shown below" value={lens}
            choices={[{ value: 'list', label: 'Traces' }, { value: 'common', label: 'What do the slow ones have in common?' }]}
            onChange={(value) => navigate(hrefWith({ lens: value === 'common' ? value : undefined }))}
          />
        }
      >
        {!map && error && <BoxMessage height={HEIGHT} failed>{error.message}</BoxMessage>}
        {!map && !error && <div class="skeleton heat-skeleton" aria-busy="true" />}
        {map && map.total === 0 && <BoxMessage height={HEIGHT}>No span is found in this time.</BoxMessage>}
        {map && map.total > 0 && <HeatCanvas map={map} region={region} choose={setRegion} height={HEIGHT} />}
      </Box>
      {lens === 'common' && map && map.total > 0 && (region ?? slow) && <Common asked={asked} region={(region ?? slow)!} chosen={region !== undefined} />}
    </>
  );
}
