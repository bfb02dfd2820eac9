// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/engine/annotations.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A query tells a handful: a list that is searched does. More than these are not told. */
enum { ANNOTATIONS_MAX = 200, TEXT_BYTES_MAX = 2048 };

struct annotations {
    size_t count;
    struct promql_annotation list[ANNOTATIONS_MAX];
};

static bool is_told(const struct annotations *a, const char *text)
{
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->list[i].text, text) == 0)
            return true;
    return false;
}

/* Lines from 1; columns too, in bytes. */
static void put_place(struct evaluation *ev, struct language_place at, char *text, size_t size)
{
    unsigned line = 1, column = 1;
    for (uint32_t i = 0; i < at.begin; i++) {
        column++;
        if (ev->query->text.bytes[i] == '\n') {
            line++;
            column = 1;
        }
    }
    size_t used = strlen(text);
    snprintf(text + used, size - used, " (%u:%u)", line, column);
}

static void __attribute__((format(printf, 4, 0)))
annotate(struct evaluation *ev, bool warning, struct language_place at, const char *format,
         va_list arguments)
{
    char text[TEXT_BYTES_MAX];
    int used = snprintf(text, sizeof text, "PromQL %s: ", warning ? "warning" : "info");
    vsnprintf(text + used, sizeof text - (size_t)used - 32, format, arguments);
    put_place(ev, at, text, sizeof text);
    if (!ev->annotations)
        ev->annotations = evaluation_calloc(ev, 1, sizeof *ev->annotations);
    struct annotations *a = ev->annotations;
    if (a->count == ANNOTATIONS_MAX || is_told(a, text))
        return;
    char *copy = evaluation_need(ev, arena_copy(ev->arena, text, strlen(text) + 1));
    a->list[a->count++] = (struct promql_annotation){warning, copy};
}

void annotate_warning(struct evaluation *ev, struct language_place at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    annotate(ev, true, at, format, arguments);
    va_end(arguments);
}

void annotate_info(struct evaluation *ev, struct language_place at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    annotate(ev, false, at, format, arguments);
    va_end(arguments);
}

void annotations_finish(struct evaluation *ev)
{
    if (!ev->annotations)
        return;
    ev->result->annotation_count = ev->annotations->count;
    ev->result->annotations = ev->annotations->list;
}

/* ---- the common ones --------------------------------------------------------------------- */

#define NAMED(metric) (int)((metric).length < 1000 ? (metric).length : 1000), (metric).bytes

void annotate_mixed(struct evaluation *ev, struct language_place at, struct batch_str metric)
{
    annotate_warning(ev, at, "encountered a mix of histograms and floats for metric name \"%.*s\"",
                     NAMED(metric));
}

void annotate_mixed_schemas(struct evaluation *ev, struct language_place at,
                            struct batch_str metric)
{
    annotate_warning(ev, at,
                     "vector contains a mix of histograms with exponential and custom buckets "
                     "schemas for metric name \"%.*s\"",
                     NAMED(metric));
}

void annotate_ignored_in_range(struct evaluation *ev, struct language_place at,
                               struct batch_str metric)
{
    annotate_info(ev, at,
                  "ignored histograms in a range containing both floats and histograms for metric "
                  "name \"%.*s\"",
                  NAMED(metric));
}

void annotate_ignored_in_aggregation(struct evaluation *ev, struct language_place at,
                                     const char *aggregation)
{
    annotate_info(ev, at, "ignored histogram in %s aggregation", aggregation);
}

void annotate_not_counter(struct evaluation *ev, struct language_place at, struct batch_str metric)
{
    annotate_warning(ev, at, "this native histogram metric is not a counter: \"%.*s\"",
                     NAMED(metric));
}

void annotate_not_gauge(struct evaluation *ev, struct language_place at, struct batch_str metric)
{
    annotate_warning(ev, at, "this native histogram metric is not a gauge: \"%.*s\"",
                     NAMED(metric));
}

void annotate_quantile(struct evaluation *ev, struct language_place at, double q)
{
    if (isnan(q))
        annotate_warning(ev, at, "quantile value should be between 0 and 1, got NaN");
    else if (q < 0 || q > 1)
        annotate_warning(ev, at, "quantile value should be between 0 and 1, got %g", q);
}

void annotate_reconciled(struct evaluation *ev, struct language_place at, const char *operation)
{
    annotate_info(ev, at, "mismatched custom buckets were reconciled during %s", operation);
}

void annotate_collision(struct evaluation *ev, struct language_place at, const char *operation)
{
    annotate_warning(ev, at, "conflicting counter resets during histogram %s", operation);
}

static const char *put_time(int64_t unix_ms, char text[40])
{
    time_t seconds = (time_t)(unix_ms / 1000 - (unix_ms % 1000 < 0));
    int ms = (int)(unix_ms - (int64_t)seconds * 1000);
    struct tm utc;
    size_t used = strftime(text, 40, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &utc));
    if (ms)
        used += (size_t)snprintf(text + used, 40 - used, ".%03d", ms);
    while (ms && text[used - 1] == '0')
        used--;
    snprintf(text + used, 40 - used, "Z");
    return text;
}

void annotate_monotonicity(struct evaluation *ev, struct language_place at, struct batch_str metric,
                           const struct monotonicity *m)
{
    char name[1100] = "", first[40], last[40];
    if (metric.length > 0)
        snprintf(name, sizeof name, " for metric name \"%.*s\"", NAMED(metric));
    annotate_info(ev, at,
                  "input to histogram_quantile needed to be fixed for monotonicity (see "
                  "https://prometheus.io/docs/prometheus/latest/querying/functions/"
                  "#histogram_quantile)%s, from buckets %g to %g, with a max diff of %.2g, over "
                  "%llu samples from %s to %s",
                  name, m->from, m->to, m->difference, (unsigned long long)m->count,
                  put_time(m->first_ms, first), put_time(m->last_ms, last));
}
