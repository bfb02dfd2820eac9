// SPDX-License-Identifier: Apache-2.0
/* The stores behind the ledger: what was accepted is decoded, and what is in it goes where it
 * belongs, spans into segments and samples into series. Each store knows how far in the ledger what
 * it has on disk reaches; so after a start each passes over what it has already.
 *
 * The committing thread's alone. */
#ifndef WEFT_COLLECTOR_ACCEPT_STORES_H
#define WEFT_COLLECTOR_ACCEPT_STORES_H

#include "collector/ledger/frame.h"
#include "collector/series/store.h"
#include "collector/traces/store.h"
#include "lib/prom/remote_write.h"

struct stores {
    struct store *traces;
    struct series_store *series;
    struct arena samples; /* what was decoded and is not a store's: until stores_forget */
};

void stores_init(struct stores *s); /* the stores themselves are the caller's */
void stores_fini(struct stores *s);

/* A body that is decoded and that no question sees yet. */
struct decoded {
    struct store_staged batch;         /* of FRAME_BATCH */
    const struct remote_write *remote; /* of FRAME_REMOTE_WRITE */
    uint32_t spans;
    uint64_t samples;
};

/* Waits while a head is full. 0; -ENOMEM (or interrupted); -EINVAL with the reason in *why, a
 * literal. What is decoded is given back by stores_index or stores_discard, in this order. */
int stores_decode(struct stores *s, enum frame_kind kind, const void *body, size_t length,
                  struct decoded *out, const char **why);
/* Makes it visible. `end`: behind its frame in the ledger. 0; -1: no memory for its spans. */
int stores_index(struct stores *s, struct decoded *d, const char *agent,
                 struct journal_position end);
void stores_discard(struct stores *s, struct decoded *d);
/* Nothing that was decoded is needed any more. */
void stores_forget(struct stores *s);

/* From where the ledger must be read after a start, and what of it is needed now. */
struct journal_position stores_ledger_end(struct stores *s);
struct journal_position stores_ledger_needed(struct stores *s);

#endif
