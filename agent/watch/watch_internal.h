// SPDX-License-Identifier: Apache-2.0
/* What the files of the watch share: watch.c (the table, deaths, the census, rounds) and scan.c
 * (run files). */
#ifndef WEFT_AGENT_WATCH_WATCH_INTERNAL_H
#define WEFT_AGENT_WATCH_WATCH_INTERNAL_H

#include "agent/watch/census.h"
#include "agent/watch/watch.h"
#include "agent/watch/watched.h"

enum { REFUSED_MAX = WATCHED_MAX };

struct watch {
    struct watch_parts parts;
    struct watched **all; /* by pid and start time; [WATCHED_MAX] */
    size_t count;
    /* Names of files that are not to be believed, until they go. */
    struct refused_file {
        char name[RUN_NAME_MAX];
        bool seen;
    } * refused;
    size_t refused_count;
    bool told;
    uint32_t round;

    struct census census;
    bool census_runs, stopped;
    uint32_t censuses;
    uv_work_t work;
    struct census_list sockets; /* struct census_sockets, by pid */

    int deaths; /* an epoll set of pidfds */
    uv_poll_t deaths_poll;
};

/* NULL: it is not watched, or not visible. */
struct watched *watch_find(const struct watch *w, uint32_t pid, uint64_t start_time);
/* Whether one more may be watched; where not, that is counted. */
bool watch_has_room(struct watch *w);
/* There is room. The watch owns it. One that stood for the same process goes. */
void watch_insert(struct watch *w, struct watched *x);

/* The file is left alone until it goes. */
void watch_refuse(struct watch *w, const char *name);

#endif
