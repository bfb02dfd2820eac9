// SPDX-License-Identifier: Apache-2.0
/*
 * Lines or areas over time, with a legend that is a table, marks as vertical lines, and a drag
 * that chooses a time. Drawn by uPlot; everything that is read is in the document.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { firstPoint, movedPoint, nearestIn, type Point } from '../model/chart-cursor';
import { stacked, summarise } from '../model/chart-data';
import { momentText } from '../model/time-range';
import { formatValue, type Unit } from '../model/units';
import { setTimeRange, utc } from '../routes/location';
import { themeVersion } from '../theme';
import './chart.css';
import { colourOf, palette, plotOptions, type ChartKind, type ChartMark, type ChartSeries, type Palette } from './chart-options';

export type { ChartKind, ChartMark, ChartSeries } from './chart-options';

export interface ChartProps {
  /** What it shows, for those who do not see it. */
  label: string;
  times: readonly number[];
  series: readonly ChartSeries[];
  kind?: ChartKind;
  unit: Unit;
  log?: boolean;
  marks?: readonly ChartMark[];
  height?: number;
  legend?: boolean;
  /** Charts of one key share their cursor. */
  syncKey?: string;
  /** A point was clicked: of which series (in `series`), and when, in seconds since 1970. */
  onPick?: (series: number, time: number) => void;
}

/* As wide as chart.css lets a tip be. */
const TIP_WIDTH = 280;
const NO_MARKS: readonly ChartMark[] = [];

function paintMarks(plot: uPlot, marks: readonly ChartMark[], colours: Palette): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.lineWidth = Math.max(1, Math.round(devicePixelRatio));
  for (const mark of marks) {
    const x = Math.round(plot.valToPos(mark.atMs / 1000, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = mark.worse ? colours.worse : colours.mark;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** The series whose line is nearest to the pointer, at its moment. */
function nearest(plot: uPlot, series: readonly ChartSeries[], drawn: readonly (readonly (number | null)[])[], offset: readonly boolean[]): number {
  const row = plot.cursor.idx ?? -1;
  const top = plot.cursor.top ?? 0;
  let best = -1;
  let distance = Infinity;
  series.forEach((_, i) => {
    const value = drawn[i]?.[row];
    if (offset[i] || value === null || value === undefined) return;
    const away = Math.abs(plot.valToPos(value, 'y') - top);
    if (away < distance) [best, distance] = [i, away];
  });
  return best;
}

function Marks({ marks, plot }: { marks: readonly ChartMark[]; plot: uPlot }) {
  const shown = useSignal(-1);
  const { left, width } = plot.over.getBoundingClientRect();
  const origin = plot.root.getBoundingClientRect().left;
  return (
    <div class="chart-marks">
      {marks.map((mark, i) => {
        const x = plot.valToPos(mark.atMs / 1000, 'x');
        if (x < 0 || x > width) return null;
        return (
          <button
            key={`${mark.atMs} ${mark.title}`}
            type="button"
            class={mark.worse ? 'worse' : ''}
            style={{ left: `${left - origin + x}px` }}
            aria-label={`${momentText(mark.atMs, utc.value)}: ${mark.title}. ${mark.text}`}
            onPointerEnter={() => (shown.value = i)}
            onPointerLeave={() => (shown.value = -1)}
            onFocus={() => (shown.value = i)}
            onBlur={() => (shown.value = -1)}
          >
            <svg viewBox="0 0 9 9" aria-hidden="true">
              <path d="M0 0h9L4.500 9z" />
            </svg>
          </button>
        );
      })}
      {marks[shown.value] && (
        <div class="tip" role="tooltip" style={{ left: `${Math.max(Math.min(left - origin + plot.valToPos(marks[shown.value]!.atMs / 1000, 'x'), width + left - origin - TIP_WIDTH), 0)}px` }}>
          <strong>{marks[shown.value]!.title}</strong>
          <div class="muted">{momentText(marks[shown.value]!.atMs, utc.value)}</div>
          {marks[shown.value]!.text}
        </div>
      )}
    </div>
  );
}

function Legend(props: { series: readonly ChartSeries[]; unit: Unit; row: number | null; chosen: number; off: readonly boolean[]; toggle: (i: number) => void }) {
  const { series, unit, row } = props;
  return (
    <div class="chart-scroll">
      <table class="chart-legend">
        <thead>
          <tr>
            <th scope="col">{row === null ? 'Series' : 'At the cursor'}</th>
            <th scope="col">{row === null ? 'Last' : 'Value'}</th>
            <th scope="col">Mean</th>
            <th scope="col">Most</th>
          </tr>
        </thead>
        <tbody>
          {series.map((one, i) => {
            const { last, most, mean } = summarise(one.values);
            return (
              <tr key={one.name} class={[props.off[i] && 'off', props.chosen === i && 'chosen'].filter(Boolean).join(' ')}>
                <th scope="row">
                  <button type="button" class={`s${colourOf(one)}`} aria-pressed={!props.off[i]} onClick={() => props.toggle(i)}>
                    <span class="clip">{one.name}</span>
                  </button>
                </th>
                <td>{formatValue(row === null ? last : one.values[row], unit)}</td>
                <td>{formatValue(mean, unit)}</td>
                <td>{formatValue(most, unit)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

export function Chart(props: ChartProps) {
  const { times, series, kind = 'lines', unit, log = false, marks = NO_MARKS, height = 220 } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useSignal<uPlot | undefined>(undefined);
  const row = useSignal<number | null>(null);
  const off = useSignal<readonly boolean[]>([]);
  /* Where keys have brought the reader, whatever a refresh adds and takes; null while they have not. */
  const held = useSignal<{ time: number; name: string } | null>(null);
  /* Where time is in the plot, known once it is drawn: marks over it follow. */
  const placed = useSignal('');
  const latest = useRef(props);
  latest.current = props;

  const columns = useMemo(() => {
    const shown = series.map((one, i) => (off.value[i] ? one.values.map(() => null) : one.values));
    return kind === 'stacked' ? stacked(shown) : shown;
  }, [series, kind, off.value]);

  /* Names, colours and axes are fixed when a plot is made; numbers are not. */
  const shape = JSON.stringify([series.map((one) => [one.name, one.colour]), kind, unit, log, height, utc.value, themeVersion.value]);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const colours = palette(element);
    const made = new uPlot(
      plotOptions({
        series, kind, unit, log, colours, height,
        utc: utc.value,
        width: element.clientWidth || 600,
        syncKey: props.syncKey,
        draw: (drawn) => {
          paintMarks(drawn, latest.current.marks ?? NO_MARKS, colours);
          placed.value = `${drawn.scales['x']?.min} ${drawn.scales['x']?.max} ${drawn.width}`;
        },
        onCursor: (at) => (row.value = at),
        onSelect: (fromS, toS) => setTimeRange({ kind: 'between', fromMs: fromS * 1000, toMs: toS * 1000 }),
      }),
      [times as number[], ...(columns as (number | null)[][])],
      element,
    );
    plot.value = made;
    const resize = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      made.destroy();
      plot.value = undefined;
    };
  }, [shape]);
  useEffect(() => {
    plot.value?.setData([times as number[], ...(columns as (number | null)[][])]);
    const at = pointed();
    if (at) point(at);
  }, [times, columns, marks]);

  const pick = () => {
    const drawn = plot.value;
    if (!drawn || !props.onPick || drawn.cursor.idx === null || drawn.cursor.idx === undefined) return;
    const chosen = nearest(drawn, series, columns, off.value);
    const time = times[drawn.cursor.idx];
    if (chosen >= 0 && time !== undefined) props.onPick(chosen, time);
  };
  const shownValues = () => series.map((one, i) => (off.value[i] ? one.values.map(() => null) : one.values));
  const pointed = (): Point | null => {
    if (!held.value) return null;
    const { time, name } = held.value;
    const at = { row: nearestIn(times, time), series: series.findIndex((one) => one.name === name) };
    return at.row < 0 || at.series < 0 ? null : at;
  };
  const point = (next: Point | null) => {
    const drawn = plot.value;
    const value = next && columns[next.series]?.[next.row];
    if (!drawn) return;
    if (!next || value === null || value === undefined) drawn.setCursor({ left: -10, top: -10 });
    else drawn.setCursor({ left: drawn.valToPos(times[next.row]!, 'x'), top: drawn.valToPos(value, 'y') });
  };
  const goTo = (next: Point | null) => {
    held.value = next && { time: times[next.row]!, name: series[next.series]!.name };
    point(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const now = pointed();
    if (event.key === 'Escape' && now) goTo(null);
    else if (event.key === 'Enter' && now && props.onPick) props.onPick(now.series, times[now.row]!);
    else {
      const next = now ? movedPoint(now, event.key, event.shiftKey, shownValues()) : event.key.startsWith('Arrow') ? firstPoint(shownValues()) : undefined;
      if (!next) return;
      goTo(next);
    }
    event.preventDefault();
  };
  const at = pointed();
  const told = at ? `${momentText(times[at.row]! * 1000, utc.value)}, ${series[at.series]!.name}: ${formatValue(series[at.series]!.values[at.row], unit)}` : '';
  const toggle = (i: number) => (off.value = series.map((_, n) => (n === i ? !off.value[n] : Boolean(off.value[n]))));

  return (
    <figure class="chart" aria-label={props.label}>
      <div
        class="chart-plot"
        ref={box}
        role="application"
        aria-roledescription="chart"
        tabIndex={0}
        aria-label={`${props.label}. Left and right move along the time, up and down among series${props.onPick ? ', Enter shows the traces of a point' : ''}, Escape leaves.`}
        style={{ height: `${height}px` }}
        onClick={pick}
        onKeyDown={onKeyDown}
        onBlur={() => held.value && goTo(null)}
        onPointerMove={() => (held.value = null)}
      />
      <p class="sr" role="status">
        {told}
      </p>
      {plot.value && placed.value !== '' && marks.length > 0 && <Marks key={placed.value} marks={marks} plot={plot.value} />}
      {props.legend !== false && <Legend series={series} unit={unit} row={row.value} chosen={at?.series ?? -1} off={off.value} toggle={toggle} />}
    </figure>
  );
}
