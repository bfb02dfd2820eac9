// SPDX-License-Identifier: Apache-2.0
/* What the files of caches share: caches.c (opening, telling), ageing.c (sums of what is old),
 * asking.c. */
#ifndef WEFT_COLLECTOR_CACHES_CACHES_INTERNAL_H
#define WEFT_COLLECTOR_CACHES_CACHES_INTERNAL_H

#include "collector/caches/caches.h"
#include "collector/database.h"

/* Of windows: as told, and sums of a minute and an hour. */
enum { LEVEL_TOLD, LEVEL_MINUTE, LEVEL_HOUR, LEVELS };
enum { WINDOW_BYTES_MOST = 16 << 20 };

enum statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    SEE_CACHE,
    CACHE_ID,
    PUT_WINDOW,
    DUE,   /* times of which a sum is to be made */
    PARTS, /* of a sum */
    DROP_PARTS,
    AGE,
    DROP_OLDEST,
    USED_BYTES,
    LIST,
    WINDOWS,
    REACHED,
    SET_REACHED,
    STATEMENTS
};

struct caches {
    struct database_options options;
    struct database database; /* for telling */
    struct database reading;  /* for asking */
    struct batch_builder *builder;
    struct buffer bytes;
    uint64_t age_ns, limit_bytes;
    struct caches_stats stats; /* these, and below: guarded by the database's lock */
    char error[128];
};

/* A transaction: all of `change`, or nothing; it answers 0, or another number where it failed. 0,
 * CACHES_EDISK or CACHES_EREFUSED. */
int caches_transaction(struct caches *c, int (*change)(struct caches *c, void *context),
                       void *context);

/* Within a transaction. 0 or -1. */
int caches_insert(struct caches *c, int64_t cache, int level, int64_t slot_ms, int64_t stored_ms,
                  const struct batch_window *w);
/* The window of a row, in the arena; NULL: it is damaged, or there is no memory. */
const struct batch_window *caches_decode(sqlite3_stmt *s, int column, struct arena *arena);

#endif
