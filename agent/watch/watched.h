// SPDX-License-Identifier: Apache-2.0
/* A process that is watched without its doing: a command of `weft run`, one that a rule found, or
 * one that descends from such a command. The loop's thread. */
#ifndef WEFT_AGENT_WATCH_WATCHED_H
#define WEFT_AGENT_WATCH_WATCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/stats/proc.h"
#include "lib/codec/batch.h"
#include "lib/run/run_file.h"

enum { WATCHED_MAX = 4096, WATCHED_TEXT_MAX = 256 };

/* How far a moment of it is told: in the batch that is being built, in the spool. */
enum watched_told { UNTOLD, TOLD, STORED };

struct watched {
    uint32_t pid; /* 0: not visible from here */
    uint64_t start_time;
    enum process_watched source;
    bool descends; /* counted with its command; nothing is told of it */
    uint32_t root_pid;
    uint64_t root_start_time; /* of that command */

    uint8_t uuid[16];
    uint64_t start_unix_ns;
    char service[WATCHED_TEXT_MAX], version[WATCHED_TEXT_MAX], cell[WATCHED_TEXT_MAX];
    struct stats_identity *identity;
    struct proc proc;
    double gone_user_s, gone_system_s; /* of those below it that have ended */

    int pidfd; /* -1: not visible, or dead */
    bool dead;
    uint64_t died_unix_ns;
    char *kills; /* where the kernel counts what it kills in its group; NULL: nobody knows */
    uint64_t kills_before, kills_lately; /* some seconds ago, and since then */
    bool kills_looked_for;

    struct run_life life;
    enum watched_told alive, ready, ended;

    uint32_t recorded_round; /* the last in which a slab of it was read: that one counts it ... */
    bool was_recorded;       /* ... at some time */

    int file; /* of `weft run`; -1: none */
    char name[RUN_NAME_MAX];
    int supervisor; /* pidfd; -1: not visible, or dead */
};

/* NULL: no memory. */
struct watched *watched_create(struct stats_table *t, uint32_t pid, uint64_t start_time,
                               const char *service, const char *version, const char *cell);
void watched_destroy(struct watched **w, struct stats_table *t);

/* Asks the kernel whether the process is there, and keeps hold of it; else it is dead. */
void watched_find(struct watched *w, uint64_t now_unix_ns);
/* Where the kernel counts what it kills in the process' group: reads all mounts, so for a few in a
 * round. */
void watched_look_for_kills(struct watched *w);
/* Every few seconds: an end is laid to the kernel only where it killed shortly before. */
void watched_renew_kills(struct watched *w);
/* The pidfd's process has ended. */
bool watched_has_died(int pidfd);
/* The uuid of a process that has none, the same each time: nobody else's on any host. */
void watched_name(struct watched *w);

/* Nobody saw how it ended. */
void watched_end_unseen(struct watched *w, uint64_t unix_ns);

/* Adds to the batch what is not told of it; its end only with `end`. True: there was something. */
bool watched_tell(struct watched *w, struct batch_builder *b, const char *host, bool end);
/* The batch is in the spool. True: all is told, it may go. */
bool watched_stored(struct watched *w);

#endif
