// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "collector/query/query.h"
#include "tests/unit/collector/spans.h"
#include "tests/unit/eventually.h"

enum { HEAD_BYTES = 20 << 20, GENERATIONS = 5 };

struct fixture {
    struct store *store;
    char directory[64];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->store = spans_store(f->directory, &(struct store_options){.head_bytes = HEAD_BYTES,
                                                                 .generations = GENERATIONS});
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    spans_store_remove(&f->store, f->directory);
    free(f);
    return 0;
}

static void reopen(struct fixture *f, const struct store_options *options)
{
    char why[256];
    struct store_options o = *options;
    o.directory = f->directory;
    store_close(&f->store);
    f->store = store_open(&o, why, sizeof why);
    if (!f->store)
        fail_msg("%s", why);
}

/* Until nothing is left to cut or to merge: nothing tells that, so it must be quiet for a while. */
static void settle(struct store *store)
{
    struct store_stats before, after = {0};
    for (int i = 0; i < 2000; i++) {
        before = after;
        store_stats(store, &after);
        if (i > 30 && after.generations <= 1 && before.cuts == after.cuts &&
            before.keeping.merges == after.keeping.merges)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    fail_msg("the store does not come to rest");
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
    struct arena arena;
    arena_init(&arena, 4096);
    store_hold(store, &hold);
    assert_int_equal(store_find(&hold, trace_by_hand(trace), true, &arena, &runs, &count), 0);
    for (size_t i = 0; i < count; i++) {
        rows += runs[i].count;
        for (uint32_t row = runs[i].row; row < runs[i].row + runs[i].count; row++)
            assert_int_equal(runs[i].batch->trace_lo[row], trace_by_hand(trace).lo);
    }
    free(runs);
    arena_fini(&arena);
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

static void the_bound_holds_and_the_oldest_become_segments(void **state)
{
    struct fixture *f = *state;
    struct store_stats stats;
    for (uint64_t n = 0; n < 90; n++) {
        insert_many(f->store, n * 1000, 1000);
        store_stats(f->store, &stats);
        assert_true(stats.head_bytes <= stats.head_limit_bytes);
        assert_int_equal(stats.head_spans + stats.segments.spans, (n + 1) * 2000);
    }
    assert_true(stats.cuts > 0);
    for (uint64_t trace = 0; trace < 90000; trace += 997)
        assert_int_equal(rows_of(f->store, trace), 2);
    assert_int_equal(stats.oldest_unix_ns, EPOCH);
}

static void small_segments_are_merged_and_nothing_is_lost(void **state)
{
    struct fixture *f = *state;
    struct store_stats stats;
    for (uint64_t n = 0; n < 100; n++)
        insert_many(f->store, n * 1000, 1000);
    EVENTUALLY((store_stats(f->store, &stats), stats.keeping.merges > 0));
    settle(f->store);
    store_stats(f->store, &stats);
    assert_true(stats.keeping.merges > 0);
    assert_true(stats.segments.segments < stats.cuts);
    assert_int_equal(stats.head_spans + stats.segments.spans, 200000);
    for (uint64_t trace = 0; trace < 100000; trace += 997)
        assert_int_equal(rows_of(f->store, trace), 2);
}

static void wait_until_cut(struct store *store)
{
    struct store_stats stats;
    EVENTUALLY((store_stats(store, &stats), stats.head_spans == 0));
}

static void an_old_head_is_cut_once_and_another_begins(void **state)
{
    struct fixture *f = *state;
    struct store_stats stats;
    reopen(f, &(struct store_options){.head_bytes = HEAD_BYTES, .cut_after_ns = 1});
    for (uint64_t n = 0; n < 3; n++) {
        insert_many(f->store, n * 1000, 1000);
        wait_until_cut(f->store);
        settle(f->store); /* the cutting thread looks several times at what is empty now */
        store_stats(f->store, &stats);
        assert_int_equal(stats.cuts, n + 1);
        assert_int_equal(stats.segments.spans, (n + 1) * 2000);
    }
    for (uint64_t trace = 0; trace < 3000; trace += 97)
        assert_int_equal(rows_of(f->store, trace), 2);
}

static void a_trace_over_several_places_is_one(void **state)
{
    struct fixture *f = *state;
    struct store_stats stats;
    uint64_t next = 1000, added = 0;
    do {
        added++;
        insert_one(f->store,
                   (struct span_by_hand){.trace = 5, .id = added, .at_ms = next, .for_ms = 1000});
        insert_many(f->store, next, 1000);
        next += 1000;
        store_stats(f->store, &stats);
    } while (stats.cuts < 3);
    assert_int_equal(rows_of(f->store, 5), added);

    struct query query = {.store = f->store, .inflight = inflight_create(1 << 20)};
    struct trace_filter filter = {
        .max_duration_ns = UINT64_MAX, .end_unix_ns = UINT64_MAX, .limit = 10};
    filter.min_duration_ns = (next - 2000) * MS; /* of all places together */
    struct trace_list list;
    assert_int_equal(query_traces(&query, &filter, EPOCH, &list), 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.traces[0].spans, added);
    trace_list_fini(&list);
    inflight_destroy(&query.inflight);
}

static void what_is_held_outlives_its_cut(void **state)
{
    struct fixture *f = *state;
    struct store_hold hold;
    struct span_run *runs;
    size_t count;
    struct arena arena;
    arena_init(&arena, 4096);
    insert_many(f->store, 0, 10);
    store_hold(f->store, &hold);
    assert_int_equal(store_find(&hold, trace_by_hand(3), true, &arena, &runs, &count), 0);
    for (uint64_t n = 1; n < 30; n++)
        insert_many(f->store, n * 1000, 1000);
    struct store_stats held, stats;
    do
        store_stats(f->store, &held);
    while (held.cuts == 0);
    assert_int_equal(rows_of(f->store, 3), 2);
    assert_int_equal(runs[0].batch->trace_lo[runs[0].row], trace_by_hand(3).lo);
    free(runs);
    arena_fini(&arena);
    store_stats(f->store, &held);
    store_release(&hold);
    store_stats(f->store, &stats);
    assert_true(held.head_bytes > stats.head_bytes); /* it counted until then, and only then */
}

static void a_restart_finds_what_was_cut(void **state)
{
    struct fixture *f = *state;
    struct store_stats before, after;
    for (uint64_t n = 0; n < 40; n++)
        insert_many(f->store, n * 1000, 1000);
    settle(f->store);
    store_stats(f->store, &before);
    assert_true(before.cuts > 0);
    struct journal_position end = store_ledger_end(f->store);
    assert_true(end.offset > 0);
    reopen(f, &(struct store_options){.head_bytes = HEAD_BYTES});
    store_stats(f->store, &after);
    assert_int_equal(after.segments.spans, before.segments.spans);
    assert_int_equal(after.segments.total_spans, before.segments.total_spans);
    assert_int_equal(store_ledger_end(f->store).offset, end.offset);
    for (uint64_t trace = 0; trace < after.segments.traces; trace += 97)
        assert_int_equal(rows_of(f->store, trace), 2);
    assert_int_equal(rows_of(f->store, after.segments.traces), 0);
}

static void the_limit_of_bytes_removes_the_oldest_and_counts(void **state)
{
    struct fixture *f = *state;
    struct store_stats stats;
    reopen(f, &(struct store_options){
                  .head_bytes = HEAD_BYTES, .generations = GENERATIONS, .limit_bytes = 40 << 10});
    uint64_t inserted = 0;
    for (uint64_t n = 0; n < 60; n++, inserted += 2000)
        insert_many(f->store, n * 1000, 1000);
    EVENTUALLY((store_stats(f->store, &stats),
                stats.segments.aged_spans > 0 && stats.segments.bytes <= 40 << 10));
    assert_int_equal(stats.head_spans + stats.segments.spans + stats.segments.aged_spans, inserted);
    assert_int_equal(rows_of(f->store, 0), 0);
    assert_int_equal(rows_of(f->store, 59999), 2);
    reopen(f, &(struct store_options){.head_bytes = HEAD_BYTES});
    uint64_t aged = stats.segments.aged_spans;
    store_stats(f->store, &stats);
    assert_true(stats.segments.aged_spans >= aged);
    assert_int_equal(stats.segments.spans + stats.segments.aged_spans, stats.segments.total_spans);
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
    assert_int_equal(store_decode(f->store, NULL, bytes.data, bytes.length, 1 << 20, &staged),
                     BATCH_OK);
    store_discard(f->store, &staged);
    buffer_fini(&bytes);
    assert_int_equal(rows_of(f->store, 1), 0);
}

static void discarded_batches_make_no_segment_and_move_no_place_in_the_ledger(void **state)
{
    struct fixture *f = *state;
    struct store_stats stats;
    insert_many(f->store, 0, 10);
    for (int i = 0; i < 60; i++) {
        struct spans s;
        struct store_staged staged;
        spans_begin(&s);
        uint32_t web = spans_process(&s, 1, "web");
        for (uint64_t n = 0; n < 5000; n++)
            spans_add(&s, (struct span_by_hand){web, "x", .trace = n, .id = n + 1});
        struct buffer bytes = spans_encode(&s);
        assert_int_equal(store_decode(f->store, NULL, bytes.data, bytes.length, 16 << 20, &staged),
                         BATCH_OK);
        store_discard(f->store, &staged);
        buffer_fini(&bytes);
    }
    settle(f->store);
    store_stats(f->store, &stats);
    assert_int_equal(stats.cuts, 1); /* of the generation that has the ten */
    assert_int_equal(stats.segments.spans, 20);
    assert_true(store_ledger_end(f->store).offset > 0);
}

static void bytes_that_are_no_batch_are_refused(void **state)
{
    struct fixture *f = *state;
    struct store_staged staged;
    assert_int_not_equal(store_decode(f->store, NULL, "no batch", 8, 1 << 20, &staged), BATCH_OK);
    struct store_stats stats;
    store_stats(f->store, &stats);
    assert_int_equal(stats.head_spans, 0);
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
    struct query query;
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
        struct trace_filter filter = {.service = "cell",
                                      .max_duration_ns = UINT64_MAX,
                                      .end_unix_ns = UINT64_MAX,
                                      .limit = 5};
        struct trace_list list;
        assert_int_equal(query_traces(&r->query, &filter, EPOCH, &list), 0);
        assert_int_equal(list.count, 5);
        trace_list_fini(&list);
        asked++;
    }
    return (void *)(uintptr_t)asked;
}

static void questions_see_whole_batches_while_others_come(void **state)
{
    struct fixture *f = *state;
    struct race race = {.store = f->store,
                        .query = {.store = f->store, .inflight = inflight_create(1 << 20)}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &race), 0);
    for (uint64_t n = 0; n < 40; n++) {
        insert_many(f->store, n * 1000, 1000);
        atomic_store(&race.inserted, (n + 1) * 1000);
    }
    atomic_store(&race.done, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    inflight_destroy(&race.query.inflight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_trace_is_found_by_its_id),
        TEST(the_bound_holds_and_the_oldest_become_segments),
        TEST(small_segments_are_merged_and_nothing_is_lost),
        TEST(an_old_head_is_cut_once_and_another_begins),
        TEST(a_trace_over_several_places_is_one),
        TEST(what_is_held_outlives_its_cut),
        TEST(a_restart_finds_what_was_cut),
        TEST(the_limit_of_bytes_removes_the_oldest_and_counts),
        TEST(a_batch_discarded_is_never_seen),
        TEST(discarded_batches_make_no_segment_and_move_no_place_in_the_ledger),
        TEST(bytes_that_are_no_batch_are_refused),
        TEST(the_last_word_about_a_process_counts),
        TEST(questions_see_whole_batches_while_others_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
