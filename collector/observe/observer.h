// SPDX-License-Identifier: Apache-2.0
/* Sees in accepted batches what somebody keeps in a database of their own: marks of who runs and
 * who died (collector/marks/observe.h), windows of caches (collector/caches/observe.h).
 *
 * The committing thread shows it each batch; what is new goes over a bounded queue to a thread of
 * its own, so that accepting never waits for that database. Nothing of it is lost:
 *
 * - What cannot be written is tried again, with back-off, until it can.
 * - How far in the ledger all is written stands in the database. The ledger keeps what is behind
 *   that, and a start tells it again: so what a kill took from the queue comes again.
 * - Where the queue is full the thread reads the ledger from there itself, once it can write.
 *
 * What the database refuses though it can be written is counted and left out. */
#ifndef WEFT_COLLECTOR_OBSERVE_OBSERVER_H
#define WEFT_COLLECTOR_OBSERVE_OBSERVER_H

#include "collector/ledger/ledger.h"
#include "lib/codec/batch.h"

enum {
    OBSERVED_EDISK = -1,    /* cannot be written, or read, now */
    OBSERVED_EREFUSED = -2, /* could be, but does not take this */
};

/* What is looked for, and where it goes. Calls that take `target` are the observer's thread's, and
 * may wait for the disk. */
struct observed {
    const char *name; /* for the log: "marks" */
    const char *lost; /* what a gap in the ledger means: "who ran then is not known" */
    uint32_t queue_most;
    /* What is known already, of one reader of batches; NULL: no memory. May be NULL itself, as
     * `forget`. */
    void *(*know)(void);
    void (*forget)(void *known);
    /* Gives `take` each thing of the batch that is not known yet, malloc'ed and taken over, or NULL
     * where there was no memory: then the batch is read again later. False from it: that one stays
     * unknown. */
    void (*look)(void *known, const struct batch *b, bool (*take)(void *context, void *item),
                 void *context);
    /* 0, OBSERVED_EDISK or OBSERVED_EREFUSED. What was written already changes nothing. */
    int (*write)(void *target, const void *item);
    /* What was wrong the last time that something failed. */
    void (*error)(void *target, char *out, size_t size);
    /* How far in the ledger everything is written. 1; 0: nobody said; OBSERVED_EDISK. */
    int (*reached)(void *target, struct journal_position *at);
    int (*set_reached)(void *target, struct journal_position at);
};

struct observer;

/* NULL: no memory, or no thread. All must outlive it. */
struct observer *observer_create(const struct observed *what, void *target, struct ledger *l);
/* What is queued is written first, where that can be. */
void observer_destroy(struct observer **o);

/* The committing thread's. `b` stands before `end` in the ledger; NULL: what stands there is no
 * batch. */
void observer_see(struct observer *o, const struct batch *b, struct journal_position end);

/* From where the ledger is to be told after a start: all before is in the database. Any thread. */
struct journal_position observer_ledger_needed(struct observer *o);

struct observer_stats {
    uint64_t written;  /* things, since the start */
    uint64_t failed;   /* attempts to write; each was or is made again */
    uint64_t refused;  /* things that the database can not take */
    uint64_t gaps;     /* times when the ledger had dropped what was not looked at */
    uint32_t waiting;  /* in the queue */
    bool reads_ledger; /* more waits than the queue holds */
    bool is_failing;   /* the last attempt failed */
    char error[128];   /* with what */
};
void observer_stats(struct observer *o, struct observer_stats *out);

#endif
