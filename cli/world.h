// SPDX-License-Identifier: Apache-2.0
/* The demo's world: every program of it as a child process, in directories of its own.
 *
 * Children die with this process (PR_SET_PDEATHSIG); their output goes to files in the run
 * directory. Ports are free ones of the moment. One thread. */
#ifndef WEFT_CLI_WORLD_H
#define WEFT_CLI_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { WORLD_CELLS = 2 };

enum world_member {
    WORLD_REDIS,
    WORLD_MEMCACHED,
    WORLD_COLLECTOR,
    WORLD_AGENT,
    WORLD_TAP,      /* where it may capture */
    WORLD_COLLECTD, /* where it is installed */
    WORLD_FIREHOSE,
    WORLD_CELL_1,
    WORLD_CELL_2,
    WORLD_WEB,
    WORLD_LOAD,
    WORLD_MEMBERS
};

/* The version that `--deploy` brings: a cell of it asks redis for each post by itself. */
#define WORLD_SLOWER_VERSION "1.5.0"

struct world {
    char directory[64]; /* logs, spool, ledger, checkpoints */
    char slabs[64];     /* on tmpfs */
    char url[64];       /* of the collector */
    uint16_t ports[WORLD_MEMBERS], link_port, control_port;
    pid_t pids[WORLD_MEMBERS]; /* 0: not running */
    const char *version;       /* of the services, now */
    double rate;
};

/* Makes the directories and picks ports; `http_port` is tried first for the collector. 0, or -1
 * with a printed reason. */
int world_init(struct world *w, uint16_t http_port, double rate);
/* Whether this process may look at packets. */
bool world_may_tap(void);
/* Whether collectd is installed, with our plugin for it. */
bool world_has_collectd(void);
/* Starts one and waits until it answers, or says that it is ready. 0, or -1 with a printed reason.
 */
int world_start(struct world *w, enum world_member member);
/* SIGTERM, and SIGKILL where that has no effect within ten seconds. */
void world_stop(struct world *w, enum world_member member);
void world_kill(struct world *w, enum world_member member);
/* A member that has ended by itself, or -1. A collectd that has is let go: nobody needs it. */
int world_find_dead(struct world *w);
const char *world_name(enum world_member member);
/* Where a member's output went. */
void world_log_path(const struct world *w, enum world_member member, char *path, size_t size);
/* Stops all in good order and removes the directories. */
void world_fini(struct world *w);

#endif
