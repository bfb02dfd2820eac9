// SPDX-License-Identifier: Apache-2.0
/* The engine finds what the reference evaluator finds, for random queries of random spans,
 * wherever these lie: in batches, in segments that were merged, over segments and the head. */
#include <sched.h>

#include "collector/query/query.h"
#include "collector/query/scan.h"
#include "collector/query/traceql/print.h"
#include "collector/traces/store_internal.h"
#include "tests/unit/collector/query/traceql/reference_query.h"

enum { DATASETS = 200, QUERIES = 60, STORED = 12 };

/* ---- answers as text: newest trace first, sets by their first span ----------------------- */

static int by_text(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* A trace's sets as lines of span ids, in an order that does not depend on how they were found. */
static void write_sets(struct buffer *out, uint64_t trace, char **sets, uint32_t count)
{
    qsort((void *)sets, count, sizeof *sets, by_text);
    if (count > 0)
        buffer_printf(out, "%llu:", (unsigned long long)trace);
    for (uint32_t i = 0; i < count; i++) {
        buffer_printf(out, " (%s)", sets[i]);
        free(sets[i]);
    }
    if (count > 0)
        buffer_byte(out, '\n');
}

static void found_text(const struct traceql_search *a, struct buffer *out)
{
    for (uint32_t i = 0; i < a->count; i++) {
        const struct traceql_found *t = a->traces[i];
        char *sets[REFERENCE_ROWS];
        for (uint32_t j = 0; j < t->set_count; j++) {
            struct buffer b = {0};
            for (uint32_t k = 0; k < t->sets[j].span_count; k++)
                buffer_printf(&b, " %llu@%llu", (unsigned long long)t->sets[j].spans[k].span_id,
                              (unsigned long long)(t->sets[j].spans[k].start_unix_ns - EPOCH));
            sets[j] = strdup(buffer_cstring(&b));
            buffer_fini(&b);
        }
        write_sets(out, t->trace.id.lo, sets, t->set_count);
    }
    buffer_cstring(out);
}

static int newest_first(const void *left, const void *right)
{
    uint64_t a = (*(const struct reference_trace *const *)left)->start_unix_ns,
             b = (*(const struct reference_trace *const *)right)->start_unix_ns;
    return (a < b) - (a > b);
}

static void expected_text(const struct traceql_query *q, const struct data *d, struct buffer *out)
{
    const struct reference_trace *traces[DATA_TRACES];
    for (uint32_t i = 0; i < d->trace_count; i++)
        traces[i] = &d->traces[i];
    qsort((void *)traces, d->trace_count, sizeof *traces, newest_first);
    for (uint32_t i = 0; i < d->trace_count; i++) {
        struct reference_sets found;
        char *sets[REFERENCE_ROWS];
        reference_search(q, traces[i], &found);
        for (uint32_t j = 0; j < found.count; j++) {
            struct buffer b = {0};
            for (uint32_t row = 0; row < traces[i]->rows; row++)
                if (found.list[j] >> row & 1)
                    buffer_printf(&b, " %llu@%llu", (unsigned long long)traces[i]->row[row]->id,
                                  (unsigned long long)(traces[i]->row[row]->start_unix_ns - EPOCH));
            sets[j] = strdup(buffer_cstring(&b));
            buffer_fini(&b);
        }
        write_sets(out, traces[i]->id.lo, sets, found.count);
    }
    buffer_cstring(out);
}

/* ---- the data, for who looks into a mismatch --------------------------------------------- */

static void tell_attributes(const char *what, const struct reference_attributes *a)
{
    for (uint32_t i = 0; i < a->count; i++) {
        struct buffer b = {0};
        traceql_print_value(&b, &a->list[i].value);
        print_error(" %s%s=%s", what, a->list[i].key, buffer_cstring(&b));
        buffer_fini(&b);
    }
}

static void tell_span(const struct reference_span *s)
{
    print_error("  id %llu parent %llu at %llu for %llu ms %s kind %u status %u \"%s\" \"%s\"",
                (unsigned long long)s->id, (unsigned long long)s->parent_id,
                (unsigned long long)(s->start_unix_ns - EPOCH),
                (unsigned long long)(s->duration_ns / MS), s->process->service, s->kind, s->status,
                s->name, s->message);
    tell_attributes("", &s->attributes);
    tell_attributes("resource.", &s->process->attributes);
    for (uint32_t i = 0; i < s->event_count; i++) {
        print_error(" event %s +%llu", s->events[i].name,
                    (unsigned long long)((s->events[i].unix_ns - s->start_unix_ns) / MS));
        tell_attributes("event.", &s->events[i].attributes);
    }
    for (uint32_t i = 0; i < s->link_count; i++) {
        print_error(" link %llx", (unsigned long long)s->links[i].span_id);
        tell_attributes("link.", &s->links[i].attributes);
    }
    print_error("\n");
}

static void tell(const struct data *d, uint64_t seed, const char *query, const char *expected,
                 const char *found)
{
    print_error("seed %llu\n%s\nexpected:\n%sfound:\n%s", (unsigned long long)seed, query, expected,
                found);
    for (uint32_t i = 0; i < d->trace_count; i++) {
        print_error("trace %llu\n", (unsigned long long)d->traces[i].id.lo);
        for (uint32_t row = 0; row < d->traces[i].rows; row++)
            tell_span(d->traces[i].row[row]);
    }
}

/* ---- one query --------------------------------------------------------------------------- */

struct score {
    uint32_t asked, meaningless, empty;
};

/* False, told, where the engine finds something else. */
static bool agrees(const struct data *d, const struct traceql_source *source, uint64_t seed,
                   struct score *score)
{
    struct arena arena;
    struct traceql_query *q;
    struct language_error e;
    struct traceql_search answer;
    struct buffer text = any_query(seed), expected = {0}, found = {0};
    struct traceql_options options = {.end_unix_ns = UINT64_MAX, .threads = 1 + seed % 2};
    bool right = true;
    arena_init(&arena, 4096);
    enum language_fault fault =
        traceql_parse(&arena, buffer_cstring(&text), strlen(buffer_cstring(&text)), &q, &e);
    assert_int_not_equal(fault, LANGUAGE_ESYNTAX);
    score->meaningless += fault != LANGUAGE_SOUND;
    if (fault == LANGUAGE_SOUND) {
        score->asked++;
        assert_true(traceql_search(q, source, &options, DATA_TRACES, REFERENCE_ROWS, &answer));
        assert_int_equal(answer.end, TRACEQL_END_ALL);
        found_text(&answer, &found);
        expected_text(q, d, &expected);
        score->empty += expected.length == 0;
        right = strcmp(buffer_cstring(&expected), buffer_cstring(&found)) == 0;
        if (!right)
            tell(d, seed, buffer_cstring(&text), buffer_cstring(&expected), buffer_cstring(&found));
        traceql_search_fini(&answer);
    }
    arena_fini(&arena);
    buffer_fini(&text);
    buffer_fini(&expected);
    buffer_fini(&found);
    return right;
}

static void compare(const struct data *d, const struct traceql_source *source, uint64_t seed,
                    struct score *score)
{
    for (uint32_t i = 0; i < QUERIES; i++)
        if (!agrees(d, source, seed * 1000 + i, score))
            fail_msg("the engine and the reference disagree");
}

/* ---- where the spans lie ----------------------------------------------------------------- */

static void blocks_answer_as_the_reference(void **state)
{
    (void)state;
    struct score score = {0};
    struct data *d = calloc(1, sizeof *d);
    for (uint64_t seed = 1; seed <= DATASETS; seed++) {
        struct spans s;
        data_init(d, seed);
        data_batch(d, 0, DATA_BATCHES, &s);
        struct block_by_hand h = block_by_hand(&s);
        struct traceql_blocks blocks = {&h.block, NULL, 1};
        struct traceql_source source = traceql_source_of_blocks(&blocks);
        compare(d, &source, seed, &score);
        block_by_hand_fini(&h);
    }
    free(d);
    assert_true(score.meaningless < score.asked / 4);
    assert_true(score.empty < score.asked * 2 / 3);
}

static void ask_store(struct store *store, const struct data *d, uint64_t seed)
{
    struct score score = {0};
    struct query query = {.store = store, .inflight = inflight_create(1 << 20)};
    struct scan *scan = scan_create(&query, 0, UINT64_MAX, EPOCH);
    assert_non_null(scan);
    struct traceql_source source = traceql_source_of_scan(scan);
    compare(d, &source, seed, &score);
    scan_destroy(&scan);
    inflight_destroy(&query.inflight);
}

static void insert_batches(struct store *store, const struct data *d, uint32_t first, uint32_t end,
                           bool cut)
{
    for (uint32_t i = first; i < end; i++) {
        struct spans s;
        struct store_stats stats;
        if (!data_batch(d, i, i + 1, &s))
            continue;
        spans_insert(&s, store);
        do {
            wakeup_all(&store->wakeup);
            sched_yield();
            store_stats(store, &stats);
        } while (cut && stats.head_spans > 0);
    }
}

static void merged(struct store *store)
{
    struct store_stats stats;
    do {
        sched_yield();
        store_stats(store, &stats);
    } while (stats.segments.segments > 3);
}

static struct store *reopened(struct store *store, const char *directory,
                              const struct store_options *options)
{
    char why[256];
    struct store_options o = *options;
    o.directory = directory;
    store_close(&store);
    store = store_open(&o, why, sizeof why);
    if (!store)
        fail_msg("%s", why);
    return store;
}

static void a_store_answers_as_the_reference(void **state)
{
    (void)state;
    static const struct store_options cut_at_once = {.head_bytes = 8 << 20, .cut_after_ns = 1};
    static const struct store_options keep_in_head = {.head_bytes = 8 << 20};
    struct data *d = calloc(1, sizeof *d);
    for (uint64_t seed = 1; seed <= STORED; seed++) {
        char directory[64];
        struct store *store = spans_store(directory, &cut_at_once);
        data_init(d, seed * 7919);
        insert_batches(store, d, 0, DATA_BATCHES / 2, true);
        if (seed % 2) /* over segments and the head; else in segments that were merged */
            store = reopened(store, directory, &keep_in_head);
        insert_batches(store, d, DATA_BATCHES / 2, DATA_BATCHES, seed % 2 == 0);
        if (seed % 2 == 0)
            merged(store);
        ask_store(store, d, seed * 7919);
        spans_store_remove(&store, directory);
    }
    free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_answer_as_the_reference),
        cmocka_unit_test(a_store_answers_as_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
