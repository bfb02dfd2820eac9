// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/engine/contrast.h"

#include <stdlib.h>

#include "collector/hash.h"

void contrast_init(struct contrast *c, uint32_t steps)
{
    *c = (struct contrast){.steps = steps};
    arena_init(&c->arena, 16 << 10);
}

void contrast_fini(struct contrast *c)
{
    arena_fini(&c->arena);
}

static void *take(struct contrast *c, size_t count, size_t bytes)
{
    size_t total = count * bytes;
    c->over_limit |= c->limit_bytes && c->arena.total_bytes + total > c->limit_bytes;
    void *got = c->over_limit ? NULL : arena_calloc(&c->arena, 1, total ? total : 1);
    if (!got)
        c->failed = true;
    return got;
}

/* Room for one more. */
static void *grown(struct contrast *c, const void *list, uint32_t count, uint32_t *capacity,
                   size_t size)
{
    uint32_t more = *capacity ? *capacity * 2 : 8;
    void *bigger = take(c, more, size);
    if (!bigger)
        return NULL;
    if (count)
        memcpy(bigger, list, count * size);
    *capacity = more;
    return bigger;
}

/* ---- attributes and their values --------------------------------------------------------- */

uint32_t contrast_attribute(struct contrast *c, struct batch_str name)
{
    uint64_t hash = hash_bytes(name.bytes, name.length);
    for (uint32_t i = 0; i < c->count; i++) {
        const struct contrast_attribute *a = &c->attributes[i];
        if (a->hash == hash && batch_str_equal(a->name, name))
            return i;
    }
    if (c->count == c->capacity) {
        struct contrast_attribute *bigger =
            grown(c, c->attributes, c->count, &c->capacity, sizeof *bigger);
        if (!bigger)
            return BLOCK_NONE;
        c->attributes = bigger;
    }
    char *copy = arena_copy(&c->arena, name.bytes, name.length);
    struct contrast_attribute made = {.name = {copy, name.length}, .hash = hash};
    for (unsigned side = 0; side < CONTRAST_SIDES; side++)
        made.totals[side] = take(c, c->steps, sizeof(double));
    if (!copy || c->failed) {
        c->failed = true;
        return BLOCK_NONE;
    }
    c->attributes[c->count] = made;
    return c->count++;
}

static bool rehash(struct contrast *c, struct contrast_attribute *a)
{
    uint32_t slots = a->capacity * 2;
    a->slots = take(c, slots, sizeof *a->slots);
    a->mask = slots - 1;
    for (uint32_t i = 0; a->slots && i < a->count; i++) {
        uint32_t at = (uint32_t)a->values[i].hash & a->mask;
        while (a->slots[at])
            at = (at + 1) & a->mask;
        a->slots[at] = i + 1;
    }
    return a->slots != NULL;
}

static bool grow_values(struct contrast *c, struct contrast_attribute *a)
{
    struct contrast_value *bigger = grown(c, a->values, a->count, &a->capacity, sizeof *bigger);
    if (!bigger)
        return false;
    a->values = bigger;
    return rehash(c, a);
}

uint32_t contrast_value(struct contrast *c, uint32_t attribute, const struct traceql_value *value)
{
    struct contrast_attribute *a = &c->attributes[attribute];
    uint64_t hash = value_hash(value);
    if (c->failed || (a->count == a->capacity && !grow_values(c, a)))
        return BLOCK_NONE;
    uint32_t at = (uint32_t)hash & a->mask;
    for (; a->slots[at]; at = (at + 1) & a->mask) {
        const struct contrast_value *v = &a->values[a->slots[at] - 1];
        if (v->hash == hash && value_same(&v->value, value))
            return a->slots[at] - 1;
    }
    if (a->count == CONTRAST_VALUES_MAX) {
        a->too_many = true;
        return BLOCK_NONE;
    }
    struct contrast_value made = {.value = *value, .hash = hash};
    if (value->type == TRACEQL_STRING) {
        made.value.text.bytes = arena_copy(&c->arena, value->text.bytes, value->text.length);
        c->failed |= !made.value.text.bytes;
    }
    if (c->failed)
        return BLOCK_NONE;
    a->values[a->count] = made;
    a->slots[at] = ++a->count;
    return a->count - 1;
}

void contrast_add(struct contrast *c, uint32_t attribute, uint32_t value, enum contrast_side side,
                  uint32_t step, double times)
{
    struct contrast_attribute *a = &c->attributes[attribute];
    a->totals[side][step] += times;
    if (value == BLOCK_NONE)
        return;
    struct contrast_value *v = &a->values[value];
    if (!v->counts[side])
        v->counts[side] = take(c, c->steps, sizeof(double));
    if (v->counts[side])
        v->counts[side][step] += times;
}

static void merge_value(struct contrast *to, uint32_t attribute, const struct contrast_value *from)
{
    uint32_t value = contrast_value(to, attribute, &from->value);
    for (unsigned side = 0; side < CONTRAST_SIDES && value != BLOCK_NONE; side++) {
        for (uint32_t i = 0; from->counts[side] && i < to->steps; i++) {
            struct contrast_attribute *a = &to->attributes[attribute];
            if (from->counts[side][i] == 0)
                continue;
            contrast_add(to, attribute, value, (enum contrast_side)side, i, from->counts[side][i]);
            a->totals[side][i] -= from->counts[side][i]; /* totals are merged as such */
        }
    }
}

void contrast_merge(struct contrast *to, const struct contrast *from)
{
    for (uint32_t i = 0; i < from->count; i++) {
        const struct contrast_attribute *a = &from->attributes[i];
        uint32_t attribute = contrast_attribute(to, a->name);
        if (attribute == BLOCK_NONE)
            return;
        to->attributes[attribute].too_many |= a->too_many;
        for (unsigned side = 0; side < CONTRAST_SIDES; side++)
            for (uint32_t step = 0; step < to->steps; step++)
                to->attributes[attribute].totals[side][step] += a->totals[side][step];
        for (uint32_t j = 0; j < a->count; j++)
            merge_value(to, attribute, &a->values[j]);
    }
    to->failed |= from->failed;
}

/* ---- series ------------------------------------------------------------------------------ */

struct frequent {
    double total;
    const struct contrast_value *value;
};

static int most_frequent_first(const void *left, const void *right)
{
    const struct frequent *a = left, *b = right;
    if (a->total != b->total)
        return a->total < b->total ? 1 : -1;
    return value_order(&a->value->value, &b->value->value);
}

/* A series with two labels; `values` NULL: zeros. */
static void add_series(struct series_shape *s, struct series_list *out, uint32_t *capacity,
                       const char *label, const char *says, struct batch_str name,
                       struct traceql_value value, const double *values)
{
    if (out->count == *capacity) {
        uint32_t more = *capacity ? *capacity * 2 : 64;
        struct traceql_timeseries *bigger = series_alloc(s, more, sizeof *bigger);
        if (!bigger)
            return;
        if (out->count)
            memcpy(bigger, out->list, out->count * sizeof *bigger);
        out->list = bigger;
        *capacity = more;
    }
    struct traceql_timeseries *to = &out->list[out->count];
    to->labels = series_alloc(s, 2, sizeof *to->labels);
    to->values = series_alloc(s, s->steps, sizeof *to->values);
    if (!to->labels || !to->values)
        return;
    to->label_count = 2;
    to->labels[0] =
        (struct traceql_named){{label, (uint32_t)strlen(label)},
                               {.type = TRACEQL_STRING, .text = {says, (uint32_t)strlen(says)}}};
    to->labels[1] = (struct traceql_named){name, value};
    if (values)
        memcpy(to->values, values, s->steps * sizeof *values);
    out->count++;
}

/* The values of one side that occur there, the most frequent first. */
static uint32_t rank(const struct contrast *c, const struct contrast_attribute *a, unsigned side,
                     struct frequent *ranks)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        double total = 0;
        for (uint32_t step = 0; a->values[i].counts[side] && step < c->steps; step++)
            total += a->values[i].counts[side][step];
        if (total > 0)
            ranks[count++] = (struct frequent){total, &a->values[i]};
    }
    if (count > 1)
        qsort(ranks, count, sizeof *ranks, most_frequent_first);
    return count;
}

struct series_list contrast_series(struct series_shape *s, const struct contrast *c, int64_t top)
{
    static const char *const sides[] = {"baseline", "selection"};
    static const char *const totals[] = {"baseline_total", "selection_total"};
    static const struct traceql_value nil = {.type = TRACEQL_NIL};
    struct series_list out = {0};
    uint32_t capacity = 0;
    for (uint32_t i = 0; i < c->count && !s->failed; i++) {
        const struct contrast_attribute *a = &c->attributes[i];
        struct frequent *ranks = series_alloc(s, a->count, sizeof *ranks);
        bool too_many = a->too_many;
        for (unsigned side = 0; ranks && side < CONTRAST_SIDES; side++) {
            uint32_t count = rank(c, a, side, ranks);
            too_many |= count > top;
            for (uint32_t j = 0; j < count && j < top; j++)
                add_series(s, &out, &capacity, "__meta_type", sides[side], a->name,
                           ranks[j].value->value, ranks[j].value->counts[side]);
            if (count > 0)
                add_series(s, &out, &capacity, "__meta_type", totals[side], a->name, nil,
                           a->totals[side]);
        }
        if (too_many)
            add_series(s, &out, &capacity, "__meta_error", "__too_many_values__", a->name, nil,
                       NULL);
    }
    if (out.count > 1)
        qsort(out.list, out.count, sizeof *out.list, series_order);
    return out;
}
