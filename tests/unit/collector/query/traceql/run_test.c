// SPDX-License-Identifier: Apache-2.0
/* How a query goes through many units: what it opens, what it passes over, what ends it. */
#include "tests/unit/collector/query/traceql/blocks.h"

enum { UNITS = 12, TRACES = 20 };

/* Units of traces whose starts are mixed: trace t of unit u starts at mixed(u, t) ms. */
struct world {
    struct block_by_hand units[UNITS];
    struct block_bounds bounds[UNITS];
    struct traceql_source source;
    atomic_int opened;
    int elsewhere; /* traces of this unit are elsewhere; -1: of none */
    struct arena arena;
};

static uint64_t mixed(unsigned unit, unsigned trace)
{
    return (UNITS - unit) * 50 + (trace * 7919u) % 101;
}

static const struct block_bounds *bounds_of(void *context, size_t unit)
{
    return &((struct world *)context)->bounds[unit];
}

static struct block *open_unit(void *context, size_t unit)
{
    struct world *w = context;
    atomic_fetch_add(&w->opened, 1);
    return w->units[unit].block;
}

static void leave_open(struct block **block)
{
    *block = NULL;
}

static bool is_elsewhere(void *context, size_t unit, struct trace_id id)
{
    (void)id;
    return ((struct world *)context)->elsewhere == (int)unit;
}

static void make_unit(struct world *w, unsigned unit)
{
    struct spans s;
    spans_begin(&s);
    uint32_t process = spans_process(&s, 1, unit % 2 ? "odd" : "even");
    struct block_bounds *b = &w->bounds[unit];
    *b = (struct block_bounds){.rows = 2 * TRACES, .traces = TRACES, .bytes = 100};
    b->start_min_unix_ns = UINT64_MAX;
    for (unsigned t = 0; t < TRACES; t++) {
        uint64_t at = mixed(unit, t), id = unit * 1000 + t;
        spans_add(&s, (struct span_by_hand){process, "root", id, id * 2 + 1, 0, at, 10 + unit,
                                            SPAN_SERVER, SPAN_OK});
        with_int(&s, "number", (int64_t)id);
        spans_add(&s, (struct span_by_hand){process, "leaf", id, id * 2 + 2, id * 2 + 1, at + 1, 1,
                                            SPAN_CLIENT, unit == 3 ? SPAN_ERROR : SPAN_OK});
        uint64_t start = EPOCH + at * MS;
        b->start_min_unix_ns = start < b->start_min_unix_ns ? start : b->start_min_unix_ns;
        b->start_max_unix_ns =
            start + MS > b->start_max_unix_ns ? start + MS : b->start_max_unix_ns;
    }
    b->end_max_unix_ns = b->start_max_unix_ns + (10 + unit) * MS;
    b->duration_min_ns = MS;
    b->duration_max_ns = (10 + unit) * MS;
    b->kinds = 1 << SPAN_SERVER | 1 << SPAN_CLIENT;
    b->statuses = unit == 3 ? 1 << SPAN_OK | 1 << SPAN_ERROR : 1 << SPAN_OK;
    w->units[unit] = block_by_hand(&s);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    for (unsigned unit = 0; unit < UNITS; unit++)
        make_unit(w, unit);
    w->source = (struct traceql_source){w, UNITS, bounds_of, open_unit, leave_open, is_elsewhere};
    w->elsewhere = -1;
    arena_init(&w->arena, 4096);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    for (unsigned unit = 0; unit < UNITS; unit++)
        block_by_hand_fini(&w->units[unit]);
    arena_fini(&w->arena);
    free(w);
    return 0;
}

static struct traceql_search search(struct world *w, const char *text,
                                    const struct traceql_options *options, uint32_t limit)
{
    struct traceql_search a;
    atomic_store(&w->opened, 0);
    assert_true(traceql_search(parsed(&w->arena, text), &w->source, options, limit, 3, &a));
    return a;
}

static struct traceql_options everything(unsigned threads)
{
    return (struct traceql_options){.end_unix_ns = UINT64_MAX, .threads = threads};
}

static int newest_first(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return (*a < *b) - (*a > *b);
}

static void the_newest_are_found_exactly_whatever_the_threads(void **state)
{
    struct world *w = *state;
    uint64_t starts[UNITS * TRACES];
    for (unsigned i = 0; i < UNITS * TRACES; i++)
        starts[i] = EPOCH + mixed(i / TRACES, i % TRACES) * MS;
    qsort(starts, UNITS * TRACES, sizeof *starts, newest_first);
    struct trace_id first[30];
    for (unsigned threads = 1; threads <= 4; threads++) {
        struct traceql_options options = everything(threads);
        struct traceql_search a = search(w, "{ name = \"leaf\" }", &options, 30);
        assert_int_equal(a.count, 30);
        assert_int_equal(a.end, TRACEQL_END_LIMIT);
        assert_true(a.more);
        for (unsigned i = 0; i < 30; i++) {
            assert_int_equal(a.traces[i]->trace.start_unix_ns, starts[i]);
            if (threads == 1)
                first[i] = a.traces[i]->trace.id;
            assert_int_equal(a.traces[i]->trace.id.lo, first[i].lo);
        }
        traceql_search_fini(&a);
    }
}

static void older_units_are_not_opened_once_the_limit_is_held(void **state)
{
    struct world *w = *state;
    struct traceql_options options = everything(1);
    struct traceql_search a = search(w, "{ }", &options, 5);
    assert_int_equal(a.count, 5);
    assert_in_range(atomic_load(&w->opened), 1, 4);
    assert_int_equal(a.progress.units_read, atomic_load(&w->opened));
    assert_int_equal(a.progress.units_done, UNITS);
    assert_int_equal(a.progress.rows_done, a.progress.rows);
    assert_int_equal(a.progress.bytes, 100 * UNITS);
    traceql_search_fini(&a);
}

static void all_that_match_is_no_limit(void **state)
{
    struct world *w = *state;
    struct traceql_options options = everything(2);
    struct traceql_search a = search(w, "{ status = error }", &options, TRACES);
    assert_int_equal(a.count, TRACES);
    assert_int_equal(a.end, TRACEQL_END_ALL);
    assert_false(a.more);
    traceql_search_fini(&a);
}

static void units_are_passed_over_by_their_bounds(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *query;
        int opened;
    } questions[] = {
        {"{ status = error }", 1},
        {"{ status = died }", 0},
        {"{ kind = producer }", 0},
        {"{ duration > 20ms }", 1},
        {"{ duration < 1ms }", 0},
        {"{ duration >= 20ms && status = ok }", 2},
        {"{ status = error } && { duration > 13ms }", 0},
        {"{ status = error } || { duration > 20ms }", 2},
        {"{ status = error } !>> { kind = producer }", 0},
        {"{ kind = producer } !>> { status = error }", 1},
        {"{ } | { status = error } | count() > 0", 1},
        {"{ duration != 5ms || 1 = 2 }", UNITS},
        {"{ trace:duration > 1s }", 0},
        {"{ !(status = died) }", UNITS},
    };
    struct traceql_options options = everything(1);
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        struct traceql_search a = search(w, questions[i].query, &options, 1000);
        if (atomic_load(&w->opened) != questions[i].opened)
            fail_msg("%s opens %d units", questions[i].query, atomic_load(&w->opened));
        traceql_search_fini(&a);
    }
}

static void traces_in_time_are_found(void **state)
{
    struct world *w = *state;
    struct traceql_options options = everything(1);
    options.start_unix_ns = EPOCH + 300 * MS;
    options.end_unix_ns = EPOCH + 310 * MS;
    unsigned expected = 0;
    for (unsigned u = 0; u < UNITS; u++)
        for (unsigned t = 0; t < TRACES; t++)
            expected += mixed(u, t) < 310 && mixed(u, t) + 10 + u >= 300;
    struct traceql_search a = search(w, "{ }", &options, 1000);
    assert_in_range(expected, 1, UNITS * TRACES - 1);
    assert_int_equal(a.count, expected);
    traceql_search_fini(&a);
}

static void pieces_of_traces_that_are_elsewhere_are_passed_over(void **state)
{
    struct world *w = *state;
    struct traceql_metrics_answer m;
    struct traceql_options options = everything(1);
    w->elsewhere = 5;
    struct traceql_search a = search(w, "{ }", &options, 1000);
    assert_int_equal(a.count, (UNITS - 1) * TRACES);
    traceql_search_fini(&a);
    assert_true(traceql_measure(parsed(&w->arena, "{ } | count_over_time()"), &w->source, &options,
                                0, 0, &m));
    assert_int_equal((int)m.series[0].values[0], (UNITS - 1) * TRACES * 2);
    traceql_metrics_fini(&m);
}

static void damage_is_counted_and_the_rest_answered(void **state)
{
    struct world *w = *state;
    struct traceql_options options = everything(2);
    w->units[4].block->error = BLOCK_EDAMAGED;
    w->units[7].block->error = BLOCK_EIO;
    struct traceql_search a = search(w, "{ }", &options, 1000);
    assert_int_equal(a.count, (UNITS - 2) * TRACES);
    assert_int_equal(a.progress.damaged_units, 2);
    assert_int_equal(a.end, TRACEQL_END_ALL);
    traceql_search_fini(&a);
}

static void memory_that_is_out_in_a_unit_ends_the_query(void **state)
{
    struct world *w = *state;
    struct traceql_options options = everything(1);
    w->units[4].block->error = BLOCK_ENOMEM;
    struct traceql_search a = search(w, "{ }", &options, 1000);
    assert_int_equal(a.end, TRACEQL_END_NO_MEMORY);
    assert_int_equal(a.count, 4 * TRACES);
    assert_true(a.more);
    traceql_search_fini(&a);
}

struct watch {
    atomic_bool cancel;
    uint64_t calls, traces, last_done;
};

static void cancel_after_three(void *context, const struct traceql_progress *p)
{
    struct watch *watch = context;
    watch->calls++;
    assert_true(p->units_done > watch->last_done);
    watch->last_done = p->units_done;
    if (p->units_done == 3)
        atomic_store(&watch->cancel, true);
}

static void count_traces(void *context, const struct traceql_found *trace)
{
    assert_true(trace->set_count == 1 && trace->trace.spans == 2);
    ((struct watch *)context)->traces++;
}

static void a_query_can_be_watched_and_cancelled(void **state)
{
    struct world *w = *state;
    struct watch watch = {.calls = 0};
    struct traceql_options options = everything(1);
    options.cancel = &watch.cancel;
    options.context = &watch;
    options.on_progress = cancel_after_three;
    options.on_trace = count_traces;
    struct traceql_search a = search(w, "{ kind = server }", &options, 1000);
    assert_int_equal(a.end, TRACEQL_END_CANCELLED);
    assert_int_equal(watch.calls, 3);
    assert_int_equal(watch.traces, 3 * TRACES);
    assert_int_equal(a.count, 3 * TRACES);
    assert_true(a.more);
    traceql_search_fini(&a);
}

static void a_deadline_ends_a_query(void **state)
{
    struct world *w = *state;
    struct traceql_options options = everything(2);
    options.deadline_monotonic_ns = 1;
    struct traceql_search a = search(w, "{ }", &options, 1000);
    assert_int_equal(a.end, TRACEQL_END_DEADLINE);
    assert_int_equal(a.count, 0);
    traceql_search_fini(&a);
}

static void too_much_memory_ends_a_query_with_what_it_has(void **state)
{
    struct world *w = *state;
    struct traceql_options options = everything(1);
    options.memory_bytes = 700 << 10; /* two arenas and some results */
    struct traceql_search a = search(w, "{ }", &options, 1000);
    assert_int_equal(a.end, TRACEQL_END_MEMORY);
    assert_in_range(a.count, 1, UNITS * TRACES - 1);
    traceql_search_fini(&a);
    options.memory_bytes = 1000;
    a = search(w, "{ }", &options, 1000);
    assert_int_equal(a.end, TRACEQL_END_MEMORY);
    traceql_search_fini(&a);
}

static void series_that_are_too_many_end_a_query(void **state)
{
    struct world *w = *state;
    struct traceql_metrics_answer m;
    struct traceql_options options = everything(1);
    options.end_unix_ns = EPOCH + 100000 * MS;
    options.start_unix_ns = EPOCH;
    options.memory_bytes = 2 << 20;
    const struct traceql_query *q = parsed(&w->arena, "{ } | count_over_time() by (span.number)");
    assert_true(traceql_measure(q, &w->source, &options, 10 * MS, 0, &m));
    assert_int_equal(m.end, TRACEQL_END_MEMORY);
    traceql_metrics_fini(&m);
    options.memory_bytes = 0;
    assert_true(traceql_measure(q, &w->source, &options, 10000 * MS, 0, &m));
    assert_int_equal(m.end, TRACEQL_END_ALL);
    assert_int_equal(m.count, UNITS * TRACES + 1);
    traceql_metrics_fini(&m);
}

static void metrics_do_not_depend_on_the_threads(void **state)
{
    struct world *w = *state;
    const struct traceql_query *q = parsed(
        &w->arena, "{ } | quantile_over_time(duration, 0.5) by (resource.service.name, name)");
    struct traceql_metrics_answer one, many;
    struct traceql_options options = everything(1);
    options.start_unix_ns = EPOCH;
    options.end_unix_ns = EPOCH + 1000 * MS;
    assert_true(traceql_measure(q, &w->source, &options, 100 * MS, 3, &one));
    options.threads = 4;
    assert_true(traceql_measure(q, &w->source, &options, 100 * MS, 3, &many));
    assert_int_equal(one.count, 4);
    assert_int_equal(many.count, 4);
    assert_int_equal(one.progress.matched, UNITS * TRACES * 2);
    for (uint32_t i = 0; i < one.count; i++) {
        assert_memory_equal(one.series[i].values, many.series[i].values, 10 * sizeof(double));
        assert_int_equal(one.series[i].exemplar_count, many.series[i].exemplar_count);
        assert_int_equal(one.series[i].exemplars[0].span_id, many.series[i].exemplars[0].span_id);
    }
    traceql_metrics_fini(&one);
    traceql_metrics_fini(&many);
}

int main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_WORLD(the_newest_are_found_exactly_whatever_the_threads),
        IN_WORLD(older_units_are_not_opened_once_the_limit_is_held),
        IN_WORLD(all_that_match_is_no_limit),
        IN_WORLD(units_are_passed_over_by_their_bounds),
        IN_WORLD(traces_in_time_are_found),
        IN_WORLD(pieces_of_traces_that_are_elsewhere_are_passed_over),
        IN_WORLD(damage_is_counted_and_the_rest_answered),
        IN_WORLD(memory_that_is_out_in_a_unit_ends_the_query),
        IN_WORLD(a_query_can_be_watched_and_cancelled),
        IN_WORLD(a_deadline_ends_a_query),
        IN_WORLD(too_much_memory_ends_a_query_with_what_it_has),
        IN_WORLD(series_that_are_too_many_end_a_query),
        IN_WORLD(metrics_do_not_depend_on_the_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
