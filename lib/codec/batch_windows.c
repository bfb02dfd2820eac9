// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/batch_windows.h"

#include "lib/codec/batch_builder.h"
#include "lib/codec/batch_decode.h"

enum { ENTRY_NUMBERS = 6, HASH_BYTES = 8, REGISTER_MOST = 64 };

uint64_t window_weight(enum window_kind kind, const struct window_entry *e)
{
    return kind == WINDOW_KEYS_BY_BYTES    ? e->bytes
           : kind == WINDOW_KEYS_BY_MISSES ? e->misses
                                           : e->calls;
}

/* ---- building ---------------------------------------------------------------------------- */

static void put_entry(struct batch_builder *b, const struct window_entry *e)
{
    struct column *column = &b->columns[COLUMN_WINDOW_ENTRIES];
    uint32_t cut = e->full_length - e->key.length;
    column_put(column, batch_string(b, e->key.bytes, e->key.length));
    column_put(column, cut);
    column_put(column, e->calls);
    column_put(column, e->bytes);
    column_put(column, e->misses);
    column_put(column, e->error);
    if (cut > 0)
        column_put_fixed(&b->columns[COLUMN_WINDOW_HASHES], e->hash, HASH_BYTES);
}

static uint32_t put_string(struct batch_builder *b, struct batch_str s)
{
    return batch_string(b, s.bytes, s.length);
}

void batch_window_add(struct batch_builder *b, const struct batch_window *w)
{
    struct column *column = &b->columns[COLUMN_WINDOWS];
    column_put(column, put_string(b, w->host));
    column_put(column, put_string(b, w->cache));
    column_put(column, put_string(b, w->protocol));
    column_put(column, (uint64_t)w->begin_unix_ms);
    column_put(column, (uint64_t)w->length_ms);
    column_put(column, w->commands);
    column_put(column, w->peak_commands);
    column_put(column, WINDOW_KINDS);
    for (int kind = 0; kind < WINDOW_KINDS; kind++) {
        const struct window_list *list = &w->lists[kind];
        column_put(column, (uint64_t)kind);
        column_put(column, list->total);
        column_put(column, list->rest);
        column_put(column, list->count);
        for (uint32_t i = 0; i < list->count; i++)
            put_entry(b, &list->entries[i]);
    }
    column_put_bytes(&b->columns[COLUMN_WINDOW_REGISTERS], w->registers, DISTINCT_REGISTERS);
    b->windows++;
}

size_t batch_builder_windows(const struct batch_builder *b)
{
    return b->windows;
}

/* ---- decoding ---------------------------------------------------------------------------- */

struct entries { /* of all windows, as they stand in the batch */
    struct window_entry *list;
    size_t count, capacity;
};

static void get_entry(struct decoder *d, struct window_entry *e)
{
    struct column_reader *column = &d->columns[COLUMN_WINDOW_ENTRIES];
    e->key = d->batch->strings[column_get_below(column, d->batch->string_count)];
    if (e->key.length > WINDOW_KEY_MOST) {
        column->bad = true;
        return;
    }
    uint32_t cut = column_get_below(column, WINDOW_FULL_LENGTH_MOST - e->key.length + 1);
    e->full_length = e->key.length + cut;
    e->calls = column_get(column);
    e->bytes = column_get(column);
    e->misses = column_get(column);
    e->error = column_get(column);
    e->hash = cut ? column_get_fixed(&d->columns[COLUMN_WINDOW_HASHES], HASH_BYTES)
                  : topk_hash(e->key.bytes, e->key.length);
    if (e->hash == 0)
        column->bad = true;
}

/* A kind that is not known may come from a newer program: it is passed over. */
static bool get_list(struct decoder *d, struct batch_window *w, struct entries *all)
{
    struct column_reader *column = &d->columns[COLUMN_WINDOWS];
    uint32_t kind = column_get_below(column, UINT32_MAX);
    struct window_list list = {.entries = all->list + all->count};
    list.total = column_get(column);
    list.rest = column_get(column);
    list.count = column_get_below(column, all->capacity - all->count + 1);
    for (uint32_t i = 0; i < list.count; i++)
        get_entry(d, &list.entries[i]);
    all->count += list.count;
    if (kind >= WINDOW_KINDS)
        return true;
    bool again = w->lists[kind].entries != NULL;
    w->lists[kind] = list;
    return !again;
}

static bool registers_are_sound(const uint8_t *registers)
{
    uint8_t most = 0;
    for (int i = 0; i < DISTINCT_REGISTERS; i++)
        most = registers[i] > most ? registers[i] : most;
    return most <= REGISTER_MOST;
}

static bool get_window(struct decoder *d, struct batch_window *w, struct entries *all)
{
    struct column_reader *column = &d->columns[COLUMN_WINDOWS];
    uint32_t strings = d->batch->string_count;
    w->host = d->batch->strings[column_get_below(column, strings)];
    w->cache = d->batch->strings[column_get_below(column, strings)];
    w->protocol = d->batch->strings[column_get_below(column, strings)];
    uint64_t begin = column_get(column), length = column_get(column);
    w->begin_unix_ms = (int64_t)begin;
    w->length_ms = (int64_t)length;
    w->commands = column_get(column);
    w->peak_commands = column_get(column);
    for (uint64_t left = column_get(column); left > 0 && !column->bad; left--)
        if (!get_list(d, w, all))
            return false;
    return begin < WINDOW_TIME_LIMIT_MS && length > 0 && length < WINDOW_TIME_LIMIT_MS &&
           registers_are_sound(w->registers);
}

int decode_windows(struct decoder *d)
{
    struct column_reader *registers = &d->columns[COLUMN_WINDOW_REGISTERS];
    size_t count = column_left(registers) / DISTINCT_REGISTERS;
    struct entries all = {.capacity = column_count_varints(&d->columns[COLUMN_WINDOW_ENTRIES]) /
                                      ENTRY_NUMBERS};
    if (count == 0)
        return BATCH_OK;
    uint8_t *copy = arena_copy(d->arena, registers->next, count * DISTINCT_REGISTERS);
    struct batch_window *windows = arena_calloc(d->arena, count, sizeof *windows);
    all.list = arena_alloc(d->arena, (all.capacity + 1) * sizeof *all.list);
    if (!copy || !windows || !all.list)
        return BATCH_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        windows[i].registers = copy + i * DISTINCT_REGISTERS;
        if (!get_window(d, &windows[i], &all))
            return BATCH_ECOLUMNS;
    }
    registers->next += count * DISTINCT_REGISTERS;
    d->batch->windows = windows;
    d->batch->window_count = (uint32_t)count;
    return BATCH_OK;
}
