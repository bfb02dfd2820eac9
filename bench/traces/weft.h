// SPDX-License-Identifier: Apache-2.0
/* The collector's parts that bench_traces runs, without its network and its HTTP. */
#ifndef WEFT_BENCH_TRACES_WEFT_H
#define WEFT_BENCH_TRACES_WEFT_H

#include "bench/traces/traces.h"
#include "collector/accept/commit.h"
#include "collector/query/query.h"

struct weft {
    char traces[4096], series[4096], ledger[4096];
    struct stores stores;
    struct freshness freshness;
    struct commit commit;
    struct inflight *inflight;
    struct query query;
};

/* Opens or makes both directories and reads the ledger back. */
void weft_open(struct weft *w, const char *directory);
void weft_close(struct weft *w);
/* Everything is put in, cut and merged; the figures of that are in *side. */
void weft_ingest(struct weft *w, const struct input *in, struct side *side);
void weft_ask(struct weft *w, const struct input *in, struct side *side);

#endif
