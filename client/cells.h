// SPDX-License-Identifier: Apache-2.0
/* The cells that a thread counts in (lib/ring/slab_stats.h has their layout). Internal to libweft.
 *
 * A thread that counts for the first time in a process file gets a table from instruments to its
 * cells there, in private memory; a cell is made at the thread's first update of the instrument.
 * When the thread exits, the next new one goes on with table and cells. All of that is under the
 * process lock; an update of a cell that exists is not. */
#ifndef WEFT_CLIENT_CELLS_H
#define WEFT_CLIENT_CELLS_H

#include "client/process.h"
#include "lib/ring/slab_stats.h"

/* What stands in a thread's table for a gauge. */
struct gauge_view {
    struct slab_gauge_cell *shared;  /* the process' */
    struct slab_gauge_add_cell *own; /* NULL until the thread adds */
};

/* And for a histogram: its runs, of which each sign has RUNS_SPAN neighbours at most; and for the
 * hot path, by the exponent of positive values, where in them its buckets are. */
enum { RUNS_SPAN = 20, EXPONENT_SLOTS = 64 };
struct histogram_view {
    struct slab_histogram_cell *cell;
    uint32_t shift; /* 6 - scale */
    struct exponent_slot {
        uint32_t exponent; /* biased; that of another slot, 1: nothing here */
        uint32_t shift;
        _Atomic uint64_t *counts; /* of its bucket b of scale 6: counts[b >> shift] */
    } slots[EXPONENT_SLOTS];      /* by the exponent's lower bits */
    struct runs {
        int32_t first;
        uint32_t used;                       /* numbers first, first + 1 …; number: index / 64 */
        _Atomic uint64_t *counts[RUNS_SPAN]; /* of number first + i; NULL: no run yet */
    } signs[2];                              /* positive, negative */
};

/* What stands in a slot has the slot's exponent in its lower bits: 1 is none in all but slot 1,
 * where 0 is. */
static inline void histogram_forget_slots(struct histogram_view *view)
{
    for (uint32_t i = 0; i < EXPONENT_SLOTS; i++)
        view->slots[i] = (struct exponent_slot){.exponent = i == 1 ? 0 : 1};
}

/* What this thread's table has for an instrument (a counter's cell, a view), made if need be. NULL
 * where that cannot be had; the update is then counted as lost. Slow; keeps errno. */
void *cells_get(struct weft_instrument *instrument);
/* The same for a part of what cells_get gave this thread. */
struct slab_gauge_add_cell *cells_add_gauge(struct gauge_view *view);
_Atomic uint64_t *cells_add_run(struct histogram_view *view, int32_t number, unsigned sign);

/* For process.c: sets the sizes and offsets of a file's statistics, which begin at `offset`;
 * returns their bytes, 0 where there shall be none. */
uint64_t cells_lay_out(struct slab_stats *stats, uint64_t offset);
/* In a forked child, holding the process lock: this thread has no cells any more, others' are gone.
 */
void cells_forget(void);

#endif
