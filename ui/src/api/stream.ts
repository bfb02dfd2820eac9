// SPDX-License-Identifier: Apache-2.0
/* Answers that come line by line for as long as they are read: searches, the firehose. */
import { ApiError, isAbort } from './error';

export interface StreamOptions {
  signal: AbortSignal;
  token?: string;
  /** Called when the collector has agreed to answer. */
  opened?: () => void;
}

/** A query that is none: where in it the fault is. */
export class QueryError extends ApiError {
  constructor(message: string, readonly line: number, readonly column: number) {
    super('refused', message, 400);
  }
}

async function refusal(response: Response): Promise<ApiError> {
  const kind = response.status === 401 ? 'unauthorized' : 'refused';
  const body = (await response.json().catch(() => ({}))) as { error?: string; line?: number; column?: number };
  const sentence = body.error ?? `The collector answered ${response.status}.`;
  return body.line !== undefined && body.column !== undefined ? new QueryError(sentence, body.line, body.column) : new ApiError(kind, sentence, response.status);
}

/** Cuts what comes into lines; the last one counts only if it was ended. */
export function lineCutter(onLine: (line: string) => void): (text: string) => void {
  let held = '';
  return (text) => {
    const lines = (held + text).split('\n');
    held = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  };
}

/** Calls `onLine` for each line that is not empty; resolves when the collector ended the stream. */
export async function streamLines(url: string, onLine: (line: unknown) => void, { signal, token, opened }: StreamOptions): Promise<void> {
  const headers: Record<string, string> = { Accept: 'application/x-ndjson' };
  if (token) headers['Authorization'] = `Bearer ${token}`;
  const response = await fetch(url, { headers, signal, cache: 'no-store' }).catch((error: unknown) => {
    throw isAbort(error) ? error : new ApiError('unreachable', 'The collector cannot be reached.');
  });
  if (!response.ok) throw await refusal(response);
  opened?.();
  const reader = response.body?.getReader();
  if (!reader) return;
  const text = new TextDecoder();
  const cut = lineCutter((line) => line !== '' && onLine(parsed(line)));
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) cut(text.decode(part.value, { stream: true }));
  } catch (error) {
    if (isAbort(error) || error instanceof ApiError) throw error;
    throw new ApiError('unreachable', 'The connection to the collector broke off.');
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new ApiError('malformed', 'The collector sent a line that is not JSON.');
  }
}
