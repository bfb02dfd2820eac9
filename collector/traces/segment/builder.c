// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/segment/builder.h"

#include <string.h>

enum {
    ROWS_LEAST = 1024,
    TRACES_LEAST = 256,
    ROW_ITEMS_MAX = 1 << 20, /* a span with more loses some, and counts them as dropped */
    STRING_BYTES_MAX = 16 << 20,
};

bool builder_init(struct builder *b)
{
    *b = (struct builder){.stamp = 1, .plain = true};
    return string_table_init(&b->strings);
}

void builder_fini(struct builder *b)
{
    for (int i = 0; i < ROW_COLUMNS; i++)
        free(b->row[i]);
    for (int i = 0; i < BLOCK_SCOPES; i++)
        shapes_fini(&b->shapes[i]);
    struct numbers *lists[] = {&b->processes, &b->event_name, &b->event_time,   &b->link_hi,
                               &b->link_lo,   &b->words,      &b->link_span_id, &b->values};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        numbers_fini(lists[i]);
    for (size_t i = 0; i < sizeof b->scratch / sizeof *b->scratch; i++)
        numbers_fini(&b->scratch[i]);
    string_table_fini(&b->strings);
    column_fini(&b->body);
    free(b->traces);
    free(b->sections);
    *b = (struct builder){0};
}

void builder_clear(struct builder *b)
{
    if (++b->stamp == 0)
        b->stamp = 1;
    b->failed = false;
    b->plain = true;
    b->rows = b->trace_count = b->section_count = 0;
    b->cut_rows = 0;
    string_table_clear(&b->strings);
    for (int i = 0; i < BLOCK_SCOPES; i++)
        shapes_clear(&b->shapes[i]);
    b->processes.count = b->event_name.count = b->event_time.count = 0;
    b->link_hi.count = b->link_lo.count = b->link_span_id.count = 0;
    b->body.length = 0;
    b->body.failed = false;
}

/* ---- room -------------------------------------------------------------------------------- */

struct amount {
    uint64_t attributes, events, links;
};

/* What of a row's attributes, events and links goes in: all, but for monsters. */
static struct amount amount_of(const struct batch *batch, uint32_t row, bool *dropped)
{
    struct amount a = {batch->attribute_count[row], batch->event_count[row],
                       batch->link_count[row]};
    uint64_t all = a.attributes + a.events + a.links;
    for (uint32_t i = 0; i < a.events; i++)
        all += batch->event_attribute_count[batch->event_first[row] + i];
    for (uint32_t i = 0; i < a.links; i++)
        all += batch->link_attribute_count[batch->link_first[row] + i];
    *dropped = all > ROW_ITEMS_MAX;
    if (*dropped)
        a = (struct amount){a.attributes < ROW_ITEMS_MAX ? a.attributes : ROW_ITEMS_MAX, 0, 0};
    return a;
}

static uint64_t items_of(const struct translation *t, uint32_t row)
{
    const struct batch *batch = t->batch;
    bool dropped;
    if (t->plain)
        return batch->attribute_count[row] < ROW_ITEMS_MAX ? batch->attribute_count[row]
                                                           : ROW_ITEMS_MAX;
    struct amount a = amount_of(batch, row, &dropped);
    uint64_t all = a.attributes + a.events + a.links;
    for (uint32_t i = 0; i < a.events; i++)
        all += batch->event_attribute_count[batch->event_first[row] + i];
    for (uint32_t i = 0; i < a.links; i++)
        all += batch->link_attribute_count[batch->link_first[row] + i];
    return all;
}

bool builder_has_room(const struct builder *b, const struct translation *t, uint32_t row)
{
    uint64_t items = items_of(t, row), used = b->event_name.count + b->link_hi.count;
    for (int i = 0; i < BLOCK_SCOPES; i++)
        used += b->shapes[i].values;
    if (b->rows == 0)
        return true;
    return items <= SEGMENT_GROUP_ITEMS_MAX - used && b->strings.bytes < STRING_BYTES_MAX &&
           b->strings.count + 2 * items + 3 <= SEGMENT_GROUP_STRINGS_MAX;
}

static bool grow_rows(struct builder *b)
{
    uint32_t capacity = b->row_capacity ? b->row_capacity * 2 : ROWS_LEAST;
    for (int i = 0; i < ROW_COLUMNS; i++) {
        uint64_t *grown = realloc(b->row[i], capacity * sizeof *grown);
        if (!grown)
            return false;
        b->row[i] = grown;
    }
    b->row_capacity = capacity;
    return true;
}

/* ---- rows -------------------------------------------------------------------------------- */

void builder_begin_trace(struct builder *b, struct trace_id id, uint64_t cut_rows)
{
    if (b->trace_count == b->trace_capacity) {
        uint32_t capacity = b->trace_capacity ? b->trace_capacity * 2 : TRACES_LEAST;
        struct builder_trace *traces = realloc(b->traces, capacity * sizeof *traces);
        if (!traces) {
            b->failed = true;
            return;
        }
        b->traces = traces;
        b->trace_capacity = capacity;
    }
    b->traces[b->trace_count++] = (struct builder_trace){id, b->rows};
    if (cut_rows)
        b->cut_rows = cut_rows;
}

uint32_t builder_process(struct builder *b, uint32_t number)
{
    if (!numbers_add(&b->processes, number))
        b->failed = true;
    return (uint32_t)b->processes.count - 1;
}

static uint64_t new_string(struct builder *b, struct translation *t, uint32_t string)
{
    uint32_t number = string_table_add(&b->strings, t->batch->strings[string]);
    t->strings[string] = (uint64_t)b->stamp << 32 | number;
    return number;
}

static inline uint64_t translate(struct builder *b, struct translation *t, uint32_t string)
{
    uint64_t known = t->strings[string];
    return __builtin_expect(known >> 32 == b->stamp, 1) ? (uint32_t)known
                                                        : new_string(b, t, string);
}

static void add_attributes(struct builder *b, struct translation *t, enum block_scope scope,
                           uint32_t first, uint32_t count)
{
    const struct batch_attributes *from = &t->batch->attributes;
    b->words.count = b->values.count = 0;
    if (!numbers_reserve(&b->words, count) || !numbers_reserve(&b->values, count)) {
        b->failed = true;
        return;
    }
    uint64_t *words = b->words.values, *values = b->values.values;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t type = from->type[first + i];
        uint64_t value = from->value[first + i];
        bool is_string = type == VALUE_STRING || type == VALUE_BYTES;
        words[i] = translate(b, t, from->key[first + i]) << SHAPE_TYPE_BITS | type;
        values[i] = is_string ? translate(b, t, (uint32_t)value) : value;
    }
    if (!shapes_add(&b->shapes[scope], words, values, count))
        b->failed = true;
}

static void add_events(struct builder *b, struct translation *t, uint32_t row, uint32_t count)
{
    const struct batch *from = t->batch;
    for (uint32_t i = from->event_first[row]; i < from->event_first[row] + count; i++) {
        if (!numbers_add(&b->event_name, translate(b, t, from->event_name[i])) ||
            !numbers_add(&b->event_time, from->event_unix_ns[i] - from->start_unix_ns[row]))
            b->failed = true;
        add_attributes(b, t, BLOCK_EVENT, from->event_attribute_first[i],
                       from->event_attribute_count[i]);
    }
}

static void add_links(struct builder *b, struct translation *t, uint32_t row, uint32_t count)
{
    const struct batch *from = t->batch;
    for (uint32_t i = from->link_first[row]; i < from->link_first[row] + count; i++) {
        if (!numbers_add(&b->link_hi, from->link_trace_hi[i]) ||
            !numbers_add(&b->link_lo, from->link_trace_lo[i]) ||
            !numbers_add(&b->link_span_id, from->link_span_id[i]))
            b->failed = true;
        add_attributes(b, t, BLOCK_LINK, from->link_attribute_first[i],
                       from->link_attribute_count[i]);
    }
}

/* Of a batch that is not plain; the first such row of the group ends that state. */
static void add_rest(struct builder *b, struct translation *t, uint32_t row, uint32_t at)
{
    bool dropped;
    const struct batch *from = t->batch;
    struct amount amount = amount_of(from, row, &dropped);
    for (int i = ROW_STATUS_MESSAGE; b->plain && i < ROW_COLUMNS; i++)
        memset(b->row[i], 0, at * sizeof *b->row[i]);
    b->plain = false;
    b->row[ROW_STATUS_MESSAGE][at] = translate(b, t, from->status_message[row]);
    b->row[ROW_TRACESTATE][at] = translate(b, t, from->tracestate[row]);
    b->row[ROW_DROPPED][at] = dropped ? UINT8_MAX : from->dropped_attributes[row];
    b->row[ROW_EVENTS][at] = amount.events;
    b->row[ROW_LINKS][at] = amount.links;
    add_attributes(b, t, BLOCK_SPAN, from->attribute_first[row], (uint32_t)amount.attributes);
    add_events(b, t, row, (uint32_t)amount.events);
    add_links(b, t, row, (uint32_t)amount.links);
}

static void add_plain(struct builder *b, struct translation *t, uint32_t row, uint32_t at)
{
    uint32_t count = t->batch->attribute_count[row];
    if (count > ROW_ITEMS_MAX) {
        add_rest(b, t, row, at);
        return;
    }
    for (int i = ROW_STATUS_MESSAGE; !b->plain && i < ROW_COLUMNS; i++)
        b->row[i][at] = 0;
    add_attributes(b, t, BLOCK_SPAN, t->batch->attribute_first[row], count);
}

void builder_add(struct builder *b, struct translation *t, uint32_t row, uint32_t process,
                 uint64_t distance)
{
    const struct batch *from = t->batch;
    if (b->rows == b->row_capacity && !grow_rows(b)) {
        b->failed = true;
        return;
    }
    uint32_t at = b->rows++;
    b->row[ROW_START][at] = from->start_unix_ns[row];
    b->row[ROW_DURATION][at] = from->duration_ns[row];
    b->row[ROW_SPAN_ID][at] = from->span_id[row];
    b->row[ROW_PARENT_ID][at] = from->parent_id[row];
    b->row[ROW_DISTANCE][at] = distance;
    b->row[ROW_PROCESS][at] = process;
    b->row[ROW_NAME][at] = translate(b, t, from->name[row]);
    b->row[ROW_KIND][at] = from->kind[row];
    b->row[ROW_FLAGS][at] = from->flags[row];
    b->row[ROW_STATUS][at] = from->status[row];
    if (t->plain)
        add_plain(b, t, row, at);
    else
        add_rest(b, t, row, at);
}
