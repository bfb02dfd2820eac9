// SPDX-License-Identifier: Apache-2.0
/* What the head is made of, as Prometheus' status/tsdb tells it. */
#include <stdlib.h>

#include "collector/series/store_internal.h"

/* The greatest counts, greatest first. */
struct top {
    struct series_top *list;
    size_t count, most;
};

static void top_add(struct top *t, struct series_top one)
{
    size_t at = t->count;
    while (at > 0 && t->list[at - 1].count < one.count)
        at--;
    if (at == t->most)
        return;
    if (t->count < t->most)
        t->count++;
    memmove(t->list + at + 1, t->list + at, (t->count - at - 1) * sizeof *t->list);
    t->list[at] = one;
}

static int copy_text(struct arena *arena, struct batch_str *text)
{
    text->bytes = arena_copy(arena, text->length ? text->bytes : "", text->length);
    return text->bytes ? 0 : -1;
}

static int keep(struct top *t, struct arena *arena, struct series_top **list, size_t *count)
{
    for (size_t i = 0; i < t->count; i++)
        if (copy_text(arena, &t->list[i].name) != 0 || copy_text(arena, &t->list[i].value) != 0)
            return -1;
    *list = t->list;
    *count = t->count;
    return 0;
}

enum { BY_METRIC, VALUES_BY_LABEL, BYTES_BY_LABEL, BY_PAIR, TOPS };

static void look_at(const struct head *h, const struct label_name *name, struct top tops[TOPS])
{
    bool is_metric = batch_str_is(name->text, LABEL_METRIC);
    top_add(&tops[VALUES_BY_LABEL], (struct series_top){name->text, {"", 0}, name->count});
    top_add(&tops[BYTES_BY_LABEL], (struct series_top){name->text, {"", 0}, name->value_bytes});
    for (uint32_t i = 0; i < name->count; i++) {
        const struct label_pair *pair = label_pair(&h->labels, name->pairs[i]);
        struct series_top one = {name->text, pair->value, pair->series.count};
        top_add(&tops[BY_PAIR], one);
        if (is_metric)
            top_add(&tops[BY_METRIC],
                    (struct series_top){pair->value, {"", 0}, pair->series.count});
    }
}

static void count_chunks(const struct series_store *s, struct series_head_status *out)
{
    int64_t min_ms = INT64_MAX, max_ms = INT64_MIN;
    for (unsigned i = 0; i < s->count; i++) {
        const struct series_generation *g = s->ring[i];
        out->chunks += g->chunks;
        min_ms = g->min_ms < min_ms ? g->min_ms : min_ms;
        max_ms = g->max_ms > max_ms ? g->max_ms : max_ms;
    }
    if (min_ms <= max_ms) {
        out->min_ms = min_ms;
        out->max_ms = max_ms;
    }
}

static int look(const struct series_store *s, struct top tops[TOPS], struct arena *arena,
                struct series_head_status *out)
{
    const struct label_index *ix = &s->head.labels;
    out->series = head_count(&s->head);
    out->label_pairs = ix->by_text.count;
    count_chunks(s, out);
    for (uint32_t i = 0; i < ix->name_count; i++)
        look_at(&s->head, ix->names[i], tops);
    if (keep(&tops[BY_METRIC], arena, &out->by_metric, &out->by_metric_count) != 0 ||
        keep(&tops[VALUES_BY_LABEL], arena, &out->values_by_label, &out->values_by_label_count) !=
            0 ||
        keep(&tops[BYTES_BY_LABEL], arena, &out->bytes_by_label, &out->bytes_by_label_count) != 0)
        return -1;
    return keep(&tops[BY_PAIR], arena, &out->by_pair, &out->by_pair_count);
}

int series_store_head_status(struct series_store *s, size_t top, struct arena *arena,
                             struct series_head_status *out)
{
    struct top tops[TOPS];
    *out = (struct series_head_status){0};
    top = top < SERIES_TOP_MAX ? top : SERIES_TOP_MAX;
    for (int i = 0; i < TOPS; i++) {
        tops[i] = (struct top){arena_calloc(arena, top + 1, sizeof(struct series_top)), 0, top};
        if (!tops[i].list)
            return SERIES_ENOMEM;
    }
    pthread_rwlock_rdlock(&s->lock);
    int error = look(s, tops, arena, out);
    pthread_rwlock_unlock(&s->lock);
    return error == 0 ? SERIES_OK : SERIES_ENOMEM;
}
