// SPDX-License-Identifier: Apache-2.0
/* by(): the rows of a set, each to the group of its value. A hash table from values to groups;
 * then the rows are dealt out in one go. */
#include "collector/query/traceql/engine/sets.h"

struct group {
    struct traceql_value value;
    uint64_t hash;
    uint32_t count;
};

struct groups {
    struct scene *s;
    struct group *list;
    uint32_t count, capacity;
    uint32_t *slots; /* group + 1 */
    uint32_t mask;
};

static bool rehash(struct groups *g, uint32_t slots)
{
    g->slots = scene_alloc(g->s, slots, sizeof *g->slots);
    if (!g->slots)
        return false;
    memset(g->slots, 0, slots * sizeof *g->slots);
    g->mask = slots - 1;
    for (uint32_t i = 0; i < g->count; i++) {
        uint32_t at = (uint32_t)g->list[i].hash & g->mask;
        while (g->slots[at])
            at = (at + 1) & g->mask;
        g->slots[at] = i + 1;
    }
    return true;
}

static bool grow(struct groups *g)
{
    uint32_t more = g->capacity ? g->capacity * 2 : 8;
    struct group *bigger = scene_alloc(g->s, more, sizeof *bigger);
    if (!bigger)
        return false;
    if (g->count)
        memcpy(bigger, g->list, g->count * sizeof *bigger);
    g->list = bigger;
    g->capacity = more;
    return rehash(g, more * 2);
}

/* The value's group; BLOCK_NONE: memory is out. The text of a new one is copied: readers make some
 * anew with each value. */
static uint32_t group_of(struct groups *g, const struct traceql_value *v)
{
    if (g->count == g->capacity && !grow(g))
        return BLOCK_NONE;
    uint64_t hash = value_hash(v);
    uint32_t at = (uint32_t)hash & g->mask;
    for (; g->slots[at]; at = (at + 1) & g->mask) {
        const struct group *known = &g->list[g->slots[at] - 1];
        if (known->hash == hash && value_same(&known->value, v))
            return g->slots[at] - 1;
    }
    struct group *made = &g->list[g->count];
    *made = (struct group){*v, hash, 0};
    if (v->type == TRACEQL_STRING) {
        char *copy = scene_alloc(g->s, v->text.length, 1);
        if (!copy)
            return BLOCK_NONE;
        memcpy(copy, v->text.bytes, v->text.length);
        made->value.text.bytes = copy;
    }
    g->slots[at] = ++g->count;
    return g->count - 1;
}

/* A set for each group, with room for its rows. */
static struct set *make_sets(struct groups *g, const struct program_stage *by, const struct set *in)
{
    struct set *sets = scene_alloc(g->s, g->count, sizeof *sets);
    struct set_note *notes = scene_alloc(g->s, g->count, sizeof *notes);
    uint32_t *rows = scene_alloc(g->s, in->count, sizeof *rows);
    if (!sets || !notes || !rows)
        return NULL;
    for (uint32_t i = 0; i < g->count; i++) {
        notes[i] = (struct set_note){by->name, g->list[i].value, in->notes};
        sets[i] = (struct set){.rows = rows, .notes = &notes[i]};
        sets[i].next = i + 1 < g->count ? &sets[i + 1] : NULL;
        rows += g->list[i].count;
    }
    return sets;
}

struct set *group_by(struct scene *s, const struct program_stage *by, const struct set *set)
{
    struct groups g = {.s = s};
    uint32_t *group = scene_alloc(s, set->count, sizeof *group);
    for (uint32_t i = 0; group && i < set->count; i++) {
        struct traceql_value v = calc_value(by->by, s->frame->readers, set->rows[i]);
        group[i] = group_of(&g, &v);
        if (group[i] == BLOCK_NONE)
            return NULL;
        g.list[group[i]].count++;
    }
    struct set *sets = group ? make_sets(&g, by, set) : NULL;
    for (uint32_t i = 0; sets && i < set->count; i++) {
        struct set *to = &sets[group[i]];
        to->rows[to->count++] = set->rows[i];
    }
    return sets;
}
