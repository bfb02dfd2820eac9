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

enum { LISTS_LEAST = 64, PREFETCH_ROWS = 32 };

struct segment_writer {
    int fd, error; /* -errno, once it happened */
    uint64_t offset;
    uint32_t rows, rows_max;
    bool begun;
    struct trace_id last;
    struct encoder *encoder;
    struct builder builder;
    struct process_table processes;
    struct roster roster;
    struct loss_list losses;
    struct numbers continued_hi, continued_lo;
    struct column filter, out;
    struct footer footer;
    uint32_t group_capacity, table_capacity;

    /* batches: translations found by a batch's address */
    struct translation **translations;
    uint32_t *slots;
    size_t count, capacity, slot_count;
    struct translation *recent;
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
    segment_writer_forget_batches(w);
    free(w->translations);
    free(w->slots);
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

/* ---- batches ----------------------------------------------------------------------------- */

static void free_translation(struct translation *t)
{
    if (!t)
        return;
    free(t->strings);
    free(t->processes);
    free(t);
}

void segment_writer_forget_batches(struct segment_writer *w)
{
    for (size_t i = 0; i < w->count; i++)
        free_translation(w->translations[i]);
    if (w->slots)
        memset(w->slots, 0, w->slot_count * sizeof *w->slots);
    w->count = 0;
    w->recent = NULL;
}

static size_t slot_of(const struct segment_writer *w, const struct batch *batch)
{
    size_t at = hash_words((uintptr_t)batch, 0) & (w->slot_count - 1);
    while (w->slots[at] && w->translations[w->slots[at] - 1]->batch != batch)
        at = (at + 1) & (w->slot_count - 1);
    return at;
}

static bool grow_translations(struct segment_writer *w)
{
    size_t capacity = w->capacity ? w->capacity * 2 : LISTS_LEAST;
    struct translation **list = realloc(w->translations, capacity * sizeof *list);
    if (!list)
        return false;
    w->translations = list;
    uint32_t *slots = calloc(hash_slots(capacity), sizeof *slots);
    if (!slots)
        return false;
    free(w->slots);
    w->slots = slots;
    w->slot_count = hash_slots(capacity);
    w->capacity = capacity;
    for (size_t i = 0; i < w->count; i++)
        w->slots[slot_of(w, list[i]->batch)] = (uint32_t)i + 1;
    return true;
}

/* NULL: no memory. */
static struct translation *find_translation(struct segment_writer *w, const struct batch *batch)
{
    if (w->recent && w->recent->batch == batch)
        return w->recent;
    if (w->count == w->capacity && !grow_translations(w))
        return NULL;
    size_t at = slot_of(w, batch);
    if (w->slots[at])
        return w->recent = w->translations[w->slots[at] - 1];
    struct translation *t = calloc(1, sizeof *t);
    if (t) {
        t->batch = batch;
        t->strings = calloc((size_t)batch->string_count + 1, sizeof *t->strings);
        t->processes = calloc((size_t)batch->process_count + 1, sizeof *t->processes);
        t->plain = builder_is_plain(batch);
    }
    if (!t || !t->strings || !t->processes) {
        free_translation(t);
        return NULL;
    }
    w->translations[w->count] = t;
    w->slots[at] = (uint32_t)++w->count;
    return w->recent = t;
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

/* Rows of a trace lie all over their batches, and much of these is in no cache: so it is asked
 * for some rows ahead, first the columns of rows, then what these point to. */
static void prefetch_row(const struct segment_row *r)
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

static void prefetch_attributes(const struct segment_row *r)
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

static void prefetch(const struct segment_row *rows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        prefetch_row(&rows[i]);
    for (uint32_t i = 0; i < count; i++)
        prefetch_attributes(&rows[i]);
}

static bool is_after(struct trace_id a, struct trace_id b)
{
    return a.hi != b.hi ? a.hi > b.hi : a.lo > b.lo;
}

int segment_writer_add(struct segment_writer *w, struct trace_id id, bool continued,
                       const struct segment_row *rows, uint32_t count)
{
    struct builder *b = &w->builder;
    if (w->error || count == 0)
        return w->error;
    if ((w->footer.summary.groups || b->rows) && !is_after(id, w->last))
        return w->error = -EINVAL;
    w->last = id;
    if (continued &&
        (!numbers_add(&w->continued_hi, id.hi) || !numbers_add(&w->continued_lo, id.lo)))
        return w->error = -ENOMEM;
    bool begun = false;
    for (uint32_t i = 0; i < count; i++) {
        if (i % PREFETCH_ROWS == 0)
            prefetch(rows + i, count - i < PREFETCH_ROWS ? count - i : PREFETCH_ROWS);
        struct translation *t = find_translation(w, rows[i].batch);
        if (!t)
            return w->error = -ENOMEM;
        if (b->rows == w->rows_max || !builder_has_room(b, t, rows[i].row)) {
            if (end_group(w))
                return w->error;
            begun = false;
        }
        if (!begun)
            builder_begin_trace(b, id, i);
        begun = true;
        if (add_row(w, t, rows[i].row, rows[i].parent == BLOCK_NONE ? 0 : i - rows[i].parent))
            return w->error;
    }
    return b->rows >= w->rows ? end_group(w) : 0;
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
    s->created_unix_ns = summary->created_unix_ns;
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
