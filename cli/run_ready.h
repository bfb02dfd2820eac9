// SPDX-License-Identifier: Apache-2.0
/* Whether a command listens: the first socket of it, or of a process below it, that takes
 * connections. One thread. */
#ifndef WEFT_CLI_RUN_READY_H
#define WEFT_CLI_RUN_READY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/proc/sockets.h"
#include "lib/run/run_file.h"

enum { RUN_INHERITED_MAX = 64 };

struct readiness {
    uint32_t pid;
    uint64_t since_ns, next_ns; /* monotonic: when it began, and is asked after next; 0: never */
    uint64_t inherited[RUN_INHERITED_MAX]; /* sockets that it was given listen before it does */
    size_t inherited_count;
    struct proc_sockets sockets;
};

/* Notes which sockets are open in this process: they are the command's from its beginning. */
void readiness_init(struct readiness *r);
void readiness_fini(struct readiness *r);
/* The command runs as `pid` from now on. */
void readiness_begin(struct readiness *r, uint32_t pid, uint64_t now_ns);

/* Where it is time to look again, looks: rarer as time passes. True, once: it listens, as *record
 * tells. */
bool readiness_look(struct readiness *r, uint64_t now_ns, struct run_record *record);

#endif
