// SPDX-License-Identifier: Apache-2.0
#include "collector/series/metadata.h"

#include "collector/hash.h"
#include "lib/model/metric.h"

void metadata_init(struct metadata_table *t)
{
    *t = (struct metadata_table){0};
    pthread_mutex_init(&t->lock, NULL);
}

static void free_text(struct batch_str *text)
{
    if (text->length)
        free((void *)text->bytes);
}

void metadata_fini(struct metadata_table *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        free_text(&t->list[i].metric);
        free_text(&t->list[i].help);
        free_text(&t->list[i].unit);
    }
    free(t->list);
    slots_fini(&t->slots);
    pthread_mutex_destroy(&t->lock);
}

static void replace(struct metadata_table *t, struct batch_str *place, struct batch_str text)
{
    if (text.length == 0 || text.length > METADATA_TEXT_MAX || batch_str_equal(*place, text))
        return;
    char *bytes = malloc(text.length);
    if (!bytes)
        return;
    memcpy(bytes, text.bytes, text.length);
    t->bytes += text.length - place->length;
    free_text(place);
    *place = (struct batch_str){bytes, text.length};
}

static uint32_t find(const struct metadata_table *t, struct batch_str metric, uint64_t hash)
{
    uint32_t at = slots_start(&t->slots, hash), i;
    while ((i = slots_next(&t->slots, hash, &at)) != SLOTS_NONE)
        if (batch_str_equal(t->list[i].metric, metric))
            break;
    return i;
}

static uint32_t add(struct metadata_table *t, struct batch_str metric, uint64_t hash)
{
    if (t->count == METADATA_METRICS_MAX || slots_reserve(&t->slots) != 0)
        return SLOTS_NONE;
    if (t->count == t->capacity) {
        uint32_t more = t->capacity ? t->capacity * 2 : 64;
        struct series_metadata *list = realloc(t->list, more * sizeof *list);
        if (!list)
            return SLOTS_NONE;
        t->list = list;
        t->capacity = more;
    }
    t->list[t->count] = (struct series_metadata){0};
    replace(t, &t->list[t->count].metric, metric);
    if (t->list[t->count].metric.length == 0)
        return SLOTS_NONE;
    t->bytes += sizeof *t->list;
    slots_insert(&t->slots, hash, t->count);
    return t->count++;
}

void metadata_describe(struct metadata_table *t, const struct series_metadata *m)
{
    uint64_t hash = hash_bytes(m->metric.bytes, m->metric.length);
    pthread_mutex_lock(&t->lock);
    uint32_t i = find(t, m->metric, hash);
    if (i == SLOTS_NONE)
        i = add(t, m->metric, hash);
    if (i != SLOTS_NONE) {
        replace(t, &t->list[i].help, m->help);
        replace(t, &t->list[i].unit, m->unit);
        if (m->type != METRIC_UNKNOWN && m->type < METRIC_TYPES)
            t->list[i].type = m->type;
    }
    pthread_mutex_unlock(&t->lock);
}

static int copy_text(struct arena *arena, struct batch_str *text)
{
    const char *bytes = arena_copy(arena, text->length ? text->bytes : "", text->length);
    text->bytes = bytes;
    return bytes ? 0 : -1;
}

static int by_metric(const void *a, const void *b)
{
    return batch_str_compare(((const struct series_metadata *)a)->metric,
                             ((const struct series_metadata *)b)->metric);
}

static int copy_all(const struct metadata_table *t, const struct batch_str *metric,
                    struct arena *arena, struct series_metadata **list, size_t *count)
{
    *count = 0;
    *list = arena_calloc(arena, metric ? 1 : t->count + 1U, sizeof **list);
    if (!*list)
        return -1;
    uint32_t first = 0, end = t->count;
    if (metric) {
        first = find(t, *metric, hash_bytes(metric->bytes, metric->length));
        end = first == SLOTS_NONE ? first : first + 1;
    }
    for (uint32_t i = first; i < end; i++) {
        struct series_metadata *m = &(*list)[*count];
        *m = t->list[i];
        if (copy_text(arena, &m->metric) != 0 || copy_text(arena, &m->help) != 0 ||
            copy_text(arena, &m->unit) != 0)
            return -1;
        ++*count;
    }
    return 0;
}

int metadata_list(struct metadata_table *t, const struct batch_str *metric, struct arena *arena,
                  struct series_metadata **list, size_t *count)
{
    pthread_mutex_lock(&t->lock);
    int error = copy_all(t, metric, arena, list, count);
    pthread_mutex_unlock(&t->lock);
    if (error == 0 && *count > 1)
        qsort(*list, *count, sizeof **list, by_metric);
    return error;
}
