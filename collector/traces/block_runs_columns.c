// SPDX-License-Identifier: Apache-2.0
/* Columns of a block over runs, and its dictionaries: made when they are asked for first. */
#include <string.h>

#include "collector/traces/block_runs.h"

/* ---- columns ----------------------------------------------------------------------------- */

static const uint64_t *batch_u64(const struct batch *batch, enum block_u64 column)
{
    const uint64_t *const columns[BLOCK_U64S] = {
        [BLOCK_START] = batch->start_unix_ns,
        [BLOCK_DURATION] = batch->duration_ns,
        [BLOCK_SPAN_ID] = batch->span_id,
        [BLOCK_PARENT_ID] = batch->parent_id,
    };
    return columns[column];
}

static const uint32_t *batch_u32(const struct batch *batch, enum block_u32 column)
{
    const uint32_t *const columns[BLOCK_U32S] = {
        [BLOCK_NAME] = batch->name,
        [BLOCK_STATUS_MESSAGE] = batch->status_message,
        [BLOCK_TRACESTATE] = batch->tracestate,
        [BLOCK_PROCESS] = batch->process,
    };
    return columns[column];
}

static const uint8_t *batch_u8(const struct batch *batch, enum block_u8 column)
{
    const uint8_t *const columns[BLOCK_U8S] = {
        [BLOCK_KIND] = batch->kind,
        [BLOCK_STATUS] = batch->status,
        [BLOCK_FLAGS] = batch->flags,
        [BLOCK_DROPPED_ATTRIBUTES] = batch->dropped_attributes,
    };
    return columns[column];
}

const uint64_t *runs_u64(struct block *block, enum block_u64 column)
{
    struct runs_block *b = (struct runs_block *)block;
    if (b->u64[column])
        return b->u64[column];
    uint64_t *values = runs_need(b, block->rows, sizeof *values);
    for (uint32_t row = 0; values && row < block->rows; row++)
        values[row] = batch_u64(runs_batch_of(b, row), column)[b->places[row].row];
    return b->u64[column] = values;
}

const uint32_t *runs_u32(struct block *block, enum block_u32 column)
{
    struct runs_block *b = (struct runs_block *)block;
    if (column == BLOCK_PARENT)
        return b->parents;
    if (b->u32[column])
        return b->u32[column];
    uint32_t *values = runs_need(b, block->rows, sizeof *values);
    for (uint32_t row = 0; values && row < block->rows; row++) {
        const struct runs_source *s = &b->sources[b->places[row].source];
        uint32_t value = batch_u32(s->batch, column)[b->places[row].row];
        values[row] = column == BLOCK_PROCESS ? s->processes + value : runs_string_of(s, value);
    }
    return b->u32[column] = values;
}

const uint8_t *runs_u8(struct block *block, enum block_u8 column)
{
    struct runs_block *b = (struct runs_block *)block;
    if (b->u8[column])
        return b->u8[column];
    uint8_t *values = runs_need(b, block->rows, sizeof *values);
    for (uint32_t row = 0; values && row < block->rows; row++)
        values[row] = batch_u8(runs_batch_of(b, row), column)[b->places[row].row];
    return b->u8[column] = values;
}

/* ---- dictionaries ------------------------------------------------------------------------ */

/* The batches' string tables end to end, [0] of each left out; `strings` of a source is the place
 * of its [1] less 1. */
static struct batch_str *join_strings(struct runs_block *b, uint32_t count)
{
    struct batch_str *list = runs_need(b, count, sizeof *list);
    for (uint32_t s = 0; list && s < b->source_count; s++) {
        const struct runs_source *source = &b->sources[s];
        memcpy(list + source->strings + 1, source->batch->strings + 1,
               (source->batch->string_count - 1) * sizeof *list);
    }
    return list;
}

const struct block_strings *runs_strings(struct block *block)
{
    struct runs_block *b = (struct runs_block *)block;
    if (b->strings)
        return b->strings;
    uint32_t count = runs_count_strings(b);
    struct block_strings *strings = runs_need(b, 1, sizeof *strings);
    struct batch_str *list = strings ? join_strings(b, count) : NULL;
    if (!list)
        return NULL;
    list[0] = (struct batch_str){"", 0};
    *strings = (struct block_strings){.list = list, .count = count};
    return b->strings = strings;
}

static bool join_resources(struct runs_block *b, struct batch_process_view *views, uint32_t count)
{
    struct batch_attributes *joined = runs_need(b, 1, sizeof *joined);
    uint32_t *key = runs_need(b, count, sizeof *key);
    uint8_t *type = runs_need(b, count, sizeof *type);
    uint64_t *value = runs_need(b, count, sizeof *value);
    if (!joined || !key || !type || !value)
        return false;
    uint32_t at = 0;
    for (uint32_t s = 0; s < b->source_count; s++) {
        const struct runs_source *source = &b->sources[s];
        const struct batch_attributes *resource = &source->batch->resource;
        for (uint32_t p = 0; p < source->batch->process_count; p++)
            views[source->processes + p].attribute_first += at;
        for (uint32_t i = 0; i < resource->count; i++, at++) {
            bool text = resource->type[i] == VALUE_STRING || resource->type[i] == VALUE_BYTES;
            key[at] = runs_string_of(source, resource->key[i]);
            type[at] = resource->type[i];
            value[at] = text ? runs_string_of(source, resource->value[i]) : resource->value[i];
        }
    }
    *joined = (struct batch_attributes){count, key, type, value};
    b->processes->resource = joined;
    return true;
}

const struct block_processes *runs_processes(struct block *block)
{
    struct runs_block *b = (struct runs_block *)block;
    if (b->processes)
        return b->processes->resource ? b->processes : NULL;
    uint32_t count = 0, attributes = 0;
    for (uint32_t s = 0; s < b->source_count; s++) {
        count += b->sources[s].batch->process_count;
        attributes += b->sources[s].batch->resource.count;
    }
    struct batch_process_view *views = runs_need(b, count, sizeof *views);
    b->processes = runs_need(b, 1, sizeof *b->processes);
    if (!views || !b->processes || !runs_strings(block))
        return NULL;
    for (uint32_t s = 0; s < b->source_count; s++) {
        const struct runs_source *source = &b->sources[s];
        if (source->batch->process_count > 0)
            memcpy(views + source->processes, source->batch->processes,
                   source->batch->process_count * sizeof *views);
    }
    b->processes->list = views;
    b->processes->count = count;
    b->processes->strings = b->strings->list;
    return join_resources(b, views, attributes) ? b->processes : NULL;
}

/* ---- events and links -------------------------------------------------------------------- */

const struct block_events *runs_events(struct block *block)
{
    struct runs_block *b = (struct runs_block *)block;
    if (b->events)
        return b->events;
    uint32_t count = 0, at = 0;
    for (uint32_t row = 0; row < block->rows; row++)
        count += runs_batch_of(b, row)->event_count[b->places[row].row];
    uint32_t *rows = runs_need(b, count, sizeof *rows), *name = runs_need(b, count, sizeof *name);
    uint64_t *time = runs_need(b, count, sizeof *time);
    struct block_events *events = runs_need(b, 1, sizeof *events);
    if (!rows || !name || !time || !events)
        return NULL;
    for (uint32_t row = 0; row < block->rows; row++) {
        const struct runs_source *s = &b->sources[b->places[row].source];
        uint32_t first = s->batch->event_first[b->places[row].row];
        for (uint32_t i = 0; i < s->batch->event_count[b->places[row].row]; i++, at++) {
            rows[at] = row;
            name[at] = runs_string_of(s, s->batch->event_name[first + i]);
            time[at] = s->batch->event_unix_ns[first + i];
        }
    }
    *events = (struct block_events){count, rows, name, time};
    return b->events = events;
}

const struct block_links *runs_links(struct block *block)
{
    struct runs_block *b = (struct runs_block *)block;
    if (b->links)
        return b->links;
    uint32_t count = 0, at = 0;
    for (uint32_t row = 0; row < block->rows; row++)
        count += runs_batch_of(b, row)->link_count[b->places[row].row];
    uint32_t *rows = runs_need(b, count, sizeof *rows);
    uint64_t *hi = runs_need(b, count, sizeof *hi), *lo = runs_need(b, count, sizeof *lo);
    uint64_t *span = runs_need(b, count, sizeof *span);
    struct block_links *links = runs_need(b, 1, sizeof *links);
    if (!rows || !hi || !lo || !span || !links)
        return NULL;
    for (uint32_t row = 0; row < block->rows; row++) {
        const struct batch *batch = runs_batch_of(b, row);
        uint32_t first = batch->link_first[b->places[row].row];
        for (uint32_t i = 0; i < batch->link_count[b->places[row].row]; i++, at++) {
            rows[at] = row;
            hi[at] = batch->link_trace_hi[first + i];
            lo[at] = batch->link_trace_lo[first + i];
            span[at] = batch->link_span_id[first + i];
        }
    }
    *links = (struct block_links){count, rows, hi, lo, span};
    return b->links = links;
}
