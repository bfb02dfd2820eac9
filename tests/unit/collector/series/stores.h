// SPDX-License-Identifier: Apache-2.0
/* What the tests of the series store share: a store in a directory of its own, labels by hand,
 * appending, and reading everything back. */
#ifndef WEFT_TESTS_SERIES_STORES_H
#define WEFT_TESTS_SERIES_STORES_H

#include <dirent.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "collector/series/store.h"
#include "tests/unit/collector/series/samples.h"
#include "tests/unit/eventually.h"

#define BASE_MS INT64_C(1763760000000)

struct world {
    struct series_store *store;
    struct series_store_options options;
    char directory[64];
    uint64_t step; /* batches so far: the ledger's place */
};

static inline void world_open(struct world *w)
{
    char why[300];
    w->options.directory = w->directory;
    w->store = series_store_open(&w->options, why, sizeof why);
    if (!w->store)
        fail_msg("%s", why);
}

static inline void world_init(struct world *w, const struct series_store_options *options)
{
    *w = (struct world){.options = *options};
    snprintf(w->directory, sizeof w->directory, "/tmp/weft-series-XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    world_open(w);
}

static inline void world_reopen(struct world *w)
{
    series_store_close(&w->store);
    world_open(w);
}

static inline size_t world_files(const struct world *w, const char *suffix, bool remove)
{
    size_t count = 0, length = strlen(suffix);
    DIR *d = opendir(w->directory);
    struct dirent *e;
    while (d && (e = readdir(d)) != NULL) {
        size_t n = strlen(e->d_name);
        if (e->d_name[0] == '.' || n < length || strcmp(e->d_name + n - length, suffix) != 0)
            continue;
        count++;
        if (remove)
            unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
    return count;
}

static inline void world_fini(struct world *w)
{
    series_store_close(&w->store);
    world_files(w, "", true);
    rmdir(w->directory);
}

/* For cmocka: a store that cuts when it is told to; and one that cuts at once. */
static inline int world_setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    world_init(w, &(struct series_store_options){.head_bytes = 16 << 20, .exemplars = 4});
    *state = w;
    return 0;
}

static inline int world_setup_cutting(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    world_init(w, &(struct series_store_options){.head_bytes = 16 << 20, .cut_after_ns = 1});
    *state = w;
    return 0;
}

static inline int world_teardown(void **state)
{
    world_fini(*state);
    free(*state);
    return 0;
}

/* ---- labels ------------------------------------------------------------------------------ */

static inline struct batch_str text(const char *s)
{
    return (struct batch_str){s, (uint32_t)strlen(s)};
}

struct label_texts { /* "name=value" for each, sorted by name */
    struct label items[16];
    struct labels labels;
    char memory[512];
};

/* "__name__=up job=a instance=7" */
static inline const struct labels *labels_by_hand(struct label_texts *t, const char *written)
{
    char *word, *rest = t->memory;
    size_t length = strlen(written);
    assert_in_range(length, 1, sizeof t->memory - 1);
    memcpy(t->memory, written, length + 1);
    t->labels = (struct labels){t->items, 0};
    while ((word = strsep(&rest, " ")) != NULL) {
        char *value = strchr(word, '=');
        *value++ = '\0';
        t->items[t->labels.count++] = (struct label){text(word), text(value)};
    }
    qsort(t->items, t->labels.count, sizeof t->items[0], label_compare_names);
    return &t->labels;
}

/* ---- appending --------------------------------------------------------------------------- */

static inline struct journal_position world_position(uint64_t step)
{
    return (struct journal_position){1 + step / 1000, step % 1000 * 100};
}

static inline void world_begin(struct world *w)
{
    assert_int_equal(series_store_wait(w->store), 0);
    assert_int_equal(series_store_begin(w->store, world_position(++w->step)), 0);
}

static inline series_ref world_series(struct world *w, const char *labels)
{
    struct label_texts t;
    return series_store_resolve(w->store, labels_by_hand(&t, labels), NULL);
}

static inline enum series_refusal world_append(struct world *w, const char *labels,
                                               enum sample_kind kind, int64_t unix_ms, double value,
                                               const struct histogram *h)
{
    struct series_sample sample = {.unix_ms = unix_ms, .kind = kind, .value = value};
    sample.histogram = h;
    return series_store_append(w->store, world_series(w, labels), &sample);
}

/* A batch of one sample. */
static inline enum series_refusal world_add(struct world *w, const char *labels,
                                            enum sample_kind kind, int64_t unix_ms, double value)
{
    world_begin(w);
    enum series_refusal result = world_append(w, labels, kind, unix_ms, value, NULL);
    series_store_commit(w->store);
    return result;
}

/* ---- reading ----------------------------------------------------------------------------- */

static inline struct matcher matcher_by_hand(enum matcher_kind kind, const char *name,
                                             const char *value)
{
    char why[200];
    struct matcher m = {kind, text(name), text(value), NULL};
    if (kind == MATCH_REGEX || kind == MATCH_NOT_REGEX) {
        m.regex = regex_create(value, strlen(value), why, sizeof why);
        if (!m.regex)
            fail_msg("%s: %s", value, why);
    }
    return m;
}

static inline void matcher_free(struct matcher *m)
{
    regex_destroy((struct regex **)&m->regex);
}

/* The samples of the only series with this metric's name. 0 or 1: how many series there were. */
static inline size_t world_read(struct world *w, const char *metric, int64_t from_ms, int64_t to_ms,
                                struct points *out)
{
    const struct series_source *source = series_store_source(w->store);
    struct matcher m = matcher_by_hand(MATCH_EQUAL, LABEL_METRIC, metric);
    struct series_selection selection;
    assert_int_equal(source->select(source->context, &m, 1, from_ms, to_ms, &selection), 0);
    size_t count = selection.count;
    assert_in_range(count, 0, 1);
    points_clear(out);
    if (count > 0)
        assert_int_equal(source->read(source->context, &selection, 0, from_ms, to_ms, out), 0);
    source->close(source->context, &selection);
    return count;
}

static inline void assert_reads(struct world *w, const char *metric, size_t count,
                                const int64_t *unix_ms, const double *value)
{
    struct points p;
    points_init(&p);
    world_read(w, metric, INT64_MIN, INT64_MAX, &p);
    for (size_t i = 0; i < count && i < p.count; i++)
        if (p.unix_ms[i] != unix_ms[i] || bits_of_value(p.value[i]) != bits_of_value(value[i]))
            fail_msg("%s: sample %zu is %g at base%+lld, should be %g at base%+lld", metric, i,
                     p.value[i], (long long)(p.unix_ms[i] - BASE_MS), value[i],
                     (long long)(unix_ms[i] - BASE_MS));
    assert_int_equal(p.count, count);
    points_fini(&p);
}

/* ---- waiting ----------------------------------------------------------------------------- */

/* Until `holds`, or for two minutes. */
static inline void world_until(struct world *w,
                               bool (*holds)(const struct series_stats *s, uint64_t number),
                               uint64_t number, const char *what)
{
    struct series_stats stats;
    int64_t late_ms = clock_monotonic_ms() + PATIENCE_MS;
    for (; clock_monotonic_ms() < late_ms; look_away()) {
        series_store_stats(w->store, &stats);
        if (holds(&stats, number))
            return;
    }
    fail_msg("not after two minutes: %s (%llu cuts, %llu merges, %llu blocks)", what,
             (unsigned long long)stats.cuts, (unsigned long long)stats.keeping.merges,
             (unsigned long long)stats.blocks);
}

static inline bool has_cuts(const struct series_stats *s, uint64_t number)
{
    return s->cuts >= number;
}

static inline bool head_is_empty(const struct series_stats *s, uint64_t number)
{
    (void)number;
    return s->head_samples == 0;
}

static inline bool has_blocks(const struct series_stats *s, uint64_t number)
{
    return s->blocks == number;
}

/* All that is in the head goes into blocks: of a store whose cut_after_ns is short. */
static inline void world_cut(struct world *w)
{
    world_until(w, head_is_empty, 0, "all is cut");
}

#endif
