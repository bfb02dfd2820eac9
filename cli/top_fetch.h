// SPDX-License-Identifier: Apache-2.0
/* A thread that asks the source, so that who draws and listens to the keyboard never waits. One
 * question is under way at a time; of those that come meanwhile the last is asked next. */
#ifndef WEFT_CLI_TOP_FETCH_H
#define WEFT_CLI_TOP_FETCH_H

#include "cli/top_source.h"

struct top_fetch;

struct top_answer {
    struct top_table table; /* the taker's, to be freed by top_table_fini */
    int result;             /* as top_source.ask has it */
    char why[TOP_WHY];
};

/* The source must outlive it. NULL: no memory, or no thread. */
struct top_fetch *top_fetch_create(struct top_source *source);
/* Waits for what is under way. */
void top_fetch_destroy(struct top_fetch **f);

void top_fetch_ask(struct top_fetch *f, const struct top_question *q);
/* Whether a question waits or is under way. */
bool top_fetch_is_busy(struct top_fetch *f);
/* Becomes readable with an answer. */
int top_fetch_descriptor(const struct top_fetch *f);
/* The latest answer, once. False: there is none. */
bool top_fetch_take(struct top_fetch *f, struct top_answer *out);

#endif
