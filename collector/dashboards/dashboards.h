// SPDX-License-Identifier: Apache-2.0
/* Dashboards that people saved: one file NAME.json for each in a directory, with the bytes as they
 * came. Any thread may call; writers wait for each other.
 *
 * A file is written aside, synced, renamed over the old one, and the directory is synced: what a
 * put said is there outlives a kill and a loss of power, and a reader sees the old one or
 * the new one whole. What a kill left aside (".new") is written over by the next put and shown to
 * nobody.
 *
 * Each has a version, made of its bytes: who changes one may say which version he read, and is
 * refused where it is another by now. */
#ifndef WEFT_COLLECTOR_DASHBOARDS_H
#define WEFT_COLLECTOR_DASHBOARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum { DASHBOARD_VERSION_BYTES = 17 /* and its NUL */ };
enum { DASHBOARD_NAME_MAX = 64, DASHBOARD_BYTES_MAX = 256 << 10, DASHBOARDS_MAX = 1000 };

struct dashboards;

/* The directory is made when the first one is saved. NULL: no memory. */
struct dashboards *dashboards_create(const char *directory);
void dashboards_destroy(struct dashboards **d);

/* 1 to 64 of a-z, 0-9, '-' and '_', not beginning with a sign: no path. */
bool dashboards_name_is_right(const char *name);

/* What must hold of the dashboard as it is now; NULL members ask for nothing. */
struct dashboards_if {
    const char *match;   /* If-Match: versions in quotes, with commas; "*": there is one */
    const char *none;    /* If-None-Match, of which "*" is known: there is none */
    const char *shipped; /* a directory: where none was saved, that one counts */
};

/* Durable when it returns 0. -1 with errno: ESTALE where `condition` (NULL: none) does not hold,
 * EDQUOT where there are DASHBOARDS_MAX already, else as the disk said; then what was there before
 * still is. The name must be right. */
int dashboards_put(struct dashboards *d, const char *name, const char *bytes, size_t length,
                   const struct dashboards_if *condition);
/* Likewise; ENOENT: there is none. */
int dashboards_remove(struct dashboards *d, const char *name,
                      const struct dashboards_if *condition);

/* Of an open file, whose offset stays as it is. -1 with errno: it cannot be read. */
int dashboards_version(int fd, char out[DASHBOARD_VERSION_BYTES]);
/* Of bytes. */
void dashboards_version_of(const char *bytes, size_t length, char out[DASHBOARD_VERSION_BYTES]);

/* A descriptor of `name` in any directory of dashboards; -1 with errno. No link is followed. */
int dashboards_open_in(const char *directory, const char *name, struct stat *st);
const char *dashboards_directory(const struct dashboards *d);
/* Calls `each` with the right names in a directory, in no order, DASHBOARDS_MAX at most. A
 * directory that is not there has none. -1 with errno: it cannot be read. */
int dashboards_each_in(const char *directory, void (*each)(void *context, const char *name),
                       void *context);

#endif
