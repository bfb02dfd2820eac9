// SPDX-License-Identifier: Apache-2.0
/* An edge's way as a line to draw: apart from the layout, which is the worker's alone. Pure. */
import type { Way } from './graph-layout';

/** A smooth line through the points, as an SVG path. */
export function pathOf(points: Way['points']): string {
  const [first, ...rest] = points;
  if (!first) return '';
  const round = (value: number) => Math.round(value * 10) / 10;
  const at = ({ x, y }: { x: number; y: number }) => `${round(x)} ${round(y)}`;
  const middle = (a: Way['points'][number], b: Way['points'][number]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  let path = `M${at(first)}`;
  rest.forEach((point, i) => {
    const next = rest[i + 1];
    path += next ? `Q${at(point)} ${at(middle(point, next))}` : `L${at(point)}`;
  });
  return path;
}
