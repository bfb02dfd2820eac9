// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/batch_builder.h"

#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/ring/span_id.h"

enum { SHAPE_NAME, SHAPE_KIND_STATUS_FLAGS, SHAPE_KEYS }; /* words of a shape */
enum { SHAPE_EXTRA = 1u << 24 };

/* ---- life -------------------------------------------------------------------------------- */

bool builder_array_grow(struct batch_builder *b, struct builder_array *a, size_t count,
                        size_t item_bytes)
{
    size_t capacity = a->capacity ? a->capacity : 64;
    while (capacity < count)
        capacity *= 2;
    void *items = realloc(a->items, capacity * item_bytes);
    if (!items) {
        b->failed = true;
        return false;
    }
    a->items = items;
    a->capacity = capacity;
    return true;
}

struct batch_builder *batch_builder_create(void)
{
    struct batch_builder *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    bool ok = hash_index_init(&b->strings) && hash_index_init(&b->traces) &&
              hash_index_init(&b->blocks) && hash_index_init(&b->shapes);
    b->zstd = ZSTD_createCCtx();
    batch_builder_reset(b);
    if (!ok || !b->zstd || b->failed)
        batch_builder_destroy(&b);
    return b;
}

void batch_builder_destroy(struct batch_builder **builder)
{
    struct batch_builder *b = *builder;
    if (!b)
        return;
    struct builder_array *arrays[] = {&b->string_offsets, &b->trace_ids,   &b->id_blocks,
                                      &b->shape_offsets,  &b->shape_words, &b->last_ints,
                                      &b->processes,      &b->resource,    &b->losses,
                                      &b->words,          &b->marks};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]->items);
    for (size_t i = 0; i < BATCH_COLUMNS; i++)
        column_fini(&b->columns[i]);
    hash_index_fini(&b->strings);
    hash_index_fini(&b->traces);
    hash_index_fini(&b->blocks);
    hash_index_fini(&b->shapes);
    column_fini(&b->message);
    ZSTD_freeCCtx(b->zstd);
    free(b);
    *builder = NULL;
}

void batch_builder_reset(struct batch_builder *b)
{
    struct builder_array *arrays[] = {
        &b->string_offsets, &b->trace_ids, &b->id_blocks, &b->shape_offsets, &b->shape_words,
        &b->processes,      &b->resource,  &b->losses,    &b->words,         &b->marks};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        arrays[i]->count = 0;
    for (size_t i = 0; i < BATCH_COLUMNS; i++) {
        b->columns[i].length = 0;
        b->columns[i].failed = false;
    }
    struct hash_index *indices[] = {&b->strings, &b->traces, &b->blocks, &b->shapes};
    for (size_t i = 0; i < sizeof indices / sizeof *indices; i++) {
        if (indices[i]->slots)
            hash_index_clear(indices[i]);
    }
    if (b->last_ints.count)
        memset(b->last_ints.items, 0, b->last_ints.count * sizeof(int64_t));
    b->last_ints.count = 0;
    b->spans = b->samples = b->windows = 0;
    b->metrics = b->label_sets = b->series = 0;
    b->last_series = UINT32_MAX;
    b->last_sample_ms = b->last_exemplar_ms = 0;
    b->last_trace = 0;
    b->last_trace_hi = b->last_end = 0;
    b->process_run = b->block_run = (struct builder_run){0};
    b->failed = b->open = false;
    BUILDER_ADD(b, &b->string_offsets, size_t, 0);
    BUILDER_ADD(b, &b->shape_offsets, size_t, 0);
}

/* ---- tables ------------------------------------------------------------------------------ */

uint32_t batch_string(struct batch_builder *b, const void *bytes, size_t length)
{
    if (length == 0)
        return 0;
    struct column *text = &b->columns[COLUMN_STRING_BYTES];
    uint64_t hash = XXH3_64bits(bytes, length);
    uint32_t at = hash_index_start(&b->strings, hash), i;
    while ((i = hash_index_next(&b->strings, hash, &at)) != HASH_INDEX_NONE) {
        const size_t *offset = &ITEMS(b->string_offsets, size_t)[i];
        if (offset[1] - offset[0] == length && memcmp(text->bytes + offset[0], bytes, length) == 0)
            return i + 1;
    }
    uint32_t index = (uint32_t)b->string_offsets.count - 1;
    if (!builder_array_reserve(b, &b->string_offsets, 1, sizeof(size_t)) ||
        !column_reserve(text, length) || !hash_index_insert(&b->strings, hash, at, index)) {
        b->failed = true;
        return 0;
    }
    column_put_bytes(text, bytes, length);
    ITEMS(b->string_offsets, size_t)[b->string_offsets.count++] = text->length;
    column_put(&b->columns[COLUMN_STRING_LENGTHS], length);
    return index + 1;
}

static uint64_t mix(uint64_t value)
{
    return value * 0x9e3779b97f4a7c15u;
}

/* The trace's index; *fresh when it was not there before. */
static uint32_t find_trace(struct batch_builder *b, struct trace_id id, bool *fresh)
{
    uint64_t hash = mix(id.lo ^ mix(id.hi));
    uint32_t at = hash_index_start(&b->traces, hash), i;
    while ((i = hash_index_next(&b->traces, hash, &at)) != HASH_INDEX_NONE) {
        const struct trace_id *known = &ITEMS(b->trace_ids, struct trace_id)[i];
        if (known->hi == id.hi && known->lo == id.lo)
            return i;
    }
    uint32_t index = (uint32_t)b->trace_ids.count;
    *fresh = true;
    if (!builder_array_reserve(b, &b->trace_ids, 1, sizeof id) ||
        !hash_index_insert(&b->traces, hash, at, index)) {
        b->failed = true;
        return 0;
    }
    ITEMS(b->trace_ids, struct trace_id)[b->trace_ids.count++] = id;
    column_put_signed(&b->columns[COLUMN_TRACE_HI], (int64_t)(id.hi - b->last_trace_hi));
    column_put_fixed(&b->columns[COLUMN_TRACE_LO], id.lo, 8);
    b->last_trace_hi = id.hi;
    return index;
}

static void put_trace(struct batch_builder *b, struct trace_id id)
{
    struct column *column = &b->columns[COLUMN_TRACE];
    if (b->spans) {
        const struct trace_id *last = &ITEMS(b->trace_ids, struct trace_id)[b->last_trace];
        if (last->hi == id.hi && last->lo == id.lo) {
            column_put(column, 0);
            return;
        }
    }
    bool fresh = false;
    b->last_trace = find_trace(b, id, &fresh);
    column_put(column, fresh ? 1 : 1 + b->trace_ids.count - b->last_trace);
}

static uint32_t find_block(struct batch_builder *b, uint64_t high)
{
    uint64_t hash = mix(high);
    uint32_t at = hash_index_start(&b->blocks, hash), i;
    while ((i = hash_index_next(&b->blocks, hash, &at)) != HASH_INDEX_NONE) {
        if (ITEMS(b->id_blocks, struct builder_block)[i].high == high)
            return i;
    }
    uint32_t index = (uint32_t)b->id_blocks.count;
    if (!builder_array_reserve(b, &b->id_blocks, 1, sizeof(struct builder_block)) ||
        !hash_index_insert(&b->blocks, hash, at, index)) {
        b->failed = true;
        return 0;
    }
    struct builder_block *items = b->id_blocks.items;
    items[b->id_blocks.count++] = (struct builder_block){.high = high};
    column_put_fixed(&b->columns[COLUMN_ID_BLOCKS], high, ID_BLOCK_BYTES);
    return index;
}

/* ---- rows -------------------------------------------------------------------------------- */

static inline void put_run(struct column *column, struct builder_run *run, uint32_t value)
{
    if (run->value != value) {
        builder_put_run(column, run);
        *run = (struct builder_run){.value = value};
    }
    run->length++;
}

/* An id's lower bits, as the difference to the last in its block. */
static inline void put_low(struct column *column, struct builder_block *block, uint64_t unmixed)
{
    uint32_t low = unmixed & ((1u << ID_LOW_BITS) - 1);
    column_put_signed(column, (int64_t)low - (int64_t)block->last_low);
    block->last_low = low;
}

static void put_ids(struct batch_builder *b, uint64_t span_id, uint64_t parent_id)
{
    uint64_t id = span_id_unmix(span_id), high = id >> ID_LOW_BITS;
    uint32_t current = b->block_run.value;
    if (!b->spans || ITEMS(b->id_blocks, struct builder_block)[current].high != high)
        current = find_block(b, high);
    if (b->failed)
        return;
    put_run(&b->columns[COLUMN_BLOCK_RUNS], &b->block_run, current);
    put_low(&b->columns[COLUMN_SPAN_LOW], &ITEMS(b->id_blocks, struct builder_block)[current], id);

    uint64_t parent = span_id_unmix(parent_id), code = 0;
    if (parent_id && parent >> ID_LOW_BITS == high) {
        code = zigzag((int64_t)(id - parent)) << 1 | 1;
    } else if (parent_id) {
        uint32_t other = find_block(b, parent >> ID_LOW_BITS);
        if (b->failed)
            return;
        code = ((uint64_t)other + 1) << 1;
        put_low(&b->columns[COLUMN_PARENT_LOW], &ITEMS(b->id_blocks, struct builder_block)[other],
                parent);
    }
    column_put(&b->columns[COLUMN_PARENT], code);
}

void batch_span_add(struct batch_builder *b, const struct batch_span *span)
{
    batch_builder_finish_span(b);
    if (b->failed || !builder_array_reserve(b, &b->words, SHAPE_KEYS, sizeof(uint32_t)))
        return;
    put_ids(b, span->span_id, span->parent_id);
    put_trace(b, span->trace_id);
    put_run(&b->columns[COLUMN_PROCESS_RUNS], &b->process_run, span->process);
    uint64_t end = span->start_unix_ns + span->duration_ns;
    column_put_signed(&b->columns[COLUMN_END], (int64_t)(end - b->last_end));
    b->last_end = end;
    column_put(&b->columns[COLUMN_DURATION], span->duration_ns);

    uint32_t *words = b->words.items;
    words[SHAPE_NAME] = span->name;
    words[SHAPE_KIND_STATUS_FLAGS] =
        span->kind | (uint32_t)span->status << 8 | (uint32_t)span->flags << 16;
    b->words.count = SHAPE_KEYS;
    b->start_unix_ns = span->start_unix_ns;
    b->dropped = span->dropped_attributes;
    b->status_message = span->status_message;
    b->tracestate = span->tracestate;
    b->events = b->links = 0;
    b->hanging = BATCH_COLUMNS;
    b->open = true;
    b->spans++;
}

static int64_t *last_int(struct batch_builder *b, uint32_t key)
{
    struct builder_array *a = &b->last_ints;
    if (key >= a->count) {
        if (key >= a->capacity && !builder_array_grow(b, a, (size_t)key + 1, sizeof(int64_t)))
            return NULL;
        memset(ITEMS(*a, int64_t) + a->count, 0, (key + 1 - a->count) * sizeof(int64_t));
        a->count = (size_t)key + 1;
    }
    return &ITEMS(*a, int64_t)[key];
}

void batch_attribute(struct batch_builder *b, uint32_t key, enum value_type type, uint64_t value)
{
    if (b->failed || !b->open)
        return;
    uint32_t word = key << VALUE_TYPE_BITS | type;
    if (b->hanging != BATCH_COLUMNS) {
        column_put(&b->columns[COLUMN_HANGING_KEYS], word);
        b->hanging_attributes++;
    } else {
        BUILDER_ADD(b, &b->words, uint32_t, word);
    }
    if (type == VALUE_INT) {
        int64_t *last = last_int(b, key);
        if (!last)
            return;
        column_put_signed(&b->columns[COLUMN_VALUE_INT], (int64_t)(value - (uint64_t)*last));
        *last = (int64_t)value;
    } else if (type == VALUE_DOUBLE) {
        column_put_fixed(&b->columns[COLUMN_VALUE_DOUBLE], value, 8);
    } else {
        column_put(&b->columns[type == VALUE_BOOL ? COLUMN_VALUE_BOOL : COLUMN_VALUE_STRING],
                   value);
    }
}

/* Writes how many attributes the event or link added last got. */
static void finish_hanging(struct batch_builder *b)
{
    if (b->hanging != BATCH_COLUMNS)
        column_put(&b->columns[b->hanging], b->hanging_attributes);
    b->hanging_attributes = 0;
}

void batch_event(struct batch_builder *b, uint32_t name, uint64_t unix_ns)
{
    if (b->failed || !b->open)
        return;
    finish_hanging(b);
    b->hanging = COLUMN_EVENT_ATTRIBUTE_COUNT;
    b->events++;
    column_put(&b->columns[COLUMN_EVENT_NAME], name);
    column_put_signed(&b->columns[COLUMN_EVENT_TIME], (int64_t)(unix_ns - b->start_unix_ns));
}

void batch_link(struct batch_builder *b, struct trace_id trace_id, uint64_t span_id)
{
    if (b->failed || !b->open)
        return;
    finish_hanging(b);
    b->hanging = COLUMN_LINK_ATTRIBUTE_COUNT;
    b->links++;
    uint64_t ids[3] = {__builtin_bswap64(trace_id.hi), __builtin_bswap64(trace_id.lo),
                       __builtin_bswap64(span_id)};
    column_put_bytes(&b->columns[COLUMN_LINK_IDS], ids, sizeof ids);
}

/* ---- shapes ------------------------------------------------------------------------------ */

static void write_shape(struct batch_builder *b)
{
    struct column *column = &b->columns[COLUMN_SHAPES];
    const uint32_t *words = b->words.items;
    uint32_t numbers = words[SHAPE_KIND_STATUS_FLAGS];
    column_put(column, words[SHAPE_NAME]);
    column_put(column, numbers & 0xff);
    column_put(column, numbers >> 8 & 0xff);
    column_put(column, numbers >> 16 & 0xff);
    column_put(column, numbers >> 24);
    column_put(column, b->words.count - SHAPE_KEYS);
    for (size_t i = SHAPE_KEYS; i < b->words.count; i++)
        column_put(column, words[i]);
}

/* The index of the open span's shape. */
static uint32_t find_shape(struct batch_builder *b)
{
    size_t count = b->words.count, bytes = count * sizeof(uint32_t);
    uint64_t hash = XXH3_64bits(b->words.items, bytes);
    uint32_t at = hash_index_start(&b->shapes, hash), i;
    while ((i = hash_index_next(&b->shapes, hash, &at)) != HASH_INDEX_NONE) {
        const size_t *offset = &ITEMS(b->shape_offsets, size_t)[i];
        if (offset[1] - offset[0] == count &&
            memcmp(ITEMS(b->shape_words, uint32_t) + offset[0], b->words.items, bytes) == 0)
            return i;
    }
    uint32_t index = (uint32_t)b->shape_offsets.count - 1;
    if (!builder_array_reserve(b, &b->shape_words, count, sizeof(uint32_t)) ||
        !builder_array_reserve(b, &b->shape_offsets, 1, sizeof(size_t)) ||
        !hash_index_insert(&b->shapes, hash, at, index)) {
        b->failed = true;
        return 0;
    }
    memcpy(ITEMS(b->shape_words, uint32_t) + b->shape_words.count, b->words.items, bytes);
    b->shape_words.count += count;
    ITEMS(b->shape_offsets, size_t)[b->shape_offsets.count++] = b->shape_words.count;
    write_shape(b);
    return index;
}

void batch_builder_finish_span(struct batch_builder *b)
{
    if (!b->open)
        return;
    b->open = false;
    if (b->failed)
        return;
    finish_hanging(b);
    if (b->dropped || b->status_message || b->tracestate || b->events || b->links) {
        struct column *extra = &b->columns[COLUMN_EXTRA];
        column_put(extra, b->dropped);
        column_put(extra, b->status_message);
        column_put(extra, b->tracestate);
        column_put(extra, b->events);
        column_put(extra, b->links);
        ITEMS(b->words, uint32_t)[SHAPE_KIND_STATUS_FLAGS] |= SHAPE_EXTRA;
    }
    column_put(&b->columns[COLUMN_SHAPE], find_shape(b));
}

/* ---- processes and losses ---------------------------------------------------------------- */

static uint32_t text_index(struct batch_builder *b, const char *text)
{
    return text ? batch_string(b, text, strlen(text)) : 0;
}

uint32_t batch_process(struct batch_builder *b, const struct batch_process_info *info)
{
    struct builder_process process = {
        .pid = info->pid,
        .host = text_index(b, info->host),
        .service = text_index(b, info->service),
        .version = text_index(b, info->version),
        .instance = text_index(b, info->instance),
        .cell = text_index(b, info->cell),
        .state = info->state,
        .start_unix_ns = info->start_unix_ns,
        .state_unix_ns = info->state_unix_ns,
        .watched = info->watched,
        .ready_unix_ns = info->ready_unix_ns,
        .ready = text_index(b, info->ready),
        .ending = text_index(b, info->ending),
        .attribute_first = (uint32_t)b->resource.count,
    };
    memcpy(process.uuid, info->uuid, sizeof process.uuid);
    uint32_t index = (uint32_t)b->processes.count;
    BUILDER_ADD(b, &b->processes, struct builder_process, process);
    return index;
}

void batch_process_attribute(struct batch_builder *b, uint32_t key, enum value_type type,
                             uint64_t value)
{
    if (b->failed || b->processes.count == 0)
        return;
    BUILDER_ADD(b, &b->resource, struct builder_attribute,
                (struct builder_attribute){key, type, value});
    ITEMS(b->processes, struct builder_process)[b->processes.count - 1].attribute_count++;
}

void batch_loss(struct batch_builder *b, uint32_t process, unsigned reason, uint64_t count,
                uint64_t from_unix_ns, uint64_t to_unix_ns)
{
    BUILDER_ADD(b, &b->losses, struct builder_loss,
                (struct builder_loss){process, reason, count, from_unix_ns, to_unix_ns});
}

/* ---- sizes ------------------------------------------------------------------------------- */

size_t batch_builder_spans(const struct batch_builder *b)
{
    return b->spans;
}

size_t batch_builder_samples(const struct batch_builder *b)
{
    return b->samples;
}

size_t batch_builder_losses(const struct batch_builder *b)
{
    return b->losses.count;
}

size_t batch_builder_bytes(const struct batch_builder *b)
{
    size_t bytes = b->processes.count * 64 + b->resource.count * 8 + b->losses.count * 32 +
                   b->marks.count * 32;
    for (size_t i = 0; i < BATCH_COLUMNS; i++)
        bytes += b->columns[i].length;
    return bytes;
}
