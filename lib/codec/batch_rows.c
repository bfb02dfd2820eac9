// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "lib/codec/batch_decode.h"
#include "lib/ring/span_id.h"

/* ---- memory ------------------------------------------------------------------------------ */

/* Before any memory is taken for rows: each row takes at least a byte in each of these. */
static bool rows_are_plausible(const struct decoder *d)
{
    static const enum batch_column per_row[] = {COLUMN_SPAN_LOW, COLUMN_PARENT,   COLUMN_TRACE,
                                                COLUMN_END,      COLUMN_DURATION, COLUMN_SHAPE};
    for (size_t i = 0; i < sizeof per_row / sizeof *per_row; i++) {
        if (column_left(&d->columns[per_row[i]]) < d->batch->span_count)
            return false;
    }
    return true;
}

static bool alloc_rows(struct decoder *d)
{
    struct batch *b = d->batch;
    uint32_t **narrow[] = {&b->process,     &b->name,           &b->status_message,  &b->tracestate,
                           &b->event_first, &b->event_count,    &b->attribute_first, &b->link_first,
                           &b->link_count,  &b->attribute_count};
    uint64_t **wide[] = {&b->trace_hi,  &b->trace_lo,      &b->span_id,
                         &b->parent_id, &b->start_unix_ns, &b->duration_ns};
    uint8_t **bytes[] = {&b->kind, &b->status, &b->flags, &b->dropped_attributes};
    size_t n = b->span_count;
    for (size_t i = 0; i < sizeof narrow / sizeof *narrow; i++) {
        if (!(*narrow[i] = arena_alloc(d->arena, n * sizeof(uint32_t))))
            return false;
    }
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        if (!(*wide[i] = arena_alloc(d->arena, n * sizeof(uint64_t))))
            return false;
    }
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        if (!(*bytes[i] = arena_alloc(d->arena, n)))
            return false;
    }
    return true;
}

/* Events and links: their columns say how many there are. */
static bool alloc_hanging(struct decoder *d)
{
    struct batch *b = d->batch;
    size_t events = column_count_varints(&d->columns[COLUMN_EVENT_NAME]);
    size_t links = column_left(&d->columns[COLUMN_LINK_IDS]) / LINK_ID_BYTES;
    b->events = (uint32_t)events;
    b->links = (uint32_t)links;
    b->event_name = arena_alloc(d->arena, events * sizeof(uint32_t));
    b->event_attribute_first = arena_calloc(d->arena, events, sizeof(uint32_t));
    b->event_attribute_count = arena_calloc(d->arena, events, sizeof(uint32_t));
    b->event_unix_ns = arena_alloc(d->arena, events * sizeof(uint64_t));
    b->link_trace_hi = arena_alloc(d->arena, links * sizeof(uint64_t));
    b->link_trace_lo = arena_alloc(d->arena, links * sizeof(uint64_t));
    b->link_span_id = arena_alloc(d->arena, links * sizeof(uint64_t));
    b->link_attribute_first = arena_calloc(d->arena, links, sizeof(uint32_t));
    b->link_attribute_count = arena_calloc(d->arena, links, sizeof(uint32_t));
    return b->event_name && b->event_attribute_first && b->event_attribute_count &&
           b->event_unix_ns && b->link_trace_hi && b->link_trace_lo && b->link_span_id &&
           b->link_attribute_first && b->link_attribute_count;
}

/* ---- columns that every row has ---------------------------------------------------------- */

/* Pairs of a value below `limit` and a number of rows, into rows; true if they cover them. */
static bool decode_runs(struct column_reader *column, uint32_t limit, uint32_t *rows,
                        uint32_t count)
{
    uint32_t row = 0;
    while (row < count && !column->bad) {
        uint32_t value = column_get_below(column, limit);
        uint32_t length = column_get_below(column, (uint64_t)(count - row) + 1);
        if (length == 0)
            return false;
        for (uint32_t end = row + length; row < end; row++)
            rows[row] = value;
    }
    return row == count;
}

/* The id that a lower part in a block stands for. */
static inline uint64_t next_id(struct decoder *d, struct column_reader *column, uint32_t block)
{
    uint32_t low = d->last_lows[block] + (uint32_t)column_get_signed(column);
    low &= (1u << ID_LOW_BITS) - 1;
    d->last_lows[block] = low;
    return d->id_blocks[block] | low;
}

static int decode_ids(struct decoder *d)
{
    struct batch *b = d->batch;
    struct column_reader low = d->columns[COLUMN_SPAN_LOW], parent = d->columns[COLUMN_PARENT];
    struct column_reader *parent_low = &d->columns[COLUMN_PARENT_LOW];
    uint32_t *blocks = arena_alloc(d->scratch, b->span_count * sizeof *blocks);
    if (!blocks)
        return BATCH_ENOMEM;
    if (!decode_runs(&d->columns[COLUMN_BLOCK_RUNS], d->id_block_count, blocks, b->span_count))
        return BATCH_ECOLUMNS;
    for (uint32_t i = 0; i < b->span_count; i++) {
        uint64_t id = next_id(d, &low, blocks[i]);
        uint64_t code = column_get(&parent);
        b->span_id[i] = span_id_mix(id);
        if (code & 1) {
            b->parent_id[i] = span_id_mix(id - (uint64_t)unzigzag(code >> 1));
        } else if (code == 0) {
            b->parent_id[i] = 0;
        } else if ((code >> 1) - 1 < d->id_block_count) {
            b->parent_id[i] = span_id_mix(next_id(d, parent_low, (uint32_t)(code >> 1) - 1));
        } else {
            return BATCH_ECOLUMNS;
        }
    }
    d->columns[COLUMN_SPAN_LOW] = low;
    d->columns[COLUMN_PARENT] = parent;
    return BATCH_OK;
}

static int decode_trace_column(struct decoder *d)
{
    struct batch *b = d->batch;
    struct column_reader column = d->columns[COLUMN_TRACE];
    uint32_t introduced = 0, current = 0;
    for (uint32_t i = 0; i < b->span_count; i++) {
        uint64_t code = column_get(&column);
        if (code == 1)
            current = introduced++;
        else if (code)
            current = introduced - 1 - (uint32_t)(code - 2);
        if (current >= introduced || introduced > d->trace_count || code > UINT32_MAX)
            return BATCH_ECOLUMNS;
        b->trace_hi[i] = d->trace_ids[current].hi;
        b->trace_lo[i] = d->trace_ids[current].lo;
    }
    d->columns[COLUMN_TRACE] = column;
    return introduced == d->trace_count ? BATCH_OK : BATCH_ECOLUMNS;
}

static void decode_times(struct decoder *d)
{
    struct batch *b = d->batch;
    struct column_reader end_column = d->columns[COLUMN_END];
    struct column_reader duration_column = d->columns[COLUMN_DURATION];
    uint64_t end = 0;
    for (uint32_t i = 0; i < b->span_count; i++) {
        end += (uint64_t)unzigzag(column_get_wide(&end_column));
        uint64_t duration = column_get_wide(&duration_column);
        b->duration_ns[i] = duration;
        b->start_unix_ns[i] = end - duration;
    }
    d->columns[COLUMN_END] = end_column;
    d->columns[COLUMN_DURATION] = duration_column;
}

/* ---- shapes, and what hangs on a row ----------------------------------------------------- */

/* Which attributes there are, before their values are read. */
struct attribute_keys {
    uint32_t *keys;
    uint8_t *types;
    uint32_t count, capacity;
};

static inline void add_key(struct attribute_keys *a, uint32_t word)
{
    a->keys[a->count] = word >> VALUE_TYPE_BITS;
    a->types[a->count++] = word & ((1u << VALUE_TYPE_BITS) - 1);
}

/* The keys of one event or link; false if there are more than values. */
static bool decode_hanging_keys(struct decoder *d, struct attribute_keys *a, uint32_t count)
{
    struct column_reader *column = &d->columns[COLUMN_HANGING_KEYS];
    if (count > a->capacity - a->count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t word = column_get_below(column, UINT32_MAX);
        if (word >> VALUE_TYPE_BITS >= d->batch->string_count ||
            (word & ((1u << VALUE_TYPE_BITS) - 1)) >= VALUE_TYPES)
            return false;
        add_key(a, word);
    }
    return true;
}

static bool decode_events(struct decoder *d, uint32_t row, struct attribute_keys *a)
{
    struct batch *b = d->batch;
    uint32_t first = b->event_first[row];
    for (uint32_t i = first; i < first + b->event_count[row]; i++) {
        uint32_t n = column_get_below(&d->columns[COLUMN_EVENT_ATTRIBUTE_COUNT], UINT32_MAX);
        b->event_name[i] = column_get_below(&d->columns[COLUMN_EVENT_NAME], b->string_count);
        b->event_unix_ns[i] =
            b->start_unix_ns[row] + (uint64_t)column_get_signed(&d->columns[COLUMN_EVENT_TIME]);
        b->event_attribute_first[i] = a->count;
        b->event_attribute_count[i] = n;
        if (!decode_hanging_keys(d, a, n))
            return false;
    }
    return true;
}

static uint64_t get_network_order(struct column_reader *column)
{
    return __builtin_bswap64(column_get_fixed(column, sizeof(uint64_t)));
}

static bool decode_links(struct decoder *d, uint32_t row, struct attribute_keys *a)
{
    struct batch *b = d->batch;
    uint32_t first = b->link_first[row];
    for (uint32_t i = first; i < first + b->link_count[row]; i++) {
        uint32_t n = column_get_below(&d->columns[COLUMN_LINK_ATTRIBUTE_COUNT], UINT32_MAX);
        b->link_trace_hi[i] = get_network_order(&d->columns[COLUMN_LINK_IDS]);
        b->link_trace_lo[i] = get_network_order(&d->columns[COLUMN_LINK_IDS]);
        b->link_span_id[i] = get_network_order(&d->columns[COLUMN_LINK_IDS]);
        b->link_attribute_first[i] = a->count;
        b->link_attribute_count[i] = n;
        if (!decode_hanging_keys(d, a, n))
            return false;
    }
    return true;
}

/* The rare columns of one row; `events` and `links` count what was used before. */
static bool decode_extra(struct decoder *d, uint32_t row, struct attribute_keys *a,
                         uint32_t *events, uint32_t *links)
{
    struct batch *b = d->batch;
    struct column_reader *column = &d->columns[COLUMN_EXTRA];
    b->dropped_attributes[row] = (uint8_t)column_get_below(column, UINT8_MAX + 1);
    b->status_message[row] = column_get_below(column, b->string_count);
    b->tracestate[row] = column_get_below(column, b->string_count);
    b->event_count[row] = column_get_below(column, (uint64_t)(b->events - *events) + 1);
    b->link_count[row] = column_get_below(column, (uint64_t)(b->links - *links) + 1);
    *events += b->event_count[row];
    *links += b->link_count[row];
    return !column->bad && decode_events(d, row, a) && decode_links(d, row, a);
}

static void clear_extra(struct batch *b, uint32_t row)
{
    b->dropped_attributes[row] = 0;
    b->status_message[row] = b->tracestate[row] = 0;
    b->event_count[row] = b->link_count[row] = 0;
}

static bool decode_shape_column(struct decoder *d, struct attribute_keys *a)
{
    struct batch *b = d->batch;
    struct column_reader column = d->columns[COLUMN_SHAPE];
    uint32_t events = 0, links = 0;
    for (uint32_t i = 0; i < b->span_count; i++) {
        uint64_t index = column_get(&column);
        if (index >= d->shape_count)
            return false;
        const struct decoded_shape *shape = &d->shapes[index];
        if (shape->key_count > a->capacity - a->count)
            return false;
        b->name[i] = shape->name;
        b->kind[i] = shape->kind;
        b->status[i] = shape->status;
        b->flags[i] = shape->flags;
        b->attribute_first[i] = a->count;
        b->attribute_count[i] = shape->key_count;
        for (uint32_t k = 0; k < shape->key_count; k++)
            add_key(a, d->shape_keys[shape->key_first + k]);
        b->event_first[i] = events;
        b->link_first[i] = links;
        if (!shape->extra)
            clear_extra(b, i);
        else if (!decode_extra(d, i, a, &events, &links))
            return false;
    }
    d->columns[COLUMN_SHAPE] = column;
    return events == b->events && links == b->links;
}

/* ---- values ------------------------------------------------------------------------------ */

static int decode_values(struct decoder *d, const struct attribute_keys *a)
{
    uint64_t *values = arena_alloc(d->arena, a->count * sizeof *values);
    uint64_t *last_ints = arena_calloc(d->scratch, d->batch->string_count, sizeof *last_ints);
    if (!values || !last_ints)
        return BATCH_ENOMEM;
    struct column_reader strings = d->columns[COLUMN_VALUE_STRING];
    struct column_reader ints = d->columns[COLUMN_VALUE_INT];
    struct column_reader *doubles = &d->columns[COLUMN_VALUE_DOUBLE];
    for (uint32_t i = 0; i < a->count; i++) {
        switch (a->types[i]) {
        case VALUE_INT:
            last_ints[a->keys[i]] += (uint64_t)unzigzag(column_get_wide(&ints));
            values[i] = last_ints[a->keys[i]];
            break;
        case VALUE_DOUBLE:
            values[i] = column_get_fixed(doubles, sizeof(double));
            break;
        case VALUE_BOOL:
            values[i] = column_get_below(&d->columns[COLUMN_VALUE_BOOL], 2);
            break;
        default:
            values[i] = column_get_below(&strings, d->batch->string_count);
        }
    }
    d->columns[COLUMN_VALUE_STRING] = strings;
    d->columns[COLUMN_VALUE_INT] = ints;
    d->batch->attributes = (struct batch_attributes){a->count, a->keys, a->types, values};
    return BATCH_OK;
}

/* How many values there are: no more attributes than that can be. */
static size_t count_values(const struct decoder *d)
{
    return column_count_varints(&d->columns[COLUMN_VALUE_STRING]) +
           column_count_varints(&d->columns[COLUMN_VALUE_INT]) +
           column_left(&d->columns[COLUMN_VALUE_DOUBLE]) / sizeof(double) +
           column_left(&d->columns[COLUMN_VALUE_BOOL]);
}

int decode_rows(struct decoder *d)
{
    struct batch *b = d->batch;
    if (!rows_are_plausible(d))
        return BATCH_ECOLUMNS;
    size_t values = count_values(d);
    struct attribute_keys keys = {
        .keys = arena_alloc(d->arena, values * sizeof(uint32_t)),
        .types = arena_alloc(d->arena, values),
        .capacity = (uint32_t)values,
    };
    if (!keys.keys || !keys.types || !alloc_rows(d) || !alloc_hanging(d))
        return BATCH_ENOMEM;
    if (!decode_runs(&d->columns[COLUMN_PROCESS_RUNS], b->process_count, b->process, b->span_count))
        return BATCH_ECOLUMNS;
    int error;
    if ((error = decode_ids(d)) || (error = decode_trace_column(d)))
        return error;
    decode_times(d);
    if (!decode_shape_column(d, &keys))
        return BATCH_ECOLUMNS;
    return decode_values(d, &keys);
}
