// SPDX-License-Identifier: Apache-2.0
#include "collector/store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"

/* ---- open and close ---------------------------------------------------------------------- */

int files_open(struct files *f, const struct files_kind *kind, const char *path)
{
    *f = (struct files){.kind = kind, .path = strdup(path), .directory = -1};
    pthread_mutex_init(&f->lock, NULL);
    if (!f->path)
        return -ENOMEM;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return -errno;
    f->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->directory < 0)
        return -errno;
    return flock(f->directory, LOCK_EX | LOCK_NB) == 0 ? 0 : -EBUSY;
}

void files_close(struct files *f)
{
    if (f->directory >= 0)
        close(f->directory);
    pthread_mutex_destroy(&f->lock);
    free(f->damaged);
    free(f->path);
}

void files_explain(const struct files *f, int error, char *why, size_t why_size)
{
    const char *path = f->path ? f->path : "";
    if (error == -EBUSY)
        snprintf(why, why_size, "%s %s: another process has it open", f->kind->store, path);
    else if (error == -EPROTO)
        snprintf(why, why_size,
                 "%s %s: a %s there was written by a newer weft-collector (see the log): use that "
                 "one, or another directory",
                 f->kind->store, path, f->kind->file);
    else
        snprintf(why, why_size, "%s %s: %s", f->kind->store, path, strerror(-error));
}

/* ---- names ------------------------------------------------------------------------------- */

static void name_with(const struct files *f, uint64_t first, uint64_t last, const char *ending,
                      char name[FILES_NAME_MAX])
{
    snprintf(name, FILES_NAME_MAX, "%020llu-%020llu.%s%s", (unsigned long long)first,
             (unsigned long long)last, f->kind->suffix, ending);
}

void files_name(const struct files *f, uint64_t first, uint64_t last, char name[FILES_NAME_MAX])
{
    name_with(f, first, last, "", name);
}

/* "FIRST-LAST.SUFFIX" followed by `ending` and nothing else. */
static bool parse_name(const struct files *f, const char *name, const char *ending, uint64_t *first,
                       uint64_t *last)
{
    unsigned long long a, b;
    char again[FILES_NAME_MAX];
    if (sscanf(name, "%20llu-%20llu.", &a, &b) != 2 || a > b)
        return false;
    name_with(f, a, b, ending, again);
    *first = a;
    *last = b;
    return strcmp(name, again) == 0;
}

/* ---- what is there ----------------------------------------------------------------------- */

int files_read(struct files *f,
               int (*each)(void *context, const char *name, uint64_t first, uint64_t last),
               void *context)
{
    int fd = openat(f->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory)
        return -errno;
    int error = 0;
    struct dirent *d;
    while (error == 0 && (d = readdir(directory)) != NULL) {
        uint64_t first, last;
        if (parse_name(f, d->d_name, ".new", &first, &last))
            unlinkat(f->directory, d->d_name, 0);
        else if (parse_name(f, d->d_name, ".damaged", &first, &last))
            files_remember_damage(f, d->d_name, "it was set aside before this start");
        else if (parse_name(f, d->d_name, "", &first, &last))
            error = each(context, d->d_name, first, last);
    }
    closedir(directory);
    return error;
}

void files_set_aside(struct files *f, const char *name, const char *why)
{
    char aside[FILES_NAME_MAX];
    snprintf(aside, sizeof aside, "%s.damaged", name);
    if (renameat(f->directory, name, f->directory, aside) != 0)
        LOG_WARN("%s %s: %s cannot be renamed: %s", f->kind->store, f->path, name, strerror(errno));
    LOG_ERROR("%s %s: %s is damaged and was set aside as %s: %s", f->kind->store, f->path, name,
              aside, why);
    files_remember_damage(f, aside, why);
}

/* ---- damage ------------------------------------------------------------------------------ */

void files_remember_damage(struct files *f, const char *name, const char *why)
{
    pthread_mutex_lock(&f->lock);
    struct files_damage *bigger = realloc(f->damaged, (f->damaged_count + 1) * sizeof *f->damaged);
    if (bigger) {
        f->damaged = bigger;
        struct files_damage *one = &f->damaged[f->damaged_count++];
        *one = (struct files_damage){0};
        snprintf(one->name, sizeof one->name, "%s", name);
        snprintf(one->why, sizeof one->why, "%s", why);
    }
    pthread_mutex_unlock(&f->lock);
}

struct files_damage *files_damaged(struct files *f, size_t *count)
{
    pthread_mutex_lock(&f->lock);
    size_t bytes = f->damaged_count * sizeof *f->damaged;
    struct files_damage *copy = bytes ? malloc(bytes) : NULL;
    if (copy)
        memcpy(copy, f->damaged, bytes);
    *count = copy ? f->damaged_count : 0;
    pthread_mutex_unlock(&f->lock);
    return copy;
}

/* ---- changing ---------------------------------------------------------------------------- */

int files_create(struct files *f, uint64_t first, uint64_t last)
{
    char name[FILES_NAME_MAX];
    name_with(f, first, last, ".new", name);
    int fd = openat(f->directory, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

void files_discard(struct files *f, uint64_t first, uint64_t last)
{
    char name[FILES_NAME_MAX];
    name_with(f, first, last, ".new", name);
    unlinkat(f->directory, name, 0);
}

int files_install(struct files *f, int fd, uint64_t first, uint64_t last)
{
    char from[FILES_NAME_MAX], to[FILES_NAME_MAX];
    name_with(f, first, last, ".new", from);
    name_with(f, first, last, "", to);
    if (fsync(fd) != 0 || renameat(f->directory, from, f->directory, to) != 0)
        return -errno;
    return fsync(f->directory) == 0 ? 0 : -errno;
}

int files_delete(struct files *f, const char *name)
{
    return unlinkat(f->directory, name, 0) == 0 ? 0 : -errno;
}
