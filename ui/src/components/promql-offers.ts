// SPDX-License-Identifier: Apache-2.0
/* What the collector knows of names, labels and values, asked once each and kept for a minute. */
import { labelNames, labelValues, metricMetadata } from '../api/prom';
import { token } from '../api/session';
import { offersOfNames, plainOffers, rank, type Offer, type Place } from '../model/promql-complete';

const KEPT_MS = 60_000;
const MOST = 50;

const kept = new Map<string, { atMs: number; offers: Promise<Offer[]> }>();

function keep(key: string, ask: () => Promise<Offer[]>): Promise<Offer[]> {
  const known = kept.get(key);
  if (known && Date.now() - known.atMs < KEPT_MS) return known.offers;
  /* Without an answer there is nothing to offer; the query itself will say that. */
  const offers = ask().catch(() => {
    kept.delete(key);
    return [];
  });
  kept.set(key, { atMs: Date.now(), offers });
  return offers;
}

export async function offersAt(place: Place, text: string): Promise<Offer[]> {
  const options = { token: token.value };
  if (place.kind === 'nothing') return [];
  if (place.kind === 'name') {
    if (place.typed === '') return [];
    return rank(await keep('names', async () => offersOfNames(await metricMetadata(options))), place.typed, MOST);
  }
  if (place.kind === 'label') {
    const names = await keep(`labels ${place.metric}`, async () =>
      plainOffers((await labelNames(place.metric, options)).filter((name) => name !== '__name__'), 'label'),
    );
    return rank(names, place.typed, MOST);
  }
  const { label, metric } = place;
  const quote = text[place.from - 1] ?? '"';
  const values = await keep(`values ${label} ${metric} ${quote}`, async () => plainOffers(await labelValues(label, metric, options), label, quote));
  return rank(values, place.typed, MOST);
}
