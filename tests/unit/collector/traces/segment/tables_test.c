// SPDX-License-Identifier: Apache-2.0
/* What a segment tells of the whole: summary, bounds, processes, names, losses, continued
 * traces. */
#include "collector/traces/segment/tables.h"

#include <pthread.h>

#include "collector/traces/segment/filter.h"
#include "tests/unit/collector/traces/segment/segment_fixture.h"

static const struct random_options rich = {.traces = 80, .spans_most = 12, .richness = 2};

static void the_summary_adds_up(void **state)
{
    (void)state;
    struct random_spans r;
    random_spans_init(&r, 5, &rich);
    struct segment *s = fixture_write(&r, 50, 100);
    const struct segment_summary *summary = segment_summary(s);
    uint64_t spans = 0, errors = 0, min = UINT64_MAX, max = 0, end = 0;
    for (uint32_t t = 0; t < r.trace_count; t++) {
        for (uint32_t i = 0; i < r.traces[t].count; i++, spans++) {
            const struct batch *b = r.traces[t].rows[i].batch;
            uint32_t row = r.traces[t].rows[i].row;
            uint64_t start = b->start_unix_ns[row];
            errors += b->status[row] == SPAN_ERROR;
            min = start < min ? start : min;
            max = start > max ? start : max;
            end = start + b->duration_ns[row] > end ? start + b->duration_ns[row] : end;
        }
    }
    assert_int_equal(summary->spans, spans);
    assert_int_equal(summary->traces, r.trace_count);
    assert_int_equal(summary->errors, errors);
    assert_int_equal(summary->died, 0);
    assert_int_equal(summary->start_min_unix_ns, min);
    assert_int_equal(summary->start_max_unix_ns, max);
    assert_int_equal(summary->end_max_unix_ns, end);
    assert_int_equal(summary->first, 3);
    assert_int_equal(summary->last, 4);
    segment_close(&s);
    random_spans_fini(&r);
}

static void bounds_hold_for_every_row(void **state)
{
    (void)state;
    struct random_spans r;
    struct random_options wild = rich;
    wild.wild = true;
    random_spans_init(&r, 6, &wild);
    struct segment *s = fixture_write(&r, 50, 100);
    uint64_t rows = 0;
    for (uint32_t g = 0; g < segment_summary(s)->groups; g++) {
        const struct block_bounds *bounds = segment_group_bounds(s, g);
        struct block *b = segment_group(s, g);
        uint8_t kinds = 0, statuses = 0;
        assert_int_equal(b->rows, bounds->rows);
        assert_int_equal(b->trace_count, bounds->traces);
        assert_true(bounds->rows <= 100);
        for (uint32_t i = 0; i < b->rows; i++, rows++) {
            uint64_t start = block_u64(b, BLOCK_START)[i], end;
            uint64_t duration = block_u64(b, BLOCK_DURATION)[i];
            if (__builtin_add_overflow(start, duration, &end))
                end = UINT64_MAX;
            assert_true(start >= bounds->start_min_unix_ns && start <= bounds->start_max_unix_ns);
            assert_true(end <= bounds->end_max_unix_ns);
            assert_true(duration >= bounds->duration_min_ns && duration <= bounds->duration_max_ns);
            kinds |= (uint8_t)(1u << block_u8(b, BLOCK_KIND)[i]);
            statuses |= (uint8_t)(1u << block_u8(b, BLOCK_STATUS)[i]);
        }
        assert_int_equal(kinds, bounds->kinds);
        assert_int_equal(statuses, bounds->statuses);
        block_close(&b);
    }
    assert_int_equal(rows, segment_summary(s)->spans);
    segment_close(&s);
    random_spans_fini(&r);
}

static void an_empty_segment_is_one(void **state)
{
    (void)state;
    int fd;
    struct arena arena;
    struct segment_writer *w = fixture_begin(&fd, 0, 0);
    struct segment *s = fixture_finish(w, fd);
    struct segment_loss *losses;
    struct segment_service *services;
    struct segment_operation *operations;
    struct block_processes processes;
    struct span_run *runs;
    struct trace_id *ids;
    size_t count, operation_count;
    arena_init(&arena, 4096);
    assert_int_equal(segment_summary(s)->spans, 0);
    assert_int_equal(segment_summary(s)->groups, 0);
    assert_false(segment_may_have(s, (struct trace_id){1, 2}));
    assert_int_equal(segment_find(s, (struct trace_id){1, 2}, true, &arena, &runs, &count),
                     SEGMENT_OK);
    assert_int_equal(count, 0);
    assert_int_equal(segment_losses(s, &arena, &losses, &count), SEGMENT_OK);
    assert_int_equal(count, 0);
    assert_int_equal(segment_names(s, &arena, &services, &count, &operations, &operation_count),
                     SEGMENT_OK);
    assert_int_equal(count, 0);
    assert_int_equal(operation_count, 0);
    assert_int_equal(segment_processes(s, &arena, &processes), SEGMENT_OK);
    assert_int_equal(processes.count, 0);
    assert_int_equal(segment_continued(s, &ids, &count), SEGMENT_OK);
    assert_int_equal(count, 0);
    free(ids);
    segment_close(&s);
    arena_fini(&arena);
}

static void the_filter_knows_what_is_there_and_little_else(void **state)
{
    (void)state;
    enum { IDS = 3000, OTHERS = 100000 };
    uint32_t lines = filter_lines(IDS), wrong = 0;
    uint8_t *filter = calloc(lines, FILTER_LINE_BYTES);
    assert_non_null(filter);
    for (uint64_t i = 0; i < IDS; i++)
        filter_add(filter, lines, (struct trace_id){i, span_id_mix(i)});
    for (uint64_t i = 0; i < IDS; i++)
        assert_true(filter_may_have(filter, lines, (struct trace_id){i, span_id_mix(i)}));
    for (uint64_t i = 0; i < OTHERS; i++)
        wrong += filter_may_have(filter, lines, (struct trace_id){i, ~span_id_mix(i)});
    assert_true(wrong < OTHERS / 60);
    free(filter);
}

/* ---- tables ------------------------------------------------------------------------------ */

static void losses_come_back(void **state)
{
    (void)state;
    enum { LOSSES = 70000 }; /* more than a part of the table has */
    int fd;
    struct arena arena;
    struct segment_writer *w = fixture_begin(&fd, 0, 0);
    arena_init(&arena, 4096);
    for (uint32_t i = 0; i < LOSSES; i++) {
        struct segment_loss loss = {.agent = {"agent-12", i % 3 ? 7 : 8},
                                    .service = {"service", i % 5 ? 7 : 0},
                                    .process = {(uint8_t)i, 9},
                                    .reason = i % 40,
                                    .count = span_id_mix(i) >> i % 64,
                                    .from_unix_ns = i,
                                    .to_unix_ns = UINT64_MAX - i};
        assert_int_equal(segment_writer_loss(w, &loss), 0);
    }
    struct segment *s = fixture_finish(w, fd);
    struct segment_loss *losses;
    size_t count;
    assert_int_equal(segment_losses(s, &arena, &losses, &count), SEGMENT_OK);
    assert_int_equal(count, LOSSES);
    for (uint32_t i = 0; i < LOSSES; i++) {
        assert_int_equal(losses[i].agent.length, i % 3 ? 7 : 8);
        assert_memory_equal(losses[i].agent.bytes, "agent-12", losses[i].agent.length);
        assert_int_equal(losses[i].service.length, i % 5 ? 7 : 0);
        assert_int_equal(losses[i].process[0], (uint8_t)i);
        assert_int_equal(losses[i].process[1], 9);
        assert_int_equal(losses[i].reason, i % 40);
        assert_int_equal(losses[i].count, span_id_mix(i) >> i % 64);
        assert_int_equal(losses[i].from_unix_ns, i);
        assert_int_equal(losses[i].to_unix_ns, UINT64_MAX - i);
    }
    segment_close(&s);
    arena_fini(&arena);
}

/* However many there are: each counts, and the table does not grow without end. */
static void no_loss_is_dropped(void **state)
{
    (void)state;
    enum { LOSSES = SEGMENT_LOSSES_MAX + 5000, REASONS = 40 };
    int fd;
    struct arena arena;
    struct segment_writer *w = fixture_begin(&fd, 0, 0);
    uint64_t expected[REASONS] = {0}, got[REASONS] = {0};
    arena_init(&arena, 4096);
    for (uint32_t i = 0; i < LOSSES; i++) {
        struct segment_loss loss = {.agent = {"agent", 5},
                                    .reason = i % REASONS,
                                    .count = i,
                                    .from_unix_ns = i,
                                    .to_unix_ns = i + 1};
        expected[i % REASONS] += i;
        assert_int_equal(segment_writer_loss(w, &loss), 0);
    }
    struct segment *s = fixture_finish(w, fd);
    struct segment_loss *losses;
    size_t count;
    assert_int_equal(segment_losses(s, &arena, &losses, &count), SEGMENT_OK);
    assert_int_equal(count, SEGMENT_LOSSES_MAX + REASONS);
    for (size_t i = 0; i < count; i++)
        got[losses[i].reason] += losses[i].count;
    assert_memory_equal(got, expected, sizeof got);
    assert_int_equal(losses[count - 1].agent.length, 0);
    assert_true(losses[count - 1].to_unix_ns > LOSSES - REASONS);
    segment_close(&s);
    arena_fini(&arena);
}

static void continued_traces_come_back(void **state)
{
    (void)state;
    struct random_spans r;
    struct trace_id *ids;
    size_t count;
    random_spans_init(&r, 8, &rich);
    struct segment *s = fixture_write(&r, 0, 0); /* which continues every fifth */
    assert_int_equal(segment_continued(s, &ids, &count), SEGMENT_OK);
    assert_int_equal(count, (r.trace_count + 4) / 5);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(ids[i].hi, r.traces[i * 5].id.hi);
        assert_int_equal(ids[i].lo, r.traces[i * 5].id.lo);
    }
    free(ids);
    segment_close(&s);
    random_spans_fini(&r);
}

static bool is_named(struct batch_str s, struct batch_str name)
{
    return s.length == name.length && memcmp(s.bytes, name.bytes, s.length) == 0;
}

static void names_are_those_of_the_spans(void **state)
{
    (void)state;
    struct random_spans r;
    struct arena arena;
    struct segment_service *services;
    struct segment_operation *operations;
    size_t count, operation_count;
    uint64_t spans = 0, errors = 0;
    random_spans_init(&r, 9, &rich);
    struct segment *s = fixture_write(&r, 40, 80);
    arena_init(&arena, 4096);
    assert_int_equal(segment_names(s, &arena, &services, &count, &operations, &operation_count),
                     SEGMENT_OK);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++)
            assert_false(is_named(services[i].name, services[k].name));
        spans += services[i].spans;
        errors += services[i].errors;
    }
    assert_int_equal(spans, segment_summary(s)->spans);
    assert_int_equal(errors, segment_summary(s)->errors);
    bool *used = calloc(operation_count, sizeof *used);
    for (uint32_t t = 0; t < r.trace_count; t++) {
        for (uint32_t i = 0; i < r.traces[t].count; i++) {
            const struct batch *b = r.traces[t].rows[i].batch;
            uint32_t row = r.traces[t].rows[i].row, found = 0;
            for (size_t k = 0; k < operation_count; k++) {
                bool same = is_named(b->strings[b->name[row]], operations[k].name) &&
                            is_named(b->processes[b->process[row]].service,
                                     services[operations[k].service].name);
                found += same;
                used[k] |= same;
            }
            assert_int_equal(found, 1);
        }
    }
    for (size_t k = 0; k < operation_count; k++)
        assert_true(used[k]);
    free(used);
    segment_close(&s);
    arena_fini(&arena);
    random_spans_fini(&r);
}

/* ---- processes --------------------------------------------------------------------------- */

static struct batch *batch_of_process(struct random_spans *r, struct batch_process_info info,
                                      uint64_t trace)
{
    struct batch_builder *b = batch_builder_create();
    uint32_t process = batch_process(b, &info);
    batch_process_attribute(b, batch_string(b, "number", 6), VALUE_INT, info.pid);
    batch_span_add(b, &(struct batch_span){.process = process,
                                           .trace_id = {trace, trace},
                                           .span_id = trace,
                                           .start_unix_ns = trace});
    struct batch *batch = random_decode(r, b);
    batch_builder_destroy(&b);
    return batch;
}

static void add_trace(struct segment_writer *w, const struct batch *b)
{
    struct segment_row row = {b, 0, BLOCK_NONE};
    struct trace_id id = {b->trace_hi[0], b->trace_lo[0]};
    assert_int_equal(segment_writer_add(w, id, false, &row, 1), 0);
}

static void a_process_stands_there_once_as_it_was_seen_last(void **state)
{
    (void)state;
    int fd;
    struct random_spans r = {0};
    struct block_processes processes;
    struct batch_process_info alive = {.uuid = {1}, .service = "early", .state = PROCESS_ALIVE},
                              died = {.uuid = {1},
                                      .service = "late",
                                      .state = PROCESS_DIED,
                                      .state_unix_ns = 5};
    arena_init(&r.arena, 4096);
    struct segment_writer *w = fixture_begin(&fd, 1, 1);
    add_trace(w, batch_of_process(&r, alive, 1));
    add_trace(w, batch_of_process(&r, died, 2));
    add_trace(w, batch_of_process(&r, alive, 3));
    struct segment *s = fixture_finish(w, fd);
    assert_int_equal(segment_processes(s, &r.arena, &processes), SEGMENT_OK);
    assert_int_equal(processes.count, 1);
    assert_int_equal(processes.list[0].state, PROCESS_DIED);
    assert_int_equal(processes.list[0].state_unix_ns, 5);
    assert_true(is_named(processes.list[0].service, (struct batch_str){"late", 4}));
    segment_close(&s);
    arena_fini(&r.arena);
}

/* Each group has but a few of them, from several parts of the table. */
static void many_processes_are_told_apart(void **state)
{
    (void)state;
    enum { PROCESSES = 300 };
    int fd;
    struct random_spans r = {0};
    struct block_processes all;
    arena_init(&r.arena, 4096);
    struct segment_writer *w = fixture_begin(&fd, 7, 7);
    for (uint64_t i = 0; i < 2 * PROCESSES; i++) {
        uint32_t number = (uint32_t)(i * 7919 % PROCESSES);
        struct batch_process_info info = {.uuid = {(uint8_t)number, (uint8_t)(number >> 8)},
                                          .pid = number};
        add_trace(w, batch_of_process(&r, info, i + 1));
    }
    struct segment *s = fixture_finish(w, fd);
    assert_int_equal(segment_processes(s, &r.arena, &all), SEGMENT_OK);
    assert_int_equal(all.count, PROCESSES);
    uint64_t i = 0;
    for (uint32_t g = 0; g < segment_summary(s)->groups; g++) {
        struct block *b = segment_group(s, g);
        const struct block_processes *p = block_processes(b);
        const uint32_t *process = block_u32(b, BLOCK_PROCESS);
        assert_non_null(p);
        assert_int_equal(p->count, PROCESSES); /* all blocks show the same */
        for (uint32_t row = 0; row < b->rows; row++, i++) {
            const struct batch_process_view *view = &p->list[process[row]];
            assert_int_equal(view->pid, i * 7919 % PROCESSES);
            assert_int_equal(view->attribute_count, 1);
            assert_int_equal(p->resource->value[view->attribute_first], view->pid);
            assert_true(is_named(p->strings[p->resource->key[view->attribute_first]],
                                 (struct batch_str){"number", 6}));
        }
        segment_trim(s); /* nothing happens to what is in use */
        assert_int_equal(p->list[0].pid, 0);
        block_close(&b);
    }
    assert_int_equal(i, 2 * PROCESSES);
    size_t resident = segment_resident_bytes(s);
    segment_trim(s);
    assert_true(segment_resident_bytes(s) < resident);
    segment_close(&s);
    arena_fini(&r.arena);
}

/* ---- bytes ------------------------------------------------------------------------------- */

static void add_up(void *context, const char *column, uint64_t bytes)
{
    assert_string_not_equal(column, "?");
    *(uint64_t *)context += bytes;
}

static void columns_add_up_to_the_file(void **state)
{
    (void)state;
    struct random_spans r;
    uint64_t bytes = 0;
    random_spans_init(&r, 10, &rich);
    struct segment *s = fixture_write(&r, 50, 100);
    assert_int_equal(segment_bytes_by_column(s, add_up, &bytes), SEGMENT_OK);
    assert_int_equal(bytes, segment_summary(s)->file_bytes);
    segment_close(&s);
    random_spans_fini(&r);
}

static void details_follow_a_run_without(void **state)
{
    (void)state;
    struct random_spans r;
    struct arena arena;
    struct buffer expected = {0}, got = {0};
    random_spans_init(&r, 11, &rich);
    struct segment *s = fixture_write(&r, 10, 10);
    arena_init(&arena, 4096);
    for (uint32_t t = 0; t < r.trace_count; t++) {
        struct span_run *runs, details;
        size_t count;
        uint32_t at = 0;
        assert_int_equal(segment_find(s, r.traces[t].id, false, &arena, &runs, &count), SEGMENT_OK);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(segment_find_details(&runs[i], &arena, &details), SEGMENT_OK);
            assert_int_equal(details.count, runs[i].count);
            for (uint32_t row = 0; row < details.count; row++, at++) {
                text_of_span(&expected, r.traces[t].rows[at].batch, r.traces[t].rows[at].row, true);
                text_of_span(&got, details.batch, details.row + row, true);
                assert_string_equal(buffer_cstring(&expected), buffer_cstring(&got));
                buffer_clear(&expected);
                buffer_clear(&got);
            }
        }
        assert_int_equal(at, r.traces[t].count);
    }
    buffer_fini(&expected);
    buffer_fini(&got);
    segment_close(&s);
    arena_fini(&arena);
    random_spans_fini(&r);
}

/* ---- threads ----------------------------------------------------------------------------- */

struct reading {
    pthread_t thread;
    struct segment *segment;
    const struct random_spans *spans;
    uint64_t rows, wrong;
};

static void *read_everything(void *context)
{
    struct reading *r = context;
    struct arena arena;
    arena_init(&arena, 4096);
    for (uint32_t t = 0; t < r->spans->trace_count; t++) {
        struct span_run *runs;
        size_t count;
        if (segment_find(r->segment, r->spans->traces[t].id, true, &arena, &runs, &count))
            r->wrong++;
        for (size_t i = 0; i < count; i++)
            r->rows += runs[i].count;
    }
    for (uint32_t g = 0; g < segment_summary(r->segment)->groups; g++) {
        struct block *b = segment_group(r->segment, g);
        r->wrong += !b || !block_processes(b) || !block_u32(b, BLOCK_PROCESS) ||
                    !block_u64(b, BLOCK_START) || !block_strings(b);
        block_close(&b);
        segment_trim(r->segment);
    }
    arena_fini(&arena);
    return NULL;
}

static void any_number_of_threads_read(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    struct random_spans r;
    struct reading readings[THREADS] = {0};
    random_spans_init(&r, 14, &rich);
    struct segment *s = fixture_write(&r, 20, 40);
    for (int i = 0; i < THREADS; i++) {
        readings[i] = (struct reading){.segment = s, .spans = &r};
        assert_int_equal(pthread_create(&readings[i].thread, NULL, read_everything, &readings[i]),
                         0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(readings[i].thread, NULL);
        assert_int_equal(readings[i].wrong, 0);
        assert_int_equal(readings[i].rows, segment_summary(s)->spans);
    }
    segment_close(&s);
    random_spans_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_summary_adds_up),
        cmocka_unit_test(bounds_hold_for_every_row),
        cmocka_unit_test(an_empty_segment_is_one),
        cmocka_unit_test(the_filter_knows_what_is_there_and_little_else),
        cmocka_unit_test(losses_come_back),
        cmocka_unit_test(no_loss_is_dropped),
        cmocka_unit_test(continued_traces_come_back),
        cmocka_unit_test(names_are_those_of_the_spans),
        cmocka_unit_test(a_process_stands_there_once_as_it_was_seen_last),
        cmocka_unit_test(many_processes_are_told_apart),
        cmocka_unit_test(columns_add_up_to_the_file),
        cmocka_unit_test(any_number_of_threads_read),
        cmocka_unit_test(details_follow_a_run_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
