// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/segment/strings.h"

#include <stdlib.h>

#include "collector/hash.h"

enum { CAPACITY_LEAST = 256, ARENA_BLOCK_BYTES = 1 << 16, ARENA_KEPT_BYTES = 16 << 20 };

static bool grow(void **memory, size_t count, size_t bytes)
{
    void *grown = realloc(*memory, count * bytes);
    if (grown)
        *memory = grown;
    return grown != NULL;
}

static void put_slot(struct string_table *t, uint64_t hash, uint32_t number)
{
    size_t at = hash & (t->slot_count - 1);
    while (t->slots[at])
        at = (at + 1) & (t->slot_count - 1);
    t->slots[at] = number + 1;
}

static bool reserve(struct string_table *t, size_t capacity)
{
    size_t slots = hash_slots(capacity);
    if (!grow((void **)&t->list, capacity, sizeof *t->list) ||
        !grow((void **)&t->hashes, capacity, sizeof *t->hashes) ||
        !grow((void **)&t->rank, capacity, sizeof *t->rank) ||
        !grow((void **)&t->order, capacity, sizeof *t->order) ||
        !grow((void **)&t->slots, slots, sizeof *t->slots))
        return false;
    t->capacity = capacity;
    t->slot_count = slots;
    memset(t->slots, 0, slots * sizeof *t->slots);
    for (size_t i = 1; i < t->count; i++)
        put_slot(t, t->hashes[i], (uint32_t)i);
    return true;
}

bool string_table_init(struct string_table *t)
{
    *t = (struct string_table){.count = 1};
    arena_init(&t->arena, ARENA_BLOCK_BYTES);
    if (!reserve(t, CAPACITY_LEAST)) {
        string_table_fini(t);
        return false;
    }
    t->list[0] = (struct batch_str){"", 0};
    return true;
}

void string_table_fini(struct string_table *t)
{
    free(t->list);
    free(t->hashes);
    free(t->rank);
    free(t->order);
    free(t->slots);
    arena_fini(&t->arena);
    *t = (struct string_table){0};
}

void string_table_clear(struct string_table *t)
{
    if (t->arena.total_bytes > ARENA_KEPT_BYTES)
        arena_fini(&t->arena);
    else
        arena_reset(&t->arena);
    memset(t->slots, 0, t->slot_count * sizeof *t->slots);
    t->count = 1;
    t->bytes = 0;
    t->failed = false;
}

static uint32_t add_new(struct string_table *t, struct batch_str string, uint64_t hash)
{
    char *copy = NULL;
    if (t->count < t->capacity || reserve(t, t->capacity * 2))
        copy = arena_copy(&t->arena, string.bytes, string.length);
    if (!copy) {
        t->failed = true;
        return 0;
    }
    uint32_t number = (uint32_t)t->count++;
    t->list[number] = (struct batch_str){copy, string.length};
    t->hashes[number] = hash;
    t->bytes += string.length;
    put_slot(t, hash, number);
    return number;
}

uint32_t string_table_add(struct string_table *t, struct batch_str string)
{
    if (string.length == 0)
        return 0;
    uint64_t hash = hash_bytes(string.bytes, string.length);
    for (size_t at = hash & (t->slot_count - 1); t->slots[at];
         at = (at + 1) & (t->slot_count - 1)) {
        uint32_t number = t->slots[at] - 1;
        if (t->hashes[number] == hash && batch_str_equal(t->list[number], string))
            return number;
    }
    return add_new(t, string, hash);
}

/* ---- order ------------------------------------------------------------------------------- */

struct sorted {
    uint64_t prefix; /* the first eight bytes as a number that compares as they do */
    struct batch_str string;
    uint32_t number;
};

static uint64_t prefix_of(struct batch_str s)
{
    uint64_t prefix = 0;
    memcpy(&prefix, s.bytes, s.length < sizeof prefix ? s.length : sizeof prefix);
    return be64toh(prefix);
}

static int compare(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    if (x->prefix != y->prefix)
        return x->prefix < y->prefix ? -1 : 1;
    return batch_str_compare(x->string, y->string);
}

bool string_table_sort(struct string_table *t)
{
    struct sorted *sorted = malloc(t->count * sizeof *sorted);
    if (!sorted)
        return false;
    for (size_t i = 0; i < t->count; i++)
        sorted[i] = (struct sorted){prefix_of(t->list[i]), t->list[i], (uint32_t)i};
    qsort(sorted, t->count, sizeof *sorted, compare);
    for (size_t i = 0; i < t->count; i++) {
        t->rank[sorted[i].number] = (uint32_t)i;
        t->order[i] = sorted[i].number;
    }
    free(sorted);
    return true;
}

/* ---- bytes ------------------------------------------------------------------------------- */

void string_table_put(const struct string_table *t, struct encoder *e, struct column *out)
{
    uint64_t *lengths = malloc(t->count * sizeof *lengths);
    char *bytes = malloc(t->bytes + 1), *to = bytes;
    if (!lengths || !bytes) {
        out->failed = true;
    } else {
        for (size_t i = 1; i < t->count; i++) {
            struct batch_str s = t->list[t->order[i]];
            lengths[i - 1] = s.length;
            memcpy(to, s.bytes, s.length);
            to += s.length;
        }
        size_t begin = out->length;
        column_put_fixed(out, 0, sizeof(uint32_t));
        encoding_put(e, lengths, t->count - 1, out);
        if (!out->failed) {
            uint32_t length = htole32((uint32_t)(out->length - begin - sizeof length));
            memcpy(out->bytes + begin, &length, sizeof length);
            compressed_put(encoder_compressor(e), bytes, t->bytes, COMPRESS_STRONG, out);
        }
    }
    free(lengths);
    free(bytes);
}

static int get_lengths(struct column_reader *in, uint32_t count, struct arena *arena,
                       struct batch_str **list)
{
    uint64_t length = column_get_fixed(in, sizeof(uint32_t));
    if (in->bad || length > column_left(in) || !compressed_is_plausible(in, count - 1))
        return ENCODING_EDAMAGED; /* each has a byte at least */
    uint64_t *lengths = malloc(count * sizeof *lengths);
    *list = arena_alloc(arena, count * sizeof **list);
    if (!lengths || !*list) {
        free(lengths);
        return ENCODING_ENOMEM;
    }
    int error = encoding_get(in->next, length, count - 1, 0, count - 1, lengths);
    in->next += length;
    (*list)[0] = (struct batch_str){"", 0};
    for (uint32_t i = 1; i < count && !error; i++) {
        if (lengths[i - 1] == 0 || lengths[i - 1] > UINT32_MAX)
            error = ENCODING_EDAMAGED;
        (*list)[i].length = (uint32_t)lengths[i - 1];
    }
    free(lengths);
    return error;
}

int strings_get(const uint8_t *bytes, size_t length, uint32_t count, struct arena *arena,
                struct batch_str **list)
{
    struct column_reader in = {bytes, bytes + length, false};
    if (count == 0)
        return ENCODING_EDAMAGED;
    int error = get_lengths(&in, count, arena, list);
    if (error)
        return error;
    uint64_t total = 0;
    for (uint32_t i = 1; i < count; i++)
        total += (*list)[i].length;
    if (!compressed_is_plausible(&in, total))
        return ENCODING_EDAMAGED;
    char *text = arena_alloc(arena, total);
    if (!text)
        return ENCODING_ENOMEM;
    error = compressed_get(&in, (uint8_t *)text, total);
    if (error || column_left(&in))
        return error == COMPRESS_ENOMEM ? ENCODING_ENOMEM : ENCODING_EDAMAGED;
    for (uint32_t i = 1; i < count; text += (*list)[i++].length)
        (*list)[i].bytes = text;
    return ENCODING_OK;
}

uint32_t strings_find(const struct batch_str *list, uint32_t count, const void *bytes,
                      size_t length)
{
    struct batch_str wanted = {bytes, (uint32_t)length};
    return length > UINT32_MAX ? UINT32_MAX : batch_str_find(list, count, wanted);
}
