// SPDX-License-Identifier: Apache-2.0
#include "lib/model/topk.h"

#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SLOTS_LEAST = 16 };

/* ---- the table ---------------------------------------------------------------------------- */

int topk_init(struct topk *t, uint32_t capacity)
{
    uint32_t slots = SLOTS_LEAST;
    while (slots / 4 * 3 < capacity && slots < UINT32_C(1) << 30)
        slots *= 2;
    *t = (struct topk){.slot_count = slots, .most = slots / 4 * 3};
    t->slots = calloc(slots, sizeof *t->slots);
    t->entries = calloc(t->most, sizeof *t->entries);
    t->free = malloc(t->most * sizeof *t->free);
    t->scratch = malloc(t->most * sizeof *t->scratch);
    if (!t->slots || !t->entries || !t->free || !t->scratch) {
        topk_fini(t);
        return -1;
    }
    topk_clear(t);
    return 0;
}

void topk_fini(struct topk *t)
{
    free(t->slots);
    free(t->entries);
    free(t->free);
    free(t->scratch);
    *t = (struct topk){0};
}

void topk_clear(struct topk *t)
{
    memset(t->slots, 0, t->slot_count * sizeof *t->slots);
    for (uint32_t i = 0; i < t->most; i++)
        t->free[i] = i;
    t->round++;
    t->count = 0;
    t->total = t->error = 0;
}

static bool is_used(const struct topk *t, const struct topk_entry *e)
{
    return e->hash != 0 && e->round == t->round;
}

size_t topk_bytes(const struct topk *t)
{
    return t->slot_count * sizeof *t->slots +
           t->most * (sizeof *t->entries + sizeof *t->free + sizeof *t->scratch);
}

uint64_t topk_hash(const void *key, size_t length)
{
    uint64_t hash = XXH3_64bits(key, length);
    return hash ? hash : 1;
}

/* Where the hash is, or where it would come. */
static uint32_t slot_of(const struct topk *t, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (t->slot_count - 1);
    while (t->slots[at].hash && t->slots[at].hash != hash)
        at = (at + 1) & (t->slot_count - 1);
    return at;
}

const struct topk_entry *topk_find(const struct topk *t, uint64_t hash)
{
    const struct topk_slot *s = &t->slots[slot_of(t, hash)];
    return s->hash ? &t->entries[s->entry] : NULL;
}

/* ---- making room -------------------------------------------------------------------------- */

static void swap(uint64_t *a, uint64_t *b)
{
    uint64_t c = *a;
    *a = *b;
    *b = c;
}

/* The one that would stand at `at` if they were sorted (Hoare's selection). */
static uint64_t select_weight(uint64_t *list, size_t count, size_t at)
{
    size_t low = 0, high = count - 1;
    while (low < high) {
        uint64_t pivot = list[low + (high - low) / 2];
        size_t i = low, j = high;
        while (i <= j) {
            while (list[i] < pivot)
                i++;
            while (list[j] > pivot)
                j--;
            if (i <= j) {
                swap(&list[i], &list[j]);
                i++;
                if (j == 0)
                    break;
                j--;
            }
        }
        if (at <= j)
            high = j;
        else if (at >= i)
            low = i;
        else
            break;
    }
    return list[at];
}

/* The table anew, from the entries that are left. */
static void index_entries(struct topk *t)
{
    memset(t->slots, 0, t->slot_count * sizeof *t->slots);
    for (uint32_t i = 0; i < t->most; i++)
        if (is_used(t, &t->entries[i]))
            t->slots[slot_of(t, t->entries[i].hash)] = (struct topk_slot){t->entries[i].hash, i};
}

/* At least half of the entries go; all places were taken. Each unit that the error rises took as
 * much from half of the table: that is the bound. */
static void make_room(struct topk *t)
{
    for (uint32_t i = 0; i < t->most; i++)
        t->scratch[i] = t->entries[i].weight;
    uint64_t median = select_weight(t->scratch, t->most, t->most / 2);
    t->error += median;
    for (uint32_t i = 0; i < t->most; i++) {
        struct topk_entry *e = &t->entries[i];
        if (e->weight > median) {
            e->weight -= median;
        } else {
            e->hash = 0;
            t->free[t->most - t->count--] = i;
        }
    }
    index_entries(t);
}

/* ---- adding ------------------------------------------------------------------------------- */

static void set_text(struct topk_entry *e, const void *key, size_t length)
{
    e->length = (uint8_t)(length < TOPK_TEXT_MOST ? length : TOPK_TEXT_MOST);
    e->full_length = (uint16_t)(length < UINT16_MAX ? length : UINT16_MAX);
    memcpy(e->text, key, e->length);
}

struct topk_entry *topk_add(struct topk *t, uint64_t hash, const void *key, size_t length,
                            uint64_t weight)
{
    struct topk_slot *s = &t->slots[slot_of(t, hash)];
    t->total += weight;
    if (!s->hash) {
        if (weight == 0)
            return NULL;
        if (t->count == t->most) {
            make_room(t);
            s = &t->slots[slot_of(t, hash)];
        }
        *s = (struct topk_slot){hash, t->free[t->most - ++t->count]};
        struct topk_entry *fresh = &t->entries[s->entry];
        fresh->hash = hash;
        fresh->round = t->round;
        fresh->weight = 0;
        memset(fresh->sums, 0, sizeof fresh->sums);
        set_text(fresh, key, length);
    }
    t->entries[s->entry].weight += weight;
    return &t->entries[s->entry];
}

void topk_merge(struct topk *t, const struct topk *other)
{
    uint64_t total = t->total + other->total;
    for (uint32_t i = 0; i < other->most; i++) {
        const struct topk_entry *from = &other->entries[i];
        if (!is_used(other, from))
            continue;
        struct topk_entry *e = topk_add(t, from->hash, from->text, from->length, from->weight);
        if (!e)
            continue;
        e->full_length = from->full_length;
        for (int k = 0; k < TOPK_SUMS; k++)
            e->sums[k] += from->sums[k];
    }
    t->total = total;
    t->error += other->error;
}

/* ---- the list ----------------------------------------------------------------------------- */

static int by_weight(const void *left, const void *right)
{
    const struct topk_entry *a = *(const struct topk_entry *const *)left;
    const struct topk_entry *b = *(const struct topk_entry *const *)right;
    if (a->weight != b->weight)
        return a->weight < b->weight ? 1 : -1;
    return (a->hash > b->hash) - (a->hash < b->hash);
}

/* What is kept is a heap with the lightest on top, the first to go. */
static void sink(const struct topk_entry **heap, size_t count)
{
    for (size_t at = 0, child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && by_weight(&heap[child], &heap[child + 1]) < 0)
            child++;
        if (by_weight(&heap[at], &heap[child]) >= 0)
            return;
        const struct topk_entry *lighter = heap[child];
        heap[child] = heap[at];
        heap[at] = lighter;
    }
}

static void rise(const struct topk_entry **heap, size_t at)
{
    for (size_t parent; at > 0; at = parent) {
        parent = (at - 1) / 2;
        if (by_weight(&heap[parent], &heap[at]) >= 0)
            return;
        const struct topk_entry *heavier = heap[parent];
        heap[parent] = heap[at];
        heap[at] = heavier;
    }
}

/* Looks at each entry once: most of them are lighter than the lightest that is kept. */
size_t topk_list(const struct topk *t, const struct topk_entry **list, size_t most)
{
    size_t count = 0;
    for (uint32_t i = 0; i < t->most && most > 0; i++) {
        const struct topk_entry *e = &t->entries[i];
        if (!is_used(t, e))
            continue;
        if (count < most) {
            list[count] = e;
            rise(list, count++);
        } else if (by_weight(&e, &list[0]) < 0) {
            list[0] = e;
            sink(list, count);
        }
    }
    qsort((void *)list, count, sizeof *list, by_weight);
    return count;
}
