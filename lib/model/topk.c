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
    *t = (struct topk){.slots = slots, .most = slots / 4 * 3};
    t->entries = calloc(slots, sizeof *t->entries);
    t->scratch = malloc(t->most * sizeof *t->scratch);
    if (t->entries && t->scratch)
        return 0;
    topk_fini(t);
    return -1;
}

void topk_fini(struct topk *t)
{
    free(t->entries);
    free(t->scratch);
    *t = (struct topk){0};
}

void topk_clear(struct topk *t)
{
    for (uint32_t i = 0; i < t->slots; i++)
        t->entries[i].hash = 0;
    t->count = 0;
    t->total = t->error = 0;
}

size_t topk_bytes(const struct topk *t)
{
    return t->slots * sizeof *t->entries + t->most * sizeof *t->scratch;
}

uint64_t topk_hash(const void *key, size_t length)
{
    uint64_t hash = XXH3_64bits(key, length);
    return hash ? hash : 1;
}

static uint32_t slot_of(const struct topk *t, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (t->slots - 1);
    while (t->entries[at].hash && t->entries[at].hash != hash)
        at = (at + 1) & (t->slots - 1);
    return at;
}

const struct topk_entry *topk_find(const struct topk *t, uint64_t hash)
{
    const struct topk_entry *e = &t->entries[slot_of(t, hash)];
    return e->hash ? e : NULL;
}

static void empty_slot(struct topk *t, uint32_t hole)
{
    t->entries[hole].hash = 0;
    for (uint32_t at = (hole + 1) & (t->slots - 1); t->entries[at].hash;
         at = (at + 1) & (t->slots - 1)) {
        uint32_t home = (uint32_t)t->entries[at].hash & (t->slots - 1);
        if (((at - home) & (t->slots - 1)) < ((at - hole) & (t->slots - 1)))
            continue;
        t->entries[hole] = t->entries[at];
        t->entries[at].hash = 0;
        hole = at;
    }
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

/* At least half of the entries go. Each unit that the error rises took as much from half of the
 * table: that is the bound. */
static void make_room(struct topk *t)
{
    size_t count = 0;
    for (uint32_t i = 0; i < t->slots; i++)
        if (t->entries[i].hash)
            t->scratch[count++] = t->entries[i].weight;
    uint64_t median = select_weight(t->scratch, count, count / 2);
    t->error += median;
    for (uint32_t i = 0; i < t->slots; i++)
        if (t->entries[i].hash)
            t->entries[i].weight -= t->entries[i].weight < median ? t->entries[i].weight : median;
    for (uint32_t i = 0; i < t->slots;) {
        if (t->entries[i].hash && t->entries[i].weight == 0) {
            empty_slot(t, i); /* another may have come here */
            t->count--;
        } else {
            i++;
        }
    }
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
    struct topk_entry *e = &t->entries[slot_of(t, hash)];
    t->total += weight;
    if (!e->hash) {
        if (weight == 0)
            return NULL;
        if (t->count == t->most) {
            make_room(t);
            e = &t->entries[slot_of(t, hash)];
        }
        *e = (struct topk_entry){.hash = hash};
        set_text(e, key, length);
        t->count++;
    }
    e->weight += weight;
    return e;
}

void topk_merge(struct topk *t, const struct topk *other)
{
    uint64_t total = t->total + other->total;
    for (uint32_t i = 0; i < other->slots; i++) {
        const struct topk_entry *from = &other->entries[i];
        if (!from->hash)
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

size_t topk_list(const struct topk *t, const struct topk_entry **list, size_t most)
{
    const struct topk_entry **all = malloc((t->count + 1) * sizeof(const struct topk_entry *));
    size_t count = 0;
    if (!all)
        return 0;
    for (uint32_t i = 0; i < t->slots; i++)
        if (t->entries[i].hash)
            all[count++] = &t->entries[i];
    qsort((void *)all, count, sizeof(const struct topk_entry *), by_weight);
    if (count > most)
        count = most;
    memcpy((void *)list, (const void *)all, count * sizeof(const struct topk_entry *));
    free((void *)all);
    return count;
}
