// SPDX-License-Identifier: Apache-2.0
#include "collector/series/disk/dictionary.h"

#include <stdlib.h>

#include "collector/hash.h"
#include "collector/series/head/slots.h"
#include "lib/base/arena.h"

struct pair {
    uint32_t name, number; /* the value's, when finished */
    struct batch_str value;
    struct column runs;
    uint32_t first, length; /* the run that may go on */
    uint32_t end;           /* of the runs before it */
};

struct name {
    struct batch_str text;
    uint32_t number, count;
    uint32_t *pairs; /* sorted by value, when finished */
};

struct dictionary {
    struct arena arena;
    struct slots by_text, by_name;
    struct pair *pairs;
    uint32_t count, capacity;
    struct name *names;
    uint32_t name_count, name_capacity;
    uint32_t *order; /* names, sorted */
};

struct dictionary *dictionary_create(void)
{
    struct dictionary *d = calloc(1, sizeof *d);
    if (d)
        arena_init(&d->arena, 64 << 10);
    return d;
}

void dictionary_destroy(struct dictionary **place)
{
    struct dictionary *d = *place;
    if (!d)
        return;
    for (uint32_t i = 0; i < d->count; i++)
        column_fini(&d->pairs[i].runs);
    for (uint32_t i = 0; i < d->name_count; i++)
        free(d->names[i].pairs);
    slots_fini(&d->by_text);
    slots_fini(&d->by_name);
    arena_fini(&d->arena);
    free(d->pairs);
    free(d->names);
    free(d->order);
    free(d);
    *place = NULL;
}

/* Room for one more item. */
static void *grow(void *list, uint32_t count, uint32_t *capacity, size_t bytes)
{
    if (count < *capacity)
        return list;
    uint32_t more = *capacity ? *capacity * 2 : 256;
    void *bigger = realloc(list, more * bytes);
    if (bigger)
        *capacity = more;
    return bigger;
}

static uint32_t add_name(struct dictionary *d, struct batch_str text, uint64_t hash)
{
    struct name *names = grow(d->names, d->name_count, &d->name_capacity, sizeof *names);
    const char *bytes = arena_copy(&d->arena, text.bytes, text.length);
    if (names)
        d->names = names;
    if (!names || !bytes || slots_reserve(&d->by_name) != 0)
        return DICTIONARY_NONE;
    d->names[d->name_count] = (struct name){.text = {bytes, text.length}};
    slots_insert(&d->by_name, hash, d->name_count);
    return d->name_count++;
}

static uint32_t name_of(struct dictionary *d, struct batch_str text)
{
    uint64_t hash = hash_bytes(text.bytes, text.length);
    uint32_t at = slots_start(&d->by_name, hash), i;
    while ((i = slots_next(&d->by_name, hash, &at)) != SLOTS_NONE)
        if (batch_str_equal(d->names[i].text, text))
            return i;
    return add_name(d, text, hash);
}

static uint32_t add_pair(struct dictionary *d, uint32_t name, struct batch_str value, uint64_t hash)
{
    struct pair *pairs = grow(d->pairs, d->count, &d->capacity, sizeof *pairs);
    const char *bytes = arena_copy(&d->arena, value.bytes, value.length);
    if (pairs)
        d->pairs = pairs;
    if (!pairs || !bytes || slots_reserve(&d->by_text) != 0)
        return DICTIONARY_NONE;
    d->pairs[d->count] = (struct pair){.name = name, .value = {bytes, value.length}};
    slots_insert(&d->by_text, hash, d->count);
    d->names[name].count++;
    return d->count++;
}

static void end_run(struct pair *p)
{
    column_put(&p->runs, p->first - p->end);
    column_put(&p->runs, p->length - 1);
    p->end = p->first + p->length;
}

uint32_t dictionary_add(struct dictionary *d, struct batch_str name_text, struct batch_str value,
                        uint32_t series)
{
    uint32_t name = name_of(d, name_text);
    if (name == DICTIONARY_NONE)
        return DICTIONARY_NONE;
    uint64_t hash = hash_words(name, hash_bytes(value.bytes, value.length));
    uint32_t at = slots_start(&d->by_text, hash), i;
    while ((i = slots_next(&d->by_text, hash, &at)) != SLOTS_NONE)
        if (d->pairs[i].name == name && batch_str_equal(d->pairs[i].value, value))
            break;
    if (i == SLOTS_NONE && (i = add_pair(d, name, value, hash)) == DICTIONARY_NONE)
        return DICTIONARY_NONE;
    struct pair *p = &d->pairs[i];
    if (p->length > 0 && series == p->first + p->length) {
        p->length++;
        return i;
    }
    if (p->length > 0)
        end_run(p);
    p->first = series;
    p->length = 1;
    return i;
}

/* ---- sorting ----------------------------------------------------------------------------- */

static int by_text(const void *left, const void *right, void *context)
{
    const struct dictionary *d = context;
    return batch_str_compare(d->names[*(const uint32_t *)left].text,
                             d->names[*(const uint32_t *)right].text);
}

static int by_value(const void *left, const void *right, void *context)
{
    const struct dictionary *d = context;
    return batch_str_compare(d->pairs[*(const uint32_t *)left].value,
                             d->pairs[*(const uint32_t *)right].value);
}

static int sort_names(struct dictionary *d)
{
    d->order = malloc((d->name_count + 1U) * sizeof *d->order);
    if (!d->order)
        return -1;
    for (uint32_t i = 0; i < d->name_count; i++)
        d->order[i] = i;
    qsort_r(d->order, d->name_count, sizeof *d->order, by_text, d);
    for (uint32_t i = 0; i < d->name_count; i++) {
        struct name *n = &d->names[d->order[i]];
        n->number = i;
        n->pairs = malloc((n->count + 1U) * sizeof *n->pairs);
        if (!n->pairs)
            return -1;
        n->count = 0;
    }
    return 0;
}

int dictionary_finish(struct dictionary *d)
{
    if (sort_names(d) != 0)
        return -1;
    for (uint32_t i = 0; i < d->count; i++) {
        struct name *n = &d->names[d->pairs[i].name];
        n->pairs[n->count++] = i;
        end_run(&d->pairs[i]);
        if (d->pairs[i].runs.failed)
            return -1;
    }
    for (uint32_t i = 0; i < d->name_count; i++) {
        struct name *n = &d->names[i];
        qsort_r(n->pairs, n->count, sizeof *n->pairs, by_value, d);
        for (uint32_t v = 0; v < n->count; v++)
            d->pairs[n->pairs[v]].number = v;
    }
    return 0;
}

void dictionary_numbers(const struct dictionary *d, uint32_t pair, uint32_t numbers[2])
{
    numbers[0] = d->names[d->pairs[pair].name].number;
    numbers[1] = d->pairs[pair].number;
}

uint32_t dictionary_names(const struct dictionary *d)
{
    return d->name_count;
}

struct batch_str dictionary_name(const struct dictionary *d, uint32_t name)
{
    return d->names[d->order[name]].text;
}

uint32_t dictionary_values(const struct dictionary *d, uint32_t name)
{
    return d->names[d->order[name]].count;
}

static const struct pair *pair_of(const struct dictionary *d, uint32_t name, uint32_t value)
{
    return &d->pairs[d->names[d->order[name]].pairs[value]];
}

struct batch_str dictionary_value(const struct dictionary *d, uint32_t name, uint32_t value)
{
    return pair_of(d, name, value)->value;
}

struct column_reader dictionary_series(const struct dictionary *d, uint32_t name, uint32_t value)
{
    const struct column *runs = &pair_of(d, name, value)->runs;
    return (struct column_reader){runs->bytes, runs->bytes + runs->length, false};
}
