// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/segment/translations.h"

#include <stdlib.h>
#include <string.h>

#include "collector/hash.h"

enum { CAPACITY_LEAST = 64 };

static void free_translation(struct translation *t)
{
    if (!t)
        return;
    free(t->strings);
    free(t->processes);
    free(t);
}

void translations_clear(struct translations *t)
{
    for (size_t i = 0; i < t->count; i++)
        free_translation(t->list[i]);
    if (t->slots)
        memset(t->slots, 0, t->slot_count * sizeof *t->slots);
    t->count = 0;
    t->recent = NULL;
}

void translations_fini(struct translations *t)
{
    translations_clear(t);
    free(t->list);
    free(t->slots);
    *t = (struct translations){0};
}

static size_t slot_of(const struct translations *t, const struct batch *batch)
{
    size_t at = hash_words((uintptr_t)batch, 0) & (t->slot_count - 1);
    while (t->slots[at] && t->list[t->slots[at] - 1]->batch != batch)
        at = (at + 1) & (t->slot_count - 1);
    return at;
}

static bool grow(struct translations *t)
{
    size_t capacity = t->capacity ? t->capacity * 2 : CAPACITY_LEAST;
    struct translation **list = realloc(t->list, capacity * sizeof(struct translation *));
    if (!list)
        return false;
    t->list = list;
    uint32_t *slots = calloc(hash_slots(capacity), sizeof *slots);
    if (!slots)
        return false;
    free(t->slots);
    t->slots = slots;
    t->slot_count = hash_slots(capacity);
    t->capacity = capacity;
    for (size_t i = 0; i < t->count; i++)
        t->slots[slot_of(t, list[i]->batch)] = (uint32_t)i + 1;
    return true;
}

static bool any(const uint32_t *values, uint32_t count)
{
    uint32_t all = 0;
    for (uint32_t i = 0; i < count; i++)
        all |= values[i];
    return all != 0;
}

static bool is_plain(const struct batch *b)
{
    uint8_t dropped = 0;
    for (uint32_t i = 0; i < b->span_count; i++)
        dropped |= b->dropped_attributes[i];
    return dropped == 0 && !any(b->status_message, b->span_count) &&
           !any(b->tracestate, b->span_count) && !any(b->event_count, b->span_count) &&
           !any(b->link_count, b->span_count);
}

static struct translation *make_translation(const struct batch *batch)
{
    struct translation *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->batch = batch;
    t->plain = is_plain(batch);
    t->strings = calloc((size_t)batch->string_count + 1, sizeof *t->strings);
    t->processes = calloc((size_t)batch->process_count + 1, sizeof *t->processes);
    if (t->strings && t->processes)
        return t;
    free_translation(t);
    return NULL;
}

struct translation *translations_find(struct translations *t, const struct batch *batch)
{
    if (t->recent && t->recent->batch == batch)
        return t->recent;
    if (t->count == t->capacity && !grow(t))
        return NULL;
    size_t at = slot_of(t, batch);
    if (t->slots[at])
        return t->recent = t->list[t->slots[at] - 1];
    struct translation *made = make_translation(batch);
    if (!made)
        return NULL;
    t->list[t->count] = made;
    t->slots[at] = (uint32_t)++t->count;
    return t->recent = made;
}
