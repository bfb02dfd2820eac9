// SPDX-License-Identifier: Apache-2.0
#include "tests/promqltest/memory_source.h"

#include <stdlib.h>
#include <string.h>

struct memory_series {
    struct labels labels;
    size_t count, capacity;
    int64_t *unix_ms, *start_ms;
    double *value;
    struct histogram **histogram;
    bool has_starts;
};

static void *need(void *p)
{
    if (!p)
        abort();
    return p;
}

/* ---- asking ------------------------------------------------------------------------------ */

static bool is_selected(const struct memory_series *s, const struct matcher *matchers, size_t count,
                        int64_t from, int64_t to)
{
    for (size_t i = 0; i < count; i++)
        if (!matcher_matches(&matchers[i], labels_get(&s->labels, matchers[i].name)))
            return false;
    for (size_t i = 0; i < s->count; i++)
        if (s->unix_ms[i] >= from && s->unix_ms[i] <= to)
            return true;
    return false;
}

static int compare_series(const void *a, const void *b)
{
    return labels_compare(&(*(struct memory_series *const *)a)->labels,
                          &(*(struct memory_series *const *)b)->labels);
}

struct selected {
    struct memory_series **series;
    struct labels *labels;
};

static int select_series(void *context, const struct matcher *matchers, size_t count, int64_t from,
                         int64_t to, struct series_selection *out)
{
    struct memory_source *m = context;
    struct selected *s = need(calloc(1, sizeof *s));
    s->series = need(calloc(m->count + 1, sizeof(struct memory_series *)));
    s->labels = need(calloc(m->count + 1, sizeof *s->labels));
    *out = (struct series_selection){.labels = s->labels, .handle = s};
    for (size_t i = 0; i < m->count; i++)
        if (is_selected(m->series[i], matchers, count, from, to))
            s->series[out->count++] = m->series[i];
    qsort((void *)s->series, out->count, sizeof(struct memory_series *), compare_series);
    for (size_t i = 0; i < out->count; i++)
        s->labels[i] = s->series[i]->labels;
    __atomic_add_fetch(&m->selects, 1, __ATOMIC_RELAXED);
    return SERIES_OK;
}

/* Places of the first sample within, and of the first behind. */
static size_t place_of(const struct memory_series *s, int64_t unix_ms)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->unix_ms[middle] < unix_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int read_series(void *context, const struct series_selection *selection, size_t i,
                       int64_t from, int64_t to, struct points *out)
{
    struct memory_source *m = context;
    const struct selected *selected = selection->handle;
    const struct memory_series *s = selected->series[i];
    points_clear(out);
    size_t begin = place_of(s, from);
    for (size_t at = begin; at < s->count && s->unix_ms[at] <= to; at++)
        if (points_add(out, s->unix_ms[at], s->value[at], s->histogram[at]) != 0)
            return SERIES_ENOMEM;
    if (s->has_starts)
        out->start_unix_ms = s->start_ms + begin;
    __atomic_add_fetch(&m->reads, 1, __ATOMIC_RELAXED);
    return SERIES_OK;
}

static void close_selection(void *context, struct series_selection *selection)
{
    struct selected *s = selection->handle;
    (void)context;
    free((void *)s->series);
    free(s->labels);
    free(s);
}

/* ---- adding ------------------------------------------------------------------------------ */

void memory_source_init(struct memory_source *m)
{
    *m = (struct memory_source){
        .source = {m, select_series, read_series, close_selection},
    };
    arena_init(&m->arena, 64 << 10);
}

void memory_source_fini(struct memory_source *m)
{
    for (size_t i = 0; i < m->count; i++) {
        free(m->series[i]->unix_ms);
        free(m->series[i]->start_ms);
        free(m->series[i]->value);
        free((void *)m->series[i]->histogram);
    }
    free((void *)m->series);
    arena_fini(&m->arena);
    memset(m, 0, sizeof *m);
}

void memory_source_clear(struct memory_source *m)
{
    memory_source_fini(m);
    memory_source_init(m);
}

static struct batch_str copy_text(struct memory_source *m, struct batch_str s)
{
    return (struct batch_str){need(arena_copy(&m->arena, s.bytes, s.length)), s.length};
}

static struct labels normal_labels(struct memory_source *m, const struct labels *from)
{
    struct label *items = need(arena_calloc(&m->arena, from->count + 1, sizeof *items));
    uint32_t count = 0;
    for (uint32_t i = 0; i < from->count; i++)
        if (from->items[i].value.length > 0)
            items[count++] = (struct label){copy_text(m, from->items[i].name),
                                            copy_text(m, from->items[i].value)};
    qsort(items, count, sizeof *items, label_compare_names);
    return (struct labels){items, count};
}

static struct memory_series *series_of(struct memory_source *m, const struct labels *labels)
{
    struct labels normal = normal_labels(m, labels);
    for (size_t i = m->count; i-- > 0;) /* mostly the last one */
        if (labels_equal(&m->series[i]->labels, &normal))
            return m->series[i];
    if (m->count == m->capacity) {
        m->capacity = m->capacity ? m->capacity * 2 : 64;
        m->series = need(realloc((void *)m->series, m->capacity * sizeof(struct memory_series *)));
    }
    struct memory_series *s = need(arena_calloc(&m->arena, 1, sizeof *s));
    s->labels = normal;
    return m->series[m->count++] = s;
}

static void make_room(struct memory_series *s, size_t at)
{
    if (s->count == s->capacity) {
        s->capacity = s->capacity ? s->capacity * 2 : 16;
        s->unix_ms = need(realloc(s->unix_ms, s->capacity * sizeof *s->unix_ms));
        s->start_ms = need(realloc(s->start_ms, s->capacity * sizeof *s->start_ms));
        s->value = need(realloc(s->value, s->capacity * sizeof *s->value));
        s->histogram =
            need(realloc((void *)s->histogram, s->capacity * sizeof(struct histogram *)));
    }
    size_t behind = s->count++ - at;
    memmove(s->unix_ms + at + 1, s->unix_ms + at, behind * sizeof *s->unix_ms);
    memmove(s->start_ms + at + 1, s->start_ms + at, behind * sizeof *s->start_ms);
    memmove(s->value + at + 1, s->value + at, behind * sizeof *s->value);
    memmove((void *)(s->histogram + at + 1), (void *)(s->histogram + at),
            behind * sizeof(struct histogram *));
}

static bool same_layout(const struct histogram *a, const struct histogram *b)
{
    return a->schema == b->schema && a->zero_threshold == b->zero_threshold &&
           a->custom_count == b->custom_count &&
           (a->custom_count == 0 ||
            memcmp(a->custom, b->custom, a->custom_count * sizeof *a->custom) == 0);
}

/* What a chunk knows: in one chunk stand histograms of one layout whose counts do not fall. */
static uint8_t reset_of(const struct histogram *h, const struct histogram *earlier)
{
    struct histogram plain = *h;
    if (h->reset == HISTOGRAM_GAUGE)
        return HISTOGRAM_GAUGE;
    if (!earlier || earlier->reset == HISTOGRAM_GAUGE || h->reset == HISTOGRAM_RESET)
        return HISTOGRAM_RESET_UNKNOWN;
    plain.reset = HISTOGRAM_RESET_UNKNOWN;
    return same_layout(h, earlier) && !histogram_was_reset(&plain, earlier)
               ? HISTOGRAM_NO_RESET
               : HISTOGRAM_RESET_UNKNOWN;
}

void memory_source_add(struct memory_source *m, const struct labels *labels, int64_t unix_ms,
                       double value, const struct histogram *h, int64_t start_ms)
{
    struct memory_series *s = series_of(m, labels);
    size_t at = place_of(s, unix_ms);
    if (at < s->count && s->unix_ms[at] == unix_ms)
        return;
    make_room(s, at);
    s->unix_ms[at] = unix_ms;
    s->start_ms[at] = start_ms;
    s->value[at] = h ? h->sum : value;
    s->histogram[at] = NULL;
    s->has_starts |= start_ms != 0;
    if (h) {
        struct histogram *copy = need(histogram_copy(&m->arena, h));
        copy->reset = reset_of(h, at > 0 ? s->histogram[at - 1] : NULL);
        s->histogram[at] = copy;
    }
}
