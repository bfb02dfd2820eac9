// SPDX-License-Identifier: Apache-2.0
/* The units of a query, dealt out to threads; what ends them early; progress. Searches and
 * metrics say what is done with a unit. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_RUN_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_RUN_H

#include <pthread.h>

#include "collector/query/traceql/engine.h"
#include "collector/query/traceql/engine/sets.h"

struct run;

/* One thread's. The arenas are empty when a unit begins. */
struct worker {
    struct run *run;
    struct arena block; /* what lasts as long as a block */
    struct arena trace; /* for what is done with a trace; reset by who uses it */
    size_t charged_bytes;
    void *own; /* of the kind of question */
};

struct run {
    const struct traceql_source *source;
    const struct traceql_options *options;
    /* Whether a unit is worth opening; under the lock. */
    bool (*wants)(struct run *r, size_t unit, const struct block_bounds *bounds);
    /* Does what is to be done with a unit. Returns false where it could not go to the end, with
     * why in *view or *worker; it calls run_goes_on now and then. */
    bool (*work)(struct worker *w, size_t unit, struct block *block);
    void (*worker_done)(struct worker *w); /* NULL: nothing; under the lock */
    void *question;

    atomic_size_t next;
    atomic_int end; /* enum traceql_end; ALL while nothing ended it */
    atomic_size_t used_bytes;
    pthread_mutex_t lock;             /* progress, callbacks, results */
    struct traceql_progress progress; /* `matched` is kept by the question */
};

/* Goes through the units; returns when all threads are done. */
enum traceql_end run_all(struct run *r);

/* False once the query is to end: cancelled, out of time, over its memory. Cheap enough for every
 * trace. */
bool run_goes_on(struct worker *w);
void run_end(struct run *r, enum traceql_end why);

/* Memory that results hold, beside the workers' arenas. False: that is too much, the query ends. */
bool run_charge(struct run *r, size_t bytes);
void run_refund(struct run *r, size_t bytes);

/* What a worker's arenas may still grow to. 0: no bound. */
size_t run_limit(const struct worker *w, const struct arena *arena);

/* Makes a frame of a block in the worker's arena. */
bool run_frame(struct worker *w, struct frame *f, const struct program *p, struct block *block);

#endif
