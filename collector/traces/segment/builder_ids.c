// SPDX-License-Identifier: Apache-2.0
/* The sections of ids: of traces, spans and parents.
 *
 * Span ids of libweft are counters behind a permutation (lib/ring/span_id.h), one counter a
 * thread. Rows refer to an origin, a process and one of its counters, and keep the difference to
 * that counter's last id. Counters are told apart by their upper bits; ids that share theirs with
 * no other of the group are kept whole.
 */
#include <string.h>

#include "collector/hash.h"
#include "collector/traces/segment/builder.h"
#include "lib/ring/span_id.h"

enum { COUNTER_BITS = 20 };

/* ---- traces ------------------------------------------------------------------------------ */

static void put_by_trace(struct builder *b, struct encoder *e, enum section_kind kind,
                         const uint64_t *values, unsigned how)
{
    builder_put_section(b, e, (struct section){.kind = (uint8_t)kind}, values, b->trace_count, how);
}

/* Puts one of two forms of a column: whichever is smaller. Each is one section or two. */
struct form {
    enum section_kind kinds[2];
    const uint64_t *values[2];
    int sections;
};

static void put_form(struct builder *b, struct encoder *e, const struct form *f)
{
    for (int i = 0; i < f->sections; i++)
        put_by_trace(b, e, f->kinds[i], f->values[i], PUT_ALWAYS);
}

static void put_smaller(struct builder *b, struct encoder *e, const struct form forms[2])
{
    size_t begin = b->body.length, length[2];
    uint32_t sections = b->section_count;
    for (int i = 0; i < 2; i++) {
        b->body.length = begin;
        b->section_count = sections;
        put_form(b, e, &forms[i]);
        length[i] = b->body.length + b->section_count * SEGMENT_SECTION_ENTRY_BYTES;
    }
    if (length[1] < length[0])
        return;
    b->body.length = begin;
    b->section_count = sections;
    put_form(b, e, &forms[0]);
}

static void put_traces(struct builder *b, struct encoder *e)
{
    uint64_t *a = builder_scratch(b, 0, b->trace_count), *c = builder_scratch(b, 1, b->trace_count),
             *d = builder_scratch(b, 2, b->trace_count);
    if (!a || !c || !d)
        return;
    for (uint32_t i = 0; i < b->trace_count; i++)
        a[i] = b->traces[i].id.hi;
    put_by_trace(b, e, SECTION_TRACE_HI, a, PUT_ALWAYS);
    for (uint32_t i = 0; i < b->trace_count; i++) {
        uint64_t counter = span_id_unmix(b->traces[i].id.lo);
        a[i] = b->traces[i].id.lo;
        c[i] = counter >> COUNTER_BITS;
        d[i] = counter & bits_mask(COUNTER_BITS);
    }
    put_smaller(b, e,
                (struct form[2]){
                    {{SECTION_TRACE_LO}, {a}, 1},
                    {{SECTION_TRACE_LO_BLOCK, SECTION_TRACE_LO_COUNT}, {c, d}, 2},
                });
    for (uint32_t i = 0; i < b->trace_count; i++) {
        uint32_t end = i + 1 < b->trace_count ? b->traces[i + 1].row : b->rows;
        a[i] = end - b->traces[i].row - 1;
    }
    put_by_trace(b, e, SECTION_TRACE_ROWS, a, 0);
    for (uint32_t i = 0; i < b->trace_count; i++) {
        a[i] = b->row[ROW_START][b->traces[i].row];
        c[i] = a[i] - b->traces[i].id.hi;
    }
    put_smaller(b, e,
                (struct form[2]){
                    {{SECTION_TRACE_START}, {a}, 1},
                    {{SECTION_TRACE_START_HI}, {c}, 1},
                });
}

/* ---- origins ----------------------------------------------------------------------------- */

struct origin {
    uint64_t high; /* of the counter */
    uint64_t first, last;
    uint32_t process, count, number;
};

struct origins {
    struct origin *list;
    uint32_t *slots, *last_of; /* last_of a process: which origin came last, + 1 */
    size_t count, slot_count;
};

static uint32_t find_origin(struct origins *o, uint32_t process, uint64_t counter)
{
    uint64_t high = counter >> COUNTER_BITS;
    uint32_t last = o->last_of[process];
    if (last && o->list[last - 1].high == high)
        return last - 1;
    size_t at = hash_words(high, process) & (o->slot_count - 1);
    for (; o->slots[at]; at = (at + 1) & (o->slot_count - 1)) {
        struct origin *known = &o->list[o->slots[at] - 1];
        if (known->high == high && known->process == process)
            break;
    }
    if (!o->slots[at]) {
        o->list[o->count++] = (struct origin){.high = high, .first = counter, .process = process};
        o->slots[at] = (uint32_t)o->count;
    }
    o->last_of[process] = o->slots[at];
    return o->slots[at] - 1;
}

/* Counters of one id become their process' origin of whole ids; all get their numbers. */
static size_t number_origins(struct origins *o, uint32_t *whole)
{
    size_t count = 0;
    for (size_t i = 0; i < o->count; i++) {
        struct origin *origin = &o->list[i];
        bool counts = origin->count > 1 && origin->first != 0;
        if (counts) {
            origin->number = (uint32_t)count++;
        } else {
            origin->first = 0;
            if (whole[origin->process] == 0)
                whole[origin->process] = (uint32_t)++count;
            origin->number = whole[origin->process] - 1;
        }
        origin->last = origin->first;
    }
    return count;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Processes of the group in the order of their numbers in the segment; rank[i]: the place of the
 * one that arrived as number i. */
static bool put_processes(struct builder *b, struct encoder *e, uint32_t *rank)
{
    size_t count = b->processes.count;
    uint64_t *sorted = builder_scratch(b, 0, count);
    if (!sorted)
        return false;
    for (size_t i = 0; i < count; i++)
        sorted[i] = b->processes.values[i] << 32 | i;
    qsort(sorted, count, sizeof *sorted, by_value);
    for (size_t i = 0; i < count; i++) {
        rank[(uint32_t)sorted[i]] = (uint32_t)i;
        sorted[i] >>= 32;
    }
    builder_put_section(b, e, (struct section){.kind = SECTION_PROCESS}, sorted, count, PUT_ALWAYS);
    return true;
}

static void put_origin_tables(struct builder *b, struct encoder *e, const struct origins *o,
                              size_t count, const uint32_t *rank)
{
    uint64_t *process = builder_scratch(b, 0, count), *first = builder_scratch(b, 1, count);
    if (!process || !first)
        return;
    for (size_t i = 0; i < o->count; i++) {
        process[o->list[i].number] = rank[o->list[i].process];
        first[o->list[i].number] = o->list[i].first;
    }
    builder_put_section(b, e, (struct section){.kind = SECTION_ORIGIN_PROCESS}, process, count,
                        PUT_ALWAYS);
    builder_put_section(b, e, (struct section){.kind = SECTION_ORIGIN_FIRST}, first, count, 0);
}

static void put_span_ids(struct builder *b, struct encoder *e, struct origins *o,
                         const uint32_t *row_origin)
{
    uint64_t *origin = builder_scratch(b, 0, b->rows), *delta = builder_scratch(b, 1, b->rows),
             *whole = builder_scratch(b, 2, b->rows);
    size_t deltas = 0, wholes = 0;
    if (!origin || !delta || !whole)
        return;
    for (uint32_t row = 0; row < b->rows; row++) {
        struct origin *from = &o->list[row_origin[row]];
        uint64_t id = b->row[ROW_SPAN_ID][row];
        origin[row] = from->number;
        if (from->first == 0) {
            whole[wholes++] = id;
        } else {
            uint64_t counter = span_id_unmix(id);
            delta[deltas++] = zigzag((int64_t)(counter - from->last));
            from->last = counter;
        }
    }
    builder_put_section(b, e, (struct section){.kind = SECTION_ORIGIN}, origin, b->rows, 0);
    builder_put_section(b, e, (struct section){.kind = SECTION_SPAN_DELTA}, delta, deltas, 0);
    builder_put_section(b, e, (struct section){.kind = SECTION_SPAN_ID}, whole, wholes, 0);
}

static void put_origins(struct builder *b, struct encoder *e)
{
    size_t processes = b->processes.count;
    struct origins o = {.slot_count = hash_slots(b->rows)};
    o.list = malloc(b->rows * sizeof *o.list);
    o.slots = calloc(o.slot_count, sizeof *o.slots);
    o.last_of = calloc(processes, sizeof *o.last_of);
    uint32_t *row_origin = malloc(b->rows * sizeof *row_origin);
    uint32_t *rank = calloc(processes, sizeof *rank), *whole = calloc(processes, sizeof *whole);
    if (!o.list || !o.slots || !o.last_of || !row_origin || !rank || !whole) {
        b->failed = true;
    } else if (put_processes(b, e, rank)) {
        for (uint32_t row = 0; row < b->rows; row++) {
            row_origin[row] = find_origin(&o, (uint32_t)b->row[ROW_PROCESS][row],
                                          span_id_unmix(b->row[ROW_SPAN_ID][row]));
            o.list[row_origin[row]].count++;
        }
        size_t count = number_origins(&o, whole);
        put_origin_tables(b, e, &o, count, rank);
        put_span_ids(b, e, &o, row_origin);
    }
    free(o.list);
    free(o.slots);
    free(o.last_of);
    free(row_origin);
    free(rank);
    free(whole);
}

void builder_put_ids(struct builder *b, struct encoder *e)
{
    put_traces(b, e);
    put_origins(b, e);
}

/* ---- parents ----------------------------------------------------------------------------- */

/* In the order of a tree a row's parent is the row before, or one of the rows above that. Writes
 * how many levels up it is; false where the rows are in another order. */
static bool find_levels(struct builder *b, uint64_t *levels)
{
    const uint64_t *distance = b->row[ROW_DISTANCE];
    uint64_t *above = builder_scratch(b, 2, b->rows);
    if (!above || b->cut_rows)
        return false;
    for (uint32_t t = 0, row = 0; t < b->trace_count; t++) {
        uint32_t end = t + 1 < b->trace_count ? b->traces[t + 1].row : b->rows;
        size_t depth = 0;
        if (distance[row])
            return false;
        above[depth++] = row;
        for (row++; row < end; row++) {
            size_t before = depth;
            while (depth > 0 && (distance[row] == 0 || above[depth - 1] != row - distance[row]))
                depth--;
            if (depth == 0 && distance[row])
                return false;
            *levels++ = before - depth;
            above[depth++] = row;
        }
    }
    return true;
}

/* The parent ids that do not follow from the parents: those of orphans, mostly. */
static void put_parent_ids(struct builder *b, struct encoder *e)
{
    uint64_t *gap = builder_scratch(b, 0, b->rows), *id = builder_scratch(b, 1, b->rows);
    size_t count = 0;
    uint32_t next = 0;
    if (!gap || !id)
        return;
    for (uint32_t row = 0; row < b->rows; row++) {
        uint64_t distance = b->row[ROW_DISTANCE][row], parent_id = b->row[ROW_PARENT_ID][row];
        bool inside = distance && distance <= row;
        if (parent_id == (inside ? b->row[ROW_SPAN_ID][row - distance] : 0))
            continue;
        gap[count] = row - next;
        id[count++] = parent_id;
        next = row + 1;
    }
    builder_put_section(b, e, (struct section){.kind = SECTION_PARENT_GAP}, gap, count, PUT_ALWAYS);
    builder_put_section(b, e, (struct section){.kind = SECTION_PARENT_ID}, id, count, PUT_ALWAYS);
}

void builder_put_parents(struct builder *b, struct encoder *e)
{
    uint64_t *levels = builder_scratch(b, 0, b->rows);
    if (!levels)
        return;
    if (find_levels(b, levels))
        builder_put_section(b, e, (struct section){.kind = SECTION_PARENT_LEVELS}, levels,
                            b->rows - b->trace_count, PUT_ALWAYS);
    else
        builder_put_section(b, e, (struct section){.kind = SECTION_PARENT_DISTANCE},
                            b->row[ROW_DISTANCE], b->rows, PUT_ALWAYS);
    put_parent_ids(b, e);
}
