// SPDX-License-Identifier: Apache-2.0
#include "collector/caches/sum.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_LEAST = 256 };

struct sum_row {
    uint64_t hash; /* 0: empty */
    uint64_t calls, bytes, misses;
    uint64_t known; /* what the list's `rest` says too much of this key: where it was told */
    uint32_t full_length, length;
    char text[WINDOW_KEY_MOST];
};

void window_sum_init(struct window_sum *s, unsigned kinds)
{
    *s = (struct window_sum){.kinds = kinds};
}

void window_sum_fini(struct window_sum *s)
{
    for (int kind = 0; kind < WINDOW_KINDS; kind++)
        free(s->lists[kind].rows);
    *s = (struct window_sum){0};
}

/* ---- the table ---------------------------------------------------------------------------- */

static struct sum_row *row_of(const struct list_sum *l, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (l->slots - 1);
    while (l->rows[at].hash && l->rows[at].hash != hash)
        at = (at + 1) & (l->slots - 1);
    return &l->rows[at];
}

/* With room for so many; false: no memory, and it is as it was. */
static bool resize(struct list_sum *l, uint32_t slots)
{
    struct list_sum larger = *l;
    larger.slots = slots;
    larger.rows = calloc(slots, sizeof *larger.rows);
    if (!larger.rows)
        return false;
    for (uint32_t i = 0; i < l->slots; i++)
        if (l->rows[i].hash)
            *row_of(&larger, l->rows[i].hash) = l->rows[i];
    free(l->rows);
    *l = larger;
    return true;
}

/* ---- the heaviest ------------------------------------------------------------------------- */

static uint64_t weight_of(enum window_kind kind, const struct sum_row *r)
{
    return window_weight(
        kind, &(struct window_entry){.calls = r->calls, .bytes = r->bytes, .misses = r->misses});
}

struct weighed {
    uint64_t weight;
    const struct sum_row *row;
};

static int by_weight(const void *left, const void *right)
{
    const struct weighed *a = left, *b = right;
    if (a->weight != b->weight)
        return a->weight < b->weight ? 1 : -1;
    return (a->row->hash > b->row->hash) - (a->row->hash < b->row->hash);
}

/* All rows, heaviest first; malloc'ed. NULL: no memory. */
static struct weighed *weigh(const struct list_sum *l, enum window_kind kind)
{
    struct weighed *list = malloc((l->count + 1) * sizeof *list);
    uint32_t count = 0;
    for (uint32_t i = 0; list && i < l->slots; i++)
        if (l->rows[i].hash)
            list[count++] = (struct weighed){weight_of(kind, &l->rows[i]), &l->rows[i]};
    if (list)
        qsort(list, count, sizeof *list, by_weight);
    return list;
}

static uint64_t error_of(const struct list_sum *l, const struct sum_row *r)
{
    return l->rest > r->known ? l->rest - r->known : 0;
}

/* What nothing has more than, if only the first `most` are told. */
static uint64_t rest_beyond(const struct list_sum *l, const struct weighed *list, uint32_t most)
{
    uint64_t rest = l->rest;
    for (uint32_t i = most; i < l->count; i++) {
        uint64_t could = list[i].weight + error_of(l, list[i].row);
        rest = could > rest ? could : rest;
    }
    return rest;
}

/* The lighter half goes. */
static bool make_room(struct list_sum *l, enum window_kind kind)
{
    struct list_sum kept = {.slots = l->slots, .total = l->total, .count = l->count / 2};
    struct weighed *list = weigh(l, kind);
    kept.rows = calloc(kept.slots, sizeof *kept.rows);
    if (!list || !kept.rows) {
        free(list);
        free(kept.rows);
        return false;
    }
    kept.rest = rest_beyond(l, list, kept.count);
    for (uint32_t i = 0; i < kept.count; i++) {
        struct sum_row *row = row_of(&kept, list[i].row->hash);
        *row = *list[i].row;
        row->known += kept.rest - l->rest;
    }
    free(list);
    free(l->rows);
    *l = kept;
    return true;
}

/* ---- adding ------------------------------------------------------------------------------- */

static bool has_room(struct list_sum *l, enum window_kind kind)
{
    if (!l->rows)
        return resize(l, SLOTS_LEAST);
    if (l->count < l->slots / 2)
        return true;
    return l->count < SUM_ROWS_MOST ? resize(l, 2 * l->slots) : make_room(l, kind);
}

static bool add_entry(struct list_sum *l, enum window_kind kind, const struct window_entry *e,
                      uint64_t rest)
{
    struct sum_row *row = l->rows ? row_of(l, e->hash) : NULL;
    if (!row || !row->hash) {
        if (!has_room(l, kind))
            return false;
        row = row_of(l, e->hash);
        *row = (struct sum_row){
            .hash = e->hash, .full_length = e->full_length, .length = e->key.length};
        if (e->key.length)
            memcpy(row->text, e->key.bytes, e->key.length);
        l->count++;
    }
    row->calls += e->calls;
    row->bytes += e->bytes;
    row->misses += e->misses;
    row->known += rest > e->error ? rest - e->error : 0;
    return true;
}

void window_sum_add(struct window_sum *s, const struct batch_window *w)
{
    int64_t end_ms = w->begin_unix_ms + w->length_ms;
    if (s->windows == 0 || w->begin_unix_ms < s->begin_unix_ms)
        s->begin_unix_ms = w->begin_unix_ms;
    if (s->windows == 0 || end_ms > s->end_unix_ms)
        s->end_unix_ms = end_ms;
    s->windows++;
    s->commands += w->commands;
    if (w->peak_commands > s->peak_commands)
        s->peak_commands = w->peak_commands;
    for (int i = 0; i < DISTINCT_REGISTERS; i++)
        if (w->registers[i] > s->keys.registers[i])
            s->keys.registers[i] = w->registers[i];
    for (int kind = 0; kind < WINDOW_KINDS; kind++) {
        const struct window_list *from = &w->lists[kind];
        struct list_sum *to = &s->lists[kind];
        if (!(s->kinds & 1u << kind))
            continue;
        to->total += from->total;
        to->rest += from->rest;
        for (uint32_t i = 0; i < from->count; i++)
            s->failed |= !add_entry(to, (enum window_kind)kind, &from->entries[i], from->rest);
    }
}

/* ---- as lists ----------------------------------------------------------------------------- */

static struct window_entry entry_of(const struct list_sum *l, const struct sum_row *r)
{
    return (struct window_entry){.key = {r->text, r->length},
                                 .full_length = r->full_length,
                                 .hash = r->hash,
                                 .calls = r->calls,
                                 .bytes = r->bytes,
                                 .misses = r->misses,
                                 .error = error_of(l, r)};
}

int window_sum_list(const struct window_sum *s, enum window_kind kind, uint32_t most,
                    struct arena *arena, struct window_list *out)
{
    const struct list_sum *l = &s->lists[kind];
    struct weighed *list = weigh(l, kind);
    *out = (struct window_list){.count = l->count < most ? l->count : most, .total = l->total};
    out->entries = arena_alloc(arena, (out->count + 1) * sizeof *out->entries);
    if (list && out->entries) {
        out->rest = rest_beyond(l, list, out->count);
        for (uint32_t i = 0; i < out->count; i++)
            out->entries[i] = entry_of(l, list[i].row);
    }
    free(list);
    return list && out->entries ? 0 : -1;
}

int window_sum_window(const struct window_sum *s, uint32_t most, struct arena *arena,
                      struct batch_window *out)
{
    int64_t length_ms = s->end_unix_ms - s->begin_unix_ms;
    *out = (struct batch_window){.begin_unix_ms = s->begin_unix_ms,
                                 .length_ms = length_ms > 0 ? length_ms : 1,
                                 .commands = s->commands,
                                 .peak_commands = s->peak_commands,
                                 .registers = s->keys.registers};
    for (int kind = 0; kind < WINDOW_KINDS; kind++)
        if (window_sum_list(s, (enum window_kind)kind, most, arena, &out->lists[kind]) != 0)
            return -1;
    return 0;
}
