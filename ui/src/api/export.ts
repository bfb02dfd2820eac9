// SPDX-License-Identifier: Apache-2.0
/* A trace as a file. Fetched rather than linked to, because a link could not carry the token. */
import { tracePath, withQuery } from './client';
import { ApiError } from './error';
import { token } from './session';

export type ExportForm = 'json' | 'otlp-json';

export async function exportTrace(traceId: string, form: ExportForm): Promise<void> {
  const headers: Record<string, string> = token.value ? { Authorization: `Bearer ${token.value}` } : {};
  const answer = await fetch(withQuery(tracePath(traceId), { format: form }), { headers }).catch(() => {
    throw new ApiError('unreachable', 'The collector cannot be reached.');
  });
  if (!answer.ok) throw new ApiError('refused', `The collector answered ${answer.status}.`, answer.status);
  const address = URL.createObjectURL(await answer.blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = `trace-${traceId}${form === 'json' ? '' : '.otlp'}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
