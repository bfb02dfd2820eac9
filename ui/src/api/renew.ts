// SPDX-License-Identifier: Apache-2.0
/*
 * The page's own files, which come from the collector too. Where one cannot be fetched the whole page is loaded anew
 * once the collector answers: a browser does not ask again for styles and modules that failed, or another version
 * has other names for them. The address is the whole state, so nothing is lost but what was being typed.
 */
import { ApiError } from './error';

const ASK_MS = 1000;
const ANSWER_MS = 5000;
const LAST = 'weft.renewed';
/* Files that are still not there so shortly after a renewal will not come by another one. */
const TOO_SOON_MS = 20_000;

export const FILES_UNREACHABLE = new ApiError('unreachable', 'The collector cannot be reached.');
export const FILES_MISSING = new ApiError('malformed', 'The collector does not have this part of the page: its page directory is not whole. Load the page again when it is.');

const isUp = () => fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS) }).then(({ ok }) => ok, () => false);

/* Where nothing may be kept, each load of the page counts as one: without that it could renew itself for ever. */
function lastRenewal(): number {
  try {
    return Number(sessionStorage.getItem(LAST) ?? 0);
  } catch {
    return performance.timeOrigin;
  }
}

function noteRenewal(): void {
  try {
    sessionStorage.setItem(LAST, String(Date.now()));
  } catch {
    /* lastRenewal() does without. */
  }
}

/** Ask until the collector answers, then load the page anew, or call `missing` where that was done just now. */
export function renewWhenBack(missing: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  const ask = async () => {
    const up = await isUp();
    if (stopped) return;
    if (!up) timer = setTimeout(() => void ask(), ASK_MS);
    else if (Date.now() - lastRenewal() < TOO_SOON_MS) missing();
    else {
      noteRenewal();
      window.location.reload();
    }
  };
  void ask();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
