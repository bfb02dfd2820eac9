// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/segment/shapes.h"

#include <string.h>

#include "collector/hash.h"

enum { CAPACITY_LEAST = 64, COLUMNS_KEPT = 1024 };

static void free_columns_from(struct shapes *s, size_t first)
{
    for (size_t i = first; i < s->columns_made; i++)
        numbers_fini(&s->columns[i].values);
    if (s->columns_made > first)
        s->columns_made = first;
}

void shapes_fini(struct shapes *s)
{
    free_columns_from(s, 0);
    free(s->columns);
    free(s->column_slots);
    free(s->list);
    free(s->slots);
    numbers_fini(&s->words);
    numbers_fini(&s->places);
    numbers_fini(&s->item);
    *s = (struct shapes){0};
}

void shapes_clear(struct shapes *s)
{
    free_columns_from(s, COLUMNS_KEPT);
    for (size_t i = 0; i < s->columns_made; i++)
        s->columns[i].values.count = 0;
    if (s->slots)
        memset(s->slots, 0, s->slot_count * sizeof *s->slots);
    if (s->column_slots)
        memset(s->column_slots, 0, s->column_slot_count * sizeof *s->column_slots);
    s->words.count = s->places.count = s->item.count = 0;
    s->count = s->column_count = s->values = 0;
    memset(s->recent, 0, sizeof s->recent);
}

static void put_slot(uint32_t *slots, size_t slot_count, uint64_t hash, size_t number)
{
    size_t at = hash & (slot_count - 1);
    while (slots[at])
        at = (at + 1) & (slot_count - 1);
    slots[at] = (uint32_t)number + 1;
}

static uint32_t *make_slots(size_t capacity, size_t *slot_count)
{
    *slot_count = hash_slots(capacity);
    return calloc(*slot_count, sizeof(uint32_t));
}

/* ---- columns ----------------------------------------------------------------------------- */

static bool grow_columns(struct shapes *s)
{
    size_t capacity = s->column_capacity ? s->column_capacity * 2 : CAPACITY_LEAST, slot_count;
    struct value_column *columns = realloc(s->columns, capacity * sizeof *columns);
    if (!columns)
        return false;
    s->columns = columns;
    uint32_t *slots = make_slots(capacity, &slot_count);
    if (!slots)
        return false;
    free(s->column_slots);
    s->column_slots = slots;
    s->column_slot_count = slot_count;
    s->column_capacity = capacity;
    for (size_t i = 0; i < s->column_count; i++)
        put_slot(slots, slot_count, hash_words(columns[i].word, 0), i);
    return true;
}

/* UINT32_MAX: no memory. */
static uint32_t find_column(struct shapes *s, uint64_t word)
{
    uint64_t hash = hash_words(word, 0);
    if (s->column_count == s->column_capacity && !grow_columns(s))
        return UINT32_MAX;
    size_t mask = s->column_slot_count - 1;
    for (size_t at = hash & mask; s->column_slots[at]; at = (at + 1) & mask) {
        if (s->columns[s->column_slots[at] - 1].word == word)
            return s->column_slots[at] - 1;
    }
    size_t column = s->column_count++;
    if (column == s->columns_made) {
        s->columns[column].values = (struct numbers){0};
        s->columns_made++;
    }
    s->columns[column].word = word;
    put_slot(s->column_slots, s->column_slot_count, hash, column);
    return (uint32_t)column;
}

/* ---- shapes ------------------------------------------------------------------------------ */

static bool grow_shapes(struct shapes *s)
{
    size_t capacity = s->capacity ? s->capacity * 2 : CAPACITY_LEAST, slot_count;
    struct shape *list = realloc(s->list, capacity * sizeof *list);
    if (!list)
        return false;
    s->list = list;
    uint32_t *slots = make_slots(capacity, &slot_count);
    if (!slots)
        return false;
    free(s->slots);
    s->slots = slots;
    s->slot_count = slot_count;
    s->capacity = capacity;
    for (size_t i = 0; i < s->count; i++)
        put_slot(slots, slot_count, list[i].hash, i);
    return true;
}

static uint32_t add_shape(struct shapes *s, const uint64_t *words, uint32_t count, uint64_t hash)
{
    struct shape shape = {hash, (uint32_t)s->words.count, count};
    if ((s->count == s->capacity && !grow_shapes(s)) || !numbers_reserve(&s->words, count) ||
        !numbers_reserve(&s->places, count))
        return UINT32_MAX;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t column = find_column(s, words[i]);
        if (column == UINT32_MAX)
            return UINT32_MAX;
        s->words.values[s->words.count + i] = words[i];
        s->places.values[s->places.count + i] = column;
    }
    s->words.count += count;
    s->places.count += count;
    s->list[s->count] = shape;
    put_slot(s->slots, s->slot_count, hash, s->count);
    return (uint32_t)s->count++;
}

static bool is_shape(const struct shapes *s, uint32_t shape, const uint64_t *words, uint32_t count)
{
    const struct shape *known = &s->list[shape];
    if (known->size != count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (s->words.values[known->first + i] != words[i])
            return false;
    }
    return true;
}

static uint32_t look_up(struct shapes *s, const uint64_t *words, uint32_t count)
{
    uint64_t hash = 0;
    for (uint32_t i = 0; i < count; i++) /* a polynomial at a point that nobody knows */
        hash = (hash + words[i]) * (hash_seed[1] | 1);
    hash = hash_words(hash, count);
    if (s->slot_count > 0) {
        size_t mask = s->slot_count - 1;
        for (size_t at = hash & mask; s->slots[at]; at = (at + 1) & mask) {
            uint32_t shape = s->slots[at] - 1;
            if (s->list[shape].hash == hash && is_shape(s, shape, words, count))
                return shape;
        }
    }
    return add_shape(s, words, count, hash);
}

uint32_t shapes_find(struct shapes *s, const uint64_t *words, uint32_t count)
{
    uint64_t begin = (count ? words[0] : 0) + count * UINT64_C(31);
    uint32_t *recent = &s->recent[(begin >> SHAPE_TYPE_BITS ^ begin) % SHAPES_RECENT];
    if (*recent < s->count && is_shape(s, *recent, words, count))
        return *recent;
    uint32_t shape = look_up(s, words, count);
    if (shape != UINT32_MAX)
        *recent = shape;
    return shape;
}
