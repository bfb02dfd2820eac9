// SPDX-License-Identifier: Apache-2.0
/* All recording processes of the host: found by scanning the directory of process files (at
 * start, when inotify says that something came or went, and each second in case it did not).
 * Sweeper's thread. */
#ifndef WEFT_AGENT_PROCESSES_H
#define WEFT_AGENT_PROCESSES_H

#include "agent/counters.h"
#include "agent/cursors.h"
#include "agent/recording_process.h"

struct processes {
    const char *path;
    int directory; /* -1 while it cannot be opened */
    struct recording_process **all;
    size_t count, capacity;
    /* Files that are not to be believed, until they go: looked at once, counted once. */
    struct ignored_file {
        char name[96];
        bool seen;
    } * ignored;
    size_t ignored_count, ignored_capacity, ignored_sorted; /* so many in front are in order */
    int deaths;              /* an epoll set of the pidfds: readable when somebody has died */
    struct cursors *cursors; /* from the spool, as it was at start */
    struct counters *counters;
};

/* Makes the directory if it is missing (sticky and open to all where we are root, as the users
 * of services make their files there). 0, or -1 with errno. */
int processes_init(struct processes *p, const char *path, struct cursors *cursors,
                   struct counters *counters);
void processes_fini(struct processes *p);

/* Opens what is new; `found` is called for each. Also notices a directory that was replaced. */
void processes_scan(struct processes *p,
                    void (*found)(void *context, struct recording_process *process), void *context);

/* Marks those who have died: the ones whom `deaths` tells of; with `ask_all` also those whom only
 * their file's lock tells of. */
void processes_notice_deaths(struct processes *p, bool ask_all);

/* Forgets all[i]; the last one takes its place. Unlinks the file if `remove_file`. */
void processes_drop(struct processes *p, size_t i, bool remove_file);
/* The same, and ignores the file from now on. */
void processes_ignore(struct processes *p, size_t i);

#endif
