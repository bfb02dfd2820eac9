// SPDX-License-Identifier: Apache-2.0
/* `load` and `load_with_nhcb`. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/promqltest/script.h"

enum { LOADED_MAX = 4096 };

/* ---- classic histograms ------------------------------------------------------------------ */

struct bucket {
    double upper, count;
};

/* One histogram at one time. */
struct gathered {
    struct labels labels;
    size_t at, count;
    struct bucket buckets[128];
    double sum, total;
    bool has_total;
};

static bool ends_with(struct batch_str name, const char *end)
{
    size_t length = strlen(end);
    return name.length >= length && memcmp(name.bytes + name.length - length, end, length) == 0;
}

/* The labels without "le", and the name without its end. */
static struct labels base_labels(struct arena *arena, const struct labels *l, size_t end)
{
    struct label *items = arena_calloc(arena, l->count + 1, sizeof *items);
    uint32_t count = 0;
    for (uint32_t i = 0; i < l->count; i++) {
        if (batch_str_is(l->items[i].name, "le"))
            continue;
        items[count] = l->items[i];
        if (batch_str_is(items[count].name, LABEL_METRIC))
            items[count].value.length -= (uint32_t)end;
        count++;
    }
    return (struct labels){items, count};
}

static void put_bucket(struct gathered *g, double upper, double count)
{
    size_t i = 0;
    while (i < g->count && g->buckets[i].upper < upper)
        i++;
    if (i == g->count || g->buckets[i].upper != upper) {
        memmove(g->buckets + i + 1, g->buckets + i, (g->count - i) * sizeof *g->buckets);
        g->count++;
    }
    g->buckets[i] = (struct bucket){upper, count};
}

static struct gathered *gathered_of(struct gathered *list, size_t *count,
                                    const struct labels *labels, size_t at)
{
    for (size_t i = *count; i-- > 0;)
        if (list[i].at == at && labels_equal(&list[i].labels, labels))
            return &list[i];
    list[*count] = (struct gathered){.labels = *labels, .at = at};
    return &list[(*count)++];
}

static void gather(struct script *s, const struct loaded_series *l, struct gathered *list,
                   size_t *count)
{
    struct batch_str name = labels_get_text(&l->labels, LABEL_METRIC);
    bool bucket = ends_with(name, "_bucket"), total = ends_with(name, "_count");
    if (!bucket && !total && !ends_with(name, "_sum"))
        return;
    struct labels base = base_labels(&s->arena, &l->labels, bucket ? 7 : total ? 6 : 4);
    struct batch_str le = labels_get_text(&l->labels, "le");
    char text[64] = "";
    memcpy(text, le.bytes, le.length < 63 ? le.length : 63);
    for (size_t i = 0; i < l->values.count; i++) {
        const struct sequence_value *v = &l->values.list[i];
        if (v->omitted || v->histogram)
            continue;
        struct gathered *g = gathered_of(list, count, &base, i);
        if (bucket) {
            put_bucket(g, strtod(text, NULL), v->value);
        } else if (total) {
            g->total = v->value;
            g->has_total = true;
        } else {
            g->sum = v->value;
        }
    }
}

static void add_gathered(struct script *s, struct gathered *g, int64_t gap_ms)
{
    double bounds[128], values[129], before = 0;
    int32_t index[129];
    uint32_t custom = 0, count = 0;
    if (!g->has_total)
        g->total = g->count ? g->buckets[g->count - 1].count : 0;
    if (g->count == 0 || g->buckets[g->count - 1].upper != INFINITY)
        put_bucket(g, INFINITY, g->total);
    for (size_t i = 0; i < g->count; i++) {
        if (g->buckets[i].upper != INFINITY)
            bounds[custom++] = g->buckets[i].upper;
        index[count] = (int32_t)i;
        values[count++] = g->buckets[i].count - before;
        before = g->buckets[i].count;
    }
    struct histogram h = {.schema = HISTOGRAM_CUSTOM,
                          .count = g->total,
                          .sum = g->sum,
                          .positive = {count, index, values},
                          .custom_count = custom,
                          .custom = bounds};
    histogram_compact(&h);
    memory_source_add(&s->source, &g->labels, (int64_t)g->at * gap_ms, 0, &h, 0);
}

static int compare_time(const void *a, const void *b)
{
    size_t x = ((const struct gathered *)a)->at, y = ((const struct gathered *)b)->at;
    return (x > y) - (x < y);
}

void script_add_custom_histograms(struct script *s, const struct loaded_series *list, size_t count,
                                  int64_t gap_ms)
{
    size_t most = 0, gathered = 0;
    for (size_t i = 0; i < count; i++)
        most += list[i].values.count;
    struct gathered *all = calloc(most + 1, sizeof *all);
    for (size_t i = 0; i < count; i++)
        gather(s, &list[i], all, &gathered);
    qsort(all, gathered, sizeof *all, compare_time);
    for (size_t i = 0; i < gathered; i++)
        add_gathered(s, &all[i], gap_ms);
    free(all);
}

/* ---- lines ------------------------------------------------------------------------------- */

static bool is_starts_line(const char *line)
{
    size_t length = strcspn(line, " \t");
    return length >= 3 && memcmp(line + length - 3, "@st", 3) == 0;
}

/* "metric{…}@st offsets"; the metric is the next line's. */
static bool read_starts(struct script *s, const char *line, struct sequence *starts, char why[200])
{
    line += strcspn(line, " \t");
    return values_read_starts(&s->arena, &line, starts, why);
}

static void add_series(struct script *s, const struct loaded_series *l, int64_t gap_ms)
{
    for (size_t i = 0; i < l->values.count; i++) {
        const struct sequence_value *v = &l->values.list[i];
        int64_t at = (int64_t)i * gap_ms, start = 0;
        if (v->omitted)
            continue;
        if (i < l->starts.count && !l->starts.list[i].omitted && !v->histogram)
            start = at + (int64_t)l->starts.list[i].value;
        memory_source_add(&s->source, &l->labels, at, v->value, v->histogram, start);
    }
}

/* A series that stands twice in one load is what it is the second time. */
static struct loaded_series *place_for(struct loaded_series *list, size_t *count,
                                       const struct labels *labels)
{
    for (size_t i = 0; i < *count; i++)
        if (labels_equal(&list[i].labels, labels))
            return &list[i];
    return &list[(*count)++];
}

static bool read_series(struct script *s, struct loaded_series *list, size_t *count, char why[200])
{
    struct sequence starts = {0};
    for (; s->at < s->count && s->lines[s->at][0]; s->at++) {
        const char *line = s->lines[s->at];
        struct loaded_series l = {0};
        if (is_starts_line(line)) {
            if (!read_starts(s, line, &starts, why))
                return false;
            continue;
        }
        if (*count == LOADED_MAX || !values_read_labels(&s->arena, &line, &l.labels, why) ||
            !values_read_sequence(&s->arena, &line, &l.values, why))
            return false;
        l.starts = starts;
        starts = (struct sequence){0};
        *place_for(list, count, &l.labels) = l;
    }
    return true;
}

bool script_load(struct script *s, bool with_custom_histograms, const char *step, char why[200])
{
    int64_t gap_ms;
    size_t count = 0;
    if (!values_read_duration(&step, &gap_ms)) {
        snprintf(why, 200, "load wants a step");
        return false;
    }
    struct loaded_series *list = calloc(LOADED_MAX, sizeof *list);
    bool read = read_series(s, list, &count, why);
    for (size_t i = 0; read && i < count; i++)
        add_series(s, &list[i], gap_ms);
    if (read && with_custom_histograms)
        script_add_custom_histograms(s, list, count, gap_ms);
    free(list);
    return read;
}
