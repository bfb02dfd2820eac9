// SPDX-License-Identifier: Apache-2.0
/* The directory in which a store keeps its files.
 *
 * A file is named by the numbers it stands for, "FIRST-LAST.SUFFIX", twenty digits each; a merged
 * one has those from the first of its parts to the last. So whatever moment a crash takes, the
 * directory tells what is right: a file whose numbers lie within those of another is a part that
 * was merged, "*.new" was never finished. What is damaged is set aside as "*.damaged", for a person
 * to look at, and remembered here.
 *
 * One thread at a time changes the directory; any may ask what is damaged. */
#ifndef WEFT_COLLECTOR_STORE_FILES_H
#define WEFT_COLLECTOR_STORE_FILES_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum { FILES_NAME_MAX = 80, FILES_WHY_MAX = 256 };

struct files_kind {
    const char *store, *file, *suffix; /* "traces", "segment", "segment" */
};

struct files_damage {
    char name[FILES_NAME_MAX], why[FILES_WHY_MAX];
};

struct files {
    const struct files_kind *kind;
    char *path;
    int directory;        /* flock'ed; -1: it could not be opened */
    pthread_mutex_t lock; /* the list of what is damaged */
    struct files_damage *damaged;
    size_t damaged_count;
};

/* Opens the directory: made if missing, locked against a second process. 0, or -errno, -EBUSY when
 * another process has it; files_close all the same. */
int files_open(struct files *f, const struct files_kind *kind, const char *path);
void files_close(struct files *f);
/* Why a store cannot be opened: a sentence for -errno, where -EPROTO is a file of a newer version.
 */
void files_explain(const struct files *f, int error, char *why, size_t why_size);

/* What is there at a start: files that were never finished go, those set aside before are
 * remembered, each other one is shown. 0, -errno, or what `each` answered. */
int files_read(struct files *f,
               int (*each)(void *context, const char *name, uint64_t first, uint64_t last),
               void *context);
void files_set_aside(struct files *f, const char *name, const char *why);

void files_remember_damage(struct files *f, const char *name, const char *why);
/* What was set aside or is partly damaged; malloc'ed. NULL with *count = 0 also for none. */
struct files_damage *files_damaged(struct files *f, size_t *count);

void files_name(const struct files *f, uint64_t first, uint64_t last, char name[FILES_NAME_MAX]);
/* A file to write, "*.new"; -errno. */
int files_create(struct files *f, uint64_t first, uint64_t last);
/* Deletes it. */
void files_discard(struct files *f, uint64_t first, uint64_t last);
/* Makes it durable under its name. 0 or -errno. */
int files_install(struct files *f, int fd, uint64_t first, uint64_t last);
/* 0 or -errno. */
int files_delete(struct files *f, const char *name);

#endif
