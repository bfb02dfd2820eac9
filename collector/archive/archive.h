// SPDX-License-Identifier: Apache-2.0
/* What is kept for years (docs/archive.md): the series that rules yield, every ten seconds, in one
 * round-robin file each, and a source of series that goes on with them where the store's own
 * samples have aged out.
 *
 *   plan.c      the rules
 *   round.c     a file
 *   undo.c      what makes a write into it whole
 *   index.c     which file has which series, and how far each rule is
 *   load.c      both at the start
 *   entries.c   the same in memory, for those who ask
 *   archive.c   a round: rules evaluated over the minute past, their samples gathered and written
 *   merged.c    the source
 *   strings.c   names and values of labels
 *
 * One thread writes; any number ask. After a restart every rule goes on where it was: what was
 * written is not written again, what was missed comes from the store. */
#ifndef WEFT_COLLECTOR_ARCHIVE_ARCHIVE_H
#define WEFT_COLLECTOR_ARCHIVE_ARCHIVE_H

#include "collector/archive/plan.h"
#include "collector/series/store.h"

struct archive;

struct archive_options {
    const char *directory;              /* made if missing */
    uint32_t files_most;                /* series beyond are refused, and counted */
    const struct series_source *source; /* what rules are evaluated on: the store */
    /* When the store's oldest sample is from; 0: it has none. */
    int64_t (*oldest_ms)(void *context);
    int64_t now_s; /* for what is too old at the start; 0: by the clock */
    /* Nothing is written before this is true for the first time; NULL: at once. */
    bool (*ready)(void *context);
    void *context;
};

struct archive_stats {
    uint64_t files, files_most;
    uint64_t samples;       /* written since the start */
    uint64_t refused;       /* series, each time: beyond the limit, or histograms */
    uint64_t failures;      /* rules that could not be evaluated, files that could not be written */
    bool is_failing;        /* in the last round */
    char error[300];        /* while it is: the last failure */
    char refused_rule[200]; /* the last whose series were refused; "": none */
};

/* Takes over the plan, in any case. NULL and a sentence. */
struct archive *archive_open(const struct archive_options *options, struct archive_plan *plan,
                             char *why, size_t why_size);
/* Begins to write. -1: no thread. */
int archive_start(struct archive *a);
/* Asks the thread to end; does not wait. */
void archive_close(struct archive *a);
/* Waits for it, and frees all. Nobody may ask any more. */
void archive_destroy(struct archive **a);

/* Other rules from the next round on: one whose name (or expression, where it has none) was there
 * before goes on where it was. The next round is at once, also where the last one has failed. Takes
 * over the plan. Any thread. */
void archive_replace(struct archive *a, struct archive_plan *plan);

/* Takes every rule up to `now_s` less the time that samples take to come. The thread does it each
 * minute; tests do without the thread. 0; -1: something of it has to be done again. */
int archive_round(struct archive *a, int64_t now_s);

/* Store and archive as one. Valid until the archive is destroyed; any thread. */
const struct series_source *archive_source(struct archive *a);
/* What that source adds to the store's names of labels, or to the values of label `name`: see
 * collector/archive/strings.h. */
int archive_label_strings(struct archive *a, struct batch_str name, const struct matcher *matchers,
                          size_t count, int64_t from_ms, int64_t to_ms, struct series_strings *out);
void archive_read_stats(struct archive *a, struct archive_stats *out);

#endif
