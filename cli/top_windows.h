// SPDX-License-Identifier: Apache-2.0
/* Windows of caches as an agent shows them (lib/codec/batch_windows.h), summed up: the latest that
 * ended, and the one that is being counted. What the sums say is as true as their parts: told <=
 * true
 * <= told + error, and what is in no row has at most the rest.
 *
 * The windows, and what they point to, must outlive it. One thread. */
#ifndef WEFT_CLI_TOP_WINDOWS_H
#define WEFT_CLI_TOP_WINDOWS_H

#include "cli/top_source.h"
#include "lib/codec/batch_windows.h"

struct top_windows {
    const struct batch_window **list;
    uint32_t count, room;
    bool no_memory;
};

void top_windows_fini(struct top_windows *w);
void top_windows_add(struct top_windows *w, const struct batch_window *window);
/* Of each cache the newest window stays, and the one in front of it, if that is where it began;
 * nothing of what ended long before `now_unix_ms`. To be called once, after all were added. */
void top_windows_settle(struct top_windows *w, int64_t now_unix_ms);

/* Rows of keys, patterns or clients of the cache at that address ("": of all), with totals. */
void top_windows_rows(const struct top_windows *w, const struct top_question *q,
                      struct top_table *t);
/* The key of that cache with most calls: false where there is none. `share`: of all calls. */
bool top_windows_hottest(const struct top_windows *w, const char *cache, char key[TOP_LINE],
                         double *share, double *per_second);

#endif
