// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/segment/footer.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "collector/traces/segment/filter.h"

enum { MAGIC_BYTES = 8, SUMMARY_NUMBERS = 15 };

_Static_assert(SEGMENT_SUMMARY_BYTES == SUMMARY_NUMBERS * 8 + 2 * 4, "fourteen u64, two u32");

void header_write(uint8_t bytes[SEGMENT_HEADER_BYTES])
{
    memcpy(bytes, SEGMENT_MAGIC, MAGIC_BYTES);
    put_u32(bytes + 8, SEGMENT_FORMAT_VERSION);
    put_u32(bytes + 12, 0);
}

/* ---- writing ----------------------------------------------------------------------------- */

static void put_summary(const struct footer *f, struct column *out)
{
    const struct segment_summary *s = &f->summary;
    const uint64_t numbers[SUMMARY_NUMBERS] = {
        s->first,
        s->last,
        s->spans,
        s->traces,
        s->spans_before,
        s->accepted_spans,
        s->ledger_end.segment,
        s->ledger_end.offset,
        s->ledger_begun_unix_ns,
        s->created_unix_ns,
        s->start_min_unix_ns,
        s->start_max_unix_ns,
        s->end_max_unix_ns,
        s->errors,
        s->died,
    };
    for (int i = 0; i < SUMMARY_NUMBERS; i++)
        column_put_fixed(out, numbers[i], 8);
    column_put_fixed(out, s->groups, 4);
    column_put_fixed(out, f->table_count, 4);
}

static void put_group(const struct group_entry *g, struct column *out)
{
    const struct block_bounds *b = &g->bounds;
    const uint64_t numbers[] = {
        g->offset,          b->bytes,           g->directory_checksum, g->first.hi,
        g->first.lo,        g->cut_rows,        b->start_min_unix_ns,  b->start_max_unix_ns,
        b->end_max_unix_ns, b->duration_min_ns, b->duration_max_ns};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        column_put_fixed(out, numbers[i], 8);
    column_put_fixed(out, g->directory_length, 4);
    column_put_fixed(out, b->rows, 4);
    column_put_fixed(out, b->traces, 4);
    column_put_fixed(out, b->kinds, 1);
    column_put_fixed(out, b->statuses, 1);
    column_put_fixed(out, 0, 2);
}

void footer_put(const struct footer *f, struct column *out)
{
    size_t begin = out->length;
    put_summary(f, out);
    for (uint32_t i = 0; i < f->summary.groups; i++)
        put_group(&f->groups[i], out);
    for (uint32_t i = 0; i < f->table_count; i++) {
        const struct table_entry *t = &f->tables[i];
        column_put_fixed(out, t->kind, 4);
        column_put_fixed(out, t->count, 4);
        column_put_fixed(out, t->offset, 8);
        column_put_fixed(out, t->length, 8);
        column_put_fixed(out, t->checksum, 8);
    }
    column_put_fixed(out, out->length - begin, 8);
    column_put_fixed(out, SEGMENT_FORMAT_VERSION, 4);
    column_put_fixed(out, 0, 4);
    column_put_bytes(out, SEGMENT_MAGIC, MAGIC_BYTES);
    if (!out->failed)
        column_put_fixed(out, XXH3_64bits(out->bytes + begin, out->length - begin), 8);
}

/* ---- reading ----------------------------------------------------------------------------- */

int trailer_get(const uint8_t bytes[SEGMENT_TRAILER_BYTES], uint64_t file_bytes,
                uint64_t *footer_length)
{
    *footer_length = get_u64(bytes);
    if (memcmp(bytes + 16, SEGMENT_MAGIC, MAGIC_BYTES) != 0)
        return SEGMENT_EDAMAGED;
    if (get_u32(bytes + 8) > SEGMENT_FORMAT_VERSION)
        return SEGMENT_EVERSION;
    if (file_bytes < SEGMENT_HEADER_BYTES + SEGMENT_TRAILER_BYTES ||
        *footer_length > file_bytes - SEGMENT_HEADER_BYTES - SEGMENT_TRAILER_BYTES)
        return SEGMENT_EDAMAGED;
    return SEGMENT_OK;
}

static void get_summary(struct column_reader *in, struct footer *f)
{
    struct segment_summary *s = &f->summary;
    uint64_t *const numbers[SUMMARY_NUMBERS] = {
        &s->first,
        &s->last,
        &s->spans,
        &s->traces,
        &s->spans_before,
        &s->accepted_spans,
        &s->ledger_end.segment,
        &s->ledger_end.offset,
        &s->ledger_begun_unix_ns,
        &s->created_unix_ns,
        &s->start_min_unix_ns,
        &s->start_max_unix_ns,
        &s->end_max_unix_ns,
        &s->errors,
        &s->died,
    };
    for (int i = 0; i < SUMMARY_NUMBERS; i++)
        *numbers[i] = column_get_fixed(in, 8);
    s->groups = (uint32_t)column_get_fixed(in, 4);
    f->table_count = (uint32_t)column_get_fixed(in, 4);
}

/* *end: where what is before ends, and then this. */
static bool get_group(struct column_reader *in, struct group_entry *g, uint64_t *end,
                      uint64_t limit)
{
    struct block_bounds *b = &g->bounds;
    uint64_t *const numbers[] = {
        &g->offset,          &b->bytes,           &g->directory_checksum, &g->first.hi,
        &g->first.lo,        &g->cut_rows,        &b->start_min_unix_ns,  &b->start_max_unix_ns,
        &b->end_max_unix_ns, &b->duration_min_ns, &b->duration_max_ns};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        *numbers[i] = column_get_fixed(in, 8);
    g->directory_length = (uint32_t)column_get_fixed(in, 4);
    b->rows = (uint32_t)column_get_fixed(in, 4);
    b->traces = (uint32_t)column_get_fixed(in, 4);
    b->kinds = (uint8_t)column_get_fixed(in, 1);
    b->statuses = (uint8_t)column_get_fixed(in, 1);
    column_get_fixed(in, 2);
    if (g->offset != *end || b->bytes > limit - *end || b->bytes > UINT32_MAX ||
        g->directory_length > b->bytes || g->directory_length % SEGMENT_SECTION_ENTRY_BYTES ||
        b->rows == 0 || b->rows > SEGMENT_GROUP_ROWS_MAX || b->traces == 0 || b->traces > b->rows ||
        g->cut_rows > UINT32_MAX)
        return false;
    *end += b->bytes;
    return true;
}

static bool get_table(struct column_reader *in, struct table_entry *t, uint64_t *end,
                      uint64_t limit)
{
    t->kind = (uint32_t)column_get_fixed(in, 4);
    t->count = (uint32_t)column_get_fixed(in, 4);
    t->offset = column_get_fixed(in, 8);
    t->length = column_get_fixed(in, 8);
    t->checksum = column_get_fixed(in, 8);
    if (t->offset != *end || t->length > limit - *end)
        return false;
    if (t->kind != TABLE_FILTER && (t->count > SEGMENT_TABLE_ROWS_MAX || t->length > UINT32_MAX))
        return false;
    *end += t->length;
    return true;
}

/* The groups' lines follow each other and fill the filter. */
static bool place_filter(struct footer *f)
{
    uint64_t lines = 0;
    for (uint32_t i = 0; i < f->summary.groups; i++) {
        if (lines > UINT32_MAX)
            return false;
        f->groups[i].filter_line = (uint32_t)lines;
        lines += filter_lines(f->groups[i].bounds.traces);
    }
    if (f->summary.groups == 0)
        return true;
    return f->table_count > 0 && f->tables[0].kind == TABLE_FILTER &&
           f->tables[0].length == lines * FILTER_LINE_BYTES;
}

int footer_get(const uint8_t *bytes, size_t length, uint64_t file_bytes, struct footer *f,
               const char **why)
{
    struct column_reader in = {bytes, bytes + length - SEGMENT_TRAILER_BYTES, false};
    uint64_t end = SEGMENT_HEADER_BYTES, limit = file_bytes - length;
    *f = (struct footer){0};
    *why = "its checksum does not hold";
    if (XXH3_64bits(bytes, length - 8) != get_u64(bytes + length - 8))
        return SEGMENT_EDAMAGED;
    *why = "it contradicts itself";
    get_summary(&in, f);
    if (in.bad || column_left(&in) != (uint64_t)f->summary.groups * SEGMENT_GROUP_ENTRY_BYTES +
                                          (uint64_t)f->table_count * SEGMENT_TABLE_ENTRY_BYTES)
        return SEGMENT_EDAMAGED;
    f->summary.file_bytes = file_bytes;
    f->groups = calloc(f->summary.groups + 1, sizeof *f->groups);
    f->tables = calloc(f->table_count + 1, sizeof *f->tables);
    if (!f->groups || !f->tables)
        return SEGMENT_ENOMEM;
    for (uint32_t i = 0; i < f->summary.groups; i++) {
        if (!get_group(&in, &f->groups[i], &end, limit))
            return SEGMENT_EDAMAGED;
    }
    for (uint32_t i = 0; i < f->table_count; i++) {
        if (!get_table(&in, &f->tables[i], &end, limit))
            return SEGMENT_EDAMAGED;
    }
    return end == limit && place_filter(f) ? SEGMENT_OK : SEGMENT_EDAMAGED;
}

void footer_fini(struct footer *f)
{
    free(f->groups);
    free(f->tables);
    *f = (struct footer){0};
}
