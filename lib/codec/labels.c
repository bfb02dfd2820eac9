// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/labels.h"

struct batch_str labels_get(const struct labels *l, struct batch_str name)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (batch_str_equal(l->items[i].name, name))
            return l->items[i].value;
    return (struct batch_str){"", 0};
}

bool labels_copy(struct arena *arena, const struct labels *from, struct labels *to)
{
    struct label *items = arena_alloc(arena, (from->count + 1) * sizeof *items);
    if (!items)
        return false;
    for (uint32_t i = 0; i < from->count; i++) {
        items[i] = from->items[i];
        items[i].name.bytes = arena_copy(arena, items[i].name.bytes, items[i].name.length);
        items[i].value.bytes = arena_copy(arena, items[i].value.bytes, items[i].value.length);
        if (!items[i].name.bytes || !items[i].value.bytes)
            return false;
    }
    *to = (struct labels){items, from->count};
    return true;
}

bool labels_equal(const struct labels *a, const struct labels *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!batch_str_equal(a->items[i].value, b->items[i].value) ||
            !batch_str_equal(a->items[i].name, b->items[i].name))
            return false;
    return true;
}

int labels_compare(const struct labels *a, const struct labels *b)
{
    for (uint32_t i = 0; i < a->count && i < b->count; i++) {
        int order = batch_str_compare(a->items[i].name, b->items[i].name);
        if (order == 0)
            order = batch_str_compare(a->items[i].value, b->items[i].value);
        if (order != 0)
            return order;
    }
    return (a->count > b->count) - (a->count < b->count);
}

int label_compare_names(const void *a, const void *b)
{
    return batch_str_compare(((const struct label *)a)->name, ((const struct label *)b)->name);
}
