// SPDX-License-Identifier: Apache-2.0
/* What the API asks beside samples: names and values of labels, metadata, exemplars, and what the
 * head is made of. */
#include <stdlib.h>

#include "collector/series/ask_matched.h"
#include "collector/series/choose.h"
#include "collector/series/residue.h"
#include "collector/series/store_internal.h"
#include "collector/series/strings.h"

/* ---- labels ------------------------------------------------------------------------------ */

struct asked {
    struct series_store *store;
    struct string_set set;
    const struct batch_str *name; /* whose values; NULL: names */
};

static bool take_value(void *context, struct batch_str value)
{
    string_set_add(context, value);
    return true;
}

static int ask_block(struct asked *a, struct block *b)
{
    struct block_reader r;
    struct arena arena;
    int error = BLOCK_OK;
    if (!a->name) {
        for (uint32_t i = 0; i < block_summary(b)->names; i++)
            string_set_add(&a->set, block_name_text(b, i));
        return SERIES_OK;
    }
    uint32_t name = block_name(b, *a->name);
    if (name == UINT32_MAX)
        return SERIES_OK;
    arena_init(&arena, 16 << 10);
    error = block_reader_init(&r, b, &arena);
    if (error == BLOCK_OK)
        error = block_values(&r, name, (struct batch_str){"", 0}, take_value, &a->set, NULL);
    block_reader_fini(&r);
    arena_fini(&arena);
    return error == BLOCK_ENOMEM ? SERIES_ENOMEM : error == BLOCK_EIO ? SERIES_EDISK : SERIES_OK;
}

/* Under the lock. */
static void ask_head(struct asked *a)
{
    const struct label_index *ix = &a->store->head.labels;
    if (!a->name) {
        for (uint32_t i = 0; i < ix->name_count; i++)
            string_set_add(&a->set, ix->names[i]->text);
        return;
    }
    const struct label_name *name = label_index_name(ix, *a->name);
    for (uint32_t i = 0; name && i < name->count; i++)
        string_set_add(&a->set, label_pair(ix, name->pairs[i])->value);
}

/* Without matchers the indices tell, which is cheaper than series are. */
static int ask_indices(struct asked *a, int64_t from_ms, int64_t to_ms)
{
    struct series_store *s = a->store;
    int error = SERIES_OK;
    bool head = false;
    pthread_rwlock_rdlock(&s->lock);
    struct block_edition *e = series_catalog_hold(s->catalog);
    for (unsigned i = 0; i < s->count; i++)
        head = head || (s->ring[i]->samples > 0 && s->ring[i]->min_ms <= to_ms &&
                        s->ring[i]->max_ms >= from_ms);
    if (head)
        ask_head(a);
    pthread_rwlock_unlock(&s->lock);
    for (size_t i = 0; i < e->count && error == SERIES_OK; i++) {
        const struct block_summary *b = e->entries[i]->summary;
        if (b->samples > 0 && b->min_ms <= to_ms && b->max_ms >= from_ms)
            error = ask_block(a, e->entries[i]->block);
    }
    series_catalog_release(&e);
    return error;
}

static int ask(struct series_store *s, const struct batch_str *name, const struct matcher *matchers,
               size_t count, int64_t from_ms, int64_t to_ms, struct series_strings *out)
{
    struct asked a = {.store = s, .name = name};
    *out = (struct series_strings){0};
    string_set_init(&a.set);
    pthread_rwlock_rdlock(&s->lock);
    bool deleted = s->tombstones->count > 0;
    pthread_rwlock_unlock(&s->lock);
    int error =
        count > 0 || deleted
            ? ask_matched(s, &(struct asking){name, matchers, count, from_ms, to_ms}, &a.set)
            : ask_indices(&a, from_ms, to_ms);
    if (error == SERIES_OK)
        error = string_set_list(&a.set, out);
    string_set_fini(&a.set);
    return error;
}

int series_store_label_names(struct series_store *s, const struct matcher *matchers, size_t count,
                             int64_t from_ms, int64_t to_ms, struct series_strings *out)
{
    return ask(s, NULL, matchers, count, from_ms, to_ms, out);
}

int series_store_label_values(struct series_store *s, struct batch_str name,
                              const struct matcher *matchers, size_t count, int64_t from_ms,
                              int64_t to_ms, struct series_strings *out)
{
    return ask(s, &name, matchers, count, from_ms, to_ms, out);
}

int series_store_metadata(struct series_store *s, const struct batch_str *metric,
                          struct arena *arena, struct series_metadata **list, size_t *count)
{
    return metadata_list(&s->metadata, metric, arena, list, count) == 0 ? SERIES_OK : SERIES_ENOMEM;
}

/* ---- exemplars --------------------------------------------------------------------------- */

struct taken { /* an exemplar with its series */
    uint32_t series;
    struct exemplar e;
};

static int by_series_and_time(const void *left, const void *right)
{
    const struct taken *a = left, *b = right;
    if (a->series != b->series)
        return a->series < b->series ? -1 : 1;
    return (a->e.unix_ms > b->e.unix_ms) - (a->e.unix_ms < b->e.unix_ms);
}

static int by_labels(const void *left, const void *right)
{
    return labels_compare(&((const struct series_exemplars *)left)->labels,
                          &((const struct series_exemplars *)right)->labels);
}

static int copy_labels(const struct head *h, const struct head_series *series, struct arena *arena,
                       struct labels *out)
{
    struct label *items = arena_alloc(arena, (series->pair_count + 1U) * sizeof *items);
    if (!items)
        return -1;
    head_labels(h, series, items, out);
    for (uint32_t i = 0; i < out->count; i++) {
        items[i].name.bytes = arena_copy(arena, items[i].name.bytes, items[i].name.length);
        items[i].value.bytes = arena_copy(arena, items[i].value.bytes, items[i].value.length);
        if (!items[i].name.bytes || !items[i].value.bytes)
            return -1;
    }
    return 0;
}

/* The exemplars of the series that were found, sorted by series and time. */
static int take_exemplars(struct series_store *s, const roaring_bitmap_t *found,
                          struct residue *rest, int64_t from_ms, int64_t to_ms, struct arena *arena,
                          struct taken **list, size_t *count)
{
    *count = 0;
    *list = arena_alloc(arena, (s->exemplars.count + 1U) * sizeof **list);
    if (!*list)
        return -1;
    for (uint32_t i = 0; i < s->exemplars.capacity; i++) {
        const struct kept_exemplar *kept = &s->exemplars.list[i];
        if (!kept->labels || kept->unix_ms < from_ms || kept->unix_ms > to_ms ||
            !roaring_bitmap_contains(found, kept->series))
            continue;
        const struct head_series *series = head_series(&s->head, kept->series);
        struct label items[LABELS_MAX];
        struct labels labels;
        if (!series->is_used || series->version != kept->version)
            continue;
        head_labels(&s->head, series, items, &labels);
        if (!residue_accepts(rest, &labels))
            continue;
        (*list)[*count].series = kept->series;
        if (exemplar_unpack(kept, arena, &(*list)[*count].e) != 0)
            return -1;
        ++*count;
    }
    if (*count > 1)
        qsort(*list, *count, sizeof **list, by_series_and_time);
    return 0;
}

static bool same_exemplar(const struct exemplar *a, const struct exemplar *b)
{
    return a->unix_ms == b->unix_ms && a->value == b->value && labels_equal(&a->labels, &b->labels);
}

static int group_exemplars(struct series_store *s, const struct taken *taken, size_t count,
                           struct arena *arena, struct series_exemplars **list, size_t *series)
{
    struct exemplar *all = arena_alloc(arena, (count + 1) * sizeof *all);
    *list = arena_calloc(arena, count + 1, sizeof **list);
    if (!all || !*list)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct series_exemplars *last = *series > 0 ? &(*list)[*series - 1] : NULL;
        all[i] = taken[i].e;
        if (i == 0 || taken[i].series != taken[i - 1].series) {
            last = &(*list)[(*series)++];
            last->list = &all[i];
            if (copy_labels(&s->head, head_series(&s->head, taken[i].series), arena,
                            &last->labels) != 0)
                return -1;
        } else if (same_exemplar(&last->list[last->count - 1], &all[i])) {
            continue; /* told twice */
        }
        ((struct exemplar *)last->list)[last->count++] = all[i];
    }
    return 0;
}

int series_store_exemplars(struct series_store *s, const struct matcher *matchers, size_t count,
                           int64_t from_ms, int64_t to_ms, struct arena *arena,
                           struct series_exemplars **list, size_t *series)
{
    roaring_bitmap_t *found = NULL;
    struct residue rest = {0};
    struct taken *taken;
    uint64_t left = 0;
    size_t taken_count;
    *list = NULL;
    *series = 0;
    if (count > MATCHERS_MAX)
        return SERIES_ELIMIT;
    pthread_rwlock_rdlock(&s->lock);
    int error = choose_in_head(&s->head, matchers, count, &found, &left);
    if (error == BLOCK_OK)
        error = residue_init(&rest, matchers, left);
    if (error == 0)
        error = take_exemplars(s, found, &rest, from_ms, to_ms, arena, &taken, &taken_count);
    if (error == 0)
        error = group_exemplars(s, taken, taken_count, arena, list, series);
    pthread_rwlock_unlock(&s->lock);
    residue_fini(&rest);
    if (found)
        roaring_bitmap_free(found);
    if (error == 0 && *series > 1)
        qsort(*list, *series, sizeof **list, by_labels);
    return error == 0 ? SERIES_OK : SERIES_ENOMEM;
}
