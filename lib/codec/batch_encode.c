// SPDX-License-Identifier: Apache-2.0
/* From a builder's columns to the bytes: the protobuf message around them, then zstd. */
#include "lib/base/arena.h"
#include "lib/codec/batch_builder.h"
#include "weft.pb-c.h"

enum { COMPRESSION_LEVEL = 1 };

static bool add_resource(struct arena *arena, const struct batch_builder *b,
                         const struct builder_process *from, Weft__Process *to)
{
    size_t count = from->attribute_count;
    Weft__Attribute *items = arena_calloc(arena, count, sizeof *items);
    to->resource = arena_calloc(arena, count, sizeof *to->resource);
    if (!items || !to->resource)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct builder_attribute *attribute =
            &ITEMS(b->resource, struct builder_attribute)[from->attribute_first + i];
        weft__attribute__init(&items[i]);
        items[i].key = attribute->key;
        items[i].type = attribute->type;
        items[i].value = attribute->value;
        to->resource[i] = &items[i];
    }
    to->n_resource = count;
    return true;
}

static bool add_processes(struct arena *arena, struct batch_builder *b, Weft__Batch *message)
{
    size_t count = b->processes.count;
    Weft__Process *items = arena_calloc(arena, count, sizeof *items);
    message->processes = arena_calloc(arena, count, sizeof *message->processes);
    if (!items || !message->processes)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct builder_process *from = &ITEMS(b->processes, struct builder_process)[i];
        weft__process__init(&items[i]);
        items[i].uuid = (ProtobufCBinaryData){sizeof from->uuid, from->uuid};
        items[i].host = from->host;
        items[i].pid = from->pid;
        items[i].start_unix_ns = from->start_unix_ns;
        items[i].service = from->service;
        items[i].version = from->version;
        items[i].instance = from->instance;
        items[i].cell = from->cell;
        items[i].state = from->state;
        items[i].state_unix_ns = from->state_unix_ns;
        items[i].watched = from->watched;
        items[i].ready_unix_ns = from->ready_unix_ns;
        items[i].ready = from->ready;
        items[i].ending = from->ending;
        if (!add_resource(arena, b, from, &items[i]))
            return false;
        message->processes[i] = &items[i];
    }
    message->n_processes = count;
    return true;
}

static bool add_losses(struct arena *arena, const struct batch_builder *b, Weft__Batch *message)
{
    size_t count = b->losses.count;
    Weft__Loss *items = arena_calloc(arena, count, sizeof *items);
    message->losses = arena_calloc(arena, count, sizeof *message->losses);
    if (!items || !message->losses)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct builder_loss *from = &ITEMS(b->losses, struct builder_loss)[i];
        weft__loss__init(&items[i]);
        items[i].process = from->process + 1; /* UINT32_MAX, the agent, becomes 0 */
        items[i].reason = from->reason;
        items[i].count = from->count;
        items[i].from_unix_ns = from->from_unix_ns;
        items[i].to_unix_ns = from->to_unix_ns;
        message->losses[i] = &items[i];
    }
    message->n_losses = count;
    return true;
}

static int compress(struct batch_builder *b, struct buffer *out)
{
    size_t bound = ZSTD_compressBound(b->message.length);
    char *room = buffer_reserve(out, bound);
    if (!room)
        return -1;
    size_t length = ZSTD_compressCCtx(b->zstd, room, bound, b->message.bytes, b->message.length,
                                      COMPRESSION_LEVEL);
    if (ZSTD_isError(length)) /* only memory can fail here */
        return -1;
    out->length += length;
    return 0;
}

static int pack(struct batch_builder *b, struct arena *arena)
{
    Weft__Batch message = WEFT__BATCH__INIT;
    message.format = b->windows  ? BATCH_FORMAT_WINDOWS
                     : b->series ? BATCH_FORMAT_SAMPLES
                                 : BATCH_FORMAT_SPANS;
    message.sample_count = (uint32_t)b->samples;
    message.span_count = (uint32_t)b->spans;
    if (!add_processes(arena, b, &message) || !add_losses(arena, b, &message) ||
        !builder_put_marks(arena, b, &message))
        return -1;
#define ADD_COLUMN(upper, lower)                                                                   \
    message.lower.data = b->columns[COLUMN_##upper].bytes;                                         \
    message.lower.len = b->columns[COLUMN_##upper].length;
    BATCH_EACH_COLUMN(ADD_COLUMN)
#undef ADD_COLUMN
    b->message.length = 0;
    b->message.failed = false;
    if (!column_reserve(&b->message, weft__batch__get_packed_size(&message)))
        return -1;
    b->message.length = weft__batch__pack(&message, b->message.bytes);
    return 0;
}

int batch_encode(struct batch_builder *b, struct buffer *out)
{
    batch_builder_finish_span(b);
    /* The last runs go on if more spans are added: they are written for this encoding only. */
    struct column *processes = &b->columns[COLUMN_PROCESS_RUNS];
    struct column *blocks = &b->columns[COLUMN_BLOCK_RUNS];
    size_t processes_length = processes->length, blocks_length = blocks->length;
    builder_put_run(processes, &b->process_run);
    builder_put_run(blocks, &b->block_run);

    bool failed = b->failed;
    for (size_t i = 0; i < BATCH_COLUMNS; i++)
        failed = failed || b->columns[i].failed;
    struct arena arena;
    arena_init(&arena, 4096);
    int result = failed ? -1 : pack(b, &arena);
    arena_fini(&arena);
    processes->length = processes_length;
    blocks->length = blocks_length;
    return result < 0 ? -1 : compress(b, out);
}
