// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/store.h"

#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/collector/spans.h"

struct fixture {
    struct store *store;
    uint64_t evicted;
};

static void count_evicted(void *context, uint64_t spans, uint64_t from, uint64_t to)
{
    struct fixture *f = context;
    assert_true(from <= to);
    f->evicted += spans;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->store = store_create(&(struct store_options){
        .limit_bytes = 24 << 20, .generations = 6, .evicted = count_evicted, .context = f});
    *state = f;
    return f->store ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    store_destroy(&f->store);
    free(f);
    return 0;
}

static void insert_one(struct store *store, struct span_by_hand span)
{
    struct spans s;
    spans_begin(&s);
    span.process = spans_process(&s, 1, "web");
    spans_add(&s, span);
    spans_insert(&s, store);
}

static size_t rows_of(struct store *store, uint64_t trace)
{
    struct store_hold hold;
    struct span_run *runs;
    size_t count, rows = 0;
    store_hold(store, &hold);
    assert_int_equal(store_find(&hold, trace_by_hand(trace), &runs, &count), 0);
    for (size_t i = 0; i < count; i++) {
        rows += runs[i].count;
        for (uint32_t row = runs[i].row; row < runs[i].row + runs[i].count; row++)
            assert_int_equal(runs[i].batch->trace_lo[row], trace_by_hand(trace).lo);
    }
    free(runs);
    store_release(&hold);
    return rows;
}

/* `first`..`first`+count traces of two spans each. */
static void insert_many(struct store *store, uint64_t first, uint64_t count)
{
    struct spans s;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web"), cell = spans_process(&s, 2, "cell");
    for (uint64_t t = first; t < first + count; t++) {
        spans_add(&s, (struct span_by_hand){web, "read", .trace = t, .id = 2 * t + 1, .at_ms = t,
                                            .for_ms = 3});
        spans_add(&s, (struct span_by_hand){cell, "get", t, 2 * t + 2, .parent = 2 * t + 1,
                                            .at_ms = t, .for_ms = 1});
    }
    spans_insert(&s, store);
}

static void a_trace_is_found_by_its_id(void **state)
{
    struct fixture *f = *state;
    insert_many(f->store, 0, 1000);
    insert_one(f->store, (struct span_by_hand){.trace = 7, .id = 99999});
    assert_int_equal(rows_of(f->store, 7), 3);
    assert_int_equal(rows_of(f->store, 8), 2);
    assert_int_equal(rows_of(f->store, 1000), 0);
}

static void the_bound_holds_and_the_oldest_go_counted(void **state)
{
    struct fixture *f = *state;
    struct store_stats stats;
    uint64_t inserted = 0;
    for (uint64_t n = 0; n < 300; n++, inserted += 2000) {
        insert_many(f->store, n * 1000, 1000);
        store_stats(f->store, &stats);
        assert_true(stats.bytes <= stats.limit_bytes);
    }
    assert_true(stats.spans < inserted);
    assert_true(stats.spans > inserted / 20);
    assert_int_equal(stats.evicted_spans, f->evicted);
    assert_int_equal(stats.spans + f->evicted, inserted);
    assert_int_equal(rows_of(f->store, 0), 0);
    assert_int_equal(rows_of(f->store, 299999), 2);
    assert_true(stats.oldest_unix_ns > EPOCH);
}

static void a_trace_over_several_generations_is_one(void **state)
{
    struct fixture *f = *state;
    struct store_stats stats;
    uint64_t next = 1000000, added = 0;
    do {
        added++;
        insert_one(f->store, (struct span_by_hand){.trace = 5, .id = added, .at_ms = added});
        insert_many(f->store, next, 1000);
        next += 1000;
        store_stats(f->store, &stats);
    } while (stats.generations < 4);
    assert_int_equal(rows_of(f->store, 5), added);
    assert_int_equal(stats.traces, 1 + (next - 1000000));

    struct store_hold hold;
    struct store_candidate *found;
    struct store_filter filter = STORE_FILTER_ANY;
    size_t count, times = 0;
    uint64_t scanned;
    store_hold(f->store, &hold);
    filter.min_duration_ns = (added - 1) * MS; /* of all generations together */
    assert_int_equal(store_search(&hold, &filter, &found, &count, &scanned), 0);
    for (size_t i = 0; i < count; i++)
        times += found[i].id.lo == trace_by_hand(5).lo;
    assert_int_equal(times, 1);
    assert_int_equal(scanned, stats.traces);
    free(found);
    store_release(&hold);
}

static void what_is_held_outlives_its_eviction(void **state)
{
    struct fixture *f = *state;
    struct store_hold hold;
    struct span_run *runs;
    size_t count;
    insert_many(f->store, 0, 10);
    store_hold(f->store, &hold);
    assert_int_equal(store_find(&hold, trace_by_hand(3), &runs, &count), 0);
    for (uint64_t n = 1; n < 200; n++)
        insert_many(f->store, n * 1000, 1000);
    assert_int_equal(rows_of(f->store, 3), 0);
    assert_int_equal(runs[0].batch->trace_lo[runs[0].row], trace_by_hand(3).lo);
    free(runs);
    struct store_stats held, stats;
    store_stats(f->store, &held);
    store_release(&hold);
    store_stats(f->store, &stats);
    assert_true(held.bytes > stats.bytes); /* it counted until then, and only then */
    assert_true(stats.bytes > stats.spans * sizeof(uint64_t[18]));
    assert_true(stats.bytes <= stats.limit_bytes);
}

static void a_batch_discarded_is_never_seen(void **state)
{
    struct fixture *f = *state;
    struct spans s;
    struct store_staged staged;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web");
    spans_add(&s, (struct span_by_hand){web, "x", .trace = 1, .id = 1});
    struct buffer bytes = spans_encode(&s);
    assert_int_equal(store_decode(f->store, bytes.data, bytes.length, 1 << 20, &staged), BATCH_OK);
    store_discard(f->store, &staged);
    buffer_fini(&bytes);
    assert_int_equal(rows_of(f->store, 1), 0);
}

static void bytes_that_are_no_batch_are_refused(void **state)
{
    struct fixture *f = *state;
    struct store_staged staged;
    assert_int_not_equal(store_decode(f->store, "no batch", 8, 1 << 20, &staged), BATCH_OK);
    struct store_stats stats;
    store_stats(f->store, &stats);
    assert_int_equal(stats.spans, 0);
}

static void the_last_word_about_a_process_counts(void **state)
{
    struct fixture *f = *state;
    static const enum process_state told[] = {PROCESS_ALIVE, PROCESS_DIED, PROCESS_ALIVE};
    for (int i = 0; i < 3; i++) {
        struct spans s;
        spans_begin(&s);
        uint32_t web = spans_process_in(&s, 9, "web", told[i]);
        spans_add(&s, (struct span_by_hand){web, "x", .trace = 1, .id = (uint64_t)i + 1});
        spans_insert(&s, f->store);
    }
    struct store_hold hold;
    store_hold(f->store, &hold);
    const struct batch_process_view *p = store_process(&hold, (uint8_t[16]){9, 0, 1});
    assert_non_null(p);
    assert_int_equal(p->state, PROCESS_DIED);
    assert_null(store_process(&hold, (uint8_t[16]){10, 0, 1}));
    store_release(&hold);
}

/* ---- inserting and asking at a time ------------------------------------------------------ */

struct race {
    struct store *store;
    atomic_bool done;
    _Atomic uint64_t inserted; /* traces */
};

static void *ask(void *context)
{
    struct race *r = context;
    uint64_t asked = 0;
    while (!atomic_load(&r->done)) {
        uint64_t newest = atomic_load(&r->inserted);
        if (newest == 0)
            continue;
        assert_int_equal(rows_of(r->store, newest - 1), 2);
        struct store_hold hold;
        struct store_candidate *found;
        struct store_filter filter = STORE_FILTER_ANY;
        size_t count;
        uint64_t scanned;
        filter.service = "cell";
        store_hold(r->store, &hold);
        assert_int_equal(store_search(&hold, &filter, &found, &count, &scanned), 0);
        assert_int_equal(count, scanned);
        free(found);
        store_release(&hold);
        asked++;
    }
    return (void *)(uintptr_t)asked;
}

static void questions_see_whole_batches_while_others_come(void **state)
{
    struct fixture *f = *state;
    struct race race = {.store = f->store};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &race), 0);
    for (uint64_t n = 0; n < 150; n++) {
        insert_many(f->store, n * 1000, 1000);
        atomic_store(&race.inserted, (n + 1) * 1000);
    }
    atomic_store(&race.done, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_trace_is_found_by_its_id),
        TEST(the_bound_holds_and_the_oldest_go_counted),
        TEST(a_trace_over_several_generations_is_one),
        TEST(what_is_held_outlives_its_eviction),
        TEST(a_batch_discarded_is_never_seen),
        TEST(bytes_that_are_no_batch_are_refused),
        TEST(the_last_word_about_a_process_counts),
        TEST(questions_see_whole_batches_while_others_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
