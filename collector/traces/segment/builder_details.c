// SPDX-License-Identifier: Apache-2.0
/* The sections of attributes, events and links. */
#include "collector/traces/segment/builder.h"

bool builder_has_shapes(const struct builder *b, enum block_scope scope)
{
    return b->shapes[scope].values > 0;
}

/* ---- a scope's attributes ---------------------------------------------------------------- */

struct place {
    uint64_t word; /* with the key as it is in order */
    uint32_t column;
};

static int by_word(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return (x->word > y->word) - (x->word < y->word);
}

/* The scope's columns by key and type. NULL: no memory. */
static struct place *sort_columns(struct builder *b, const struct shapes *s)
{
    struct place *places = malloc((s->column_count + 1) * sizeof *places);
    if (!places) {
        b->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < s->column_count; i++) {
        uint64_t word = s->columns[i].word, type = word & bits_mask(SHAPE_TYPE_BITS);
        uint64_t key = b->strings.rank[word >> SHAPE_TYPE_BITS];
        places[i] = (struct place){key << SHAPE_TYPE_BITS | type, (uint32_t)i};
    }
    qsort(places, s->column_count, sizeof *places, by_word);
    return places;
}

static void put_shapes(struct builder *b, struct encoder *e, enum block_scope scope,
                       const struct place *places)
{
    const struct shapes *s = &b->shapes[scope];
    uint64_t *rank = builder_scratch(b, 0, s->column_count),
             *size = builder_scratch(b, 1, s->count),
             *value = builder_scratch(b, 2, s->places.count);
    if (!rank || !size || !value)
        return;
    for (size_t i = 0; i < s->column_count; i++)
        rank[places[i].column] = i;
    for (size_t i = 0; i < s->count; i++)
        size[i] = s->list[i].size;
    for (size_t i = 0; i < s->places.count; i++)
        value[i] = rank[s->places.values[i]];
    uint8_t in = (uint8_t)scope;
    builder_put_section(b, e, (struct section){.kind = SECTION_SHAPE_SIZE, .scope = in}, size,
                        s->count, PUT_ALWAYS);
    builder_put_section(b, e, (struct section){.kind = SECTION_SHAPE_VALUE, .scope = in}, value,
                        s->places.count, PUT_ALWAYS);
}

static void put_values(struct builder *b, struct encoder *e, enum block_scope scope,
                       const struct place *places)
{
    const struct shapes *s = &b->shapes[scope];
    for (size_t i = 0; i < s->column_count; i++) {
        const struct numbers *column = &s->columns[places[i].column].values;
        uint8_t type = places[i].word & bits_mask(SHAPE_TYPE_BITS);
        if (type == VALUE_STRING || type == VALUE_BYTES) {
            for (size_t k = 0; k < column->count; k++)
                column->values[k] = b->strings.rank[column->values[k]];
        }
        struct section section = {.kind = SECTION_VALUES,
                                  .scope = (uint8_t)scope,
                                  .type = type,
                                  .key = (uint32_t)(places[i].word >> SHAPE_TYPE_BITS)};
        builder_put_section(b, e, section, column->values, column->count, PUT_ALWAYS);
    }
}

/* ---- events, links ----------------------------------------------------------------------- */

static void put_list(struct builder *b, struct encoder *e, enum section_kind kind,
                     const struct numbers *list)
{
    builder_put_section(b, e, (struct section){.kind = (uint8_t)kind}, list->values, list->count,
                        PUT_ALWAYS);
}

static void put_events(struct builder *b, struct encoder *e)
{
    for (size_t i = 0; i < b->event_name.count; i++)
        b->event_name.values[i] = b->strings.rank[b->event_name.values[i]];
    builder_put_section(b, e, (struct section){.kind = SECTION_EVENTS}, b->row[ROW_EVENTS], b->rows,
                        0);
    put_list(b, e, SECTION_EVENT_NAME, &b->event_name);
    put_list(b, e, SECTION_EVENT_TIME, &b->event_time);
}

static void put_links(struct builder *b, struct encoder *e)
{
    builder_put_section(b, e, (struct section){.kind = SECTION_LINKS}, b->row[ROW_LINKS], b->rows,
                        0);
    put_list(b, e, SECTION_LINK_TRACE_HI, &b->link_hi);
    put_list(b, e, SECTION_LINK_TRACE_LO, &b->link_lo);
    put_list(b, e, SECTION_LINK_SPAN_ID, &b->link_span_id);
}

/* Whose shape is which, in events and links: of spans, classes or a section among them tell. */
static void put_items(struct builder *b, struct encoder *e, enum block_scope scope)
{
    if (scope != BLOCK_SPAN && builder_has_shapes(b, scope))
        builder_put_section(b, e, (struct section){.kind = SECTION_SHAPE, .scope = (uint8_t)scope},
                            b->shapes[scope].item.values, b->shapes[scope].item.count, 0);
}

void builder_put_details(struct builder *b, struct encoder *e)
{
    if (!b->plain) {
        put_events(b, e);
        put_links(b, e);
    }
    for (enum block_scope scope = BLOCK_SPAN; scope < BLOCK_SCOPES; scope++) {
        if (!builder_has_shapes(b, scope))
            continue;
        struct place *places = sort_columns(b, &b->shapes[scope]);
        if (!places)
            return;
        put_items(b, e, scope);
        put_shapes(b, e, scope, places);
        put_values(b, e, scope, places);
        free(places);
    }
}
