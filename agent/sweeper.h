// SPDX-License-Identifier: Apache-2.0
/* The sweeper: reads every process' slabs and makes batches of what it finds.
 *
 * Runs on the agent's loop, on one thread, from the ring to the spool: what it has read is given
 * back to its owner only once it is in the spool, so a killed agent loses nothing, and a disk
 * that stands still fills the rings and is counted there. Batches close by size, by age, or when
 * a ring has a quarter of its bytes waiting to be given back.
 */
#ifndef WEFT_AGENT_SWEEPER_H
#define WEFT_AGENT_SWEEPER_H

#include <uv.h>

#include "agent/config.h"
#include "agent/convert.h"
#include "agent/counters.h"
#include "agent/outbox.h"
#include "agent/processes.h"
#include "agent/stats/services.h"
#include "agent/stats/statsd.h"
#include "agent/switches.h"
#include "agent/watch/watch.h"

struct sweeper {
    const struct agent_config *config;
    struct counters *counters;
    struct outbox *outbox;
    struct processes processes;
    struct switches switches;
    struct stats_table *stats;
    struct services *services;
    struct watch *watched; /* processes that do not record */
    struct statsd *statsd; /* NULL: none */
    char host[256];        /* the label of all that is counted here */
    struct host_clock clock;

    struct batch_builder *builder, *in_flight_builder;
    uint32_t serial, in_flight_serial; /* of the batch, the snapshot being built; from 1 */
    uint64_t batch_since_ns;           /* monotonic; 0: nothing in it */
    uint64_t retry_after_ns;           /* the spool refused: not before */
    struct buffer encoded, cursor_table;
    uint64_t told[LOSS_REASONS]; /* of the agent's own losses, what batches tell */
    uint64_t told_since_unix_ns;
    bool in_flight_shown; /* the last snapshot held something */

    uint32_t stats_round;  /* of statistics; from 1 */
    int64_t stats_unix_ms; /* of the latest rows */
    uint64_t own_due_ns;   /* monotonic: when the agent's own metrics are told next */

    size_t first; /* where the next round begins: no process is always last */
    uint64_t last_sweep_ns, longest_pause_ns, busy_until_ns;
    bool scan_due; /* something in the directory came or went ... */
    uint64_t
        scan_after_ns; /* ... and is looked at, but not before: scans get a tenth of the time */
    uint32_t random;

    uv_loop_t *loop;
    uv_timer_t sweep_timer, second_timer, in_flight_timer;
    uv_fs_event_t watch;
    uv_poll_t bell, deaths;
    int bell_fd;
    int lock_fd; /* one agent per directory */
};

/* 0, or -1 with a logged reason. */
int sweeper_init(struct sweeper *s, uv_loop_t *loop, const struct agent_config *config,
                 const struct watch_rules *rules, struct counters *counters, struct outbox *outbox,
                 struct cursors *cursors);
/* Sweeps once more, closes the last batch and lets the loop end. */
void sweeper_stop(struct sweeper *s);
void sweeper_fini(struct sweeper *s);

/* From the collector, on the loop's thread. */
void sweeper_set_recording(struct sweeper *s, const char *service, bool on);

#endif
