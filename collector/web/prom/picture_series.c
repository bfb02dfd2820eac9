// SPDX-License-Identifier: Apache-2.0
#include "collector/web/prom/picture_series.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { VALUES_MOST = 4 << 20 }; /* 32 MiB: more than can be shown by far */

void picture_lines_init(struct picture_lines *l, struct arena *arena, int64_t start_ms,
                        int64_t step_ms, size_t steps)
{
    *l = (struct picture_lines){
        .arena = arena, .start_ms = start_ms, .step_ms = step_ms, .steps = steps};
}

/* ---- taking results ---------------------------------------------------------------------- */

static struct picture_line *new_line(struct picture_lines *l)
{
    if ((l->count + 1) * l->steps > VALUES_MOST)
        return NULL;
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? l->capacity * 2 : 32;
        struct picture_line *larger = arena_calloc(l->arena, capacity, sizeof *larger);
        if (!larger)
            return NULL;
        if (l->count > 0)
            memcpy(larger, l->list, l->count * sizeof *larger);
        l->list = larger;
        l->capacity = capacity;
    }
    struct picture_line *line = &l->list[l->count];
    *line = (struct picture_line){.ordinal = l->count,
                                  .value = arena_calloc(l->arena, l->steps, sizeof(double))};
    if (!line->value)
        return NULL;
    l->count++;
    return line;
}

static int add_line(struct picture_lines *l, const struct promql_series *s, const char *query,
                    const char *name)
{
    struct picture_line *line = new_line(l);
    if (!line || !labels_copy(l->arena, &s->labels, &line->labels))
        return -1;
    line->query = query;
    line->name = name;
    for (size_t i = 0; i < l->steps; i++)
        line->value[i] = NAN;
    for (size_t i = 0; i < s->count; i++) {
        int64_t step = (s->unix_ms[i] - l->start_ms) / l->step_ms;
        bool is_number = !s->histogram || !s->histogram[i];
        if (step < 0 || (size_t)step >= l->steps || !is_number)
            continue;
        line->value[step] = s->value[i];
        line->mean += isfinite(s->value[i]) ? s->value[i] / (double)l->steps : 0;
    }
    return 0;
}

int picture_lines_add(struct picture_lines *l, const struct promql_result *r, const char *query,
                      const char *name)
{
    const char *text = arena_copy(l->arena, query, strlen(query) + 1);
    const char *given = name ? arena_copy(l->arena, name, strlen(name) + 1) : NULL;
    if (!text || (name && !given))
        return -1;
    for (size_t i = 0; i < r->series_count; i++)
        if (add_line(l, &r->series[i], text, given) != 0)
            return -1;
    return 0;
}

/* ---- names ------------------------------------------------------------------------------- */

/* Whether all lines have this value: then it tells nothing. */
static bool is_common(const struct picture_lines *l, struct label label)
{
    for (size_t i = 0; i < l->count; i++)
        if (!batch_str_equal(labels_get(&l->list[i].labels, label.name), label.value))
            return false;
    return true;
}

static const char *name_line(const struct picture_lines *l, const struct picture_line *line)
{
    size_t room = strlen(line->query) + (line->name ? strlen(line->name) : 0) + 8, at = 0;
    for (uint32_t i = 0; i < line->labels.count; i++)
        room += line->labels.items[i].value.length + 1;
    char *text = arena_alloc(l->arena, room);
    if (!text)
        return NULL;
    *text = '\0';
    if (line->name)
        at = (size_t)snprintf(text, room, "%s", line->name);
    for (uint32_t i = 0; i < line->labels.count; i++) {
        struct label item = line->labels.items[i];
        bool alone = l->count == 1 && batch_str_is(item.name, LABEL_METRIC);
        if (alone || (l->count > 1 && is_common(l, item)))
            continue;
        at += (size_t)snprintf(text + at, room - at, "%s%.*s", at ? " " : "",
                               (int)item.value.length, item.value.bytes);
    }
    if (at == 0)
        snprintf(text, room, "%s", line->query);
    return text;
}

/* ---- the largest ------------------------------------------------------------------------- */

static int by_size(const void *left, const void *right)
{
    const struct picture_line *a = left, *b = right;
    if (a->mean != b->mean)
        return a->mean < b->mean ? 1 : -1;
    return a->ordinal < b->ordinal ? -1 : 1;
}

static void add_values(double *sum, const double *value, size_t steps)
{
    for (size_t i = 0; i < steps; i++)
        if (isfinite(value[i]))
            sum[i] = isfinite(sum[i]) ? sum[i] + value[i] : value[i];
}

int picture_lines_finish(struct picture_lines *l, bool stack, size_t most,
                         const struct picture_series **list, size_t *count)
{
    struct picture_series *out = arena_calloc(l->arena, most + 1, sizeof *out);
    char *others = arena_alloc(l->arena, 32);
    if (!out || !others)
        return -1;
    *list = out;
    *count = l->count < most ? l->count : most;
    if (l->count > 1 && (stack || l->count > most))
        qsort(l->list, l->count, sizeof *l->list, by_size);
    for (size_t i = 0; i < *count; i++) {
        out[i] = (struct picture_series){name_line(l, &l->list[i]), l->list[i].value};
        if (!out[i].name)
            return -1;
    }
    if (l->count > most && stack) {
        for (size_t i = most; i < l->count; i++)
            add_values(l->list[most - 1].value, l->list[i].value, l->steps);
        snprintf(others, 32, "%zu others", l->count - most + 1);
        out[most - 1].name = others;
    }
    return 0;
}
