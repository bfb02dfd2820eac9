// SPDX-License-Identifier: Apache-2.0
/*
 * Random queries from a seed: expressions of every kind over the series of samples.mjs, which
 * Prometheus 2.42 knows and to which Prometheus 3 gives the same answer. All durations and steps
 * are whole 5 s, all moments 2.345 s beyond that (samples.mjs says why).
 */
import { STEP_MS, STEPS } from './samples.mjs';

const counters = ['requests_total', 'errors_total', 'took_seconds_count', 'took_seconds_sum', 'took_seconds_bucket'];
const gauges = ['depth', 'limit'];
const matchers = ['cell="c1"', 'cell!="c2"', 'cell=~"c1|c3"', 'host=~"h[12]"', 'host!~"h4|h5"', 'host!=""',
  'cell=~"c.*"', 'code=~"4..|5.."', 'code!~"2.*"', 'le="0.5"', 'le=~"0.*"', 'cell="c9"', 'host=~".+1"'];
const labels = ['cell', 'host', 'code'];
const ranges = ['1m', '90s', '2m', '5m', '10m', '35s', '1m5s', '20m', '10s'];
const offsets = ['30s', '1m', '10m', '-5m', '25s', '-90s'];
const subqueries = ['10m:30s', '5m:1m', '12m:', '20m:2m', '8m:15s', '3m:5s'];

export class Queries {
  constructor(dice, startMs) {
    Object.assign(this, { dice, startMs });
  }

  moment() {
    const steps = (STEPS * STEP_MS) / 5000;
    return this.startMs + (this.dice.below(steps + 70) - 10) * 5000 + 2345;
  }

  selector(names) {
    const chosen = this.dice.chance(0.6) ? [] : Array.from({ length: 1 + this.dice.below(2) }, () => this.dice.pick(matchers));
    return this.dice.pick(names) + (chosen.length ? `{${chosen.join(',')}}` : '');
  }

  /* offset and @, one of them or both, or neither. */
  when({ at: mayBeAt = true } = {}) {
    const at = mayBeAt && this.dice.chance(0.12)
      ? ` @ ${this.dice.pick(['start()', 'end()', (this.moment() / 1000).toFixed(3)])}` : '';
    const offset = this.dice.chance(0.2) ? ` offset ${this.dice.pick(offsets)}` : '';
    return this.dice.chance(0.5) ? at + offset : offset + at;
  }

  instant(names = [...gauges, ...counters]) {
    return this.selector(names) + this.when();
  }

  window(names, options) {
    return `${this.selector(names)}[${this.dice.pick(ranges)}]${this.when(options)}`;
  }

  subquery(options) {
    const d = this.dice;
    const inner = d.pick([
      () => this.ofCounter(), () => this.instant(), () => `${d.pick(['max', 'min', 'count'])}${this.grouping()} (${this.ofCounter()})`,
    ])();
    return `(${inner})[${d.pick(subqueries)}]${this.when(options)}`;
  }

  ofCounter() {
    const name = this.dice.pick(['rate', 'increase', 'irate', 'resets', 'changes', 'delta', 'idelta']);
    return `${name}(${this.window(counters)})`;
  }

  overTime(window) {
    const d = this.dice;
    const name = d.pick(['avg', 'min', 'max', 'sum', 'count', 'stddev', 'stdvar', 'last', 'present', 'quantile', 'absent',
      'deriv', 'predict_linear', 'changes', 'delta', 'idelta']);
    if (name === 'quantile') return `quantile_over_time(${d.pick(['0', '0.5', '0.9', '1'])}, ${window()})`;
    if (name === 'predict_linear') return `predict_linear(${window({ at: false })}, ${d.pick(['60', '600', '-30'])})`;
    return `${name}${['deriv', 'changes', 'delta', 'idelta'].includes(name) ? '' : '_over_time'}(${window()})`;
  }

  ranged() {
    if (this.dice.chance(0.4)) return this.ofCounter();
    return this.overTime(this.dice.chance(0.55) ? (options) => this.window(gauges, options) : (options) => this.subquery(options));
  }

  grouping() {
    const d = this.dice;
    if (d.chance(0.2)) return '';
    const list = labels.filter(() => d.chance(0.45));
    return ` ${d.pick(['by', 'without'])} (${list.join(', ')})`;
  }

  aggregation(depth) {
    const d = this.dice;
    const name = d.pick(['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar', 'quantile', 'topk', 'bottomk',
      'count_values']);
    const group = this.grouping();
    if (name === 'quantile') return `quantile${group} (${d.pick(['0.1', '0.5', '0.99', '-0.5', '1.5'])}, ${this.vector(depth - 1)})`;
    // Where values are equal, any may be the k-th: these are counters that differ.
    if (name === 'topk' || name === 'bottomk') return `${name}${group} (${1 + d.below(4)}, ${this.instant(['errors_total'])})`;
    if (name === 'stddev' || name === 'stdvar') return `${name}${group} (${this.instant(gauges)})`;
    if (name === 'count_values') return `count_values${group} ("value", ${this.selector(gauges)}${this.when()})`;
    return `${name}${group} (${this.vector(depth - 1)})`;
  }

  mapped(depth) {
    const d = this.dice;
    const v = () => this.vector(depth - 1);
    return d.pick([
      () => `${d.pick(['abs', 'ceil', 'floor', 'sqrt', 'exp', 'ln', 'log2', 'log10', 'sgn', 'sin', 'cos', 'tan', 'atan', 'asinh',
        'tanh', 'deg', 'rad', 'round'])}(${v()})`,
      () => `clamp(${v()}, ${d.pick(['0', '10', '-5'])}, ${d.pick(['20', '5', '100'])})`,
      () => `clamp_min(${v()}, 50)`,
      () => `clamp_max(${v()}, scalar(depth{cell="c1",host="h1"}))`,
      () => `round(${v()}, ${d.pick(['5', '0.5', '0.125'])})`,
      () => `-${this.selector(gauges)}`,
      () => `${this.selector(gauges)} % ${d.pick(['2', '-3', '0.125', '0', 'on (cell, host) limit'])}`, // exact ones: it leaps
      () => `timestamp(${this.selector([...gauges, ...counters])}${this.when({ at: false })})`,
      () => `absent(${this.selector(gauges)})`,
      () => `vector(${d.pick(['time()', '3', 'scalar(sum(depth))', 'pi()'])})`,
      () => `${d.pick(['minute', 'hour', 'day_of_week', 'day_of_month', 'day_of_year', 'days_in_month', 'month', 'year'])}()`,
      () => `label_replace(${this.selector(gauges)}, "to", "$1-x", "${d.pick(['cell', 'host', 'none'])}", "(.)([0-9])")`,
      () => `label_join(${this.selector(gauges)}, "to", "/", "cell", "host")`,
    ])();
  }

  matching(op) {
    const d = this.dice;
    const a = d.pick(gauges);
    const b = d.pick(gauges);
    return d.pick([
      () => `${this.selector(gauges)} ${op} ${this.selector(gauges)}`,
      () => `rate(requests_total[2m]) ${op} ignoring (code) group_left rate(errors_total[2m])`,
      () => `sum by (cell) (${a}) ${op} on (cell) group_right () ${b}`,
      () => `${a} ${op} on (cell) group_left (version) version_info`,
      () => `${a} ${op} ignoring (host) ${b}`, // many on both sides: an error on both
      () => `avg by (cell) (${a}) ${d.pick([op, 'atan2'])} max by (cell) (${b})`,
      () => `requests_total{code="500"} ${op} on (cell, host) errors_total`,
    ])();
  }

  operation(depth) {
    const d = this.dice;
    if (d.chance(0.4)) return this.matching(d.pick(['+', '-', '*', '/', '^', '>', '<=', '== bool', '>= bool', '!=']));
    if (d.chance(0.2)) return `sum by (cell, host) (${this.vector(depth - 1)}) or${d.pick(['', ' on (cell)'])} ${this.instant(gauges)}`;
    if (d.chance(0.3))
      return `${this.vector(depth - 1)} ${d.pick(['and', 'unless'])}${d.pick(['', ' on (cell)', ' ignoring (code)'])} ${this.instant(gauges)}`;
    const number = d.pick(['2', '0', '0.125', '-3', 'scalar(depth{cell="c2",host="h2"})', 'time()', 'NaN', 'Inf']);
    const op = d.pick(['+', '-', '*', '/', '>', '<', '>=', '!=', '> bool', '== bool']);
    return d.chance(0.7) ? `${this.vector(depth - 1)} ${op} ${number}` : `${number} ${op} ${this.vector(depth - 1)}`;
  }

  quantile() {
    const d = this.dice;
    const by = d.pick(['le', 'le, cell', 'cell, host, le']);
    return `histogram_quantile(${d.pick(['0.5', '0.9', '0.99', '0', '1', '-1', '7'])}, sum by (${by}) (rate(took_seconds_bucket[${d.pick(['2m', '5m', '10m'])}])))`;
  }

  native() {
    const d = this.dice;
    const h = d.pick(['took_native', 'rate(took_native[5m])', 'increase(took_native[2m])', 'sum by (cell) (rate(took_native[5m]))',
      'sum(took_native)', 'took_native offset 1m']);
    return d.pick([`histogram_count(${h})`, `histogram_sum(${h})`, `histogram_sum(${h}) / histogram_count(${h})`]);
  }

  odd() {
    const d = this.dice;
    return d.pick([
      () => `odd${this.when()}`,
      () => `odd > ${d.pick(['0', '50', '-Inf'])}`,
      () => `${d.pick(['max', 'min', 'count', 'group', 'sum'])} by (${d.pick(labels)}) (odd)`,
      () => `${d.pick(['count', 'last', 'present', 'max', 'min', 'sum'])}_over_time(odd[${d.pick(ranges)}])`,
      () => `${d.pick(['changes', 'resets'])}(odd[${d.pick(ranges)}])`,
      () => `abs(odd) unless on (cell, host) (depth > 40)`,
      () => `odd == odd`,
    ])();
  }

  vector(depth) {
    const d = this.dice;
    const simple = [() => this.instant(), () => this.ranged()];
    const more = [() => this.ranged(), () => this.aggregation(depth), () => this.mapped(depth), () => this.operation(depth)];
    return `(${d.pick(depth > 0 ? more : simple)()})`;
  }

  /* {query, time} or {query, start, end, step}; seconds. */
  next() {
    const d = this.dice;
    const query = d.pick([
      () => this.ranged(), () => this.ranged(), () => this.aggregation(1), () => this.aggregation(2), () => this.operation(1),
      () => this.operation(2), () => this.mapped(1), () => this.instant(), () => this.quantile(), () => this.native(), () => this.odd(),
      () => `${d.pick(['sort', 'sort_desc'])}(depth / 3 + limit)`,
      () => d.pick(['time()', 'scalar(sum(depth))', '1 / 3', 'scalar(depth)', 'pi() * 2']),
      () => `{__name__=~"${d.pick(['dep.*|limit', 'took_seconds_(sum|count)', 'odd|.*_total'])}", ${d.pick(matchers)}}`,
    ])();
    const seconds = (ms) => (ms / 1000).toFixed(3);
    if (d.chance(0.06)) return { query: this.window([...gauges, ...counters]), time: seconds(this.moment()) };
    if (d.chance(0.5)) return { query, time: seconds(this.moment()) };
    const start = this.moment();
    const step = 5 * (1 + d.below(60));
    return { query, start: seconds(start), end: seconds(start + d.below(80) * 1000 * step), step: String(step) };
  }
}
