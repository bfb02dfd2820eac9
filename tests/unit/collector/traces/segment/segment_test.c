// SPDX-License-Identifier: Apache-2.0
/* Whatever is written comes back the same, by every way of reading. */
#include "collector/traces/segment/segment.h"

#include "tests/unit/collector/traces/segment/segment_fixture.h"

/* ---- ways of reading --------------------------------------------------------------------- */

static void assert_same_text(struct buffer *expected, struct buffer *got)
{
    assert_string_equal(buffer_cstring(expected), buffer_cstring(got));
    buffer_clear(expected);
    buffer_clear(got);
}

static void check_find(struct segment *s, const struct random_spans *r, bool details)
{
    struct buffer expected = {0}, got = {0};
    struct arena arena;
    arena_init(&arena, 4096);
    for (uint32_t i = 0; i < r->trace_count; i++) {
        const struct random_trace *t = &r->traces[i];
        struct span_run *runs;
        size_t count;
        uint32_t at = 0;
        assert_true(segment_may_have(s, t->id));
        assert_int_equal(segment_find(s, t->id, details, &arena, &runs, &count), SEGMENT_OK);
        for (size_t k = 0; k < count; k++) {
            assert_int_equal(runs[k].row, 0);
            assert_int_equal(runs[k].count, runs[k].batch->span_count);
            for (uint32_t row = 0; row < runs[k].count; row++, at++) {
                text_of_span(&expected, t->rows[at].batch, t->rows[at].row, details);
                text_of_span(&got, runs[k].batch, row, true);
                assert_same_text(&expected, &got);
            }
        }
        assert_int_equal(at, t->count);
        arena_reset(&arena);
    }
    arena_fini(&arena);
    buffer_fini(&expected);
    buffer_fini(&got);
}

static void check_group_batches(struct segment *s, const struct random_spans *r)
{
    struct buffer expected = {0}, got = {0};
    struct arena arena;
    uint32_t trace = 0, at = 0;
    arena_init(&arena, 4096);
    for (uint32_t g = 0; g < segment_summary(s)->groups; g++) {
        struct batch *b;
        const uint32_t *parents;
        assert_int_equal(segment_group_batch(s, g, &arena, &b, &parents), SEGMENT_OK);
        assert_int_equal(segment_group_is_cut(s, g), at > 0);
        assert_int_equal(b->span_count, segment_group_bounds(s, g)->rows);
        for (uint32_t row = 0; row < b->span_count; row++) {
            const struct segment_row *from = &r->traces[trace].rows[at];
            text_of_span(&expected, from->batch, from->row, true);
            text_of_span(&got, b, row, true);
            assert_same_text(&expected, &got);
            assert_int_equal(parents[row], from->parent);
            if (++at == r->traces[trace].count) {
                trace++;
                at = 0;
            }
        }
        arena_reset(&arena);
    }
    assert_int_equal(trace, r->trace_count);
    arena_fini(&arena);
    buffer_fini(&expected);
    buffer_fini(&got);
}

/* ---- the block --------------------------------------------------------------------------- */

/* Everything of a block's spans, as text of each: attributes are gathered key by key, and so
 * stand in another order than in the span; lines are sorted. */
struct lines {
    char **list;
    size_t count, capacity;
};

static void add_line(struct lines *l, struct buffer *text)
{
    if (l->count == l->capacity) {
        l->capacity = l->capacity ? l->capacity * 2 : 64;
        l->list = realloc(l->list, l->capacity * sizeof *l->list);
        assert_non_null(l->list);
    }
    l->list[l->count++] = strdup(buffer_cstring(text));
    buffer_clear(text);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void assert_same_lines(struct lines *a, struct lines *b)
{
    assert_int_equal(a->count, b->count);
    if (a->count == 0)
        return;
    qsort(a->list, a->count, sizeof *a->list, compare_lines);
    qsort(b->list, b->count, sizeof *b->list, compare_lines);
    for (size_t i = 0; i < a->count; i++) {
        assert_string_equal(a->list[i], b->list[i]);
        free(a->list[i]);
        free(b->list[i]);
    }
    free(a->list);
    free(b->list);
    *a = *b = (struct lines){0};
}

/* "which attribute of its key it is" keeps the order among those of one key. */
static uint32_t place_of(const struct batch_attributes *a, uint32_t first, uint32_t i)
{
    uint32_t place = 0;
    for (uint32_t k = first; k < i; k++)
        place += a->key[k] == a->key[i];
    return place;
}

static void add_attributes(struct lines *l, const struct batch *b, const char *scope, uint32_t row,
                           uint32_t item, uint32_t first, uint32_t count)
{
    struct buffer text = {0};
    for (uint32_t i = first; i < first + count; i++) {
        buffer_printf(&text, "%s %u %u %u", scope, row, item, place_of(&b->attributes, first, i));
        text_of_attribute(&text, b->strings, b->strings[b->attributes.key[i]],
                          b->attributes.type[i], b->attributes.value[i]);
        add_line(l, &text);
    }
    buffer_fini(&text);
}

static void lines_of_hanging(struct lines *l, const struct batch *b, uint32_t from, uint32_t row,
                             uint32_t *event, uint32_t *link)
{
    struct buffer text = {0};
    add_attributes(l, b, "span", row, row, b->attribute_first[from], b->attribute_count[from]);
    for (uint32_t i = b->event_first[from]; i < b->event_first[from] + b->event_count[from];
         i++, ++*event) {
        buffer_printf(&text, "event %u %u %llu", row, *event,
                      (unsigned long long)b->event_unix_ns[i]);
        text_of_string(&text, "", b->strings[b->event_name[i]]);
        add_line(l, &text);
        add_attributes(l, b, "event", row, *event, b->event_attribute_first[i],
                       b->event_attribute_count[i]);
    }
    for (uint32_t i = b->link_first[from]; i < b->link_first[from] + b->link_count[from];
         i++, ++*link) {
        buffer_printf(
            &text, "link %u %u %llx %llx %llx", row, *link, (unsigned long long)b->link_trace_hi[i],
            (unsigned long long)b->link_trace_lo[i], (unsigned long long)b->link_span_id[i]);
        add_line(l, &text);
        add_attributes(l, b, "link", row, *link, b->link_attribute_first[i],
                       b->link_attribute_count[i]);
    }
    buffer_fini(&text);
}

struct key_walk {
    struct block *block;
    enum block_scope scope;
    struct lines *lines;
};

static void add_key(void *context, struct batch_str key)
{
    struct key_walk *w = context;
    static const char *const scopes[] = {"span", "event", "link"};
    const struct block_attribute *a = block_attribute(w->block, w->scope, key.bytes, key.length);
    assert_non_null(a);
    assert_ptr_equal(a, block_attribute(w->block, w->scope, key.bytes, key.length));
    const uint32_t *rows = block_attribute_rows(w->block, a);
    const uint32_t *items = w->scope == BLOCK_SPAN ? rows : block_attribute_items(w->block, a);
    assert_non_null(rows);
    assert_non_null(items);
    struct buffer text = {0};
    for (uint32_t i = 0, place = 0; i < a->count; i++) {
        place = i > 0 && items[i] == items[i - 1] ? place + 1 : 0;
        buffer_printf(&text, "%s %u %u %u", scopes[w->scope], rows[i], items[i], place);
        text_of_attribute(&text, block_strings(w->block)->list, key, a->type[i], a->value[i]);
        add_line(w->lines, &text);
    }
    buffer_fini(&text);
}

static void lines_of_block(struct lines *l, struct block *b)
{
    struct buffer text = {0};
    for (enum block_scope scope = BLOCK_SPAN; scope < BLOCK_SCOPES; scope++) {
        struct key_walk walk = {b, scope, l};
        assert_true(block_keys(b, scope, add_key, &walk));
    }
    const struct block_events *e = block_events(b);
    const struct block_links *k = block_links(b);
    assert_non_null(e);
    assert_non_null(k);
    for (uint32_t i = 0; i < e->count; i++) {
        buffer_printf(&text, "event %u %u %llu", e->row[i], i, (unsigned long long)e->unix_ns[i]);
        text_of_string(&text, "", block_strings(b)->list[e->name[i]]);
        add_line(l, &text);
    }
    for (uint32_t i = 0; i < k->count; i++) {
        buffer_printf(&text, "link %u %u %llx %llx %llx", k->row[i], i,
                      (unsigned long long)k->trace_hi[i], (unsigned long long)k->trace_lo[i],
                      (unsigned long long)k->span_id[i]);
        add_line(l, &text);
    }
    buffer_fini(&text);
}

static void check_row(struct block *b, uint32_t row, const struct random_trace *t, uint32_t at,
                      uint32_t first)
{
    const struct batch *from = t->rows[at].batch;
    uint32_t i = t->rows[at].row, parent = t->rows[at].parent;
    const struct batch_str *strings = block_strings(b)->list;
    struct buffer expected = {0}, got = {0};
    assert_int_equal(block_u64(b, BLOCK_START)[row], from->start_unix_ns[i]);
    assert_int_equal(block_u64(b, BLOCK_DURATION)[row], from->duration_ns[i]);
    assert_int_equal(block_u64(b, BLOCK_SPAN_ID)[row], from->span_id[i]);
    assert_int_equal(block_u64(b, BLOCK_PARENT_ID)[row], from->parent_id[i]);
    assert_int_equal(block_u8(b, BLOCK_KIND)[row], from->kind[i]);
    assert_int_equal(block_u8(b, BLOCK_STATUS)[row], from->status[i]);
    assert_int_equal(block_u8(b, BLOCK_FLAGS)[row], from->flags[i]);
    assert_int_equal(block_u8(b, BLOCK_DROPPED_ATTRIBUTES)[row], from->dropped_attributes[i]);
    /* a parent in an earlier group is none here */
    assert_int_equal(block_u32(b, BLOCK_PARENT)[row],
                     parent == BLOCK_NONE || parent < first ? BLOCK_NONE : row - (at - parent));
    text_of_string(&expected, "", from->strings[from->name[i]]);
    text_of_string(&expected, "", from->strings[from->status_message[i]]);
    text_of_string(&expected, "", from->strings[from->tracestate[i]]);
    text_of_string(&got, "", strings[block_u32(b, BLOCK_NAME)[row]]);
    text_of_string(&got, "", strings[block_u32(b, BLOCK_STATUS_MESSAGE)[row]]);
    text_of_string(&got, "", strings[block_u32(b, BLOCK_TRACESTATE)[row]]);
    const struct block_processes *p = block_processes(b);
    text_of_process(&expected, &from->processes[from->process[i]], &from->resource, from->strings);
    text_of_process(&got, &p->list[block_u32(b, BLOCK_PROCESS)[row]], p->resource, p->strings);
    assert_same_text(&expected, &got);
    buffer_fini(&expected);
    buffer_fini(&got);
}

static void check_blocks(struct segment *s, const struct random_spans *r)
{
    uint32_t trace = 0, at = 0;
    for (uint32_t g = 0; g < segment_summary(s)->groups; g++) {
        struct block *b = segment_group(s, g);
        struct lines expected = {0}, got = {0};
        uint32_t first = at, event = 0, link = 0, row = 0;
        assert_non_null(b);
        assert_int_equal(b->error, BLOCK_OK);
        lines_of_block(&got, b);
        for (uint32_t t = 0; t < b->trace_count; t++, first = at) {
            assert_int_equal(b->traces[t].id.hi, r->traces[trace].id.hi);
            assert_int_equal(b->traces[t].id.lo, r->traces[trace].id.lo);
            assert_int_equal(b->traces[t].row, row);
            for (uint32_t i = 0; i < b->traces[t].count; i++, row++, at++) {
                const struct segment_row *from = &r->traces[trace].rows[at];
                check_row(b, row, &r->traces[trace], at, first);
                lines_of_hanging(&expected, from->batch, from->row, row, &event, &link);
            }
            if (at == r->traces[trace].count) {
                trace++;
                at = 0;
            }
        }
        assert_int_equal(row, b->rows);
        assert_same_lines(&expected, &got);
        const struct block_strings *strings = block_strings(b);
        for (uint32_t i = 1; i < strings->count; i++) {
            struct batch_str x = strings->list[i - 1], y = strings->list[i];
            uint32_t least = x.length < y.length ? x.length : y.length;
            int order = memcmp(x.bytes, y.bytes, least);
            assert_true(order < 0 || (order == 0 && x.length < y.length));
        }
        assert_int_equal(block_attribute(b, BLOCK_SPAN, "no such key", 11)->count, 0);
        block_close(&b);
    }
    assert_int_equal(trace, r->trace_count);
}

/* ---- a segment of a segment -------------------------------------------------------------- */

/* Rows of a trace that is cut over groups are collected before they are added. */
static struct segment *rewrite(struct segment *s, uint32_t rows, uint32_t rows_max)
{
    int fd;
    struct segment_writer *w = fixture_begin(&fd, rows, rows_max);
    uint32_t groups = segment_summary(s)->groups, count = 0;
    struct arena arena;
    struct segment_row *trace = malloc(segment_summary(s)->spans * sizeof *trace);
    struct trace_id id = {0, 0};
    arena_init(&arena, 4096);
    for (uint32_t g = 0; g < groups; g++) {
        struct batch *b;
        const uint32_t *parents;
        assert_int_equal(segment_group_batch(s, g, &arena, &b, &parents), SEGMENT_OK);
        for (uint32_t row = 0; row < b->span_count; row++) {
            struct trace_id own = {b->trace_hi[row], b->trace_lo[row]};
            if (count > 0 && (own.hi != id.hi || own.lo != id.lo)) {
                assert_int_equal(segment_writer_add(w, id, false, trace, count), 0);
                count = 0;
            }
            id = own;
            trace[count++] = (struct segment_row){b, row, parents[row]};
        }
    }
    if (count)
        assert_int_equal(segment_writer_add(w, id, false, trace, count), 0);
    segment_writer_forget_batches(w);
    arena_fini(&arena);
    free(trace);
    return fixture_finish(w, fd);
}

static void check_all(struct segment *s, const struct random_spans *r)
{
    check_find(s, r, true);
    check_find(s, r, false);
    check_group_batches(s, r);
    check_blocks(s, r);
    char why[100];
    if (segment_damage(s, why, sizeof why))
        fail_msg("%s", why);
}

/* `batches` without details have no attributes, events and links. */
static void round_trip(uint64_t seed, struct random_options o, uint32_t rows, uint32_t rows_max)
{
    struct random_spans r;
    random_spans_init(&r, seed, &o);
    struct segment *s = fixture_write(&r, rows, rows_max);
    check_all(s, &r);
    struct segment *again = rewrite(s, 64, 200);
    segment_close(&s);
    check_all(again, &r);
    struct segment *third = rewrite(again, 0, 0);
    check_all(third, &r);
    segment_close(&again);
    segment_close(&third);
    random_spans_fini(&r);
}

static void bare_spans_come_back(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++)
        round_trip(seed, (struct random_options){.traces = 60, .spans_most = 20}, 0, 0);
}

static void spans_with_attributes_come_back(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++)
        round_trip(seed,
                   (struct random_options){
                       .traces = 60, .spans_most = 20, .richness = 1, .wild = seed % 2},
                   0, 0);
}

static void spans_with_everything_come_back(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++)
        round_trip(seed,
                   (struct random_options){
                       .traces = 60, .spans_most = 20, .richness = 2, .wild = seed % 2},
                   0, 0);
}

static void traces_larger_than_a_group_come_back(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 6; seed++)
        round_trip(seed,
                   (struct random_options){.traces = 6,
                                           .spans_most = 400,
                                           .richness = 2,
                                           .wild = seed % 2,
                                           .any_order = seed % 3 == 2},
                   30, 50);
}

static void rows_in_any_order_come_back(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++)
        round_trip(seed,
                   (struct random_options){
                       .traces = 40, .spans_most = 30, .richness = 1, .any_order = true},
                   200, 400);
}

static void many_small_groups_come_back(void **state)
{
    (void)state;
    round_trip(9,
               (struct random_options){.traces = 50, .spans_most = 10, .richness = 2, .wild = true},
               1, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bare_spans_come_back),
        cmocka_unit_test(spans_with_attributes_come_back),
        cmocka_unit_test(spans_with_everything_come_back),
        cmocka_unit_test(traces_larger_than_a_group_come_back),
        cmocka_unit_test(rows_in_any_order_come_back),
        cmocka_unit_test(many_small_groups_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
