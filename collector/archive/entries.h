// SPDX-License-Identifier: Apache-2.0
/* The archive's series in memory. They are only ever added, and stay until the end, so that who
 * found one may keep it. One thread adds; any number look. */
#ifndef WEFT_COLLECTOR_ARCHIVE_ENTRIES_H
#define WEFT_COLLECTOR_ARCHIVE_ENTRIES_H

#include <pthread.h>
#include <stdatomic.h>

#include "collector/series/source.h"

enum { ENTRY_BUCKETS = 4096, ENTRY_FILE_BYTES = 40 };

struct archive_entry {
    struct labels labels;
    char file[ENTRY_FILE_BYTES]; /* "HASH.rrd" */
    bool is_raw;                 /* the store has, or had, a series of these very labels */
    int64_t since_s;
    atomic_llong last_s;  /* its newest sample; -1: its file cannot be read */
    pthread_mutex_t lock; /* of its file */
    struct archive_entry *next_in_bucket;
};

struct archive_entries {
    pthread_rwlock_t lock; /* of the list */
    struct archive_entry **list;
    size_t count, capacity;
    struct archive_entry *buckets[ENTRY_BUCKETS];
    struct arena arena;
};

void archive_entries_init(struct archive_entries *e);
void archive_entries_fini(struct archive_entries *e);
/* The file that a series has, whoever asks. */
void archive_entry_file(const struct labels *labels, char out[ENTRY_FILE_BYTES]);
/* NULL: it is not there. Only for the thread that adds. */
struct archive_entry *archive_entries_find(const struct archive_entries *e, const char *file);
/* Labels are copied. NULL: no memory. */
struct archive_entry *archive_entries_add(struct archive_entries *e, const struct labels *labels,
                                          bool is_raw, int64_t since_s, int64_t last_s);

/* Those that all matchers accept and that have samples within [from, to]; raw ones only with
 * `raw`. Sorted by labels; *list is malloc'ed. -1: no memory. */
int archive_entries_select(struct archive_entries *e, const struct matcher *matchers, size_t count,
                           int64_t from_ms, int64_t to_ms, bool raw, struct archive_entry ***list,
                           size_t *found);

#endif
