// SPDX-License-Identifier: Apache-2.0
/* One series' file: a round-robin database of librrd with four levels, each with averages and, but
 * for the first, least and greatest values:
 *
 *     10 s for a day     1 m for a week     10 m for a quarter     1 h for five years
 *
 * (At 10 s a value is its own average, least and greatest.) A file has its full size, 1.7 MB, from
 * the beginning: a disk that fills up later loses no sample of it.
 *
 * No state but the files. One thread a file at a time: that is the caller's. */
#ifndef WEFT_COLLECTOR_ARCHIVE_ROUND_H
#define WEFT_COLLECTOR_ARCHIVE_ROUND_H

#include <stddef.h>
#include <stdint.h>

#include "collector/series/source.h"

enum { ROUND_STEP_S = 10, ROUND_LEVELS = 4, ROUND_HEAD_BYTES_MAX = 16384 };

struct round_level {
    int64_t step_s, rows;
};
extern const struct round_level round_levels[ROUND_LEVELS];

/* A new file, in which what is before `begin_s` has no place; one that is there stays as it is. 0;
 * -1 and librrd's sentence. */
int round_create(const char *path, int64_t begin_s, char *why, size_t why_size);
/* How much of an open file stands before its rows; 0: it is none of ours. */
size_t round_head_bytes(int fd);
/* How long a series may have been silent until its file has no row left. */
int64_t round_longest_s(void);
/* When its newest sample is from; -1: it cannot be read. */
int64_t round_last_s(const char *path);

struct round_sample {
    int64_t unix_s; /* a multiple of ROUND_STEP_S */
    double value;
};
/* Writes samples, rising in time, with few calls; those that are not newer than *last_s are left
 * out. *last_s goes as far as was written. What lies between two samples that are further apart
 * than a step stays unknown. 0; -1 and a sentence. */
int round_write(const char *path, const struct round_sample *list, size_t count, int64_t *last_s,
                char *why, size_t why_size);

/* Appends the averages within [from, to] to `out`, of each time the finest that there is. A row of
 * more than a minute is told every four minutes, so that PromQL's look-back finds it everywhere. 0
 * or an enum series_error. */
int round_read(const char *path, int64_t last_s, int64_t from_ms, int64_t to_ms,
               struct points *out);

#endif
