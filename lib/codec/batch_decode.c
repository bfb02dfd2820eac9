// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/batch_decode.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "weft.pb-c.h"

/* A message unpacks into structs that are larger than it: by so much at most, else it was made
 * to cost memory. */
enum { UNPACK_FACTOR = 16, UNPACK_EXTRA = 1 << 16 };

enum { SCRATCH_BLOCK_BYTES = 1 << 16, SCRATCH_KEPT_BYTES = 4 << 20 };

const char *batch_error_text(int error)
{
    switch (error) {
    case BATCH_OK:
        return "no error";
    case BATCH_ENOMEM:
        return "no memory";
    case BATCH_ECOMPRESSION:
        return "not a zstd frame, or a larger one than allowed";
    case BATCH_EMESSAGE:
        return "not a batch message";
    case BATCH_EVERSION:
        return "a newer format than this program knows";
    case BATCH_ECOLUMNS:
        return "columns that contradict each other";
    }
    return "?";
}

/* ---- the message ------------------------------------------------------------------------- */

struct bounded_arena {
    struct arena *arena;
    size_t left;
    bool exhausted;
};

static void *bounded_alloc(void *context, size_t bytes)
{
    struct bounded_arena *b = context;
    if (bytes > b->left) {
        b->exhausted = true;
        return NULL;
    }
    b->left -= bytes;
    return arena_alloc(b->arena, bytes);
}

static void bounded_free(void *context, void *piece)
{
    (void)context;
    (void)piece;
}

/* What each thread keeps from batch to batch: making zstd's context executes cpuid twice, which
 * costs a virtual machine more than decompressing a small batch, and fresh pages for what is
 * thrown away at the end would cost as much as the work. */
struct workspace {
    ZSTD_DCtx *zstd;
    struct arena scratch;
};

static pthread_once_t workspace_once = PTHREAD_ONCE_INIT;
static pthread_key_t workspace_key;
static int workspace_key_error;

static void free_workspace(void *memory)
{
    struct workspace *w = memory;
    ZSTD_freeDCtx(w->zstd);
    arena_fini(&w->scratch);
    free(w);
}

static void make_workspace_key(void)
{
    workspace_key_error = pthread_key_create(&workspace_key, free_workspace);
}

/* This thread's, or NULL. */
static struct workspace *get_workspace(void)
{
    pthread_once(&workspace_once, make_workspace_key);
    if (workspace_key_error)
        return NULL;
    struct workspace *w = pthread_getspecific(workspace_key);
    if (w)
        return w;
    w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    arena_init(&w->scratch, SCRATCH_BLOCK_BYTES);
    w->zstd = ZSTD_createDCtx();
    if (!w->zstd || pthread_setspecific(workspace_key, w) != 0) {
        free_workspace(w);
        return NULL;
    }
    return w;
}

/* Keeps the scratch memory for the next batch, unless this one was extraordinary. */
static void tidy_workspace(struct workspace *w)
{
    if (w->scratch.total_bytes > SCRATCH_KEPT_BYTES)
        arena_fini(&w->scratch);
    else
        arena_reset(&w->scratch);
}

static int decompress(struct workspace *w, const void *bytes, size_t length, size_t max_bytes,
                      uint8_t **plain, size_t *plain_length)
{
    unsigned long long size = ZSTD_getFrameContentSize(bytes, length);
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > max_bytes)
        return BATCH_ECOMPRESSION;
    *plain = arena_alloc(&w->scratch, (size_t)size);
    if (!*plain)
        return BATCH_ENOMEM;
    *plain_length = ZSTD_decompressDCtx(w->zstd, *plain, (size_t)size, bytes, length);
    return ZSTD_isError(*plain_length) ? BATCH_ECOMPRESSION : BATCH_OK;
}

static int unpack(struct arena *scratch, const uint8_t *plain, size_t length, Weft__Batch **message)
{
    struct bounded_arena bounded = {scratch, length * UNPACK_FACTOR + UNPACK_EXTRA, false};
    ProtobufCAllocator allocator = {bounded_alloc, bounded_free, &bounded};
    *message = weft__batch__unpack(&allocator, length, plain);
    return *message ? BATCH_OK : BATCH_EMESSAGE;
}

static struct column_reader read_column(const ProtobufCBinaryData *data)
{
    static const uint8_t nothing[1];
    const uint8_t *bytes = data->len ? data->data : nothing;
    return (struct column_reader){.next = bytes, .end = bytes + data->len};
}

static void open_columns(struct decoder *d, const Weft__Batch *message)
{
#define OPEN_COLUMN(upper, lower) d->columns[COLUMN_##upper] = read_column(&message->lower);
    BATCH_EACH_COLUMN(OPEN_COLUMN)
#undef OPEN_COLUMN
}

/* ---- tables ------------------------------------------------------------------------------ */

static int decode_strings(struct decoder *d)
{
    struct column_reader *lengths = &d->columns[COLUMN_STRING_LENGTHS];
    struct column_reader *text = &d->columns[COLUMN_STRING_BYTES];
    size_t count = column_count_varints(lengths) + 1;
    size_t text_length = column_left(text);
    struct batch_str *strings = arena_alloc(d->arena, count * sizeof *strings);
    char *bytes = arena_copy(d->arena, text->next, text_length);
    if (!strings || !bytes)
        return BATCH_ENOMEM;
    strings[0] = (struct batch_str){"", 0};
    size_t offset = 0;
    for (size_t i = 1; i < count; i++) {
        uint32_t length = column_get_below(lengths, text_length - offset + 1);
        strings[i] = (struct batch_str){bytes + offset, length};
        offset += length;
    }
    text->next += offset;
    d->batch->strings = strings;
    d->batch->string_count = (uint32_t)count;
    return BATCH_OK;
}

static int decode_traces(struct decoder *d)
{
    struct column_reader *hi = &d->columns[COLUMN_TRACE_HI], *lo = &d->columns[COLUMN_TRACE_LO];
    size_t count = column_left(lo) / sizeof(uint64_t);
    d->trace_ids = arena_alloc(d->scratch, count * sizeof *d->trace_ids);
    if (!d->trace_ids)
        return BATCH_ENOMEM;
    uint64_t last = 0;
    for (size_t i = 0; i < count; i++) {
        last += (uint64_t)column_get_signed(hi);
        d->trace_ids[i] = (struct trace_id){last, column_get_fixed(lo, sizeof(uint64_t))};
    }
    d->trace_count = (uint32_t)count;
    return BATCH_OK;
}

static int decode_blocks(struct decoder *d)
{
    struct column_reader *column = &d->columns[COLUMN_ID_BLOCKS];
    size_t count = column_left(column) / ID_BLOCK_BYTES;
    d->id_blocks = arena_alloc(d->scratch, count * sizeof *d->id_blocks);
    d->last_lows = arena_calloc(d->scratch, count, sizeof *d->last_lows);
    if (!d->id_blocks || !d->last_lows)
        return BATCH_ENOMEM;
    for (size_t i = 0; i < count; i++)
        d->id_blocks[i] = column_get_fixed(column, ID_BLOCK_BYTES) << ID_LOW_BITS;
    d->id_block_count = (uint32_t)count;
    return BATCH_OK;
}

/* A key and type whose key is a string and whose type is known. */
static uint32_t get_key(struct decoder *d, struct column_reader *column)
{
    uint64_t limit = (uint64_t)d->batch->string_count << VALUE_TYPE_BITS;
    uint32_t word = column_get_below(column, limit < UINT32_MAX ? limit : UINT32_MAX);
    if ((word & ((1u << VALUE_TYPE_BITS) - 1)) >= VALUE_TYPES)
        column->bad = true;
    return word;
}

static int decode_shapes(struct decoder *d)
{
    enum { NUMBERS = 6 }; /* a shape is at least so many varints */
    struct column_reader *column = &d->columns[COLUMN_SHAPES];
    size_t varints = column_count_varints(column);
    d->shapes = arena_alloc(d->scratch, varints / NUMBERS * sizeof *d->shapes);
    d->shape_keys = arena_alloc(d->scratch, varints * sizeof *d->shape_keys);
    if (!d->shapes || !d->shape_keys)
        return BATCH_ENOMEM;
    uint32_t keys = 0;
    for (size_t left = varints; left >= NUMBERS && !column->bad;) {
        struct decoded_shape *shape = &d->shapes[d->shape_count++];
        shape->name = column_get_below(column, d->batch->string_count);
        shape->kind = (uint8_t)column_get_below(column, UINT8_MAX + 1);
        shape->status = (uint8_t)column_get_below(column, UINT8_MAX + 1);
        shape->flags = (uint8_t)column_get_below(column, UINT8_MAX + 1);
        shape->extra = column_get_below(column, 2) != 0;
        left -= NUMBERS;
        shape->key_count = column_get_below(column, left + 1);
        shape->key_first = keys;
        left -= shape->key_count;
        for (uint32_t i = 0; i < shape->key_count; i++)
            d->shape_keys[keys++] = get_key(d, column);
    }
    return BATCH_OK;
}

/* ---- processes and losses ---------------------------------------------------------------- */

static bool attribute_is_valid(const struct batch *batch, const Weft__Attribute *attribute)
{
    bool is_string = attribute->type == VALUE_STRING || attribute->type == VALUE_BYTES;
    return attribute->key < batch->string_count && attribute->type < VALUE_TYPES &&
           (!is_string || attribute->value < batch->string_count) &&
           (attribute->type != VALUE_BOOL || attribute->value <= 1);
}

static int decode_resource(struct decoder *d, const Weft__Batch *message)
{
    size_t count = 0, at = 0;
    for (size_t i = 0; i < message->n_processes; i++)
        count += message->processes[i]->n_resource;
    uint32_t *keys = arena_alloc(d->arena, count * sizeof *keys);
    uint8_t *types = arena_alloc(d->arena, count);
    uint64_t *values = arena_alloc(d->arena, count * sizeof *values);
    if (!keys || !types || !values)
        return BATCH_ENOMEM;
    for (size_t i = 0; i < message->n_processes; i++) {
        d->batch->processes[i].attribute_first = (uint32_t)at;
        d->batch->processes[i].attribute_count = (uint32_t)message->processes[i]->n_resource;
        for (size_t k = 0; k < message->processes[i]->n_resource; k++, at++) {
            const Weft__Attribute *attribute = message->processes[i]->resource[k];
            if (!attribute_is_valid(d->batch, attribute))
                return BATCH_ECOLUMNS;
            keys[at] = attribute->key;
            types[at] = (uint8_t)attribute->type;
            values[at] = attribute->value;
        }
    }
    d->batch->resource = (struct batch_attributes){(uint32_t)count, keys, types, values};
    return BATCH_OK;
}

static bool decode_process(const struct batch *batch, const Weft__Process *from,
                           struct batch_process_view *to)
{
    const struct {
        uint32_t index;
        struct batch_str *string;
    } strings[] = {{from->host, &to->host},       {from->service, &to->service},
                   {from->version, &to->version}, {from->instance, &to->instance},
                   {from->cell, &to->cell},       {from->ready, &to->ready},
                   {from->ending, &to->ending}};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        if (strings[i].index >= batch->string_count)
            return false;
        *strings[i].string = batch->strings[strings[i].index];
    }
    if (from->uuid.len != sizeof to->uuid || from->state > PROCESS_DIED)
        return false;
    memcpy(to->uuid, from->uuid.data, sizeof to->uuid);
    to->pid = from->pid;
    to->start_unix_ns = from->start_unix_ns;
    to->state = (enum process_state)from->state;
    to->state_unix_ns = from->state_unix_ns;
    to->ready_unix_ns = from->ready_unix_ns;
    /* A newer program's kind is a watched one, too. */
    to->watched =
        from->watched < PROCESS_WATCHED_KINDS ? (enum process_watched)from->watched : PROCESS_FOUND;
    return true;
}

static int decode_processes(struct decoder *d, const Weft__Batch *message)
{
    struct batch *batch = d->batch;
    batch->processes = arena_calloc(d->arena, message->n_processes, sizeof *batch->processes);
    if (!batch->processes)
        return BATCH_ENOMEM;
    for (size_t i = 0; i < message->n_processes; i++) {
        if (!decode_process(batch, message->processes[i], &batch->processes[i]))
            return BATCH_ECOLUMNS;
    }
    batch->process_count = (uint32_t)message->n_processes;
    return decode_resource(d, message);
}

static int decode_losses(struct decoder *d, const Weft__Batch *message)
{
    struct batch *batch = d->batch;
    batch->losses = arena_alloc(d->arena, message->n_losses * sizeof *batch->losses);
    if (!batch->losses)
        return BATCH_ENOMEM;
    for (size_t i = 0; i < message->n_losses; i++) {
        const Weft__Loss *from = message->losses[i];
        if (from->process > batch->process_count)
            return BATCH_ECOLUMNS;
        batch->losses[i] = (struct batch_loss_view){
            .process = from->process - 1, /* 0, the agent, becomes UINT32_MAX */
            .reason = from->reason,
            .count = from->count,
            .from_unix_ns = from->from_unix_ns,
            .to_unix_ns = from->to_unix_ns,
        };
    }
    batch->loss_count = (uint32_t)message->n_losses;
    return BATCH_OK;
}

/* ---- all of it --------------------------------------------------------------------------- */

static int decode_message(struct decoder *d, const Weft__Batch *message)
{
    int error;
    if (message->format > BATCH_FORMAT_VERSION)
        return BATCH_EVERSION;
    if (message->format == 0)
        return BATCH_EMESSAGE;
    d->batch->span_count = message->span_count;
    d->batch->samples.count = message->sample_count;
    open_columns(d, message);
    if ((error = decode_strings(d)) || (error = decode_traces(d)) || (error = decode_blocks(d)) ||
        (error = decode_shapes(d)) || (error = decode_processes(d, message)) ||
        (error = decode_losses(d, message)) || (error = decode_rows(d)) ||
        (error = decode_samples(d)) || (error = decode_marks(d, message)) ||
        (error = decode_windows(d)))
        return error;
    for (size_t i = 0; i < BATCH_COLUMNS; i++) {
        if (d->columns[i].bad || column_left(&d->columns[i]))
            return BATCH_ECOLUMNS;
    }
    return BATCH_OK;
}

/* `told`: samples, marks and windows. */
static bool is_samples(size_t spans, size_t processes, size_t losses, size_t told)
{
    return spans == 0 && processes == 0 && losses == 0 && told > 0;
}

bool batch_is_samples(const struct batch *b)
{
    return is_samples(b->span_count, b->process_count, b->loss_count,
                      (size_t)b->samples.count + b->mark_count + b->window_count);
}

void batch_forget_samples(struct batch *b)
{
    b->samples = (struct batch_samples){.count = 0};
}

static int decode(struct decoder *d, struct workspace *w, const void *bytes, size_t length,
                  size_t max_bytes)
{
    uint8_t *plain;
    size_t plain_length;
    Weft__Batch *m;
    int error = decompress(w, bytes, length, max_bytes, &plain, &plain_length);
    if (!error)
        error = unpack(d->scratch, plain, plain_length, &m);
    if (error)
        return error;
    if (is_samples(m->span_count, m->n_processes, m->n_losses,
                   m->sample_count + m->n_marks + m->windows.len))
        d->arena = d->samples_arena;
    d->batch = arena_calloc(d->arena, 1, sizeof *d->batch);
    return d->batch ? decode_message(d, m) : BATCH_ENOMEM;
}

struct batch *batch_decode_apart(struct arena *spans, struct arena *samples, const void *bytes,
                                 size_t length, size_t max_bytes, int *error)
{
    struct workspace *w = get_workspace();
    *error = BATCH_ENOMEM;
    if (!w)
        return NULL;
    struct decoder d = {
        .arena = spans, .samples_arena = samples ? samples : spans, .scratch = &w->scratch};
    *error = decode(&d, w, bytes, length, max_bytes);
    tidy_workspace(w);
    return *error ? NULL : d.batch;
}

struct batch *batch_decode(struct arena *arena, const void *bytes, size_t length, size_t max_bytes,
                           int *error)
{
    return batch_decode_apart(arena, arena, bytes, length, max_bytes, error);
}
