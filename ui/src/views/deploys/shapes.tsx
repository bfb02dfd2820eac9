// SPDX-License-Identifier: Apache-2.0
/* How long requests took, the old version's shape and the new one's over each other. */
import type { Deploy } from '../../api/deploys';
import { queryAt, type PromHistogram } from '../../api/prom';
import { usePoll } from '../../api/use-poll';
import { Box, BoxMessage } from '../../components/panel';
import { formatShort, unixMs } from '../../model/format';
import { requestHistogram } from '../../model/red';
import { axisOf, countOf, outline, placeOn, shapeOf, ticksOn } from '../../model/shape';
import { formatValue } from '../../model/units';

const HEIGHT = 190;
const WIDTH = 1000;
const TICKS = 9;
const REFRESH_MS = 15_000;

interface Sides {
  before: PromHistogram | undefined;
  after: PromHistogram | undefined;
}

function Drawn({ before, after }: Sides) {
  const shapes = [shapeOf(before), shapeOf(after)] as const;
  const axis = axisOf(shapes);
  if (!axis) return <BoxMessage height={HEIGHT}>No request was timed on either side.</BoxMessage>;
  const most = Math.max(...shapes.flat().map(({ density }) => density));
  return (
    <>
      <svg class="shapes" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label="How long requests took, before and after">
        <polygon class="before" points={outline(shapes[0], axis, most, WIDTH, HEIGHT)} />
        <polygon class="after" points={outline(shapes[1], axis, most, WIDTH, HEIGHT)} />
      </svg>
      <div class="shape-ticks" aria-hidden="true">
        {ticksOn(axis, TICKS).map((value) => (
          <span key={value} style={{ left: `${(placeOn(axis, value) * 100).toFixed(2)}%` }}>{formatValue(value, 'seconds')}</span>
        ))}
      </div>
    </>
  );
}

export function Shapes({ deploy }: { deploy: Deploy }) {
  const { mark, cell } = deploy;
  const ends = [cell.before_from_unix_ns, cell.before_to_unix_ns, cell.after_from_unix_ns, cell.after_to_unix_ns];
  const ask = async (options: Parameters<typeof queryAt>[2]): Promise<Sides> => {
    const [beforeFrom = 0, beforeTo = 0, afterFrom = 0, afterTo = 0] = ends.map((at) => unixMs(at ?? '0'));
    const histogram = async (version: string | undefined, fromMs: number, toMs: number) => {
      const of = { service_name: mark.service, cell: mark.cell || undefined, version };
      return (await queryAt(requestHistogram(of, (toMs - fromMs) / 1000), toMs, options))[0]?.histogram?.[1];
    };
    const [before, after] = await Promise.all([histogram(mark.previous, beforeFrom, beforeTo), histogram(mark.version, afterFrom, afterTo)]);
    return { before, after };
  };
  const poll = usePoll(JSON.stringify([mark.id, cell.basis, ends]), async (options) => (cell.basis === 'none' ? { before: undefined, after: undefined } : ask(options)), REFRESH_MS);
  const sides = poll.data.value;
  const name = (version: string | undefined, histogram: PromHistogram | undefined) => `${version ?? 'before'}: ${formatShort(Math.round(countOf(histogram)))} requests`;
  return (
    <Box
      title="How long requests took"
      note="each version’s requests by their time; both have the same area"
      aside={
        <span class="shape-legend">
          <span class="before">{name(mark.previous, sides?.before)}</span>
          <span class="after">{name(mark.version, sides?.after)}</span>
        </span>
      }
    >
      <div class="shape-box">
        {sides && <Drawn {...sides} />}
        {!sides && poll.error.value && <BoxMessage height={HEIGHT} failed>{poll.error.value.message}</BoxMessage>}
        {!sides && !poll.error.value && <div class="skeleton" style={{ height: `${HEIGHT}px` }} aria-busy="true" />}
      </div>
    </Box>
  );
}
