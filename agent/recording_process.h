// SPDX-License-Identifier: Apache-2.0
/* One recording process: its file, whether it lives, and what of it the current batch knows.
 *
 * Owned by the sweeper's thread. */
#ifndef WEFT_AGENT_RECORDING_PROCESS_H
#define WEFT_AGENT_RECORDING_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/connection_names.h"
#include "agent/host_clock.h"
#include "agent/stats/cells.h"
#include "agent/stats/proc.h"
#include "lib/codec/batch.h"
#include "lib/ring/slab_reader.h"

/* What one batch that is being built calls the process and its names. */
struct batch_marks {
    uint32_t serial, index; /* the process is number `index` in the batch `serial` */
    struct name_mark {
        uint32_t serial, index;
    } * names; /* by the number in the process' name table */
    uint32_t name_capacity;
    struct connection_names *connections; /* NULL: no span has said one */
};

enum liveness { LIVENESS_ALIVE, LIVENESS_DEAD, LIVENESS_UNKNOWN };

struct recording_process {
    char name[96]; /* of the file */
    struct slab_reader *reader;
    const struct slab_file *file;
    int pidfd;         /* -1: the pid is not visible from here, or the process was dead already */
    bool watched_life; /* we saw it alive: the moment of its death is when we noticed */
    bool dead, reaped;
    bool superseded;      /* another file of the same process counts what the kernel says */
    uint32_t stats_round; /* the last in which its statistics were taken */
    bool described;       /* in some batch of ours: the collector knows who it is */
    uint64_t died_unix_ns;
    uint64_t last_ticks; /* the latest moment in anything that it recorded */
    struct batch_marks batch, in_flight;
    char service[256];

    uint64_t lost_reported[SLAB_LOSS_REASONS];
    uint64_t lost_since_unix_ns; /* when they were last compared */
    bool lost_changed;           /* the batch tells more than the file knows of */

    struct span_counts *spans; /* its statistics; NULL: not counted */
    struct cells cells;
    struct proc proc;
};

/* Opens and judges a file. NULL with *error, or with SLAB_OK where it is not to be believed
 * (`why`: "its owner is not the process that it names"). */
struct recording_process *recording_process_open(int directory, const char *name,
                                                 enum slab_error *error, const char **why);
void recording_process_close(struct recording_process **p);

/* Asks the kernel. */
enum liveness recording_process_liveness(const struct recording_process *p);
/* It is dead as of now. */
void recording_process_died(struct recording_process *p);

#endif
