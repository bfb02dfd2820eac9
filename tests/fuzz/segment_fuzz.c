// SPDX-License-Identifier: Apache-2.0
/* A segment from a hostile hand. A good one is changed as the input says; then its checksums are
 * made to hold again, so that what stands behind them is reached; then everything in it is read
 * in every way. With an odd first byte the input is a column instead, whatever its encoding. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "collector/traces/segment/encoding.h"
#include "collector/traces/segment/footer.h"
#include "collector/traces/segment/writer.h"
#include "lib/ring/span_id.h"
#include "tests/fuzz/hostile_file.h"

enum { SPANS = 60, TRACE_SPANS = 6, COLUMN_MAX = 70000 };

static struct footer footer; /* of the good one */

/* ---- a good segment ---------------------------------------------------------------------- */

static void add_attributes(struct batch_builder *b, uint32_t i)
{
    static const char *const keys[] = {"a", "b", "c", "d"};
    for (uint32_t k = 0; k < i % 4; k++) {
        enum value_type type = (i + k) % 7 ? k % VALUE_TYPES : i % VALUE_TYPES;
        uint64_t value = span_id_mix(i + k) >> i % 60;
        if (type == VALUE_STRING || type == VALUE_BYTES)
            value = batch_string(b, &"0123456789abcdef"[i % 8], 1 + i % 5);
        else if (type == VALUE_BOOL)
            value = i % 2;
        batch_attribute(b, batch_string(b, keys[k], 1), type, value);
    }
}

static void add_span(struct batch_builder *b, uint32_t i, uint32_t process)
{
    static const char *const names[] = {"read", "write", "call", "deliver"};
    uint32_t at = i % TRACE_SPANS;
    batch_span_add(b, &(struct batch_span){
                          .process = process,
                          .name = batch_string(b, names[i % 4], strlen(names[i % 4])),
                          .trace_id = {1000 + i / TRACE_SPANS, span_id_mix(i / TRACE_SPANS + 1)},
                          .span_id = i % 9 ? span_id_mix(500 + i) : span_id_mix(span_id_mix(i + 1)),
                          .parent_id = at      ? span_id_mix(500 + i - 1)
                                       : i % 4 ? 0
                                               : 77,
                          .start_unix_ns = UINT64_C(1763760000000000000) + i * 1000,
                          .duration_ns = span_id_mix(i) >> 30,
                          .kind = (uint8_t)(i % SPAN_KINDS),
                          .status = i % 11 ? SPAN_OK : SPAN_ERROR,
                          .flags = i % 2,
                          .dropped_attributes = i % 13 ? 0 : 3,
                          .status_message = i % 11 ? 0 : batch_string(b, "failed", 6),
                      });
    add_attributes(b, i);
    if (i % 5 == 0) {
        batch_event(b, batch_string(b, "event", 5), i);
        add_attributes(b, i + 1);
    }
    if (i % 7 == 0) {
        batch_link(b, (struct trace_id){i, 2}, 3);
        add_attributes(b, i + 2);
    }
}

static struct batch *make_batch(struct arena *arena)
{
    struct batch_builder *b = batch_builder_create();
    struct buffer bytes = {0};
    int error;
    for (uint32_t p = 0; p < 3; p++) {
        struct batch_process_info info = {.uuid = {(uint8_t)p}, .host = "box", .service = "api"};
        batch_process(b, &info);
        batch_process_attribute(b, batch_string(b, "zone", 4), VALUE_INT, p);
        batch_process_attribute(b, batch_string(b, "os", 2), VALUE_STRING,
                                batch_string(b, "linux", 5));
    }
    for (uint32_t i = 0; i < SPANS; i++)
        add_span(b, i, i % 3);
    check(batch_encode(b, &bytes) == 0);
    struct batch *batch = batch_decode(arena, bytes.data, bytes.length, 1 << 24, &error);
    check(batch != NULL);
    buffer_fini(&bytes);
    batch_builder_destroy(&b);
    return batch;
}

static void make_good(void)
{
    struct arena arena;
    const char *why;
    int fd = hostile_new_file();
    struct segment_writer *w = segment_writer_create(fd);
    arena_init(&arena, 4096);
    const struct batch *batch = make_batch(&arena);
    segment_writer_limit_groups(w, 20, 21); /* the first group is cut, too */
    for (uint32_t i = 0; i < SPANS; i += TRACE_SPANS) {
        struct segment_row rows[TRACE_SPANS];
        for (uint32_t k = 0; k < TRACE_SPANS; k++)
            rows[k] = (struct segment_row){batch, i + k, k ? k - 1 : BLOCK_NONE};
        struct trace_id id = {batch->trace_hi[i], batch->trace_lo[i]};
        check(segment_writer_add(w, id, i % 4 == 0, rows, TRACE_SPANS) == 0);
    }
    struct segment_loss loss = {.agent = {"agent", 5}, .reason = 3, .count = 9};
    check(segment_writer_loss(w, &loss) == 0);
    struct segment_summary summary = {.first = 1, .last = 1};
    check(segment_writer_finish(w, &summary) == 0);
    segment_writer_destroy(&w);
    hostile_keep(fd, summary.file_bytes);
    close(fd);
    uint64_t length = get_u64(good + image_length - SEGMENT_TRAILER_BYTES);
    check(footer_get(good + image_length - SEGMENT_TRAILER_BYTES - length,
                     length + SEGMENT_TRAILER_BYTES, image_length, &footer, &why) == SEGMENT_OK);
    arena_fini(&arena);
}

/* ---- a changed one ----------------------------------------------------------------------- */

static void fix_group(uint32_t i, uint8_t *entry)
{
    const struct group_entry *g = &footer.groups[i];
    uint8_t *directory = image + g->offset;
    uint64_t offset = g->directory_length;
    for (uint32_t at = 0; at < g->directory_length; at += SEGMENT_SECTION_ENTRY_BYTES) {
        uint32_t length = get_u32(directory + at + 12);
        if (length > g->bounds.bytes - offset)
            break;
        put_u64(directory + at + 16, XXH3_64bits(directory + offset, length));
        offset += length;
    }
    put_u64(entry + 16, XXH3_64bits(directory, g->directory_length));
}

static void fix_checksums(void)
{
    uint64_t length = get_u64(good + image_length - SEGMENT_TRAILER_BYTES);
    uint8_t *begin = image + image_length - SEGMENT_TRAILER_BYTES - length;
    uint8_t *entry = begin + SEGMENT_SUMMARY_BYTES;
    for (uint32_t i = 0; i < footer.summary.groups; i++, entry += SEGMENT_GROUP_ENTRY_BYTES)
        fix_group(i, entry);
    for (uint32_t i = 0; i < footer.table_count; i++, entry += SEGMENT_TABLE_ENTRY_BYTES) {
        uint64_t offset = get_u64(entry + 8), bytes = get_u64(entry + 16);
        if (offset <= image_length && bytes <= image_length - offset)
            put_u64(entry + 24, XXH3_64bits(image + offset, bytes));
    }
    put_u64(image + image_length - 8, XXH3_64bits(begin, length + SEGMENT_TRAILER_BYTES - 8));
}

/* ---- reading ----------------------------------------------------------------------------- */

static void sum_key(void *context, struct batch_str key)
{
    struct block *b = context;
    if (b->error)
        return;
    uint32_t strings = block_strings(b)->count;
    for (enum block_scope scope = BLOCK_SPAN; scope < BLOCK_SCOPES; scope++) {
        const struct block_attribute *a = block_attribute(b, scope, key.bytes, key.length);
        const uint32_t *rows = a ? block_attribute_rows(b, a) : NULL;
        for (uint32_t i = 0; rows && i < a->count; i++) {
            check(rows[i] < b->rows && a->type[i] < VALUE_TYPES);
            check((a->type[i] != VALUE_STRING && a->type[i] != VALUE_BYTES) ||
                  a->value[i] < strings);
        }
        if (rows && scope != BLOCK_SPAN)
            block_attribute_items(b, a);
    }
}

static void read_block(struct segment *s, uint32_t i)
{
    struct block *b = segment_group(s, i);
    const uint32_t *u32[BLOCK_U32S];
    check(b != NULL);
    for (enum block_u64 c = 0; c < BLOCK_U64S; c++)
        block_u64(b, c);
    for (enum block_u8 c = 0; c < BLOCK_U8S; c++)
        block_u8(b, c);
    for (enum block_u32 c = 0; c < BLOCK_U32S; c++)
        u32[c] = block_u32(b, c);
    const struct block_strings *strings = block_strings(b);
    const struct block_processes *processes = block_processes(b);
    for (uint32_t row = 0; !b->error && row < b->rows; row++) {
        check(u32[BLOCK_NAME][row] < strings->count && u32[BLOCK_TRACESTATE][row] < strings->count);
        check(u32[BLOCK_STATUS_MESSAGE][row] < strings->count);
        check(u32[BLOCK_PROCESS][row] < processes->count);
        check(u32[BLOCK_PARENT][row] == BLOCK_NONE || u32[BLOCK_PARENT][row] < row);
    }
    for (enum block_scope scope = BLOCK_SPAN; scope < BLOCK_SCOPES; scope++)
        block_keys(b, scope, sum_key, b);
    const struct block_events *events = block_events(b);
    for (uint32_t k = 0; events && k < events->count; k++)
        check(events->row[k] < b->rows && events->name[k] < strings->count);
    const struct block_links *links = block_links(b);
    for (uint32_t k = 0; links && k < links->count; k++)
        check(links->row[k] < b->rows);
    block_close(&b);
}

/* Every index of a batch is within its column, as batch.h promises. */
static void check_batch(const struct batch *b)
{
    for (uint32_t i = 0; i < b->span_count; i++) {
        check(b->name[i] < b->string_count && b->status_message[i] < b->string_count &&
              b->tracestate[i] < b->string_count && b->process[i] < b->process_count);
        check((uint64_t)b->attribute_first[i] + b->attribute_count[i] <= b->attributes.count);
        check((uint64_t)b->event_first[i] + b->event_count[i] <= b->events);
        check((uint64_t)b->link_first[i] + b->link_count[i] <= b->links);
    }
    for (uint32_t i = 0; i < b->events; i++)
        check((uint64_t)b->event_attribute_first[i] + b->event_attribute_count[i] <=
                  b->attributes.count &&
              b->event_name[i] < b->string_count);
    for (uint32_t i = 0; i < b->links; i++)
        check((uint64_t)b->link_attribute_first[i] + b->link_attribute_count[i] <=
              b->attributes.count);
    const struct batch_attributes *lists[] = {&b->attributes, &b->resource};
    for (int l = 0; l < 2; l++) {
        for (uint32_t i = 0; i < lists[l]->count; i++) {
            uint8_t type = lists[l]->type[i];
            check(lists[l]->key[i] < b->string_count && type < VALUE_TYPES);
            check((type != VALUE_STRING && type != VALUE_BYTES) ||
                  lists[l]->value[i] < b->string_count);
        }
    }
}

static void read_batches(struct segment *s, uint32_t i, struct arena *arena)
{
    struct batch *b;
    const uint32_t *parents;
    if (segment_group_batch(s, i, arena, &b, &parents) != SEGMENT_OK)
        return;
    check_batch(b);
    struct trace_id id = {b->trace_hi[0], b->trace_lo[0]};
    for (int details = 0; details < 2; details++) {
        struct span_run *runs;
        size_t count;
        if (segment_find(s, id, details, arena, &runs, &count) != SEGMENT_OK)
            continue;
        for (size_t k = 0; k < count; k++)
            check_batch(runs[k].batch);
    }
}

static void read_tables(struct segment *s, struct arena *arena)
{
    struct segment_loss *losses;
    struct segment_service *services;
    struct segment_operation *operations;
    struct block_processes processes;
    struct trace_id *ids = NULL;
    size_t count, more;
    segment_losses(s, arena, &losses, &count);
    if (segment_names(s, arena, &services, &count, &operations, &more) == SEGMENT_OK) {
        for (size_t i = 0; i < more; i++)
            check(operations[i].service < count);
    }
    segment_processes(s, arena, &processes);
    segment_continued(s, &ids, &count);
    free(ids);
}

static void read_segment(void)
{
    struct arena arena;
    char why[200];
    int error, fd = hostile_file();
    struct segment *s = segment_open(fd, &error, why, sizeof why);
    if (!s) {
        close(fd);
        return;
    }
    arena_init(&arena, 4096);
    for (uint32_t i = 0; i < segment_summary(s)->groups; i++) {
        read_block(s, i);
        read_batches(s, i, &arena);
        arena_reset(&arena);
    }
    read_tables(s, &arena);
    arena_fini(&arena);
    segment_close(&s);
}

static void read_column(const uint8_t *data, size_t size)
{
    static uint64_t values[COLUMN_MAX];
    if (size < 4)
        return;
    size_t total = (size_t)(data[0] | data[1] << 8) + data[2] % 8,
           first = total ? data[3] * total / 256 : 0;
    uint8_t *bytes = calloc(1, size - 4 + BITS_PADDING);
    check(bytes != NULL);
    memcpy(bytes, data + 4, size - 4);
    encoding_get(bytes, size - 4, total, 0, total, values);
    encoding_get(bytes, size - 4, total, first, total - first, values);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (image_length == 0)
        make_good();
    if (size == 0)
        return 0;
    if (data[0] % 2) {
        read_column(data + 1, size - 1);
    } else {
        hostile_change(data + 1, size - 1);
        fix_checksums();
        read_segment();
    }
    return 0;
}
