// SPDX-License-Identifier: Apache-2.0
#include "collector/rules/sample.h"

#include <stdlib.h>
#include <xxhash.h>

#include "lib/codec/batch.h"

int rule_samples_add(struct rule_samples *s, const struct rule_sample *sample)
{
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? s->capacity * 2 : 64;
        struct rule_sample *larger = realloc(s->list, capacity * sizeof *larger);
        if (!larger)
            return -1;
        s->list = larger;
        s->capacity = capacity;
    }
    s->list[s->count++] = *sample;
    return 0;
}

void rule_samples_fini(struct rule_samples *s)
{
    free(s->list);
    *s = (struct rule_samples){0};
}

static int compare_samples(const void *a, const void *b)
{
    const struct rule_sample *x = a, *y = b;
    return labels_compare(&x->labels, &y->labels);
}

bool rule_samples_sort(struct rule_samples *s)
{
    bool repeated = false;
    if (s->count > 1)
        qsort(s->list, s->count, sizeof *s->list, compare_samples);
    for (size_t i = 1; i < s->count && !repeated; i++)
        repeated = labels_equal(&s->list[i - 1].labels, &s->list[i].labels);
    return repeated;
}

static bool is_set(const struct label *set, size_t count, struct batch_str name)
{
    for (size_t i = 0; i < count; i++)
        if (batch_str_equal(set[i].name, name))
            return true;
    return false;
}

int rule_labels_build(struct arena *arena, const struct labels *base, const struct label *set,
                      size_t set_count, struct labels *out)
{
    struct label list[2 * LABELS_MAX + 4];
    size_t count = 0;
    for (uint32_t i = 0; base && i < base->count && count < LABELS_MAX; i++) {
        struct batch_str name = base->items[i].name;
        if (!batch_str_is(name, LABEL_METRIC) && !is_set(set, set_count, name))
            list[count++] = base->items[i];
    }
    for (size_t i = 0; i < set_count && count <= LABELS_MAX; i++)
        if (set[i].value.length > 0)
            list[count++] = set[i];
    if (count > LABELS_MAX)
        return -1;
    qsort(list, count, sizeof *list, label_compare_names);
    *out = (struct labels){arena_copy(arena, list, count * sizeof *list), (uint32_t)count};
    return out->items ? 0 : -1;
}

struct labels *rule_labels_copy(const struct labels *l)
{
    size_t bytes = sizeof *l + l->count * sizeof *l->items;
    for (uint32_t i = 0; i < l->count; i++)
        bytes += (size_t)l->items[i].name.length + l->items[i].value.length;
    struct labels *copy = malloc(bytes);
    if (!copy)
        return NULL;
    struct label *items = (struct label *)(copy + 1);
    char *text = (char *)(items + l->count);
    for (uint32_t i = 0; i < l->count; i++) {
        struct batch_str name = l->items[i].name, value = l->items[i].value;
        memcpy(text, name.bytes, name.length);
        items[i].name = (struct batch_str){text, name.length};
        text += name.length;
        if (value.length > 0)
            memcpy(text, value.bytes, value.length);
        items[i].value = (struct batch_str){text, value.length};
        text += value.length;
    }
    *copy = (struct labels){items, l->count};
    return copy;
}

uint64_t rule_labels_hash(const struct labels *l)
{
    uint64_t hash = l->count;
    for (uint32_t i = 0; i < l->count; i++) {
        hash = XXH3_64bits_withSeed(l->items[i].name.bytes, l->items[i].name.length, hash);
        hash = XXH3_64bits_withSeed(l->items[i].value.bytes, l->items[i].value.length, hash);
    }
    return hash;
}

static uint32_t put_series(struct batch_builder *b, const struct labels *l)
{
    uint32_t pairs[2 * LABELS_MAX], count = 0;
    struct batch_str metric = labels_get_text(l, LABEL_METRIC);
    for (uint32_t i = 0; i < l->count; i++) {
        const struct label *label = &l->items[i];
        if (batch_str_is(label->name, LABEL_METRIC))
            continue;
        pairs[2 * count] = batch_string(b, label->name.bytes, label->name.length);
        pairs[2 * count++ + 1] = batch_string(b, label->value.bytes, label->value.length);
    }
    uint32_t name = batch_string(b, metric.bytes, metric.length);
    return batch_series(b, batch_metric(b, name, METRIC_UNKNOWN, 0, 0), BATCH_NONE, pairs, count);
}

int rule_samples_encode(const struct rule_sample *list, size_t count, int64_t unix_ms,
                        struct buffer *out)
{
    struct batch_builder *b = batch_builder_create();
    if (!b)
        return -1;
    for (size_t i = 0; i < count; i++)
        batch_sample(b, put_series(b, &list[i].labels), unix_ms,
                     list[i].is_stale ? SAMPLE_STALE : SAMPLE_VALUE, list[i].value);
    int result = batch_encode(b, out);
    batch_builder_destroy(&b);
    return result;
}
