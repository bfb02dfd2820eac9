// SPDX-License-Identifier: Apache-2.0
/* GET /federate?match[]=…: the newest sample of each series, in Prometheus' text format, for
 * another Prometheus to scrape: each series once, whatever match[] find it, those of a metric
 * together. Native histograms have no form there and are left out. */
#include <inttypes.h>
#include <stdlib.h>

#include "collector/query/promql/print.h"
#include "collector/web/prom/prom.h"
#include "lib/base/clock.h"

static bool is_plain_name(struct batch_str name)
{
    for (uint32_t i = 0; i < name.length; i++) {
        char c = name.bytes[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
        if (!letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return name.length > 0;
}

/* The format has three escapes, and no others: a tab stands for itself. What is no UTF-8 cannot be
 * told, and is shown. */
static void put_value(struct buffer *out, struct batch_str value)
{
    if (!promql_is_name(value)) {
        promql_print_text(out, value);
        return;
    }
    buffer_byte(out, '"');
    for (uint32_t i = 0; i < value.length; i++) {
        char c = value.bytes[i];
        if (c == '"' || c == '\\' || c == '\n')
            buffer_byte(out, '\\');
        buffer_byte(out, c == '\n' ? 'n' : c);
    }
    buffer_byte(out, '"');
}

static void put_name(struct buffer *out, struct batch_str name)
{
    if (is_plain_name(name))
        buffer_append(out, name.bytes, name.length);
    else
        put_value(out, name);
}

/* A metric with an odd name stands among the labels, in quotes. */
static void put_series(struct buffer *out, const struct labels *l, double value, int64_t unix_ms)
{
    char number[32];
    struct batch_str metric = labels_get_text(l, LABEL_METRIC);
    bool plain = is_plain_name(metric), first = true;
    if (plain)
        buffer_append(out, metric.bytes, metric.length);
    buffer_byte(out, '{');
    if (!plain) {
        put_value(out, metric);
        first = false;
    }
    for (uint32_t i = 0; i < l->count; i++) {
        if (batch_str_is(l->items[i].name, LABEL_METRIC))
            continue;
        if (!first)
            buffer_byte(out, ',');
        first = false;
        put_name(out, l->items[i].name);
        buffer_byte(out, '=');
        put_value(out, l->items[i].value);
    }
    prom_number(value, number);
    buffer_printf(out, "} %s %" PRId64 "\n", number, unix_ms);
}

/* `last`: the metric whose type was told last. */
static void put_type(struct prom_call *c, struct batch_str metric, struct batch_str *last)
{
    struct series_metadata *list;
    size_t count = 0;
    if (batch_str_equal(metric, *last))
        return;
    *last = metric;
    struct buffer *out = &c->reply->body;
    bool known =
        series_store_metadata(c->web->series, &metric, &c->arena, &list, &count) == SERIES_OK &&
        count > 0;
    unsigned type = known ? list[0].type : METRIC_UNKNOWN;
    bool told = type == METRIC_COUNTER || type == METRIC_GAUGE;
    buffer_text(out, "# TYPE ");
    put_name(out, metric);
    buffer_printf(out, " %s\n", told ? metric_type_name(type) : "untyped");
}

/* A series, in the selection of a match[]. */
struct found {
    const struct labels *labels;
    size_t selection, index;
};

struct federation {
    struct prom_call *call;
    const struct series_source *source;
    int64_t from_ms, to_ms;
    struct series_selection *selections; /* of each match[] */
    size_t count;
    struct found *list;
    size_t found;
};

/* By metric, for its type is told once; then by labels, the first match[] first. */
static int by_metric(const void *left, const void *right)
{
    const struct found *a = left, *b = right;
    int order = batch_str_compare(labels_get_text(a->labels, LABEL_METRIC),
                                  labels_get_text(b->labels, LABEL_METRIC));
    if (order == 0)
        order = labels_compare(a->labels, b->labels);
    return order ? order : (a->selection > b->selection) - (a->selection < b->selection);
}

static void fail(struct federation *f, int error)
{
    if (error == SERIES_ENOMEM)
        reply_no_memory(f->call->reply);
    else
        reply_error(f->call->reply, 500, "samples cannot be read: see the collector's log");
}

static int select_all(struct federation *f)
{
    const struct form *form = &f->call->form;
    int result = 0;
    f->selections = arena_calloc(&f->call->arena, form->count + 1, sizeof *f->selections);
    if (!f->selections)
        return SERIES_ENOMEM;
    for (size_t i = 0; i < form->count && result == SERIES_OK; i++) {
        struct prom_match m;
        if (strcmp(form->fields[i].name, "match[]") != 0)
            continue;
        if (prom_match_parse(f->call, &form->fields[i], &m) == 0)
            result = f->source->select(f->source->context, m.list, m.count, f->from_ms, f->to_ms,
                                       &f->selections[f->count]);
        f->count += f->selections[f->count].handle != NULL;
        prom_match_fini(&m);
        if (f->call->reply->status != 200) /* it is no selector */
            break;
    }
    return result;
}

static int sort_all(struct federation *f)
{
    size_t total = 0;
    for (size_t i = 0; i < f->count; i++)
        total += f->selections[i].count;
    f->list = malloc((total + 1) * sizeof *f->list);
    if (!f->list)
        return SERIES_ENOMEM;
    for (size_t i = 0; i < f->count; i++)
        for (size_t k = 0; k < f->selections[i].count; k++)
            f->list[f->found++] = (struct found){&f->selections[i].labels[k], i, k};
    if (total > 1)
        qsort(f->list, total, sizeof *f->list, by_metric);
    return SERIES_OK;
}

static int put_all(struct federation *f)
{
    struct points points;
    struct batch_str last = {"", 0};
    int result = SERIES_OK;
    points_init(&points);
    for (size_t i = 0; i < f->found && result == SERIES_OK; i++) {
        const struct found *one = &f->list[i];
        if (i > 0 && labels_equal(one->labels, f->list[i - 1].labels))
            continue;
        result = f->source->read(f->source->context, &f->selections[one->selection], one->index,
                                 f->from_ms, f->to_ms, &points);
        if (result != SERIES_OK || points.count == 0)
            continue;
        size_t at = points.count - 1;
        if (sample_is_stale(points.value[at]) || (points.histogram && points.histogram[at]))
            continue;
        put_type(f->call, labels_get_text(one->labels, LABEL_METRIC), &last);
        put_series(&f->call->reply->body, one->labels, points.value[at], points.unix_ms[at]);
    }
    points_fini(&points);
    return result;
}

void prom_federate(const struct api_call *call, struct reply *reply)
{
    struct prom_call c;
    int64_t now_ms = (int64_t)(clock_unix_ns() / 1000000);
    if (!prom_begin(&c, call, reply))
        return;
    struct federation f = {.call = &c,
                           .source = web_source(c.web),
                           .from_ms = now_ms - PROMQL_LOOKBACK_MS,
                           .to_ms = now_ms};
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    int result = select_all(&f);
    if (result == SERIES_OK && reply->status == 200)
        result = sort_all(&f);
    if (result == SERIES_OK && reply->status == 200)
        result = put_all(&f);
    if (result != SERIES_OK)
        fail(&f, result);
    for (size_t i = 0; i < f.count; i++)
        f.source->close(f.source->context, &f.selections[i]);
    free(f.list);
    prom_end(&c);
}
