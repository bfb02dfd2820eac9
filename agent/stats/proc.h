// SPDX-License-Identifier: Apache-2.0
/* What the kernel says of each recording process (/proc), added up by identity: service, version,
 * cell.
 *
 *   weft_processes                      how many record
 *   process_cpu_seconds_total           by mode: user, system
 *   process_resident_memory_bytes, process_open_fds, process_threads
 *   process_context_switches_total      by kind: voluntary, involuntary
 *
 * A process is asked every few rounds, and what it said last counts in between. Where its files may
 * not be read it counts as a process and no more.
 *
 * The loop's thread. */
#ifndef WEFT_AGENT_STATS_PROC_H
#define WEFT_AGENT_STATS_PROC_H

#include <stdint.h>

#include "agent/stats/table.h"

/* The names above become the agent's. */
void proc_reserve(struct stats_table *t);

/* Of one process. Zeroed memory is a fresh one. */
struct proc {
    bool read; /* at least once */
    bool
        was_here; /* it began before the agent did: what it used until now was counted by another */
    uint32_t rounds;
    uint64_t user_ticks, system_ticks, voluntary, involuntary; /* as last counted */
    double resident_bytes, open_fds, threads;
};

/* A round of a living process. `pid` 0: it cannot be seen from here. */
void proc_round(struct proc *p, struct stats_table *t, struct stats_identity *identity,
                uint32_t pid);

#endif
