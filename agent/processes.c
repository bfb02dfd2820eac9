// SPDX-License-Identifier: Apache-2.0
#include "agent/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"

/* ---- the directory ----------------------------------------------------------------------- */

static int open_directory(const char *path)
{
    mode_t mode = geteuid() == 0 ? 01777 : 0700;
    if (mkdir(path, 0700) == 0 && chmod(path, mode) != 0)
        return -1;
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Somebody may have removed the directory and made it again: then ours is nobody's. */
static void renew_directory(struct processes *p)
{
    struct stat ours, there;
    if (p->directory >= 0 && fstat(p->directory, &ours) == 0 && stat(p->path, &there) == 0 &&
        ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
        return;
    if (p->directory >= 0)
        close(p->directory);
    p->directory = open_directory(p->path);
    if (p->directory < 0)
        LOG_ERROR_EVERY("%s: %s: create it on a tmpfs, or set `directory`", p->path,
                        strerror(errno));
}

int processes_init(struct processes *p, const char *path, struct cursors *cursors,
                   struct counters *counters)
{
    *p = (struct processes){
        .path = path, .directory = open_directory(path), .cursors = cursors, .counters = counters};
    p->deaths = epoll_create1(EPOLL_CLOEXEC);
    return p->directory < 0 || p->deaths < 0 ? -1 : 0;
}

void processes_fini(struct processes *p)
{
    while (p->count)
        processes_drop(p, p->count - 1, false);
    if (p->directory >= 0)
        close(p->directory);
    if (p->deaths >= 0)
        close(p->deaths);
    free(p->all);
    free(p->ignored);
}

/* ---- the table --------------------------------------------------------------------------- */

static void *grow(void *items, size_t *capacity, size_t count, size_t size)
{
    if (count < *capacity)
        return items;
    size_t larger = *capacity ? *capacity * 2 : 16;
    void *moved = realloc(items, larger * size);
    if (moved)
        *capacity = larger;
    return moved;
}

/* Anybody on the host can make files here, a hundred thousand of them: so a binary search. What
 * came since the last scan is not found, and need not be: a listing names each file once. */
static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct ignored_file *)a)->name, ((const struct ignored_file *)b)->name);
}

static struct ignored_file *find_ignored(struct processes *p, const char *name)
{
    struct ignored_file key = {.seen = false};
    strncpy(key.name, name, sizeof key.name - 1);
    return p->ignored_sorted
               ? bsearch(&key, p->ignored, p->ignored_sorted, sizeof key, compare_names)
               : NULL;
}

static void ignore(struct processes *p, const char *name)
{
    struct ignored_file *all =
        grow(p->ignored, &p->ignored_capacity, p->ignored_count, sizeof *all);
    if (!all)
        return;
    p->ignored = all;
    struct ignored_file *file = &all[p->ignored_count++];
    memset(file, 0, sizeof *file);
    strncpy(file->name, name, sizeof file->name - 1);
    file->seen = true;
}

static struct recording_process *find(const struct processes *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->all[i]->name, name) == 0)
            return p->all[i];
    return NULL;
}

void processes_drop(struct processes *p, size_t i, bool remove_file)
{
    if (remove_file && p->directory >= 0)
        unlinkat(p->directory, p->all[i]->name, 0);
    recording_process_close(&p->all[i]);
    p->all[i] = p->all[--p->count];
    counters_set(&p->counters->processes, p->count);
}

void processes_ignore(struct processes *p, size_t i)
{
    ignore(p, p->all[i]->name);
    processes_drop(p, i, false);
}

/* ---- scanning ---------------------------------------------------------------------------- */

static void refuse(struct processes *p, const char *name, enum slab_error error, const char *why)
{
    if (!why && error == SLAB_ESYSTEM && errno == ENOENT)
        return;                          /* gone between the listing and the look */
    if (!why && error == SLAB_ESYSTEM) { /* may mend: asked again at the next scan */
        LOG_WARN_EVERY("%s/%s: %s%s", p->path, name, strerror(errno),
                       errno == EACCES ? ": run the agent as root or with CAP_DAC_OVERRIDE" : "");
        return;
    }
    LOG_WARN_EVERY("%s/%s is left alone: %s", p->path, name, why ? why : slab_error_text(error));
    counters_add(&p->counters->lost[LOSS_BAD_FILE], 1);
    ignore(p, name);
}

/* The set drops a descriptor by itself when it is closed. */
static void watch_life(struct processes *p, struct recording_process *process)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = process};
    if (recording_process_liveness(process) == LIVENESS_DEAD)
        recording_process_died(process);
    else if (process->pidfd >= 0)
        epoll_ctl(p->deaths, EPOLL_CTL_ADD, process->pidfd, &event);
}

void processes_notice_deaths(struct processes *p, bool ask_all)
{
    struct epoll_event events[64];
    int n;
    while ((n = epoll_wait(p->deaths, events, 64, 0)) > 0)
        for (int i = 0; i < n; i++)
            recording_process_died(events[i].data.ptr);
    for (size_t i = 0; ask_all && i < p->count; i++)
        if (p->all[i]->pidfd < 0 && recording_process_liveness(p->all[i]) == LIVENESS_DEAD)
            recording_process_died(p->all[i]);
}

static struct recording_process *open_one(struct processes *p, const char *name)
{
    enum slab_error error;
    const char *why;
    struct recording_process **all = grow(p->all, &p->capacity, p->count, sizeof *all);
    if (!all)
        return NULL;
    p->all = all;
    struct recording_process *process = recording_process_open(p->directory, name, &error, &why);
    if (!process) {
        refuse(p, name, error, why);
        return NULL;
    }
    cursors_apply(p->cursors, process);
    watch_life(p, process);
    p->all[p->count++] = process;
    counters_set(&p->counters->processes, p->count);
    return process;
}

static bool is_process_file(const char *name)
{
    size_t length = strlen(name), suffix = strlen(SLAB_SUFFIX);
    return name[0] != '.' && length > suffix && length < 96 &&
           strcmp(name + length - suffix, SLAB_SUFFIX) == 0;
}

static void forget_ignored(struct processes *p)
{
    size_t kept = 0, sorted = 0;
    for (size_t i = 0; i < p->ignored_count; i++)
        if (p->ignored[i].seen) {
            p->ignored[kept] = p->ignored[i];
            p->ignored[kept++].seen = false;
            sorted += i < p->ignored_sorted;
        }
    p->ignored_count = kept;
    p->ignored_sorted = sorted;
}

static void sort_ignored(struct processes *p)
{
    if (p->ignored_count != p->ignored_sorted)
        qsort(p->ignored, p->ignored_count, sizeof *p->ignored, compare_names);
    p->ignored_sorted = p->ignored_count;
}

void processes_scan(struct processes *p,
                    void (*found)(void *context, struct recording_process *process), void *context)
{
    renew_directory(p);
    int fd = p->directory < 0 ? -1 : openat(p->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d) {
        if (fd >= 0)
            close(fd);
        return;
    }
    sort_ignored(p);
    for (struct dirent *e; (e = readdir(d));) {
        if (!is_process_file(e->d_name))
            continue;
        struct ignored_file *file = find_ignored(p, e->d_name);
        if (file) {
            file->seen = true;
            continue;
        }
        if (find(p, e->d_name))
            continue;
        struct recording_process *process = open_one(p, e->d_name);
        if (process)
            found(context, process);
    }
    closedir(d);
    forget_ignored(p);
}
