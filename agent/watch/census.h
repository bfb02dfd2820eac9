// SPDX-License-Identifier: Apache-2.0
/* Who runs on this host: a look through /proc, which finds processes that rules want and those that
 * descend from a command of `weft run`, and counts sockets.
 *
 * Each process is looked at closely while it is new (a program may be executed, and listen, some
 * time after its process began), and later once in a while, some of them in each census; when
 * somebody begins to listen on a port that a rule names, all are. So a census of thousands costs a
 * listing of their numbers, and little else.
 *
 * It runs on one thread at a time, which may be another than the loop's: between census_take and
 * its return nobody else touches the struct. */
#ifndef WEFT_AGENT_WATCH_CENSUS_H
#define WEFT_AGENT_WATCH_CENSUS_H

#include "agent/stats/proc.h"
#include "agent/watch/rules.h"
#include "lib/proc/sockets.h"

struct census_process {
    uint32_t pid;
    uint64_t start_time;
};

/* A process that has not been told of: a rule fits it, or it descends from a root. */
struct census_finding {
    struct census_process process, root; /* root.pid 0: the rule */
    int rule;
};

struct census_sockets {
    uint32_t pid;
    struct proc_socket_counts counts;
};

struct census_list {
    void *items;
    size_t count, capacity;
};

struct census {
    const struct watch_rules *rules;
    /* The question: commands of `weft run` that live, by pid; whose sockets are to be counted. */
    struct census_list roots;     /* struct census_process */
    struct census_list countable; /* uint32_t */
    /* The answer. Lists of sockets are by pid. */
    struct census_list findings; /* struct census_finding */
    struct census_list sockets;  /* struct census_sockets; of before, where nobody asked */
    bool is_blind;               /* somebody's descriptors cannot be seen, which a rule asks for */

    struct census_list known, next; /* struct known, by pid */
    struct census_list ports;       /* struct proc_socket that listen where a rule asks, by inode */
    struct proc_sockets host_sockets;
    size_t turn;
    bool look_at_all;
};

void census_init(struct census *c, const struct watch_rules *rules);
void census_fini(struct census *c);

/* Adds to a list of the question; without memory it is not in it. */
void census_ask_root(struct census *c, struct census_process process);
void census_ask_sockets(struct census *c, uint32_t pid);
/* Looks, and forgets the question. What there is no memory for is found another time. */
void census_take(struct census *c);

#endif
