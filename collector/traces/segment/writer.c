// SPDX-License-Identifier: Apache-2.0
/* The writer holds one group (builder.h), and of the whole segment what is small: processes,
 * names, losses, the filter, entries of the footer. A group goes to the file as soon as it is
 * full. The first error stays: the file is worth nothing then. */
#include "collector/traces/segment/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "collector/hash.h"
#include "collector/traces/segment/builder.h"
#include "collector/traces/segment/filter.h"
#include "collector/traces/segment/footer.h"
#include "collector/traces/segment/losses.h"
#include "collector/traces/segment/roster.h"

enum { LISTS_LEAST = 64, PENDING_MAX = 64, PENDING_NEAR = 24 };

/* A row that is about to be added. */
struct pending {
    const struct batch *batch;
    struct trace_id id;
    uint32_t row, index; /* in the batch, in the trace */
    uint32_t distance;
    bool is_last; /* of its trace */
};

struct segment_writer {
    int fd, error; /* -errno, once it happened */
    uint64_t offset;
    uint32_t rows, rows_max;
    bool begun;
    bool has_last; /* a trace was given */
    struct trace_id last;
    struct pending pending[PENDING_MAX]; /* a ring: rows `pending_first` to `pending_end` */
    uint32_t pending_first, pending_end;
    struct encoder *encoder;
    struct builder builder;
    struct process_table processes;
    struct roster roster;
    struct loss_list losses;
    struct numbers continued_hi, continued_lo;
    struct column filter, out;
    struct footer footer;
    uint32_t group_capacity, table_capacity;

    struct translations translations;
};

struct segment_writer *segment_writer_create(int fd)
{
    struct segment_writer *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->fd = fd;
    w->rows = SEGMENT_GROUP_ROWS;
    w->rows_max = SEGMENT_GROUP_ROWS_MAX;
    w->encoder = encoder_create();
    w->footer.summary.start_min_unix_ns = UINT64_MAX;
    if (!w->encoder || !builder_init(&w->builder) || !process_table_init(&w->processes) ||
        !roster_init(&w->roster) || !loss_list_init(&w->losses))
        segment_writer_destroy(&w);
    return w;
}

void segment_writer_destroy(struct segment_writer **writer)
{
    struct segment_writer *w = *writer;
    if (!w)
        return;
    translations_fini(&w->translations);
    encoder_destroy(&w->encoder);
    builder_fini(&w->builder);
    process_table_fini(&w->processes);
    roster_fini(&w->roster);
    loss_list_fini(&w->losses);
    numbers_fini(&w->continued_hi);
    numbers_fini(&w->continued_lo);
    column_fini(&w->filter);
    column_fini(&w->out);
    footer_fini(&w->footer);
    free(w);
    *writer = NULL;
}

void segment_writer_limit_groups(struct segment_writer *w, uint32_t rows, uint32_t rows_max)
{
    w->rows = rows;
    w->rows_max = rows_max;
}

/* A process of a batch as one of the group. UINT32_MAX: no memory. */
static uint32_t translate_process(struct segment_writer *w, struct translation *t, uint32_t process)
{
    uint32_t stamp = w->builder.stamp;
    uint64_t known = t->processes[process];
    if (known >> 32 == stamp)
        return (uint32_t)known;
    uint32_t number = process_table_add(&w->processes, t->batch, process);
    if (number == UINT32_MAX)
        return UINT32_MAX;
    struct process_entry *p = &w->processes.list[number];
    if (p->stamp != stamp) {
        p->local = builder_process(&w->builder, number);
        p->stamp = stamp;
    }
    t->processes[process] = (uint64_t)stamp << 32 | p->local;
    return p->local;
}

/* ---- the file ---------------------------------------------------------------------------- */

static int write_all(struct segment_writer *w, const void *bytes, size_t length)
{
    const char *from = bytes;
    while (length > 0 && !w->error) {
        ssize_t n = write(w->fd, from, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            w->error = n < 0 ? -errno : -EIO;
            break;
        }
        from += n;
        length -= (size_t)n;
        w->offset += (uint64_t)n;
    }
    return w->error;
}

static int begin_file(struct segment_writer *w)
{
    uint8_t header[SEGMENT_HEADER_BYTES];
    if (w->begun)
        return w->error;
    w->begun = true;
    header_write(header);
    return write_all(w, header, sizeof header);
}

/* ---- groups ------------------------------------------------------------------------------ */

static uint64_t saturating_sum(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static struct block_bounds find_bounds(const struct builder *b)
{
    struct block_bounds bounds = {.rows = b->rows,
                                  .traces = b->trace_count,
                                  .start_min_unix_ns = UINT64_MAX,
                                  .duration_min_ns = UINT64_MAX};
    for (uint32_t row = 0; row < b->rows; row++) {
        uint64_t start = b->row[ROW_START][row], duration = b->row[ROW_DURATION][row];
        uint64_t end = saturating_sum(start, duration);
        uint64_t kind = b->row[ROW_KIND][row], status = b->row[ROW_STATUS][row];
        if (start < bounds.start_min_unix_ns)
            bounds.start_min_unix_ns = start;
        if (start > bounds.start_max_unix_ns)
            bounds.start_max_unix_ns = start;
        if (end > bounds.end_max_unix_ns)
            bounds.end_max_unix_ns = end;
        if (duration < bounds.duration_min_ns)
            bounds.duration_min_ns = duration;
        if (duration > bounds.duration_max_ns)
            bounds.duration_max_ns = duration;
        bounds.kinds |= kind < 8 ? (uint8_t)(1u << kind) : UINT8_MAX; /* unknown: any */
        bounds.statuses |= status < 8 ? (uint8_t)(1u << status) : UINT8_MAX;
    }
    return bounds;
}

static void sum_up(struct segment_writer *w, const struct group_entry *g)
{
    struct segment_summary *s = &w->footer.summary;
    const struct builder *b = &w->builder;
    const struct block_bounds *bounds = &g->bounds;
    s->spans += bounds->rows;
    s->traces += bounds->traces - (g->cut_rows > 0);
    for (uint32_t row = 0; row < b->rows; row++) {
        s->errors += b->row[ROW_STATUS][row] == SPAN_ERROR;
        s->died += b->row[ROW_STATUS][row] == SPAN_DIED;
    }
    if (bounds->start_min_unix_ns < s->start_min_unix_ns)
        s->start_min_unix_ns = bounds->start_min_unix_ns;
    if (bounds->start_max_unix_ns > s->start_max_unix_ns)
        s->start_max_unix_ns = bounds->start_max_unix_ns;
    if (bounds->end_max_unix_ns > s->end_max_unix_ns)
        s->end_max_unix_ns = bounds->end_max_unix_ns;
}

static bool add_to_filter(struct segment_writer *w)
{
    uint32_t count = filter_lines(w->builder.trace_count);
    size_t bytes = (size_t)count * FILTER_LINE_BYTES;
    if (!column_reserve(&w->filter, bytes))
        return false;
    uint8_t *lines = w->filter.bytes + w->filter.length;
    memset(lines, 0, bytes);
    for (uint32_t i = 0; i < w->builder.trace_count; i++)
        filter_add(lines, count, w->builder.traces[i].id);
    w->filter.length += bytes;
    return true;
}

static struct group_entry *new_group(struct segment_writer *w)
{
    struct footer *f = &w->footer;
    if (f->summary.groups == w->group_capacity) {
        uint32_t capacity = w->group_capacity ? w->group_capacity * 2 : LISTS_LEAST;
        struct group_entry *grown = realloc(f->groups, capacity * sizeof *grown);
        if (!grown)
            return NULL;
        f->groups = grown;
        w->group_capacity = capacity;
    }
    return &f->groups[f->summary.groups++];
}

/* Directory and sections. */
static int write_group(struct segment_writer *w, struct group_entry *g)
{
    struct builder *b = &w->builder;
    w->out.length = 0;
    if (!column_reserve(&w->out, (size_t)b->section_count * SEGMENT_SECTION_ENTRY_BYTES))
        return w->error = -ENOMEM;
    for (uint32_t i = 0; i < b->section_count; i++) {
        section_write(w->out.bytes + w->out.length, &b->sections[i]);
        w->out.length += SEGMENT_SECTION_ENTRY_BYTES;
    }
    g->offset = w->offset;
    g->directory_length = (uint32_t)w->out.length;
    g->directory_checksum = XXH3_64bits(w->out.bytes, w->out.length);
    g->bounds.bytes = w->out.length + b->body.length;
    write_all(w, w->out.bytes, w->out.length);
    return write_all(w, b->body.bytes, b->body.length);
}

static int end_group(struct segment_writer *w)
{
    struct builder *b = &w->builder;
    struct group_entry *g;
    if (w->error || b->rows == 0 || begin_file(w))
        return w->error;
    if (b->failed || !roster_add(&w->roster, b, &w->processes) || !add_to_filter(w) ||
        !(g = new_group(w)))
        return w->error = -ENOMEM;
    *g = (struct group_entry){
        .first = b->traces[0].id, .cut_rows = b->cut_rows, .bounds = find_bounds(b)};
    sum_up(w, g);
    if (!builder_put(b, w->encoder))
        return w->error = -ENOMEM;
    write_group(w, g);
    builder_clear(b);
    return w->error;
}

/* ---- traces ------------------------------------------------------------------------------ */

static int add_row(struct segment_writer *w, struct translation *t, uint32_t row, uint64_t distance)
{
    uint32_t process = translate_process(w, t, t->batch->process[row]);
    if (process == UINT32_MAX)
        return w->error = -ENOMEM;
    builder_add(&w->builder, t, row, process, distance);
    return w->builder.failed ? w->error = -ENOMEM : 0;
}

/* Rows of a trace lie all over their batches, and much of these is in no cache. So rows wait in a
 * ring: the columns of a row are asked for when it is given, what these point to when it comes
 * nearer, and both have arrived when it is added. */
static void prefetch_row(const struct pending *r)
{
    const struct batch *b = r->batch;
    const uint32_t *const narrow[] = {b->attribute_first, b->attribute_count, b->process, b->name};
    const uint64_t *const wide[] = {b->start_unix_ns, b->duration_ns, b->span_id, b->parent_id};
    const uint8_t *const bytes[] = {b->kind, b->status, b->flags};
    for (size_t i = 0; i < sizeof narrow / sizeof *narrow; i++)
        __builtin_prefetch(narrow[i] + r->row);
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        __builtin_prefetch(wide[i] + r->row);
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++)
        __builtin_prefetch(bytes[i] + r->row);
}

static void prefetch_attributes(const struct pending *r)
{
    enum { LINE = 64 };
    const struct batch *b = r->batch;
    const struct batch_attributes *a = &b->attributes;
    uint32_t first = b->attribute_first[r->row], count = b->attribute_count[r->row];
    if (count == 0)
        return;
    __builtin_prefetch(a->key + first);
    __builtin_prefetch(a->type + first);
    for (uint32_t i = 0; i < count && i < 4 * LINE / sizeof *a->value; i += LINE / sizeof *a->value)
        __builtin_prefetch(a->value + first + i);
}

static bool is_after(struct trace_id a, struct trace_id b)
{
    return a.hi != b.hi ? a.hi > b.hi : a.lo > b.lo;
}

/* Adds the row that has waited longest. */
static int add_pending(struct segment_writer *w)
{
    struct builder *b = &w->builder;
    const struct pending *p = &w->pending[w->pending_first++ % PENDING_MAX];
    struct translation *t = translations_find(&w->translations, p->batch);
    if (!t)
        return w->error = -ENOMEM;
    bool full = b->rows == w->rows_max || !builder_has_room(b, t, p->row);
    if (full && end_group(w))
        return w->error;
    if (full || p->index == 0)
        builder_begin_trace(b, p->id, p->index);
    if (add_row(w, t, p->row, p->distance))
        return w->error;
    return p->is_last && b->rows >= w->rows ? end_group(w) : 0;
}

static int add_all_pending(struct segment_writer *w)
{
    while (w->pending_first != w->pending_end && !w->error)
        add_pending(w);
    w->pending_first = w->pending_end;
    return w->error;
}

int segment_writer_add(struct segment_writer *w, struct trace_id id, bool continued,
                       const struct segment_row *rows, uint32_t count)
{
    if (w->error || count == 0)
        return w->error;
    if (w->has_last && !is_after(id, w->last))
        return w->error = -EINVAL;
    w->last = id;
    w->has_last = true;
    if (continued &&
        (!numbers_add(&w->continued_hi, id.hi) || !numbers_add(&w->continued_lo, id.lo)))
        return w->error = -ENOMEM;
    for (uint32_t i = 0; i < count && !w->error; i++) {
        struct pending *p = &w->pending[w->pending_end++ % PENDING_MAX];
        *p = (struct pending){.batch = rows[i].batch,
                              .id = id,
                              .row = rows[i].row,
                              .index = i,
                              .distance = rows[i].parent == BLOCK_NONE ? 0 : i - rows[i].parent,
                              .is_last = i + 1 == count};
        prefetch_row(p);
        uint32_t waiting = w->pending_end - w->pending_first;
        if (waiting > PENDING_NEAR)
            prefetch_attributes(&w->pending[(w->pending_end - PENDING_NEAR) % PENDING_MAX]);
        if (waiting == PENDING_MAX)
            add_pending(w);
    }
    return w->error;
}

void segment_writer_forget_batches(struct segment_writer *w)
{
    add_all_pending(w);
    translations_clear(&w->translations);
}

int segment_writer_loss(struct segment_writer *w, const struct segment_loss *loss)
{
    if (!w->error && !loss_list_add(&w->losses, loss))
        w->error = -ENOMEM;
    return w->error;
}

/* ---- the end ----------------------------------------------------------------------------- */

/* Writes w->out as a part of a table. */
static int write_part(struct segment_writer *w, enum table_kind kind, size_t count)
{
    struct footer *f = &w->footer;
    if (f->table_count == w->table_capacity) {
        uint32_t capacity = w->table_capacity ? w->table_capacity * 2 : LISTS_LEAST;
        struct table_entry *grown = realloc(f->tables, capacity * sizeof *grown);
        if (!grown)
            return w->error = -ENOMEM;
        f->tables = grown;
        w->table_capacity = capacity;
    }
    if (w->out.failed)
        return w->error = -ENOMEM;
    f->tables[f->table_count++] = (struct table_entry){
        .kind = kind,
        .count = (uint32_t)count,
        .offset = w->offset,
        .length = w->out.length,
        .checksum = XXH3_64bits(w->out.bytes, w->out.length),
    };
    write_all(w, w->out.bytes, w->out.length);
    w->out.length = 0;
    return w->error;
}

static size_t part_rows(size_t all, size_t first, size_t most)
{
    return all - first < most ? all - first : most;
}

static void write_processes(struct segment_writer *w)
{
    for (uint32_t i = 0; i < w->processes.count && !w->error; i += SEGMENT_PROCESSES_A_PART) {
        uint32_t count = (uint32_t)part_rows(w->processes.count, i, SEGMENT_PROCESSES_A_PART);
        process_table_put(&w->processes, i, count, w->encoder, &w->out);
        write_part(w, TABLE_PROCESSES, count);
    }
}

static void write_continued(struct segment_writer *w)
{
    for (size_t i = 0; i < w->continued_hi.count && !w->error; i += SEGMENT_TABLE_ROWS_MAX) {
        size_t count = part_rows(w->continued_hi.count, i, SEGMENT_TABLE_ROWS_MAX);
        table_put_numbers(w->encoder, w->continued_hi.values + i, count, &w->out);
        table_put_numbers(w->encoder, w->continued_lo.values + i, count, &w->out);
        write_part(w, TABLE_CONTINUED, count);
    }
}

static void write_losses(struct segment_writer *w)
{
    size_t all = loss_list_count(&w->losses);
    for (size_t i = 0; i < all && !w->error; i += SEGMENT_TABLE_ROWS_MAX) {
        size_t count = part_rows(all, i, SEGMENT_TABLE_ROWS_MAX);
        loss_list_put(&w->losses, i, count, w->encoder, &w->out);
        write_part(w, TABLE_LOSSES, count);
    }
}

static void write_tables(struct segment_writer *w)
{
    w->out.length = 0;
    column_put_bytes(&w->out, w->filter.bytes, w->filter.length);
    write_part(w, TABLE_FILTER, w->filter.length / FILTER_LINE_BYTES);
    write_processes(w);
    write_continued(w);
    write_losses(w);
    if (w->roster.service_count && !w->error) {
        roster_put_services(&w->roster, w->encoder, &w->out);
        write_part(w, TABLE_SERVICES, w->roster.service_count);
    }
    if (w->roster.operation_count && !w->error) {
        roster_put_operations(&w->roster, w->encoder, &w->out);
        write_part(w, TABLE_OPERATIONS, w->roster.operation_count);
    }
}

int segment_writer_finish(struct segment_writer *w, struct segment_summary *summary)
{
    struct segment_summary *s = &w->footer.summary;
    add_all_pending(w);
    end_group(w);
    begin_file(w);
    if (!w->error)
        write_tables(w);
    if (w->error)
        return w->error;
    s->first = summary->first;
    s->last = summary->last;
    s->spans_before = summary->spans_before;
    s->accepted_spans = summary->accepted_spans;
    s->ledger_end = summary->ledger_end;
    s->ledger_begun_unix_ns = summary->ledger_begun_unix_ns;
    s->created_unix_ns = summary->created_unix_ns;
    if (s->spans == 0)
        s->start_min_unix_ns = 0;
    w->out.length = 0;
    footer_put(&w->footer, &w->out);
    if (w->out.failed)
        return w->error = -ENOMEM;
    if (write_all(w, w->out.bytes, w->out.length))
        return w->error;
    s->file_bytes = w->offset;
    *summary = *s;
    return 0;
}
