// SPDX-License-Identifier: Apache-2.0
/* How questions see series, wherever their samples live (head, blocks, archive, or a test's own):
 * the only thing that PromQL knows of the store.
 *
 * A selection holds what it reads (head generations, block files) until it is closed. It is one
 * thread's; a source answers any number of threads. */
#ifndef WEFT_COLLECTOR_SERIES_SOURCE_H
#define WEFT_COLLECTOR_SERIES_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/number.h"
#include "lib/codec/labels.h"
#include "lib/model/histogram.h"
#include "lib/regex/regex.h"

enum matcher_kind { MATCH_EQUAL, MATCH_NOT_EQUAL, MATCH_REGEX, MATCH_NOT_REGEX };

/* An absent label matches as an empty value. */
struct matcher {
    enum matcher_kind kind;
    struct batch_str name, value; /* value: of a regex, its pattern */
    const struct regex *regex;    /* of the regex kinds; the asker's */
};

bool matcher_matches(const struct matcher *m, struct batch_str value);

/* Of a question, and of a deletion. */
enum { MATCHERS_MAX = 64 };

/* The NaN that says "the series ends here": compare bits, not values. */
#define SAMPLE_STALE_BITS UINT64_C(0x7ff0000000000002)

static inline bool sample_is_stale(double value)
{
    return number_bits(value) == SAMPLE_STALE_BITS;
}

/* Samples of one series, rising in time, no time twice. A histogram's sample has a histogram and
 * its sum as value (so staleness looks the same). Stale markers are told. */
struct points {
    size_t count, capacity;
    int64_t *unix_ms;
    double *value;
    struct histogram **histogram; /* NULL: none of them is one; else NULL for each float */
    struct arena histograms;      /* holds those; emptied by points_clear */
    /* When each counter began to count, 0 where that is not known; NULL: of none it is. The
     * source's, valid until its next read; who reads sets it to NULL before. */
    const int64_t *start_unix_ms;
    /* What the histograms take, and may; 0: no bound. Beyond it a read fails, and is_too_large is
     * set. */
    uint64_t histogram_bytes, histogram_bytes_most;
    bool is_too_large;
};

void points_init(struct points *p);
void points_fini(struct points *p);
void points_clear(struct points *p);
/* `h` (NULL: a float) is taken as it is. -1 when memory is out. */
int points_add(struct points *p, int64_t unix_ms, double value, struct histogram *h);

struct exemplar {
    struct labels labels; /* trace_id and span_id among them */
    double value;
    int64_t unix_ms;
};

struct series_metadata {
    struct batch_str metric, help, unit;
    unsigned type; /* enum metric_type */
};

enum series_error {
    SERIES_OK = 0,
    SERIES_ENOMEM = -1,
    SERIES_EDISK = -2,    /* what there is cannot be read */
    SERIES_ELIMIT = -3,   /* more than the asker allowed */
    SERIES_ESTOPPED = -4, /* the asker's deadline, or who asked went away */
};

struct series_selection {
    size_t count;
    const struct labels *labels; /* of each, sorted by labels_compare, none twice */
    void *handle;                /* the source's */
};

struct series_source {
    void *context;
    /* The series with samples in [from, to] (milliseconds since 1970, both included) that all
     * matchers accept. What it costs in memory is its labels; samples come with `read`. 0 or an
     * enum series_error. */
    int (*select)(void *context, const struct matcher *matchers, size_t count, int64_t from_ms,
                  int64_t to_ms, struct series_selection *out);
    /* The samples of series i within [from, to] (which lies in the selection's own), into `out`,
     * which is cleared first. May be called in any order, again and again. */
    int (*read)(void *context, const struct series_selection *s, size_t i, int64_t from_ms,
                int64_t to_ms, struct points *out);
    void (*close)(void *context, struct series_selection *s);
};

#endif
