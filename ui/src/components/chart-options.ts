// SPDX-License-Identifier: Apache-2.0
/* What uPlot is told of a chart: colours of the theme, axes with units, one scale. */
import type uPlot from 'uplot';
import { SERVICE_COLOURS, serviceColour } from '../model/service-colour';
import { momentText } from '../model/time-range';
import { axisSteps, formatTick, type Unit } from '../model/units';

export interface ChartSeries {
  name: string;
  values: readonly (number | null)[];
  /** 0 to SERVICE_COLOURS - 1; by the name where it is left out. */
  colour?: number;
}

export type ChartKind = 'lines' | 'areas' | 'stacked';

export interface ChartMark {
  atMs: number;
  title: string;
  text: string;
  worse?: boolean;
}

export const colourOf = ({ name, colour }: ChartSeries) => (colour ?? serviceColour(name)) % SERVICE_COLOURS;

/** The theme's colours as they are now: a canvas knows no variables. */
export function palette(element: Element) {
  const style = getComputedStyle(element);
  /* light-dark() is resolved only in a property that is a colour. */
  const probe = document.createElement('span');
  element.append(probe);
  const read = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    ink: read('--ink-3'),
    strong: read('--ink'),
    surface: read('--surface'),
    grid: read('--line'),
    mark: read('--accent'),
    worse: read('--failed'),
    series: Array.from({ length: SERVICE_COLOURS }, (_, i) => read(`--service-${i}`)),
    font: `11px ${style.fontFamily}`,
  };
  probe.remove();
  return colours;
}

export type Palette = ReturnType<typeof palette>;

export interface PlotParts {
  series: readonly ChartSeries[];
  kind: ChartKind;
  unit: Unit;
  log: boolean;
  utc: boolean;
  colours: Palette;
  width: number;
  height: number;
  syncKey?: string | undefined;
  draw: (plot: uPlot) => void;
  onCursor: (row: number | null) => void;
  onSelect: (fromS: number, toS: number) => void;
}

const PADDING: [number, number, number, number] = [16, 8, 0, 0];
const CHARACTER_PX = 7;
/* On a phone labels stand closer, where the time is long enough for them to be without seconds. */
const NARROW_PX = 420;
const WITH_SECONDS_S = 300;

export function withAlpha(colour: string, alpha: number): string {
  return colour.startsWith('rgb(') ? colour.replace('rgb(', 'rgba(').replace(')', `, ${alpha})`) : colour;
}

/* A clock of 24 hours; the day where the day is what changes. */
export function timeLabels(splits: readonly number[], step: number, utc: boolean): string[] {
  return splits.map((seconds) => {
    const text = momentText(seconds * 1000, utc);
    if (step >= 86_400) return text.slice(5, 10);
    const [day = '', clock = ''] = [text.slice(5, 10), text.slice(11)];
    if (clock === '00:00') return day;
    return step < 60 && clock.length === 5 ? `${clock}:00` : clock;
  });
}

/* The last label is left out where its half would lie beyond the edge. */
function withinPlot(plot: uPlot, splits: readonly number[], labels: string[]): string[] {
  const { min, max } = plot.scales['x'] ?? {};
  const width = plot.bbox.width / devicePixelRatio;
  if (min === undefined || min === null || max === undefined || max === null || max <= min) return labels;
  return labels.map((label, i) => (((max - splits[i]!) / (max - min)) * width + PADDING[1] < label.length * CHARACTER_PX / 2 ? '' : label));
}

function axes({ unit, utc, log, colours }: PlotParts): uPlot.Axis[] {
  const shared = { stroke: colours.ink, font: colours.font, grid: { stroke: colours.grid, width: 1 }, ticks: { stroke: colours.grid, width: 1, size: 4 } };
  const steps = axisSteps(unit);
  return [
    { ...shared, grid: { show: false }, size: 26, space: (plot, _axis, min, max) => (plot.width < NARROW_PX && max - min >= WITH_SECONDS_S ? 48 : 70), values: (plot, splits, _axis, _space, step) => withinPlot(plot, splits, timeLabels(splits, step, utc)) },
    { ...shared, size: 72, space: 28, ...(steps && !log ? { incrs: steps } : {}), values: (_plot, splits, _axis, _space, step) => splits.map((value) => (value === null ? '' : formatTick(value, step, unit))) },
  ];
}

function scales({ log }: PlotParts): uPlot.Scales {
  if (log) return { y: { distr: 3, log: 10 } };
  /* From zero, so that heights compare; a little room above. */
  return { y: { range: (_plot, least, most) => [Math.min(least ?? 0, 0), most === null || most === 0 ? 1 : most * 1.08] } };
}

export function plotOptions(parts: PlotParts): uPlot.Options {
  const { series, kind, colours, width, height } = parts;
  const lines = series.map((one): uPlot.Series => {
    const stroke = colours.series[colourOf(one)] ?? colours.ink;
    return {
      label: one.name,
      stroke,
      width: 1.5,
      points: { show: false },
      spanGaps: false,
      ...(kind === 'lines' ? {} : { fill: withAlpha(stroke, kind === 'stacked' ? 0.45 : 0.18) }),
    };
  });
  return {
    width,
    height,
    legend: { show: false },
    padding: PADDING,
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false },
      points: { size: 6 },
      ...(parts.syncKey === undefined ? {} : { sync: { key: parts.syncKey } }),
    },
    tzDate: (seconds) => (parts.utc ? asUtc(seconds) : new Date(seconds * 1000)),
    axes: axes(parts),
    scales: scales(parts),
    series: [{}, ...lines],
    /* Of stacked areas each is filled down to the one below it. */
    ...(kind === 'stacked' ? { bands: lines.slice(1).map((_, i): uPlot.Band => ({ series: [i + 2, i + 1] })) } : {}),
    hooks: {
      draw: [parts.draw],
      setCursor: [(plot) => parts.onCursor(plot.cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          const { left, width: wide } = plot.select;
          if (wide >= 6) parts.onSelect(plot.posToVal(left, 'x'), plot.posToVal(left + wide, 'x'));
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

/* A date whose local parts are those of UTC, as uPlot reads local parts. */
function asUtc(seconds: number): Date {
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() + date.getTimezoneOffset() * 60_000);
}
