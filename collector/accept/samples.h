// SPDX-License-Identifier: Apache-2.0
/* From what was accepted to the series store: the samples of an agent's batch, or of a remote
 * write. The committing thread's. */
#ifndef WEFT_COLLECTOR_ACCEPT_SAMPLES_H
#define WEFT_COLLECTOR_ACCEPT_SAMPLES_H

#include "collector/series/store.h"
#include "lib/codec/batch.h"
#include "lib/prom/remote_write.h"

/* Within series_store_begin and series_store_commit. What the store refuses it counts itself.
 * `arena`: for what is needed until the end of the call. */
void samples_append_batch(struct series_store *s, const struct batch *b, struct arena *arena);
void samples_append_remote(struct series_store *s, const struct remote_write *w);

#endif
