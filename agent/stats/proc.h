// SPDX-License-Identifier: Apache-2.0
/* What the kernel says of each process that records or is watched (/proc), added up by identity:
 * service, version, cell.
 *
 *   weft_processes                      how many there are
 *   process_cpu_seconds_total           by mode: user, system
 *   process_resident_memory_bytes, process_open_fds, process_threads
 *   process_context_switches_total      by kind: voluntary, involuntary
 *   process_sockets                     by kind: established, listening, closing (TCP), udp, unix,
 * ... process_starts_total                how many began
 *
 * A process is asked every few rounds, and what it said last counts in between. Where its files may
 * not be read it counts as a process and no more.
 *
 * The loop's thread. */
#ifndef WEFT_AGENT_STATS_PROC_H
#define WEFT_AGENT_STATS_PROC_H

#include <stdint.h>

#include "agent/stats/table.h"
#include "lib/proc/sockets.h"

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
    double user_s, system_s; /* what was counted of its processor time */
};

/* A round of a living process. `pid` 0: it cannot be seen from here. `counts` may be NULL. */
void proc_round(struct proc *p, struct stats_table *t, struct stats_identity *identity,
                uint32_t pid, const struct proc_socket_counts *counts);
/* A process of this identity has begun. */
void proc_began(struct stats_table *t, struct stats_identity *identity);
/* It has ended, and used so much in all: what was not counted yet is. */
void proc_settle_cpu(struct proc *p, struct stats_table *t, struct stats_identity *identity,
                     double user_s, double system_s);

#endif
