// SPDX-License-Identifier: Apache-2.0
/* Run files: which there are, what they say since. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/host_clock.h"
#include "agent/watch/runs.h"
#include "agent/watch/watch_internal.h"
#include "lib/base/log.h"

static struct refused_file *find_refused(struct watch *w, const char *name)
{
    for (size_t i = 0; i < w->refused_count; i++)
        if (strcmp(w->refused[i].name, name) == 0)
            return &w->refused[i];
    return NULL;
}

void watch_refuse(struct watch *w, const char *name)
{
    if (w->refused_count == REFUSED_MAX)
        return;
    struct refused_file *r = &w->refused[w->refused_count++];
    memset(r, 0, sizeof *r);
    memccpy(r->name, name, '\0', sizeof r->name - 1);
    r->seen = true;
}

static void refuse(struct watch *w, const char *path, const char *name, const char *why)
{
    LOG_WARN_EVERY("%s/%s is left alone: %s", path, name, why);
    counters_add(&w->parts.counters->lost[LOSS_BAD_FILE], 1);
    watch_refuse(w, name);
}

static bool has_name(const struct watched *x, const char *name)
{
    return x && x->file >= 0 && strcmp(x->name, name) == 0;
}

/* A file's name says of which process it is; those that are not visible come first in the table. */
static bool is_open(const struct watch *w, const char *name)
{
    char *end;
    uint32_t pid = (uint32_t)strtoul(name, &end, 10);
    uint64_t start_time = *end == '-' ? strtoull(end + 1, NULL, 10) : 0;
    if (has_name(watch_find(w, pid, start_time), name))
        return true;
    for (size_t i = 0; i < w->count && w->all[i]->pid == 0; i++)
        if (has_name(w->all[i], name))
            return true;
    return false;
}

static void open_run(struct watch *w, int directory, const char *path, const char *name)
{
    const char *why;
    struct refused_file *refused = find_refused(w, name);
    if (refused)
        refused->seen = true;
    if (refused || is_open(w, name) || !watch_has_room(w))
        return;
    struct watched *x = runs_open(w->parts.stats, directory, name, host_clock_now_unix_ns(), &why);
    const struct watched *known = x ? watch_find(w, x->pid, x->start_time) : NULL;
    if (known && known->file >= 0) {
        why = "another file names its process";
        watched_destroy(&x, w->parts.stats);
    }
    if (x)
        watch_insert(w, x);
    else if (why)
        refuse(w, path, name, why);
}

static void forget_refused(struct watch *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->refused_count; i++)
        if (w->refused[i].seen) {
            w->refused[kept] = w->refused[i];
            w->refused[kept++].seen = false;
        }
    w->refused_count = kept;
}

/* What its end says of processor time is of all that it waited for: so those below it count, too.
 * What another agent counted before us nobody knows here. */
static void settle_cpu(struct watch *w, struct watched *x)
{
    const struct run_record *end = &x->life.ended;
    double user_s = (double)end->user_ns / 1e9 - x->gone_user_s;
    double system_s = (double)end->system_ns / 1e9 - x->gone_system_s;
    if ((end->flags & RUN_HAS_CPU) && !x->proc.was_here && !x->was_recorded)
        proc_settle_cpu(&x->proc, w->parts.stats, x->identity, user_s, system_s);
}

static void renew_runs(struct watch *w)
{
    uint64_t now = host_clock_now_unix_ns();
    for (size_t i = 0; i < w->count; i++) {
        struct watched *x = w->all[i];
        if (x->file < 0 || x->life.has_ended)
            continue;
        runs_renew(x, now);
        if (x->life.has_ended)
            settle_cpu(w, x);
    }
}

void watch_scan(struct watch *w, int directory, const char *path)
{
    int fd = directory < 0 ? -1 : openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d && fd >= 0)
        close(fd);
    for (struct dirent *e; d && (e = readdir(d));)
        if (run_file_is_name(e->d_name))
            open_run(w, directory, path, e->d_name);
    if (d) {
        closedir(d);
        forget_refused(w);
    }
    renew_runs(w);
}
