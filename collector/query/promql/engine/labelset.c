// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/engine/labelset.h"

#include <string.h>
#include <xxhash.h>

struct batch_str str_of(const char *text)
{
    return (struct batch_str){text, (uint32_t)strlen(text)};
}

struct batch_str metric_name(const struct labels *l)
{
    return labels_get(l, (struct batch_str){LABEL_METRIC, sizeof LABEL_METRIC - 1});
}

void labelset_begin(struct labelset *s, const struct labels *from)
{
    s->count = from->count < LABELSET_MAX ? from->count : LABELSET_MAX;
    if (s->count)
        memcpy(s->items, from->items, s->count * sizeof *s->items);
}

static bool contains(const struct promql_names *names, struct batch_str name)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (batch_str_equal(names->list[i], name))
            return true;
    return false;
}

static void filter(struct labelset *s, const struct promql_names *names, bool keep)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->count; i++)
        if (contains(names, s->items[i].name) == keep)
            s->items[kept++] = s->items[i];
    s->count = kept;
}

void labelset_keep(struct labelset *s, const struct promql_names *names)
{
    filter(s, names, true);
}

void labelset_drop(struct labelset *s, const struct promql_names *names)
{
    filter(s, names, false);
}

void labelset_drop_metadata(struct labelset *s)
{
    static struct batch_str names[] = {{"__name__", 8}, {"__type__", 8}, {"__unit__", 8}};
    filter(s, &(struct promql_names){3, names}, false);
}

void labelset_drop_one(struct labelset *s, struct batch_str name)
{
    filter(s, &(struct promql_names){1, &name}, false);
}

void labelset_set(struct evaluation *ev, struct labelset *s, struct batch_str name,
                  struct batch_str value)
{
    uint32_t i = 0;
    while (i < s->count && batch_str_compare(s->items[i].name, name) < 0)
        i++;
    bool there = i < s->count && batch_str_equal(s->items[i].name, name);
    if (value.length == 0) {
        if (there)
            labelset_drop_one(s, name);
        return;
    }
    if (!there) {
        if (s->count == LABELSET_MAX)
            evaluation_fail(ev, PROMQL_FAILED, "a series would have more than %d labels",
                            LABELSET_MAX);
        memmove(s->items + i + 1, s->items + i, (s->count - i) * sizeof *s->items);
        s->count++;
    }
    s->items[i] = (struct label){name, value};
}

struct labels labelset_view(const struct labelset *s)
{
    return (struct labels){s->items, s->count};
}

struct labels labelset_finish(struct evaluation *ev, const struct labelset *s)
{
    struct label *items =
        evaluation_need(ev, arena_copy(ev->arena, s->items, s->count * sizeof *items));
    return (struct labels){items, s->count};
}

/* ---- hashes ------------------------------------------------------------------------------ */

uint64_t labels_hash(const struct labels *l)
{
    uint64_t hash = l->count;
    for (uint32_t i = 0; i < l->count; i++) {
        const struct label *label = &l->items[i];
        hash = XXH3_64bits_withSeed(label->name.bytes, label->name.length, hash);
        hash = XXH3_64bits_withSeed(label->value.bytes, label->value.length, hash);
    }
    return hash;
}

static void add_with_length(XXH64_state_t *state, struct batch_str s)
{
    uint8_t length[4] = {(uint8_t)s.length, (uint8_t)s.length, (uint8_t)(s.length >> 8),
                         (uint8_t)(s.length >> 16)};
    if (s.length >= 255)
        length[0] = 255;
    XXH64_update(state, length, s.length >= 255 ? 4 : 1);
    if (s.length)
        XXH64_update(state, s.bytes, s.length);
}

uint64_t labels_stable_hash(struct evaluation *ev, const struct labels *l)
{
    XXH64_state_t *state = evaluation_need(ev, XXH64_createState());
    XXH64_reset(state, 0);
    for (uint32_t i = 0; i < l->count; i++) {
        add_with_length(state, l->items[i].name);
        add_with_length(state, l->items[i].value);
    }
    uint64_t hash = XXH64_digest(state);
    XXH64_freeState(state);
    return hash;
}

/* ---- tables ------------------------------------------------------------------------------ */

static uint32_t find(const struct labels_index *x, const struct labels *key, uint64_t hash,
                     uint32_t *at)
{
    for (*at = (uint32_t)hash & x->mask; x->slots[*at]; *at = (*at + 1) & x->mask) {
        uint32_t i = x->slots[*at] - 1;
        if (x->hashes[i] == hash && labels_equal(&x->keys[i], key))
            return i;
    }
    return LABELS_INDEX_NONE;
}

uint32_t labels_index_find(const struct labels_index *x, const struct labels *key)
{
    uint32_t at;
    return x->count ? find(x, key, labels_hash(key), &at) : LABELS_INDEX_NONE;
}

static void grow(struct evaluation *ev, struct labels_index *x)
{
    uint32_t capacity = x->capacity ? x->capacity * 2 : 16;
    struct labels *keys = evaluation_alloc(ev, capacity * sizeof *keys);
    uint64_t *hashes = evaluation_alloc(ev, capacity * sizeof *hashes);
    if (x->count) {
        memcpy(keys, x->keys, x->count * sizeof *keys);
        memcpy(hashes, x->hashes, x->count * sizeof *hashes);
    }
    x->keys = keys;
    x->hashes = hashes;
    x->capacity = capacity;
    x->mask = capacity * 2 - 1;
    x->slots = evaluation_calloc(ev, capacity * 2, sizeof *x->slots);
    for (uint32_t i = 0; i < x->count; i++) {
        uint32_t at = (uint32_t)hashes[i] & x->mask;
        while (x->slots[at])
            at = (at + 1) & x->mask;
        x->slots[at] = i + 1;
    }
}

uint32_t labels_index_add(struct evaluation *ev, struct labels_index *x, const struct labels *key,
                          bool *added)
{
    uint64_t hash = labels_hash(key);
    uint32_t at;
    if (x->count == x->capacity)
        grow(ev, x);
    uint32_t i = find(x, key, hash, &at);
    *added = i == LABELS_INDEX_NONE;
    if (!*added)
        return i;
    struct label *items =
        evaluation_need(ev, arena_copy(ev->arena, key->items, key->count * sizeof *items));
    x->keys[x->count] = (struct labels){items, key->count};
    x->hashes[x->count] = hash;
    x->slots[at] = ++x->count;
    return x->count - 1;
}
