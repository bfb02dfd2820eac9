// SPDX-License-Identifier: Apache-2.0
/*
 * The part of TraceQL that a form can show, both ways: one set of braces whose conditions are joined by
 * "&&". A condition that the form has no field for is kept as it stands, and so is what follows the
 * braces; a query of another shape has no form (undefined) and stays in the box.
 */

export const ATTRIBUTE_OPS = ['=', '!=', '=~', '!~', '>', '>=', '<', '<='] as const;
export type AttributeOp = (typeof ATTRIBUTE_OPS)[number];

export interface AttributeCondition {
  /** As it is written: span.http.method, resource."a b", .key, kind. */
  field: string;
  op: AttributeOp;
  /** What was typed: a number, duration, true, false, nil or a quoted text stands as it is, anything else is a text. */
  value: string;
}

export interface QueryForm {
  service: string;
  operation: string;
  version: string;
  status: string;
  /** Durations of a span; `…Open` where the bound itself is not meant. */
  min: string;
  minOpen: boolean;
  max: string;
  maxOpen: boolean;
  attributes: AttributeCondition[];
  /** Conditions without a field in the form. */
  rest: string[];
  /** What follows the braces: "| count() > 2". */
  tail: string;
}

export const STATUS_WORDS = ['error', 'died', 'in_flight', 'ok', 'unset'] as const;

export const EMPTY_FORM: QueryForm = {
  service: '', operation: '', version: '', status: '', min: '', minOpen: false, max: '', maxOpen: false, attributes: [], rest: [], tail: '',
};

/* ---- texts --------------------------------------------------------------------------------- */

const BARE = /^(-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|-?((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h|d|w|y))+|true|false|nil)$/i;
const KEYWORD_FIELDS = new Set(['kind', 'span:kind', 'status', 'span:status', 'parent.kind', 'parent.status']);

/** A text in TraceQL's quotes. */
export function quoted(text: string): string {
  const escapes: Record<string, string> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
  return `"${text.replace(/["\\\n\r\t]/g, (c) => escapes[c] ?? c)}"`;
}

/** The text of a literal; undefined if it is not a whole string that we can read. */
function unquoted(literal: string): string | undefined {
  if (/^`[^`]*`$/.test(literal)) return literal.slice(1, -1);
  if (!/^"([^"\\]|\\["\\nrt])*"$/.test(literal)) return undefined;
  const plain: Record<string, string> = { n: '\n', r: '\r', t: '\t' };
  return literal.slice(1, -1).replace(/\\(.)/g, (_, c: string) => plain[c] ?? c);
}

const isLiteral = (text: string) => BARE.test(text) || unquoted(text) !== undefined;

const printValue = ({ field, value }: AttributeCondition) =>
  KEYWORD_FIELDS.has(field) || isLiteral(value) ? value : quoted(value);

/** What the form shows for a literal, so that it is printed as the same one again. */
function shownValue(field: string, literal: string): string | undefined {
  if (KEYWORD_FIELDS.has(field)) return /^[a-z_]+$/.test(literal) ? literal : undefined;
  if (BARE.test(literal)) return literal;
  const text = unquoted(literal);
  if (text === undefined) return undefined;
  return isLiteral(text) || text === '' || text !== text.trim() ? literal : text;
}

/* ---- reading ------------------------------------------------------------------------------- */

/** The index behind a quoted text that begins at `at`; the end of the text if it is not closed. */
function behindQuote(text: string, at: number): number {
  const quote = text[at];
  for (let i = at + 1; i < text.length; i++) {
    if (quote === '"' && text[i] === '\\') i++;
    else if (text[i] === quote) return i + 1;
  }
  return text.length;
}

/** Splits at the first level; undefined where "||" or unmatched brackets stand there. */
function conditionsOf(inner: string): string[] | undefined {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < inner.length; i++) {
    const c = inner[i]!;
    if (c === '"' || c === '`') i = behindQuote(inner, i) - 1;
    else if (c === '(') depth++;
    else if (c === ')') depth--;
    else if (depth === 0 && inner.startsWith('||', i)) return undefined;
    else if (depth === 0 && inner.startsWith('&&', i)) {
      parts.push(inner.slice(from, i));
      from = i + 2;
      i++;
    }
    if (depth < 0) return undefined;
  }
  parts.push(inner.slice(from));
  return depth === 0 ? parts.map((part) => part.trim()) : undefined;
}

/** Where the brace that stands at the text's beginning is closed; -1 if it is not. */
function closingBrace(text: string): number {
  for (let i = 1; i < text.length; i++) {
    if (text[i] === '"' || text[i] === '`') i = behindQuote(text, i) - 1;
    else if (text[i] === '{') return -1;
    else if (text[i] === '}') return i;
  }
  return -1;
}

const CONDITION = /^((?:[A-Za-z_:]*\.(?:[^\s{}()=~!<>&|^,"]|"(?:[^"\\]|\\.)*")+)|[A-Za-z:]+)\s*(=~|!~|!=|>=|<=|=|>|<)\s*(.+)$/s;

/** Puts a condition into the form; false if it has no place there. */
function place(form: QueryForm, condition: string): boolean {
  const match = CONDITION.exec(condition);
  if (!match) return false;
  const [, field, op, literal] = match as unknown as [string, string, AttributeOp, string];
  const text = unquoted(literal);
  if (field === 'resource.service.name' && op === '=' && text && form.service === '') form.service = text;
  else if (field === 'resource.service.version' && op === '=' && text && form.version === '') form.version = text;
  else if (field === 'name' && op === '=' && text && form.operation === '') form.operation = text;
  else if (field === 'status' && op === '=' && form.status === '' && (STATUS_WORDS as readonly string[]).includes(literal)) form.status = literal;
  else if (field === 'duration' && /^[\d.]+[a-zµ]+/.test(literal) && BARE.test(literal)) return placeDuration(form, op, literal);
  else {
    const value = shownValue(field, literal);
    if (value === undefined) return false;
    form.attributes.push({ field, op, value });
  }
  return true;
}

function placeDuration(form: QueryForm, op: AttributeOp, literal: string): boolean {
  if ((op === '>' || op === '>=') && form.min === '') {
    form.min = literal;
    form.minOpen = op === '>';
  } else if ((op === '<' || op === '<=') && form.max === '') {
    form.max = literal;
    form.maxOpen = op === '<';
  } else return false;
  return true;
}

/** The form of a query; undefined if it has none. */
export function parseForm(text: string): QueryForm | undefined {
  const query = text.trim();
  if (query === '') return { ...EMPTY_FORM };
  if (!query.startsWith('{')) return undefined;
  const close = closingBrace(query);
  if (close < 0) return undefined;
  const tail = query.slice(close + 1).trim();
  if (tail !== '' && (!/^\|[^|]/.test(tail) || tail.includes('{'))) return undefined;
  const inner = query.slice(1, close).trim();
  const form: QueryForm = { ...EMPTY_FORM, attributes: [], rest: [], tail };
  if (inner === '' || inner === 'true') return form;
  const conditions = conditionsOf(inner);
  if (!conditions || conditions.includes('')) return undefined;
  for (const condition of conditions) if (!place(form, condition)) form.rest.push(condition);
  return form;
}

/* ---- writing ------------------------------------------------------------------------------- */

export function printForm(form: QueryForm): string {
  const conditions: string[] = [];
  if (form.service) conditions.push(`resource.service.name = ${quoted(form.service)}`);
  if (form.version) conditions.push(`resource.service.version = ${quoted(form.version)}`);
  if (form.operation) conditions.push(`name = ${quoted(form.operation)}`);
  if (form.status) conditions.push(`status = ${form.status}`);
  if (form.min) conditions.push(`duration ${form.minOpen ? '>' : '>='} ${form.min}`);
  if (form.max) conditions.push(`duration ${form.maxOpen ? '<' : '<='} ${form.max}`);
  for (const each of form.attributes) {
    if (each.field.trim() !== '' && each.value.trim() !== '') conditions.push(`${fieldOf(each.field)} ${each.op} ${printValue({ ...each, value: each.value.trim() })}`);
  }
  const all = [...conditions, ...form.rest];
  return `{ ${all.join(' && ')}${all.length > 0 ? ' ' : ''}}${form.tail === '' ? '' : ` ${form.tail}`}`;
}

const INTRINSICS = new Set(['name', 'status', 'statusMessage', 'kind', 'duration', 'traceDuration', 'rootName', 'rootServiceName', 'childCount']);

/** A key without a scope is looked for in all of them. */
function fieldOf(typed: string): string {
  const field = typed.trim();
  if (INTRINSICS.has(field) || /^(span|resource|event|link|instrumentation|parent|trace)?[.:]/.test(field)) return field;
  return `.${/[\s{}()=~!<>&|^,"]/.test(field) ? quoted(field) : field}`;
}

/** `query`, narrowed to spans that lasted longer than `fromS` and up to `toS` seconds. */
export function withDurations(query: string, fromS: number, toS: number): string {
  return `${query.trim() || '{ }'} | { duration > ${wholeNs(fromS)} && duration <= ${wholeNs(toS)} }`;
}

/** Seconds as a duration of TraceQL, exactly. */
export const wholeNs = (seconds: number) => `${Math.round(seconds * 1e9)}ns`;
