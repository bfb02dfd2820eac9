// SPDX-License-Identifier: Apache-2.0
/* A small line of the last values, newest at the right; the scale begins at zero. */

interface Props {
  values: readonly number[];
  /** How many values the full width holds. */
  room: number;
  label: string;
}

const WIDTH = 240;
const HEIGHT = 40;

export function Sparkline({ values, room, label }: Props) {
  const top = Math.max(...values, 1e-9) * 1.1;
  const x = (i: number) => WIDTH - ((values.length - 1 - i) * WIDTH) / (room - 1);
  const y = (value: number) => HEIGHT - 1 - (value / top) * (HEIGHT - 2);
  const line = values.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  const area = values.length > 1 ? `${x(0).toFixed(1)},${HEIGHT} ${line} ${WIDTH},${HEIGHT}` : '';
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <polygon points={area} />
      <polyline points={line} />
    </svg>
  );
}
