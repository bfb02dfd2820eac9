// SPDX-License-Identifier: Apache-2.0
#include "collector/series/exemplars.h"
#include "tests/unit/collector/series/stores.h"

/* ---- samples ----------------------------------------------------------------------------- */

static void what_is_appended_is_read(void **state)
{
    struct world *w = *state;
    const int64_t at[] = {BASE_MS, BASE_MS + 15000, BASE_MS + 30000};
    const double value[] = {1, 2.5, STALE_VALUE};
    world_add(w, "__name__=up job=a", SAMPLE_VALUE, at[0], 1);
    world_add(w, "__name__=up job=a", SAMPLE_VALUE, at[1], 2.5);
    world_add(w, "__name__=up job=a", SAMPLE_STALE, at[2], 0);
    assert_reads(w, "up", 3, at, value);
    struct points p;
    points_init(&p);
    assert_int_equal(world_read(w, "up", at[1], at[1], &p), 1);
    assert_int_equal(p.count, 1);
    assert_int_equal(world_read(w, "up", at[2] + 1, INT64_MAX, &p), 0);
    assert_int_equal(world_read(w, "down", INT64_MIN, INT64_MAX, &p), 0);
    points_fini(&p);
}

static void late_samples_are_sorted_in_and_the_later_word_counts(void **state)
{
    struct world *w = *state;
    const int64_t at[] = {BASE_MS, BASE_MS + 1, BASE_MS + 2, BASE_MS + 3, BASE_MS + 4};
    const double value[] = {10, 1, 22, 3, 44};
    world_add(w, "__name__=up", SAMPLE_VALUE, at[1], 1);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[4], 4);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[3], 3);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[2], 2);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[0], 10);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[2], 22);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[4], 44);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[3], 3);
    assert_reads(w, "up", 5, at, value);
    struct series_stats stats;
    series_store_stats(w->store, &stats);
    assert_int_equal(stats.samples, 8);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[4] + 1, 5);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[4] + 1, 5);
    series_store_stats(w->store, &stats);
    assert_int_equal(stats.duplicates, 1);
}

static void blocks_go_on_where_the_ledger_does(void **state)
{
    struct world *w = *state;
    const int64_t at[] = {BASE_MS, BASE_MS + 1000, BASE_MS + 2000};
    const double value[] = {1, 20, 3};
    assert_int_equal(series_store_ledger_end(w->store).segment, 0);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[0], 1);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[1], 2);
    world_cut(w);
    struct journal_position end = series_store_ledger_end(w->store);
    assert_int_equal(end.segment, world_position(w->step).segment);
    assert_int_equal(end.offset, world_position(w->step).offset);
    world_reopen(w);
    assert_int_equal(series_store_ledger_end(w->store).offset, end.offset);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[1], 20); /* the later word, over a block */
    world_add(w, "__name__=up", SAMPLE_VALUE, at[2], 3);
    assert_reads(w, "up", 3, at, value);
    world_cut(w);
    assert_reads(w, "up", 3, at, value);

    w->options.ledger_begun_unix_ns = 77;
    world_reopen(w);
    assert_int_equal(series_store_ledger_end(w->store).segment, 0);
    assert_reads(w, "up", 3, at, value);
}

static void batches_without_samples_move_the_ledgers_end_too(void **state)
{
    struct world *w = *state;
    world_begin(w);
    series_store_commit(w->store);
    world_until(w, has_cuts, 1, "a cut");
    assert_int_equal(series_store_ledger_end(w->store).offset, world_position(w->step).offset);
    struct points p;
    points_init(&p);
    assert_int_equal(world_read(w, "up", INT64_MIN, INT64_MAX, &p), 0);
    points_fini(&p);
}

/* ---- questions --------------------------------------------------------------------------- */

static void assert_strings(struct series_strings *s, const char *expected)
{
    char all[256] = "";
    for (size_t i = 0; i < s->count; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%.*s", i ? " " : "",
                 (int)s->items[i].length, s->items[i].bytes);
    assert_string_equal(all, expected);
    free(s->items);
}

static void names_and_values_of_labels(void **state)
{
    struct world *w = *state;
    struct series_strings s;
    struct matcher m = matcher_by_hand(MATCH_EQUAL, "job", "a");
    world_add(w, "__name__=up job=a", SAMPLE_VALUE, BASE_MS, 1);
    world_add(w, "__name__=up job=b host=x", SAMPLE_VALUE, BASE_MS, 1);
    world_cut(w);
    world_add(w, "__name__=down job=c", SAMPLE_VALUE, BASE_MS + 100000, 1);
    series_store_label_names(w->store, NULL, 0, INT64_MIN, INT64_MAX, &s);
    assert_strings(&s, "__name__ host job");
    series_store_label_values(w->store, text("job"), NULL, 0, INT64_MIN, INT64_MAX, &s);
    assert_strings(&s, "a b c");
    series_store_label_values(w->store, text("job"), NULL, 0, BASE_MS + 1, INT64_MAX, &s);
    assert_true(s.count >= 1); /* the head's index may know more */
    free(s.items);
    series_store_label_values(w->store, text(LABEL_METRIC), &m, 1, INT64_MIN, INT64_MAX, &s);
    assert_strings(&s, "up");
    series_store_label_names(w->store, &m, 1, INT64_MIN, INT64_MAX, &s);
    assert_strings(&s, "__name__ job");
    series_store_label_values(w->store, text("none"), NULL, 0, INT64_MIN, INT64_MAX, &s);
    assert_strings(&s, "");
}

static void metadata_outlives_a_restart(void **state)
{
    struct world *w = *state;
    struct arena arena;
    struct series_metadata *list;
    size_t count;
    struct series_metadata up = {text("up"), text("whether"), text(""), METRIC_UNKNOWN};
    arena_init(&arena, 1024);
    world_begin(w);
    series_store_describe(w->store, &up);
    up = (struct series_metadata){text("up"), text(""), text("bool"), METRIC_GAUGE};
    series_store_describe(w->store, &up);
    up.metric = text("a");
    series_store_describe(w->store, &up);
    world_append(w, "__name__=up", SAMPLE_VALUE, BASE_MS, 1, NULL);
    series_store_commit(w->store);
    world_cut(w);
    world_reopen(w);
    assert_int_equal(series_store_metadata(w->store, NULL, &arena, &list, &count), 0);
    assert_int_equal(count, 2);
    assert_true(batch_str_is(list[0].metric, "a") && batch_str_is(list[1].metric, "up"));
    assert_true(batch_str_is(list[1].help, "whether") && batch_str_is(list[1].unit, "bool"));
    assert_int_equal(list[1].type, METRIC_GAUGE);
    struct batch_str only = text("up");
    assert_int_equal(series_store_metadata(w->store, &only, &arena, &list, &count), 0);
    assert_int_equal(count, 1);
    arena_fini(&arena);
}

static void the_newest_exemplars_are_kept(void **state)
{
    struct world *w = *state;
    struct series_exemplars *list;
    struct arena arena;
    size_t count;
    struct matcher m = matcher_by_hand(MATCH_NOT_EQUAL, "job", "b");
    arena_init(&arena, 1024);
    world_begin(w);
    for (int i = 0; i < 6; i++) {
        char trace[16];
        snprintf(trace, sizeof trace, "%d", i);
        struct label id = {text("trace_id"), text(trace)};
        struct exemplar e = {{&id, 1}, i, BASE_MS + 6 - i};
        series_ref ref = world_series(w, i % 2 ? "__name__=x job=a" : "__name__=x job=b");
        series_store_exemplar(w->store, ref, &e);
        if (i == 5)
            series_store_exemplar(w->store, ref, &e);
    }
    static char longest[EXEMPLAR_LABEL_BYTES_MAX]; /* and the name: so much is not kept */
    struct label too_long = {text("trace_id"), {longest, sizeof longest}};
    series_store_exemplar(w->store, world_series(w, "__name__=x job=a"),
                          &(struct exemplar){{&too_long, 1}, 7, BASE_MS + 7});
    series_store_commit(w->store);
    assert_int_equal(
        series_store_exemplars(w->store, &m, 1, INT64_MIN, INT64_MAX, &arena, &list, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(list[0].count, 2);
    assert_true(list[0].list[0].value == 5 && list[0].list[1].value == 3);
    assert_true(batch_str_is(labels_get_text(&list[0].list[1].labels, "trace_id"), "3"));
    assert_true(batch_str_is(labels_get_text(&list[0].labels, "job"), "a"));
    assert_int_equal(
        series_store_exemplars(w->store, NULL, 0, BASE_MS, BASE_MS + 2, &arena, &list, &count), 0);
    assert_int_equal(count, 2);
    arena_fini(&arena);
}

static void the_heads_status(void **state)
{
    struct world *w = *state;
    struct series_head_status status;
    struct arena arena;
    arena_init(&arena, 1024);
    for (int i = 0; i < 5; i++) {
        char labels[64];
        snprintf(labels, sizeof labels, "__name__=%s pod=p%d", i < 3 ? "big" : "small", i);
        world_add(w, labels, SAMPLE_VALUE, BASE_MS + i, 1);
    }
    assert_int_equal(series_store_head_status(w->store, 1, &arena, &status), 0);
    assert_int_equal(status.series, 5);
    assert_int_equal(status.label_pairs, 7);
    assert_int_equal(status.chunks, 5);
    assert_int_equal(status.min_ms, BASE_MS);
    assert_int_equal(status.max_ms, BASE_MS + 4);
    assert_true(status.by_metric_count == 1 && status.by_metric[0].count == 3 &&
                batch_str_is(status.by_metric[0].name, "big"));
    assert_true(status.values_by_label[0].count == 5 &&
                batch_str_is(status.values_by_label[0].name, "pod"));
    assert_true(status.by_pair[0].count == 3 && batch_str_is(status.by_pair[0].value, "big"));
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_appended_is_read, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(late_samples_are_sorted_in_and_the_later_word_counts,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(blocks_go_on_where_the_ledger_does, world_setup_cutting,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(batches_without_samples_move_the_ledgers_end_too,
                                        world_setup_cutting, world_teardown),
        cmocka_unit_test_setup_teardown(names_and_values_of_labels, world_setup_cutting,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(metadata_outlives_a_restart, world_setup_cutting,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(the_newest_exemplars_are_kept, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(the_heads_status, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
