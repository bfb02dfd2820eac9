// SPDX-License-Identifier: Apache-2.0
#include "collector/series/strings.h"

#include "collector/hash.h"

void string_set_init(struct string_set *s)
{
    *s = (struct string_set){0};
    arena_init(&s->arena, 16 << 10);
}

void string_set_fini(struct string_set *s)
{
    arena_fini(&s->arena);
    slots_fini(&s->slots);
    free(s->list);
}

static bool has(const struct string_set *s, struct batch_str text, uint64_t hash)
{
    uint32_t at = slots_start(&s->slots, hash), i;
    while ((i = slots_next(&s->slots, hash, &at)) != SLOTS_NONE)
        if (batch_str_equal(s->list[i], text))
            return true;
    return false;
}

bool string_set_has(const struct string_set *s, struct batch_str text)
{
    return has(s, text, hash_bytes(text.bytes, text.length));
}

static int reserve(struct string_set *s)
{
    if (s->count == s->capacity) {
        uint32_t more = s->capacity ? s->capacity * 2 : 64;
        struct batch_str *list = realloc(s->list, more * sizeof *list);
        if (!list)
            return -1;
        s->list = list;
        s->capacity = more;
    }
    return slots_reserve(&s->slots);
}

void string_set_add(struct string_set *s, struct batch_str text)
{
    uint64_t hash = hash_bytes(text.bytes, text.length);
    if (s->failed || has(s, text, hash))
        return;
    const char *bytes = reserve(s) == 0 ? arena_copy(&s->arena, text.bytes, text.length) : NULL;
    if (!bytes) {
        s->failed = true;
        return;
    }
    slots_insert(&s->slots, hash, s->count);
    s->list[s->count++] = (struct batch_str){bytes, text.length};
}

static int by_text(const void *a, const void *b)
{
    return batch_str_compare(*(const struct batch_str *)a, *(const struct batch_str *)b);
}

int string_set_list(struct string_set *s, struct series_strings *out)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < s->count; i++)
        bytes += s->list[i].length;
    *out = (struct series_strings){0};
    char *memory = s->failed ? NULL : malloc(s->count * sizeof *out->items + bytes + 1);
    if (!memory)
        return SERIES_ENOMEM;
    if (s->count > 1)
        qsort(s->list, s->count, sizeof *s->list, by_text);
    out->items = (struct batch_str *)(void *)memory;
    out->count = s->count;
    char *to = memory + s->count * sizeof *out->items;
    for (uint32_t i = 0; i < s->count; i++) {
        memcpy(to, s->list[i].bytes, s->list[i].length);
        out->items[i] = (struct batch_str){to, s->list[i].length};
        to += s->list[i].length;
    }
    return SERIES_OK;
}
