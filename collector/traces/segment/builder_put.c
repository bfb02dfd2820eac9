// SPDX-License-Identifier: Apache-2.0
/* The sections of what every span has. */
#include <math.h>
#include <string.h>
#include <xxhash.h>

#include "collector/hash.h"
#include "collector/traces/segment/builder.h"

/* ---- sections ---------------------------------------------------------------------------- */

uint64_t *builder_scratch(struct builder *b, unsigned which, size_t count)
{
    struct numbers *list = &b->scratch[which];
    list->count = 0;
    if (!numbers_reserve(list, count + 1)) { /* never NULL, not even for none */
        b->failed = true;
        return NULL;
    }
    list->count = count;
    return list->values;
}

static bool all_zero(const uint64_t *values, size_t count)
{
    uint64_t all = 0;
    for (size_t i = 0; i < count; i++)
        all |= values[i];
    return all == 0;
}

static struct section *new_section(struct builder *b)
{
    if (b->section_count == b->section_capacity) {
        uint32_t capacity = b->section_capacity ? b->section_capacity * 2 : SECTION_KINDS;
        struct section *grown = realloc(b->sections, capacity * sizeof *grown);
        if (!grown) {
            b->failed = true;
            return NULL;
        }
        b->sections = grown;
        b->section_capacity = capacity;
    }
    return &b->sections[b->section_count++];
}

/* What stands in the body from `begin` on is the section. */
static void end_section(struct builder *b, struct section section, size_t begin)
{
    struct section *s = new_section(b);
    if (b->body.failed)
        b->failed = true;
    if (b->failed)
        return;
    *s = section;
    s->length = (uint32_t)(b->body.length - begin);
    s->checksum = XXH3_64bits(b->body.bytes + begin, s->length);
}

void builder_put_section(struct builder *b, struct encoder *e, struct section section,
                         const uint64_t *values, size_t count, unsigned how)
{
    size_t begin = b->body.length;
    if (b->failed || count == 0 || (!(how & PUT_ALWAYS) && all_zero(values, count)))
        return;
    section.count = (uint32_t)count;
    encoding_put(e, values, count, &b->body);
    end_section(b, section, begin);
}

static void put_rows(struct builder *b, struct encoder *e, enum section_kind kind,
                     enum row_column column)
{
    builder_put_section(b, e, (struct section){.kind = (uint8_t)kind}, b->row[column], b->rows, 0);
}

static void put_strings(struct builder *b, struct encoder *e)
{
    size_t begin = b->body.length;
    string_table_put(&b->strings, e, &b->body);
    end_section(b, (struct section){.kind = SECTION_STRINGS, .count = (uint32_t)b->strings.count},
                begin);
}

/* From numbers in the order of arrival to those in the order of bytes. */
static void rank_strings(const struct builder *b, uint64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = b->strings.rank[values[i]];
}

/* ---- starts ------------------------------------------------------------------------------ */

/* A start is kept as the difference to the sibling before, or, for a first child, to the parent;
 * at the top of a trace to the one before there. Siblings come by start: so it is small. */
static void put_starts(struct builder *b, struct encoder *e)
{
    const uint64_t *start = b->row[ROW_START], *distance = b->row[ROW_DISTANCE];
    uint64_t *base = builder_scratch(b, 0, b->rows), *delta = builder_scratch(b, 1, b->rows);
    size_t count = 0;
    if (!base || !delta)
        return;
    for (uint32_t t = 0, row = 0; t < b->trace_count; t++) {
        uint32_t end = t + 1 < b->trace_count ? b->traces[t + 1].row : b->rows;
        uint64_t top = start[row];
        base[row] = start[row];
        for (row++; row < end; row++) {
            bool below = distance[row] && distance[row] <= row;
            uint64_t *last = below ? &base[row - distance[row]] : &top;
            delta[count++] = start[row] - *last;
            *last = base[row] = start[row];
        }
    }
    builder_put_section(b, e, (struct section){.kind = SECTION_START}, delta, count, 0);
}

/* ---- classes ----------------------------------------------------------------------------- */

/* What spans have in common: name, kind, flags, and mostly the shape of their attributes too. */
struct class
{
    uint64_t word;  /* name << 16 | kind << 8 | flags */
    uint64_t shape; /* 0 where shapes stand alone */
    uint32_t count, number;
};

struct classes {
    struct class *list;
    uint32_t *slots;
    size_t count, slot_count;
};

static uint64_t class_word(const struct builder *b, uint32_t row)
{
    return b->row[ROW_NAME][row] << 16 | b->row[ROW_KIND][row] << 8 | b->row[ROW_FLAGS][row];
}

/* Finds the classes and each row's, in the order of arrival. */
static void find_classes(struct builder *b, struct classes *c, bool with_shape, uint64_t *code)
{
    const uint64_t *shape = b->shapes[BLOCK_SPAN].item.values;
    c->slot_count = hash_slots(b->rows);
    c->count = 0;
    memset(c->slots, 0, c->slot_count * sizeof *c->slots);
    for (uint32_t row = 0; row < b->rows; row++) {
        struct class class = {class_word(b, row), with_shape ? shape[row] : 0, 1, 0};
        size_t at = hash_words(class.word, class.shape) & (c->slot_count - 1);
        for (; c->slots[at]; at = (at + 1) & (c->slot_count - 1)) {
            struct class *known = &c->list[c->slots[at] - 1];
            if (known->word == class.word && known->shape == class.shape)
                break;
        }
        if (c->slots[at]) {
            c->list[c->slots[at] - 1].count++;
        } else {
            class.number = (uint32_t)c->count;
            c->list[c->count++] = class;
            c->slots[at] = (uint32_t)c->count;
        }
        code[row] = c->slots[at] - 1;
    }
}

/* Bits of all rows' codes, by how often each class occurs, and what their table takes. */
static double classes_bits(const struct classes *c, double rows)
{
    enum { TABLE_BITS = 24 };
    double sum = (double)c->count * TABLE_BITS;
    for (size_t i = 0; i < c->count; i++)
        sum += c->list[i].count * log2(rows / c->list[i].count);
    return sum;
}

static double shapes_bits(struct builder *b)
{
    double sum = 0;
    uint64_t *counts = builder_scratch(b, 1, b->shapes[BLOCK_SPAN].count);
    if (!counts)
        return 0;
    memset(counts, 0, b->shapes[BLOCK_SPAN].count * sizeof *counts);
    for (uint32_t row = 0; row < b->rows; row++)
        counts[b->shapes[BLOCK_SPAN].item.values[row]]++;
    for (size_t i = 0; i < b->shapes[BLOCK_SPAN].count; i++)
        sum += counts[i] ? (double)counts[i] * log2((double)b->rows / (double)counts[i]) : 0;
    return sum;
}

static int by_falling_count(const void *a, const void *b)
{
    const struct class *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->number > y->number) - (x->number < y->number);
}

static void put_class_tables(struct builder *b, struct encoder *e, const struct classes *c,
                             bool with_shape)
{
    uint64_t *column = builder_scratch(b, 1, c->count);
    if (!column)
        return;
    for (size_t i = 0; i < c->count; i++)
        column[i] = b->strings.rank[c->list[i].word >> 16];
    builder_put_section(b, e, (struct section){.kind = SECTION_CLASS_NAME}, column, c->count,
                        PUT_ALWAYS);
    for (size_t i = 0; i < c->count; i++)
        column[i] = c->list[i].word >> 8 & 0xff;
    builder_put_section(b, e, (struct section){.kind = SECTION_CLASS_KIND}, column, c->count, 0);
    for (size_t i = 0; i < c->count; i++)
        column[i] = c->list[i].word & 0xff;
    builder_put_section(b, e, (struct section){.kind = SECTION_CLASS_FLAGS}, column, c->count, 0);
    for (size_t i = 0; i < c->count; i++)
        column[i] = c->list[i].shape;
    if (with_shape)
        builder_put_section(b, e, (struct section){.kind = SECTION_CLASS_SHAPE}, column, c->count,
                            0);
}

static void put_classes(struct builder *b, struct encoder *e)
{
    size_t slots = hash_slots(b->rows);
    struct classes c = {.list = malloc(b->rows * sizeof *c.list),
                        .slots = malloc(slots * sizeof *c.slots)};
    uint64_t *code = builder_scratch(b, 0, b->rows);
    bool has_shapes = builder_has_shapes(b, BLOCK_SPAN), with_shape = false;
    if (!c.list || !c.slots || !code) {
        b->failed = true;
    } else {
        find_classes(b, &c, false, code);
        if (has_shapes) {
            double apart = classes_bits(&c, b->rows) + shapes_bits(b);
            find_classes(b, &c, true, code);
            with_shape = classes_bits(&c, b->rows) <= apart;
            if (!with_shape)
                find_classes(b, &c, false, code);
        }
        qsort(c.list, c.count, sizeof *c.list, by_falling_count);
        for (size_t i = 0; i < c.count; i++)
            c.slots[c.list[i].number] = (uint32_t)i;
        for (uint32_t row = 0; row < b->rows; row++)
            code[row] = c.slots[code[row]];
        builder_put_section(b, e, (struct section){.kind = SECTION_CLASS}, code, b->rows, 0);
        put_class_tables(b, e, &c, with_shape);
        if (has_shapes && !with_shape)
            builder_put_section(b, e, (struct section){.kind = SECTION_SHAPE},
                                b->shapes[BLOCK_SPAN].item.values, b->rows, 0);
    }
    free(c.list);
    free(c.slots);
}

/* ---- all --------------------------------------------------------------------------------- */

bool builder_put(struct builder *b, struct encoder *e)
{
    b->section_count = 0;
    b->body.length = 0;
    if (b->strings.failed || !string_table_sort(&b->strings))
        b->failed = true;
    if (b->failed)
        return false;
    put_strings(b, e);
    builder_put_ids(b, e);
    builder_put_parents(b, e);
    put_starts(b, e);
    put_rows(b, e, SECTION_DURATION, ROW_DURATION);
    put_classes(b, e);
    put_rows(b, e, SECTION_STATUS, ROW_STATUS);
    if (!b->plain) {
        rank_strings(b, b->row[ROW_STATUS_MESSAGE], b->rows);
        put_rows(b, e, SECTION_STATUS_MESSAGE, ROW_STATUS_MESSAGE);
        rank_strings(b, b->row[ROW_TRACESTATE], b->rows);
        put_rows(b, e, SECTION_TRACESTATE, ROW_TRACESTATE);
        put_rows(b, e, SECTION_DROPPED, ROW_DROPPED);
    }
    builder_put_details(b, e);
    return !b->failed;
}
