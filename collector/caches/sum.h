// SPDX-License-Identifier: Apache-2.0
/* The sum of windows (lib/codec/batch_windows.h): of one cache over a longer time, or of many
 * caches. Weights and errors add up key by key: a key that a window does not tell may have had that
 * window's `rest` there, one that it tells no more than its own error. So it holds of the sum as of
 * each window: told <= true <= told + error, and nothing untold has more than `rest`.
 *
 * Memory is bounded: beyond SUM_ROWS_MOST keys of a list the lighter half goes, which `rest` tells.
 * One thread. */
#ifndef WEFT_COLLECTOR_CACHES_SUM_H
#define WEFT_COLLECTOR_CACHES_SUM_H

#include <stdbool.h>

#include "lib/base/arena.h"
#include "lib/codec/batch_windows.h"

enum { SUM_ROWS_MOST = 1 << 15 };

struct sum_row;

struct list_sum {
    struct sum_row *rows; /* `slots` of them, by hash; NULL: nothing yet */
    uint32_t slots, count;
    uint64_t total, rest;
};

struct window_sum {
    unsigned kinds; /* bits: of these lists */
    uint32_t windows;
    int64_t begin_unix_ms, end_unix_ms; /* of the first, and the last */
    uint64_t commands, peak_commands;
    struct distinct keys;
    struct list_sum lists[WINDOW_KINDS];
    bool failed; /* memory was out */
};

enum { SUM_ALL_KINDS = (1 << WINDOW_KINDS) - 1 };

void window_sum_init(struct window_sum *s, unsigned kinds);
void window_sum_fini(struct window_sum *s);
void window_sum_add(struct window_sum *s, const struct batch_window *w);

/* The heaviest `most` of a list, heaviest first, in the arena; their texts stay the sum's. 0; -1:
 * no memory. */
int window_sum_list(const struct window_sum *s, enum window_kind kind, uint32_t most,
                    struct arena *arena, struct window_list *out);
/* All of it as one window, with the heaviest `most` of each list; who it is of is left empty. What
 * it points to is the sum's and the arena's. 0; -1: no memory. */
int window_sum_window(const struct window_sum *s, uint32_t most, struct arena *arena,
                      struct batch_window *out);

#endif
