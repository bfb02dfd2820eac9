// SPDX-License-Identifier: Apache-2.0
/*
 * Calls of the collector's HTTP API. Used by the page and by the trace worker alike, so it
 * touches neither window nor document. Each call rejects with an ApiError, or with an
 * AbortError if `signal` was aborted; none retries (poll.ts does).
 */
import { ApiError, isAbort } from './error';
import type { Inflight, Services, Status, Trace } from './wire';

export type Params = Record<string, string | number | undefined>;

export interface CallOptions {
  signal?: AbortSignal | undefined;
  token?: string | undefined;
  timeoutMs?: number | undefined;
  /** With `body`, which goes as JSON: what changes something. */
  method?: 'PUT' | 'POST' | 'DELETE' | undefined;
  body?: string | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** `path` with those of `params` that have a value. */
export function withQuery(path: string, params: Params): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    if (value !== undefined && value !== '') query.set(key, String(value));
  }
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

export const getJson = <T>(url: string, options: CallOptions = {}): Promise<T> => get(url, options, (response) => response.json() as Promise<T>);

/** What was read together with the version that it had then (ETag), and when it was written. */
export interface Versioned<T> {
  value: T;
  version: string;
  writtenMs: number | undefined;
}

export const getVersioned = <T>(url: string, options: CallOptions = {}): Promise<Versioned<T>> =>
  get(url, options, async (response) => {
    const written = Date.parse(response.headers.get('Last-Modified') ?? '');
    return { value: (await response.json()) as T, version: response.headers.get('ETag') ?? '', writtenMs: Number.isNaN(written) ? undefined : written };
  });

const getBytes = (url: string, options: CallOptions = {}): Promise<ArrayBuffer> => get(url, options, (response) => response.arrayBuffer());

async function get<T>(url: string, options: CallOptions, read: (response: Response) => Promise<T>): Promise<T> {
  const control = new AbortController();
  const forward = () => control.abort();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    control.abort();
  }, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  options.signal?.addEventListener('abort', forward);
  if (options.signal?.aborted) control.abort();
  try {
    return await answerOf(url, options, control.signal, read);
  } catch (error) {
    if (isAbort(error) && late) {
      throw new ApiError('unreachable', 'The collector did not answer in time.');
    }
    throw error;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', forward);
  }
}

async function answerOf<T>(
  url: string,
  { token, method, body, headers: more }: CallOptions,
  signal: AbortSignal,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json', ...more };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (token) headers['Authorization'] = `Bearer ${token}`;
  let response: Response;
  try {
    const request: RequestInit = { headers, signal, cache: 'no-store' };
    if (method !== undefined) request.method = method;
    if (body !== undefined) request.body = body;
    response = await fetch(url, request);
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError('unreachable', 'The collector cannot be reached.');
  }
  if (!response.ok) throw await refusal(response);
  try {
    return await read(response);
  } catch (error) {
    if (isAbort(error)) throw error;
    if (error instanceof SyntaxError) {
      throw new ApiError('malformed', 'The collector sent an answer that is not JSON.', response.status);
    }
    throw new ApiError('unreachable', 'The connection to the collector broke off.');
  }
}

/** The collector's own sentence where it sent one. */
async function refusal(response: Response): Promise<ApiError> {
  const kind = response.status === 401 ? 'unauthorized' : 'refused';
  let sentence = `The collector answered ${response.status}.`;
  try {
    const body: unknown = await response.json();
    if (typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'string') {
      sentence = body.error;
    }
  } catch (error) {
    if (isAbort(error)) throw error;
  }
  return new ApiError(kind, sentence, response.status);
}

export const tracePath = (traceId: string) => `/api/v1/traces/${encodeURIComponent(traceId)}`;

export const getServices = (options?: CallOptions) => getJson<Services>('/api/v1/services', options);

/* A huge trace takes as long as it takes; the reader sees that it is loading. */
export const getTrace = (traceId: string, options?: CallOptions) =>
  getJson<Trace>(tracePath(traceId), { timeoutMs: 60_000, ...options });

/** The same as columns (model/columns-wire.ts): a tenth of the bytes. */
export const getTraceColumns = (traceId: string, options?: CallOptions) =>
  getBytes(`${tracePath(traceId)}?format=columns`, { timeoutMs: 60_000, ...options });

/** One span with all that hangs on it, by its place in the tree. */
export const getSpanAt = async (traceId: string, place: number, options?: CallOptions) =>
  (await getJson<Trace>(withQuery(tracePath(traceId), { offset: place, limit: 1 }), options)).spans[0];

export const getInflight = (params: Params, options?: CallOptions) =>
  getJson<Inflight>(withQuery('/api/v1/inflight', params), options);

/** What whoever runs the collector has set for its page. */
export const getPageSettings = (options?: CallOptions) => getJson<{ log_link?: string }>('/api/v1/page', options);

export const getStatus = (options?: CallOptions) => getJson<Status>('/api/v1/status', options);
