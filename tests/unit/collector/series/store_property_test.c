// SPDX-License-Identifier: Apache-2.0
/* Any set of samples comes back the same: from the head, from blocks, from merged ones, after a
 * restart that reads the rest of the ledger again, with deletions; and matchers find what a naive
 * look at each series finds. The model keeps everything in plain lists. */
#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/collector/series/stores.h"
#include "tests/unit/eventually.h"

#define SOON_NS 1

enum { SERIES = 24, SAMPLES_MAX = 6000, BATCHES_MAX = 600, BATCH_SAMPLES = 12 };

struct told {
    int64_t unix_ms;
    double value;
    struct histogram *h;
    enum sample_kind kind;
    int series;
    int deleted; /* by how many deletions */
};

struct model {
    struct told list[SAMPLES_MAX]; /* as they were told */
    size_t count, batch_end[BATCHES_MAX], batches;
    struct arena arena;
    uint64_t seed;
    int64_t now_ms;
};

static void name_of(int series, char out[64])
{
    static const char *const jobs[] = {"api", "web", "cache"};
    if (series % 4)
        snprintf(out, 64, "__name__=m%d job=%s pod=p%d zone=%c", series, jobs[series % 3], series,
                 'a' + series % 2);
    else
        snprintf(out, 64, "__name__=m%d job=%s", series, jobs[series % 3]);
}

/* ---- telling ----------------------------------------------------------------------------- */

static void tell_store(struct world *w, const struct told *t)
{
    char name[64];
    name_of(t->series, name);
    assert_int_equal(world_append(w, name, t->kind, t->unix_ms, t->value, t->h), SERIES_TAKEN);
}

static struct told next_told(struct model *m)
{
    struct told t = {.series = (int)random_below(&m->seed, SERIES)};
    bool late = random_below(&m->seed, 6) == 0;
    m->now_ms += (int64_t)random_below(&m->seed, 20000);
    t.unix_ms = late ? m->now_ms - (int64_t)random_below(&m->seed, 1000000) : m->now_ms;
    if (random_below(&m->seed, 30) == 0) {
        t.kind = SAMPLE_STALE;
        t.value = STALE_VALUE;
    } else if (t.series % 3 == 0) {
        t.kind = SAMPLE_HISTOGRAM;
        t.h = random_histogram(&m->arena, &m->seed);
        t.value = t.h->sum;
    } else {
        t.value = next_value((enum sort_of_values)(t.series % SORTS_OF_VALUES), 3, &m->seed);
    }
    return t;
}

static void tell_batch(struct world *w, struct model *m)
{
    world_begin(w);
    for (int i = 0; i < BATCH_SAMPLES; i++) {
        m->list[m->count] = next_told(m);
        if (m->count > 0 && random_below(&m->seed, 20) == 0) { /* the same time again */
            const struct told *old = &m->list[random_below(&m->seed, m->count)];
            m->list[m->count].series = old->series;
            m->list[m->count].unix_ms = old->unix_ms;
            m->list[m->count].kind = old->kind;
            m->list[m->count].h = old->h;
            if (old->h || old->kind == SAMPLE_STALE)
                m->list[m->count].value = old->value;
        }
        tell_store(w, &m->list[m->count++]);
    }
    series_store_commit(w->store);
    m->batch_end[m->batches++] = m->count;
    assert_int_equal(w->step, m->batches);
}

/* A start: what no block has is told again, batch by batch. */
static void restart(struct world *w, const struct model *m)
{
    world_reopen(w);
    struct journal_position end = series_store_ledger_end(w->store);
    for (w->step = 0; w->step < m->batches;) {
        struct journal_position at = world_position(w->step + 1);
        if (at.segment < end.segment || (at.segment == end.segment && at.offset <= end.offset)) {
            w->step++;
            continue;
        }
        size_t first = w->step > 0 ? m->batch_end[w->step - 1] : 0, last = m->batch_end[w->step];
        world_begin(w);
        for (size_t i = first; i < last; i++)
            tell_store(w, &m->list[i]);
        series_store_commit(w->store);
    }
}

/* ---- comparing --------------------------------------------------------------------------- */

struct placed {
    const struct told *told;
    size_t at;
};

static int by_time(const void *left, const void *right)
{
    const struct placed *a = left, *b = right;
    if (a->told->unix_ms != b->told->unix_ms)
        return a->told->unix_ms < b->told->unix_ms ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

static void expect(const struct model *m, int series, struct points *out)
{
    static struct placed list[SAMPLES_MAX];
    size_t count = 0;
    points_clear(out);
    for (size_t i = 0; i < m->count; i++)
        if (m->list[i].series == series && !m->list[i].deleted)
            list[count++] = (struct placed){&m->list[i], i};
    qsort(list, count, sizeof *list, by_time);
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || list[i + 1].told->unix_ms != list[i].told->unix_ms)
            points_add(out, list[i].told->unix_ms, list[i].told->value, list[i].told->h);
}

static void assert_same(struct world *w, const struct model *m)
{
    struct points expected, found;
    points_init(&expected);
    points_init(&found);
    for (int series = 0; series < SERIES; series++) {
        char metric[16];
        snprintf(metric, sizeof metric, "m%d", series);
        expect(m, series, &expected);
        world_read(w, metric, INT64_MIN, INT64_MAX, &found);
        assert_points_same(&found, &expected);
        if (expected.count < 4)
            continue;
        size_t first = expected.count / 4, end = expected.count - expected.count / 3;
        world_read(w, metric, expected.unix_ms[first], expected.unix_ms[end - 1], &found);
        assert_int_equal(found.count, end - first);
        assert_int_equal(found.unix_ms[0], expected.unix_ms[first]);
    }
    points_fini(&expected);
    points_fini(&found);
}

/* What was deleted in the middle of a time that later samples have too. */
static void delete_some(struct world *w, struct model *m)
{
    char pattern[32];
    int series = (int)random_below(&m->seed, SERIES);
    int64_t from_ms = m->now_ms - (int64_t)random_below(&m->seed, 3000000);
    int64_t to_ms = from_ms + (int64_t)random_below(&m->seed, 2000000);
    snprintf(pattern, sizeof pattern, "m(%d|%d)", series, series + 1);
    struct matcher matchers[] = {matcher_by_hand(MATCH_REGEX, LABEL_METRIC, pattern),
                                 matcher_by_hand(MATCH_NOT_EQUAL, "zone", "c")};
    assert_int_equal(series_store_delete(w->store, matchers, 2, from_ms, to_ms), 0);
    for (size_t i = 0; i < m->count; i++) {
        struct told *t = &m->list[i];
        if ((t->series == series || t->series == series + 1) && t->unix_ms >= from_ms &&
            t->unix_ms <= to_ms)
            t->deleted++;
    }
    matcher_free(&matchers[0]);
}

static bool no_tombstones(const struct series_stats *s, uint64_t number)
{
    (void)number;
    return s->tombstones == 0;
}

static void play(uint64_t seed, bool deletes)
{
    struct model *m = calloc(1, sizeof *m);
    struct world w;
    m->seed = seed;
    m->now_ms = BASE_MS;
    arena_init(&m->arena, 1 << 16);
    uint64_t sizes[] = {192 << 10, 384 << 10, 8 << 20};
    world_init(&w, &(struct series_store_options){
                       .head_bytes = sizes[seed % 3],
                       .cut_after_ns = seed % 2 ? 20000000 : 0,
                   });
    while (m->batches < 300) {
        tell_batch(&w, m);
        if (deletes && random_below(&m->seed, 40) == 0)
            delete_some(&w, m);
        if (random_below(&m->seed, 60) == 0)
            assert_same(&w, m);
        if (random_below(&m->seed, 80) == 0)
            restart(&w, m);
    }
    assert_same(&w, m);
    restart(&w, m);
    assert_same(&w, m);
    w.options.cut_after_ns = SOON_NS;
    restart(&w, m);
    world_cut(&w);
    assert_same(&w, m);
    if (deletes)
        world_until(&w, no_tombstones, 0, "deletions are made true");
    assert_same(&w, m);
    world_fini(&w);
    arena_fini(&m->arena);
    free(m);
}

static void samples_come_back_from_wherever_they_are(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++)
        play(seed, false);
}

static void deleted_samples_are_gone_and_only_they(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 112; seed++)
        play(seed, true);
}

/* ---- merging ----------------------------------------------------------------------------- */

static void neighbours_become_blocks_of_hours(void **state)
{
    struct world w;
    struct series_stats stats;
    (void)state;
    world_init(&w, &(struct series_store_options){.head_bytes = 8 << 20, .cut_after_ns = SOON_NS});
    for (int i = 0; i < 60; i++) { /* each cut is twenty minutes: twenty hours */
        for (int k = 0; k < 80; k++) {
            world_begin(&w);
            world_append(&w, "__name__=c", SAMPLE_VALUE, BASE_MS + (i * 80 + k) * 15000, i * k,
                         NULL);
            series_store_commit(w.store);
        }
        world_cut(&w);
    }
    EVENTUALLY((series_store_stats(w.store, &stats), stats.blocks <= 8));
    assert_true(stats.blocks > 0);
    assert_int_equal(stats.block_samples, 4800);
    struct points p;
    points_init(&p);
    world_read(&w, "c", INT64_MIN, INT64_MAX, &p);
    assert_int_equal(p.count, 4800);
    for (int i = 0; i < 4800; i++)
        assert_true(p.unix_ms[i] == BASE_MS + i * 15000 && p.value[i] == i / 80 * (i % 80));
    points_fini(&p);
    world_fini(&w);
}

static void the_oldest_blocks_go_and_are_counted(void **state)
{
    struct world w;
    struct series_stats stats;
    uint64_t seed = 5, told = 0;
    (void)state;
    world_init(&w, &(struct series_store_options){
                       .head_bytes = 8 << 20, .cut_after_ns = SOON_NS, .limit_bytes = 100 << 10});
    for (int i = 0; i < 40; i++) {
        world_begin(&w);
        for (int k = 0; k < 1000; k++, told++)
            world_append(&w, "__name__=noise", SAMPLE_VALUE, BASE_MS + (int64_t)told * 7000,
                         value_of_bits(random_next(&seed) >> 2), NULL);
        series_store_commit(w.store);
        world_cut(&w);
    }
    EVENTUALLY((series_store_stats(w.store, &stats), stats.block_bytes <= 100 << 10));
    assert_true(stats.block_bytes > 0);
    assert_int_equal(stats.aged_samples + stats.block_samples, told);
    struct points p;
    points_init(&p);
    world_read(&w, "noise", INT64_MIN, INT64_MAX, &p);
    assert_int_equal(p.count, stats.block_samples);
    points_fini(&p);

    w.options.limit_bytes = 0;
    w.options.max_age_ns = 1;
    world_reopen(&w);
    world_until(&w, has_blocks, 1, "only the newest is left");
    series_store_stats(w.store, &stats);
    assert_int_equal(stats.aged_samples + stats.block_samples, told);
    world_fini(&w);
}

/* ---- matchers ---------------------------------------------------------------------------- */

enum { MATCHED_SERIES = 300 };

static const char *const patterns[] = {
    "a",      "a|b",     "(a|b|)", "a.*",   ".*a", ".+",        ".*",     "",       "(?i)A1",
    "b[0-9]", "a1|b2|c", "a\\.1",  "a1?",   "a1*", "(a|b)1",    "x|y|z",  "a{1,2}", "a+",
    "[ab]",   "c1|",     "\\d",    "a|b.*", "é.*", "(?:a1|b1)", "a(1|2)", "a1+",    "(a)|(b)",
};
static const char *const values[] = {"",   "a",   "b",  "a1", "a2", "b1", "b2",
                                     "c1", "a.1", "A1", "é1", "aa", "7",  "abc"};

struct matched {
    char written[MATCHED_SERIES][128];
    struct label_texts texts[MATCHED_SERIES];
};

static void make_series(struct world *w, struct matched *all, uint64_t *seed, int cut_after)
{
    for (int i = 0; i < MATCHED_SERIES; i++) {
        char *to = all->written[i];
        int n = snprintf(to, 128, "__name__=m id=%d", i);
        for (int l = 0; l < 3; l++) {
            const char *v = values[random_below(seed, sizeof values / sizeof *values)];
            if (*v)
                n += snprintf(to + n, 128 - (size_t)n, " l%d=%s", l, v);
        }
        labels_by_hand(&all->texts[i], to);
        world_add(w, to, SAMPLE_VALUE, BASE_MS + i, i);
        if (i == cut_after)
            world_cut(w);
    }
}

static bool accepts(const struct matcher *m, int count, const struct labels *labels)
{
    for (int i = 0; i < count; i++)
        if (!matcher_matches(&m[i], labels_get(labels, m[i].name)))
            return false;
    return true;
}

static void assert_selects(struct world *w, const struct matched *all, const struct matcher *m,
                           int count)
{
    const struct series_source *source = series_store_source(w->store);
    struct series_selection s;
    size_t expected = 0;
    assert_int_equal(source->select(source->context, m, (size_t)count, INT64_MIN, INT64_MAX, &s),
                     0);
    for (int i = 0; i < MATCHED_SERIES; i++)
        expected += accepts(m, count, &all->texts[i].labels);
    if (s.count != expected)
        fail_msg("%.*s %d \"%.*s\" (of %d): %zu series in place of %zu", (int)m->name.length,
                 m->name.bytes, m->kind, (int)m->value.length, m->value.bytes, count, s.count,
                 expected);
    for (size_t i = 0; i < s.count; i++) {
        assert_true(accepts(m, count, &s.labels[i]));
        assert_true(i == 0 || labels_compare(&s.labels[i - 1], &s.labels[i]) < 0);
    }
    source->close(source->context, &s);
}

static void matchers_find_what_a_look_at_each_finds(void **state)
{
    struct matched *all = calloc(1, sizeof *all);
    struct world w;
    uint64_t seed = 11;
    (void)state;
    world_init(&w, &(struct series_store_options){.head_bytes = 8 << 20, .cut_after_ns = SOON_NS});
    make_series(&w, all, &seed, MATCHED_SERIES / 2);
    for (int i = -1; i <= MATCHED_SERIES; i++) { /* values fill several pages */
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        struct matcher one = matcher_by_hand(MATCH_EQUAL, "id", id);
        assert_selects(&w, all, &one, 1);
        struct matcher some = matcher_by_hand(MATCH_REGEX, "id", strcat(id, ".+"));
        assert_selects(&w, all, &some, 1);
        matcher_free(&some);
    }
    for (int round = 0; round < 2000; round++) {
        struct matcher m[3];
        int count = 1 + (int)random_below(&seed, 3);
        for (int i = 0; i < count; i++) {
            enum matcher_kind kind = (enum matcher_kind)random_below(&seed, 4);
            bool regex = kind == MATCH_REGEX || kind == MATCH_NOT_REGEX;
            static const char *const names[] = {"l0", "l1", "l2", "none"};
            m[i] = matcher_by_hand(
                kind, names[random_below(&seed, 4)],
                regex ? patterns[random_below(&seed, sizeof patterns / sizeof *patterns)]
                      : values[random_below(&seed, sizeof values / sizeof *values)]);
        }
        assert_selects(&w, all, m, count);
        for (int i = 0; i < count; i++)
            matcher_free(&m[i]);
    }
    world_fini(&w);
    free(all);
}

/* ---- threads ----------------------------------------------------------------------------- */

struct reader {
    struct world *world;
    atomic_bool stop;
    atomic_int rounds;
};

static void *read_all(void *context)
{
    struct reader *r = context;
    const struct series_source *source = series_store_source(r->world->store);
    struct points p;
    points_init(&p);
    while (!atomic_load(&r->stop)) {
        struct matcher m = {MATCH_NOT_EQUAL, text("job"), text("none"), NULL};
        struct series_selection s;
        if (source->select(source->context, &m, 1, INT64_MIN, INT64_MAX, &s) != 0)
            abort();
        for (size_t i = 0; i < s.count; i++) {
            if (source->read(source->context, &s, i, INT64_MIN, INT64_MAX, &p) != 0)
                abort();
            for (size_t k = 0; k < p.count; k++) /* each sample tells its own time */
                if ((k > 0 && p.unix_ms[k] <= p.unix_ms[k - 1]) ||
                    p.value[k] != (double)(p.unix_ms[k] - BASE_MS))
                    abort();
        }
        source->close(source->context, &s);
        struct series_strings names;
        if (series_store_label_values(r->world->store, text("pod"), NULL, 0, INT64_MIN, INT64_MAX,
                                      &names) == 0)
            free(names.items);
        atomic_fetch_add(&r->rounds, 1);
    }
    points_fini(&p);
    return NULL;
}

static void readers_see_whole_samples_while_all_is_moved(void **state)
{
    struct world w;
    struct series_stats stats;
    (void)state;
    world_init(&w, &(struct series_store_options){
                       .head_bytes = 1 << 20, .cut_after_ns = 5000000, .idle_ns = 1});
    struct reader r = {.world = &w};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, &r), 0);
    series_store_stats(w.store, &stats);
    for (int64_t i = 0; i < 400 || atomic_load(&r.rounds) < 4 || stats.cuts < 3; i++) {
        world_begin(&w);
        for (int k = 0; k < 60; k++) {
            char name[64];
            name_of(k % 50 + (int)(i / 100) * 50, name);
            int64_t at = BASE_MS + i * 1000 + k / 50 - (k % 7 == 0 ? 30000 : 0);
            world_append(&w, name, SAMPLE_VALUE, at, (double)(at - BASE_MS), NULL);
        }
        series_store_commit(w.store);
        series_store_stats(w.store, &stats);
    }
    atomic_store(&r.stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_come_back_from_wherever_they_are),
        cmocka_unit_test(deleted_samples_are_gone_and_only_they),
        cmocka_unit_test(neighbours_become_blocks_of_hours),
        cmocka_unit_test(the_oldest_blocks_go_and_are_counted),
        cmocka_unit_test(matchers_find_what_a_look_at_each_finds),
        cmocka_unit_test(readers_see_whole_samples_while_all_is_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
