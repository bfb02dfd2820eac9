// SPDX-License-Identifier: Apache-2.0
/* Whatever spans come, in whatever batches: after any sequence of inserting, cutting, merging and
 * restarting, the store has each of them once, and the same to the last byte. A list of encoded
 * batches plays the ledger: a restart inserts again what store_ledger_end leaves. */
#include <sched.h>

#include "collector/traces/store_internal.h"
#include "tests/unit/collector/spans.h"
#include "tests/unit/collector/traces/segment/random_spans.h"

enum { BATCHES = 24, WORLDS = 10, STEPS = 14 };

struct line {
    uint32_t trace, batch;
    char *text;
};

struct world {
    struct random_spans spans;
    struct buffer ledger[BATCHES];
    struct line *lines;
    uint32_t line_count, inserted; /* batches */
    struct store *store;
    char directory[64];
};

/* ---- spans of decoded batches, put into others ------------------------------------------- */

static uint32_t string_again(struct batch_builder *out, struct batch_str s)
{
    return batch_string(out, s.bytes, s.length);
}

static uint64_t value_again(struct batch_builder *out, const struct batch *b, uint8_t type,
                            uint64_t value)
{
    bool text = type == VALUE_STRING || type == VALUE_BYTES;
    return text ? string_again(out, b->strings[value]) : value;
}

static void attributes_again(struct batch_builder *out, const struct batch *b, uint32_t first,
                             uint32_t count)
{
    const struct batch_attributes *a = &b->attributes;
    for (uint32_t i = first; i < first + count; i++)
        batch_attribute(out, string_again(out, b->strings[a->key[i]]), a->type[i],
                        value_again(out, b, a->type[i], a->value[i]));
}

static void span_again(struct batch_builder *out, const struct batch *b, uint32_t row)
{
    batch_span_add(out, &(struct batch_span){
                            .process = b->process[row],
                            .name = string_again(out, b->strings[b->name[row]]),
                            .trace_id = {b->trace_hi[row], b->trace_lo[row]},
                            .span_id = b->span_id[row],
                            .parent_id = b->parent_id[row],
                            .start_unix_ns = b->start_unix_ns[row],
                            .duration_ns = b->duration_ns[row],
                            .kind = b->kind[row],
                            .status = b->status[row],
                            .flags = b->flags[row],
                            .dropped_attributes = b->dropped_attributes[row],
                            .status_message = string_again(out, b->strings[b->status_message[row]]),
                            .tracestate = string_again(out, b->strings[b->tracestate[row]]),
                        });
    attributes_again(out, b, b->attribute_first[row], b->attribute_count[row]);
    for (uint32_t i = b->event_first[row]; i < b->event_first[row] + b->event_count[row]; i++) {
        batch_event(out, string_again(out, b->strings[b->event_name[i]]), b->event_unix_ns[i]);
        attributes_again(out, b, b->event_attribute_first[i], b->event_attribute_count[i]);
    }
    for (uint32_t i = b->link_first[row]; i < b->link_first[row] + b->link_count[row]; i++) {
        batch_link(out, (struct trace_id){b->link_trace_hi[i], b->link_trace_lo[i]},
                   b->link_span_id[i]);
        attributes_again(out, b, b->link_attribute_first[i], b->link_attribute_count[i]);
    }
}

static char *text_of(struct buffer *scratch, const struct batch *b, uint32_t row)
{
    buffer_clear(scratch);
    text_of_span(scratch, b, row, true);
    return strdup(buffer_cstring(scratch));
}

/* Each span goes into a batch of its own choice. */
static void make_ledger(struct world *w)
{
    struct batch_builder *builders[BATCHES];
    struct buffer scratch = {0};
    uint32_t room = 0;
    for (uint32_t i = 0; i < BATCHES; i++) {
        builders[i] = batch_builder_create();
        random_processes(builders[i], true);
    }
    for (uint32_t t = 0; t < w->spans.trace_count; t++)
        room += w->spans.traces[t].count;
    w->lines = calloc(room, sizeof *w->lines);
    for (uint32_t t = 0; t < w->spans.trace_count; t++) {
        uint32_t from = random_below(&w->spans, BATCHES), most = 1 + random_below(&w->spans, 8);
        for (uint32_t i = 0; i < w->spans.traces[t].count; i++) {
            const struct segment_row *row = &w->spans.traces[t].rows[i];
            uint32_t batch = (from + random_below(&w->spans, most)) % BATCHES;
            span_again(builders[batch], row->batch, row->row);
            w->lines[w->line_count++] =
                (struct line){t, batch, text_of(&scratch, row->batch, row->row)};
        }
    }
    for (uint32_t i = 0; i < BATCHES; i++) {
        assert_int_equal(batch_encode(builders[i], &w->ledger[i]), 0);
        batch_builder_destroy(&builders[i]);
    }
    buffer_fini(&scratch);
}

/* ---- what is there ----------------------------------------------------------------------- */

static int by_text(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static uint32_t expected_lines(const struct world *w, uint32_t trace, char **out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->line_count; i++)
        if (w->lines[i].trace == trace && w->lines[i].batch < w->inserted)
            out[count++] = strdup(w->lines[i].text);
    return count;
}

static uint32_t found_lines(const struct store_hold *hold, struct trace_id id, char **out,
                            uint32_t room)
{
    struct span_run *runs;
    struct arena arena;
    struct buffer scratch = {0};
    size_t run_count;
    uint32_t count = 0;
    arena_init(&arena, 4096);
    assert_int_equal(store_find(hold, id, true, &arena, &runs, &run_count), 0);
    for (size_t i = 0; i < run_count; i++)
        for (uint32_t row = runs[i].row; row < runs[i].row + runs[i].count; row++) {
            assert_true(count < room);
            out[count++] = text_of(&scratch, runs[i].batch, row);
        }
    free(runs);
    arena_fini(&arena);
    buffer_fini(&scratch);
    return count;
}

static void check_trace(const struct world *w, const struct store_hold *hold, uint32_t trace)
{
    char **expected = calloc(w->line_count + 1, sizeof *expected);
    char **found = calloc(w->line_count + 1, sizeof *found);
    uint32_t count = expected_lines(w, trace, expected);
    assert_int_equal(found_lines(hold, w->spans.traces[trace].id, found, w->line_count), count);
    qsort((void *)expected, count, sizeof *expected, by_text);
    qsort((void *)found, count, sizeof *found, by_text);
    for (uint32_t i = 0; i < count; i++) {
        assert_string_equal(expected[i], found[i]);
        free(expected[i]);
        free(found[i]);
    }
    free((void *)expected);
    free((void *)found);
}

static void check(const struct world *w)
{
    struct store_hold hold;
    store_hold(w->store, &hold);
    for (uint32_t t = 0; t < w->spans.trace_count; t++)
        check_trace(w, &hold, t);
    store_release(&hold);
}

/* ---- what happens to it ------------------------------------------------------------------ */

static void open_store(struct world *w)
{
    char why[256] = "";
    /* Some stores cut whatever comes at once, the others only what does not fit. */
    bool at_once = random_below(&w->spans, 3) > 0;
    w->store = store_open(&(struct store_options){.directory = w->directory,
                                                  .head_bytes = 4 << 20,
                                                  .generations = 3,
                                                  .cut_after_ns = at_once},
                          why, sizeof why);
    if (!w->store)
        fail_msg("%s", why);
}

static void insert_next(struct world *w)
{
    struct store_staged staged;
    const struct buffer *b = &w->ledger[w->inserted];
    assert_int_equal(store_decode(w->store, NULL, b->data, b->length, 16 << 20, &staged), BATCH_OK);
    w->inserted++;
    assert_int_equal(
        store_insert(w->store, &staged, "agent-1", (struct journal_position){1, w->inserted}), 0);
}

/* Until all that was inserted is in segments, where this store cuts at once. */
static void cut(struct world *w)
{
    struct store_stats stats;
    do {
        wakeup_all(&w->store->wakeup);
        sched_yield();
        store_stats(w->store, &stats);
    } while (w->store->options.cut_after_ns && stats.head_spans > 0);
}

static void merge(struct world *w)
{
    struct store_stats stats;
    do {
        wakeup_all(&w->store->wakeup);
        sched_yield();
        store_stats(w->store, &stats);
    } while (stats.segments.segments > 3);
}

static void restart(struct world *w)
{
    uint32_t before = w->inserted;
    store_close(&w->store);
    open_store(w);
    w->inserted = (uint32_t)store_ledger_end(w->store).offset;
    assert_true(w->inserted <= before);
    check(w);
    while (w->inserted < before)
        insert_next(w);
}

static void step(struct world *w)
{
    switch (random_below(&w->spans, 5)) {
    case 0:
    case 1:
        for (uint32_t i = random_below(&w->spans, 5); i > 0 && w->inserted < BATCHES; i--)
            insert_next(w);
        break;
    case 2:
        cut(w);
        break;
    case 3:
        merge(w);
        break;
    default:
        restart(w);
    }
}

static void world_init(struct world *w, uint64_t seed)
{
    struct random_options o = {
        .traces = 1 + (uint32_t)(seed * 7 % 40),
        .spans_most = seed % 3 ? 12 : 60,
        .richness = 2,
        .wild = seed % 2,
    };
    *w = (struct world){.line_count = 0};
    random_spans_init(&w->spans, seed, &o);
    make_ledger(w);
    strcpy(w->directory, "/tmp/weft-store-XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    open_store(w);
}

static void world_fini(struct world *w)
{
    spans_store_remove(&w->store, w->directory);
    for (uint32_t i = 0; i < BATCHES; i++)
        buffer_fini(&w->ledger[i]);
    for (uint32_t i = 0; i < w->line_count; i++)
        free(w->lines[i].text);
    free(w->lines);
    random_spans_fini(&w->spans);
}

static void any_spans_come_back_the_same_whatever_happens_to_the_store(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= WORLDS; seed++) {
        struct world w;
        world_init(&w, seed);
        for (int i = 0; i < STEPS; i++) {
            step(&w);
            check(&w);
        }
        while (w.inserted < BATCHES) {
            insert_next(&w);
            cut(&w);
        }
        check(&w);
        merge(&w);
        check(&w);
        restart(&w);
        check(&w);
        world_fini(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_spans_come_back_the_same_whatever_happens_to_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
