// SPDX-License-Identifier: Apache-2.0
/*
 * What can go wrong between the page and the collector, in the four ways that a person
 * answers differently: wait, sign in, look elsewhere, report it.
 */

export type ApiErrorKind =
  | 'unreachable' // no answer: the collector is down, restarting, or does not answer in time
  | 'unauthorized' // 401: it wants a token
  | 'refused' // any other 4xx or 5xx, with the collector's own sentence
  | 'malformed'; // an answer that is not what docs/api.md promises

export class ApiError extends Error {
  constructor(
    readonly kind: ApiErrorKind,
    message: string,
    readonly status = 0,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** True for the error that an aborted request rejects with: nobody waits for it any more. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** Any thrown value as an ApiError, so that views need to know one type only. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError('malformed', error instanceof Error ? error.message : String(error));
}
