// SPDX-License-Identifier: Apache-2.0
/* A line on the terminal that says how far long work has come; nothing where standard error is no
 * terminal. */
#ifndef WEFT_CLI_PROGRESS_H
#define WEFT_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* "spans" */
    bool shown;
    int64_t began_ms, drawn_ms;
};

struct progress progress_begin(const char *what);
/* `done` of `total` in any unit (total 0: not known), and how many `what` that was so far. */
void progress_show(struct progress *p, uint64_t done, uint64_t total, uint64_t count);
/* Takes the line away. */
void progress_end(struct progress *p);
double progress_seconds(const struct progress *p);

#endif
