// SPDX-License-Identifier: Apache-2.0
/* The series store: samples of the last minutes in memory (the head), all older ones in blocks on
 * disk, behind one interface.
 *
 * The head is a table of the series that live, with an index over their labels, and a ring of
 * generations: each has the chunks of samples that came while it was the newest. A generation that
 * is full, or old, is sealed; a thread of the store's own makes a block of it, and in one moment
 * the block takes its place. Another thread merges neighbouring blocks, removes the oldest, and
 * makes deletions true. The ledger is the write-ahead log: a block says how far in the ledger its
 * samples go, and a start reads the ledger from there (series_store_ledger_end).
 *
 * Where blocks cannot be written (the disk is full) series_store_wait makes the committing thread
 * wait, so nothing more is accepted and memory stays bounded.
 *
 * Samples may come in any order within `out_of_order_ms` of the newest. Of two samples of one
 * series and one time the one that was accepted later wins.
 *
 * Deltas (SAMPLE_DELTA, SAMPLE_HISTOGRAM_DELTA) are added up by the head: docs/format/series.md
 * says how a restart goes on with the sums.
 *
 * Threads: one appends; any number ask. The appending thread holds a lock while it appends, in
 * slices of some hundred samples; a question holds it to look up series and to copy the bytes of
 * head chunks, and reads blocks without it.
 */
#ifndef WEFT_COLLECTOR_SERIES_STORE_H
#define WEFT_COLLECTOR_SERIES_STORE_H

#include "collector/series/key.h"
#include "collector/series/source.h"
#include "collector/store/files.h"
#include "collector/store/keeper.h"
#include "lib/base/journal.h"
#include "lib/model/metric.h"

struct series_store;

struct series_store_options {
    const char *directory;     /* of the blocks */
    uint64_t head_bytes;       /* bound of the chunks that no block has yet; 0: 256 MiB ... */
    uint64_t series_bytes;     /* ... and as much more for each series of the head; 0: none */
    unsigned generations;      /* the bound is kept in steps of this part; 0: 4 */
    uint64_t series_limit;     /* active series; beyond it new ones are refused; 0: none */
    uint64_t cut_after_ns;     /* an older generation is cut though not full; 0: never */
    uint64_t idle_ns;          /* a series without samples for so long leaves the head; 0: 1 h */
    int64_t out_of_order_ms;   /* samples older than the newest by more are refused; 0: none */
    int64_t future_ms;         /* samples that far ahead of the clock are refused; 0: none */
    int64_t delta_interval_ms; /* how long a delta counted, if it does not say; 0: 1,000 */
    uint64_t limit_bytes;      /* of all blocks: beyond it the oldest go; 0: none */
    uint64_t max_age_ns;       /* blocks whose newest sample is older go too; 0: none */
    uint64_t merge_bytes_s;    /* what merging may write in a second; 0: no limit */
    uint32_t exemplars;        /* how many are kept, of all series; 0: none */
    uint64_t ledger_begun_unix_ns; /* which ledger positions are of */
};

/* NULL and a sentence in `why`. */
struct series_store *series_store_open(const struct series_store_options *options, char *why,
                                       size_t why_size);
/* Stops the store's threads; what is in the head is in the ledger. Selections must be closed. */
void series_store_close(struct series_store **s);
/* From now on series_store_wait does not wait any more. */
void series_store_interrupt(struct series_store *s);

/* Where reading the ledger begins after a start: all before it is in blocks, and must not be
 * appended again. The beginning, if the blocks are of another ledger. It moves on while the store
 * runs: what is before it, the ledger may drop. */
struct journal_position series_store_ledger_end(struct series_store *s);

/* ---- appending: one thread --------------------------------------------------------------- */

/* Waits while the head is full. 0; -1: interrupted. To be called before a batch is acknowledged. */
int series_store_wait(struct series_store *s);

/* A batch begins: everything up to series_store_commit is one step in the ledger. `ledger_end`:
 * behind the batch's frame; it never goes back. Takes the lock; never waits for room. -1: no
 * memory; then there is nothing to commit. */
int series_store_begin(struct series_store *s, struct journal_position ledger_end);
/* Also where nothing was appended, so that the store knows how far it is. */
void series_store_commit(struct series_store *s);

/* Why a series or sample is not taken; counted in series_store_stats.refused. */
enum series_refusal {
    SERIES_TAKEN = 0,
    SERIES_REFUSED_LIMIT,  /* a new series, beyond series_limit */
    SERIES_REFUSED_LABELS, /* too many, too long, no name, out of order, twice, empty value */
    SERIES_REFUSED_OLD,    /* beyond out_of_order_ms, or 73 million years */
    SERIES_REFUSED_FUTURE, /* beyond future_ms, or so many years */
    SERIES_REFUSED_SAMPLE, /* a histogram that contradicts itself; a delta that is negative or NaN,
                            * or with which the sum would not be finite */
    SERIES_REFUSED_MEMORY,
    SERIES_REFUSED_GONE, /* the reference is of a series that has left the head: resolve again */
    SERIES_REFUSALS
};
/* "series_limit", "bad_labels" …: for metrics and the API. */
const char *series_refusal_name(enum series_refusal r);

/* A series of the head. May be kept beyond the batch: append says SERIES_REFUSED_GONE if it left
 * the head meanwhile. 0 is none. */
typedef uint64_t series_ref;

/* Within begin and commit. The series with this key; 0 if the head has none: then series_store_add
 * makes it. (A batch computes the keys of its label sets once, and joins them.) */
series_ref series_store_find(struct series_store *s, struct series_key key);
/* A series that is not there yet. `labels`: sorted, as lib/codec/labels.h says; copied. 0 with
 * *refusal (may be NULL): that counts as one sample refused. */
series_ref series_store_add(struct series_store *s, const struct labels *labels,
                            struct series_key key, enum series_refusal *refusal);
/* Both in one. */
series_ref series_store_resolve(struct series_store *s, const struct labels *labels,
                                enum series_refusal *refusal);

struct series_sample {
    int64_t unix_ms;
    enum sample_kind kind;
    double value;                      /* of SAMPLE_VALUE, SAMPLE_DELTA */
    const struct histogram *histogram; /* of the histogram kinds: copied */
    int64_t begin_ms;                  /* of a delta: since when it counts; 0: not known */
};
/* Within begin and commit. */
enum series_refusal series_store_append(struct series_store *s, series_ref ref,
                                        const struct series_sample *sample);
/* The same for many floats of SAMPLE_VALUE or SAMPLE_DELTA of one series. How many were taken. */
size_t series_store_append_floats(struct series_store *s, series_ref ref, enum sample_kind kind,
                                  const int64_t *unix_ms, const double *value, size_t count);
/* So many samples that never came to an append are counted as refused. */
void series_store_refuse(struct series_store *s, enum series_refusal why, uint64_t count);
/* The same for a batch whose series_store_begin had no memory: not within begin and commit. */
void series_store_miss(struct series_store *s, uint64_t samples);
/* Copied; the newest `exemplars` of all series are kept. Not refused but forgotten where there is
 * no memory, or where its labels are longer than an exemplar's may be (exemplars.h). */
void series_store_exemplar(struct series_store *s, series_ref ref, const struct exemplar *e);
/* What is known of a metric; the last word counts, empty words and METRIC_UNKNOWN change
 * nothing. Copied. Within begin and commit. */
void series_store_describe(struct series_store *s, const struct series_metadata *metadata);

/* All that is in the head is to be made a block, soon: before a long stop, so that the next start
 * has little to read. Any thread; not within begin and commit. */
void series_store_seal(struct series_store *s);

/* ---- deleting: any thread ---------------------------------------------------------------- */

/* The samples in [from, to] of the series that all matchers accept, which were accepted so far, are
 * gone from all answers when this returns, for good (the rule is on the disk), and from the disk
 * when blocks are merged. 0, SERIES_ENOMEM, SERIES_EDISK, or SERIES_ELIMIT: more matchers than are
 * taken. Not within begin and commit. */
int series_store_delete(struct series_store *s, const struct matcher *matchers, size_t count,
                        int64_t from_ms, int64_t to_ms);

/* ---- asking: any thread ------------------------------------------------------------------ */

/* Head and blocks as questions see them. Valid as long as the store. */
const struct series_source *series_store_source(struct series_store *s);

/* Distinct and sorted, malloc'ed with their bytes behind them in one piece: free(list->items). */
struct series_strings {
    struct batch_str *items;
    size_t count;
};
/* Names of the labels of series with samples in [from, to] that all matchers accept (none: of all
 * series); the values that label `name` has there. SERIES_OK or another of enum series_error. */
int series_store_label_names(struct series_store *s, const struct matcher *matchers, size_t count,
                             int64_t from_ms, int64_t to_ms, struct series_strings *out);
int series_store_label_values(struct series_store *s, struct batch_str name,
                              const struct matcher *matchers, size_t count, int64_t from_ms,
                              int64_t to_ms, struct series_strings *out);

/* Of every metric that was described, or of `metric` (NULL: all), sorted by metric; in `arena`. */
int series_store_metadata(struct series_store *s, const struct batch_str *metric,
                          struct arena *arena, struct series_metadata **list, size_t *count);

struct series_exemplars { /* of one series, rising in time */
    struct labels labels;
    const struct exemplar *list;
    size_t count;
};
/* Sorted by labels; in `arena`. */
int series_store_exemplars(struct series_store *s, const struct matcher *matchers, size_t count,
                           int64_t from_ms, int64_t to_ms, struct arena *arena,
                           struct series_exemplars **list, size_t *series);

enum { SERIES_TOP = 10, SERIES_TOP_MAX = 1000 };
struct series_top {
    struct batch_str name;  /* a metric, a label's name, or a label's value … */
    struct batch_str value; /* … whose name this is, of pairs only */
    uint64_t count;
};
struct series_head_status { /* as Prometheus' status/tsdb has it; lists end early where less is */
    uint64_t series, label_pairs, chunks;
    int64_t min_ms, max_ms; /* 0, 0: no samples */
    struct series_top *by_metric, *values_by_label, *bytes_by_label, *by_pair;
    size_t by_metric_count, values_by_label_count, bytes_by_label_count, by_pair_count;
};
/* Up to `top` (at most SERIES_TOP_MAX) of each; in `arena`. */
int series_store_head_status(struct series_store *s, size_t top, struct arena *arena,
                             struct series_head_status *out);

enum { SERIES_METRIC_NAME_KEPT = 128 };
struct series_stats {
    uint64_t series, series_limit; /* in the head now */
    uint64_t samples;              /* taken since the start */
    uint64_t duplicates;           /* of these, told again with the same value */
    uint64_t late;                 /* of these, not newer than the series' newest */
    uint64_t refused[SERIES_REFUSALS];
    char most_refused_metric[SERIES_METRIC_NAME_KEPT]; /* by the series limit; "" for none */
    uint64_t most_refused;                             /* how often, at least */
    uint64_t head_samples, head_chunk_bytes, head_limit_bytes;
    uint64_t head_index_bytes; /* labels, tables, postings, sums of histograms */
    unsigned generations;
    uint64_t exemplars;
    uint64_t cuts; /* since the start */
    struct keeper_state keeping;

    uint64_t blocks, block_samples, block_series, block_bytes, block_limit_bytes;
    uint64_t block_resident_bytes; /* of memory, for their footers */
    uint64_t aged_samples;         /* removed with the oldest blocks, ever */
    uint64_t damaged_samples;      /* in files that were set aside */
    uint64_t tombstones;
    int64_t oldest_ms, newest_ms; /* of a sample anywhere; 0, 0: none */
};
void series_store_stats(struct series_store *s, struct series_stats *out);

/* As files_damaged. */
struct files_damage *series_store_damaged(struct series_store *s, size_t *count);

#endif
