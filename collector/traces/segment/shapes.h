// SPDX-License-Identifier: Apache-2.0
/* Attributes on their way into a segment: an item (a span, an event or a link) has a shape, the
 * list of its keys and types, and its values go into columns, one for each key and type. Shapes
 * are few and repeat; so an item costs one number for its shape and its values alone.
 *
 * Keys are numbers of the group's strings in the order of arrival.
 */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_SHAPES_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_SHAPES_H

#include "collector/traces/segment/numbers.h"

enum { SHAPE_TYPE_BITS = 3, SHAPES_RECENT = 256 };

struct value_column {
    uint64_t word; /* key << SHAPE_TYPE_BITS | type */
    struct numbers values;
};

struct shape {
    uint64_t hash;
    uint32_t first, size; /* in `words` and `places` */
};

/* Zero-initialised is empty. */
struct shapes {
    struct shape *list;
    uint32_t *slots;       /* shape + 1 */
    struct numbers words;  /* of all shapes */
    struct numbers places; /* the column of each */
    struct value_column *columns;
    uint32_t *column_slots; /* column + 1 */
    size_t count, capacity, slot_count, column_count, column_capacity, column_slot_count;
    size_t columns_made;            /* those beyond column_count wait with their memory */
    size_t values;                  /* in all columns */
    struct numbers item;            /* the shape of each item */
    uint32_t recent[SHAPES_RECENT]; /* the shape used last, by the first word and their number */
};

void shapes_fini(struct shapes *s);
void shapes_clear(struct shapes *s); /* memory is kept */

/* The shape of so many words; UINT32_MAX: no memory. */
uint32_t shapes_find(struct shapes *s, const uint64_t *words, uint32_t count);

/* Adds an item. False: no memory. */
static inline bool shapes_add(struct shapes *s, const uint64_t *words, const uint64_t *values,
                              uint32_t count)
{
    uint32_t shape = shapes_find(s, words, count);
    if (shape == UINT32_MAX || !numbers_add(&s->item, shape))
        return false;
    uint32_t first = s->list[shape].first;
    for (uint32_t i = 0; i < count; i++) {
        if (!numbers_add(&s->columns[s->places.values[first + i]].values, values[i]))
            return false;
    }
    s->values += count;
    return true;
}

#endif
