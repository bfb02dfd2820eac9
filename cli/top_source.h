// SPDX-License-Identifier: Apache-2.0
/* Where tables come from: a collector, or an agent on this host. What is asked for is a view, of
 * one cache or all, by what the heaviest are chosen. */
#ifndef WEFT_CLI_TOP_SOURCE_H
#define WEFT_CLI_TOP_SOURCE_H

#include "cli/top_rows.h"

enum { TOP_WHY = 1536 };

/* By what keys are the heaviest: taps keep three lists of them. */
enum top_by { TOP_BY_CALLS, TOP_BY_BYTES, TOP_BY_MISSES };

struct top_question {
    enum top_view view;
    enum top_by by;
    char cache[128]; /* of keys, patterns and clients: an address, or of a collector's a number; "":
                        all together */
    double seconds;  /* over which time; an agent has its own */
};

struct top_source {
    const char *name; /* "http://127.0.0.1:4040", "agent in /run/weft" */
    /* Fills `out`, which top_table_init made and top_table_fini frees whatever is answered. 0; -1
     * with a sentence in `why` of TOP_WHY bytes. Waits for seconds at most. One thread at a time.
     */
    int (*ask)(void *context, const struct top_question *q, struct top_table *out, char *why);
    void (*close)(void *context);
    void *context;
};

/* The column's list. */
enum top_by top_by_of(enum top_view view, int column);

#endif
