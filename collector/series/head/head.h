// SPDX-License-Identifier: Apache-2.0
/* The series that live: a table by key, over an index of their labels (label_index.h). A series
 * stays over the generations in which its samples are, and leaves when it had none for long.
 *
 * Series lie in pages and never move; their labels do not change. All under the store's lock but
 * for these. */
#ifndef WEFT_COLLECTOR_SERIES_HEAD_HEAD_H
#define WEFT_COLLECTOR_SERIES_HEAD_HEAD_H

#include "collector/series/chunk/stream.h"
#include "collector/series/head/label_index.h"
#include "collector/series/key.h"
#include "lib/base/arena.h"

/* What a series has in one generation, in that one's arena. */
struct head_run {
    uint64_t generation;    /* its number */
    struct head_run *older; /* in an older generation, if that is still in the head */
    uint32_t series;
    bool counts;                     /* the last sample is a sum of deltas */
    struct stream front;             /* and its next: rising in time */
    struct stream *front_last;       /* being written */
    struct stream *late, *late_last; /* what came too late for those, in the order of coming */
};

struct head_series {
    struct series_key key;
    uint32_t version; /* how often the number was given to a series */
    uint16_t pair_count;
    bool is_used;
    bool has_samples;
    bool is_histogram; /* the last sample is one */
    bool has_fractions;
    uint32_t *pairs;       /* by name, as labels are */
    struct head_run *runs; /* the newest first */
    int64_t last_ms;       /* the newest time */
    double last_value;     /* and what was there; or the sum so far */
    struct running_histogram *histogram;
    uint32_t seen_s; /* when it was last appended to, by the monotonic clock */
    uint32_t next_free;
};

enum { HEAD_PAGE = 1024, HEAD_PAGES = 1 << 16 };
#define HEAD_NO_SERIES UINT32_MAX

struct head {
    struct label_index labels;
    struct head_series **pages; /* HEAD_PAGES */
    struct slots by_key;
    uint32_t numbers, free; /* given out so far; the first free one */
    uint64_t pair_bytes, histogram_bytes;
};

int head_init(struct head *h);
void head_fini(struct head *h);
uint64_t head_bytes(const struct head *h);

static inline struct head_series *head_series(const struct head *h, uint32_t number)
{
    return &h->pages[number / HEAD_PAGE][number % HEAD_PAGE];
}

static inline uint32_t head_count(const struct head *h)
{
    return h->by_key.count;
}

/* HEAD_NO_SERIES: it is not there; no memory. */
uint32_t head_find(const struct head *h, struct series_key key);
uint32_t head_add(struct head *h, const struct labels *labels, struct series_key key);
void head_drop(struct head *h, uint32_t number);

/* Its labels, pointing into the index; `out` has room for LABELS_MAX. */
void head_labels(const struct head *h, const struct head_series *series, struct label *out,
                 struct labels *labels);

#endif
