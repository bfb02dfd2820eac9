// SPDX-License-Identifier: Apache-2.0
/* What the process counts: instruments by their numbers, the same in each process file that it may
 * come to have. Internal to libweft; all of it under the process lock, but for the capacity. */
#ifndef WEFT_CLIENT_INSTRUMENTS_H
#define WEFT_CLIENT_INSTRUMENTS_H

#include "client/process.h"
#include "lib/ring/slab_stats.h"

struct registered {
    struct slab_instrument_head *record; /* as it goes into a file */
    _Atomic uint64_t refused_until_ns;   /* monotonic: there was no room for it in the file */
    uint32_t generation;                 /* of the process file that the next two are of */
    uint32_t file_number;
    struct slab_gauge_cell *shared; /* a gauge's; NULL: not made yet */
    union {
        struct weft_instrument instrument; /* what all of them begin with */
        struct weft_counter counter;
        struct weft_gauge gauge;
        struct weft_histogram histogram;
    } handle; /* for those who bind it at run time */
};

/* Instruments that there may be; numbers are 1 to this. Settled at the first call. */
uint32_t instruments_capacity(void);

/* In a handle's `type`: it has no number and will have none. */
#define INSTRUMENT_REFUSED 0x100u

/* The number of what a static handle says, which is put into it. 0: refused. */
uint32_t instruments_number(struct weft_instrument *instrument);
struct registered *instruments_of(uint32_t number); /* without the lock, too */

/* Makes sure that the instrument stands in p's file. False: no room there. */
bool instruments_publish(struct process *p, struct registered *r);

/* What the name's ending says: how much of its unit a nanosecond is. */
double instruments_per_ns(const char *name);

#endif
