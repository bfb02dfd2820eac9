// SPDX-License-Identifier: Apache-2.0
/* Processes that are watched without their doing: commands of `weft run`, known by their run files,
 * and those that rules find in /proc. Of each: its moments (start, readiness, end), told as
 * processes of the batch, and the series of agent/stats/proc.h. What descends from a command is
 * counted with it.
 *
 * A process that records as well is counted by its slab alone, and ends under the slab's name: so
 * it has one death.
 *
 * On the loop's thread; /proc is looked through on one of libuv's (agent/watch/census.h). At most
 * WATCHED_MAX processes: further ones are left alone, and counted. */
#ifndef WEFT_AGENT_WATCH_WATCH_H
#define WEFT_AGENT_WATCH_WATCH_H

#include <uv.h>

#include "agent/counters.h"
#include "agent/processes.h"
#include "agent/watch/rules.h"

struct watch;

struct watch_parts {
    uv_loop_t *loop;
    struct stats_table *stats;
    struct counters *counters;
    const struct watch_rules *rules;
    const struct processes *recording;
    const char *host; /* of what is told; kept as it is */
};

/* NULL: no memory, or no descriptor. What the parts point to must outlive it. */
struct watch *watch_create(const struct watch_parts *parts);
/* Lets the loop end. */
void watch_stop(struct watch *w);
void watch_destroy(struct watch **w);

/* Looks for run files that are new or say more. Before slabs are looked for: so a slab of a command
 * is never there before the command is known. */
void watch_scan(struct watch *w, int directory, const char *path);
/* Asks once a second who runs; the answer comes later. */
void watch_census(struct watch *w);

/* A slab was found: of a process that is watched it goes on counting. True: the process was counted
 * as one that began. */
bool watch_found(struct watch *w, struct recording_process *p);
/* Open sockets of a process, as they were counted last; NULL: nobody could. */
const struct proc_socket_counts *watch_sockets(const struct watch *w, uint32_t pid);

/* A round of statistics. */
void watch_round(struct watch *w);
/* Adds to the batch what is not told. True: there was something; the batch is to be kept. */
bool watch_tell(struct watch *w, struct batch_builder *b);
/* The batch that is being built holds something of these. */
bool watch_is_told(const struct watch *w);
/* It is in the spool. Run files of those who have ended go. */
void watch_stored(struct watch *w, int directory);

#endif
