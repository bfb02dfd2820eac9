// SPDX-License-Identifier: Apache-2.0
/* Keeps what the collector says of itself as series: every few seconds a thread has the list of
 * its metrics made into a batch, which goes the way of everybody's. Where nothing is accepted at
 * that moment (a full disk, a ledger that is read back) these samples are dropped and counted, and
 * the next ones are newer: nothing is queued here and nothing is tried again. One batch may be on
 * its way when the disk becomes full, and waits there for room; the moments that pass meanwhile are
 * counted as dropped as well, once it is through. */
#ifndef WEFT_COLLECTOR_OWN_TELLER_H
#define WEFT_COLLECTOR_OWN_TELLER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/codec/own_metrics.h"

struct own_teller;

struct own_teller_options {
    uint64_t every_ns; /* a millisecond at least */
    /* Adds the rows. -1: no memory. */
    int (*list)(void *context, struct own_metrics *m);
    /* Makes an encoded batch durable and visible, or refuses it. May wait for that. `memory`
     * (malloc'ed) is taken over. -1 and the reason. */
    int (*write)(void *context, void *memory, size_t length, char *why, size_t why_size);
    void *context;
};

/* NULL: no memory. */
struct own_teller *own_teller_create(const struct own_teller_options *options);
/* Begins to tell. -1: no thread. */
int own_teller_start(struct own_teller *t);
/* Asks the thread to end; does not wait. */
void own_teller_close(struct own_teller *t);
/* Waits for it. The writer must answer still. */
void own_teller_destroy(struct own_teller **t);

struct own_teller_stats {
    uint64_t kept, dropped; /* samples */
};
/* Any thread. */
void own_teller_stats(const struct own_teller *t, struct own_teller_stats *out);

#endif
