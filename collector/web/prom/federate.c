// SPDX-License-Identifier: Apache-2.0
/* GET /federate?match[]=…: the newest sample of each series, in Prometheus' text format, for
 * another Prometheus to scrape. Native histograms have no form there and are left out. */
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

static void put_name(struct buffer *out, struct batch_str name)
{
    if (is_plain_name(name))
        buffer_append(out, name.bytes, name.length);
    else
        promql_print_text(out, name);
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
        promql_print_text(out, metric);
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
        promql_print_text(out, l->items[i].value);
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

static void put_selection(struct prom_call *c, const struct prom_match *m, int64_t now_ms)
{
    const struct series_source *source = web_source(c->web);
    struct series_selection s;
    struct points points;
    struct batch_str last = {"", 0};
    int64_t from_ms = now_ms - PROMQL_LOOKBACK_MS;
    if (source->select(source->context, m->list, m->count, from_ms, now_ms, &s) != SERIES_OK) {
        reply_no_memory(c->reply);
        return;
    }
    points_init(&points);
    for (size_t i = 0; i < s.count; i++) {
        if (source->read(source->context, &s, i, from_ms, now_ms, &points) != SERIES_OK ||
            points.count == 0)
            continue;
        size_t at = points.count - 1;
        if (sample_is_stale(points.value[at]) || (points.histogram && points.histogram[at]))
            continue;
        put_type(c, labels_get_text(&s.labels[i], LABEL_METRIC), &last);
        put_series(&c->reply->body, &s.labels[i], points.value[at], points.unix_ms[at]);
    }
    points_fini(&points);
    source->close(source->context, &s);
}

void prom_federate(const struct api_call *call, struct reply *reply)
{
    struct prom_call c;
    int64_t now_ms = (int64_t)(clock_unix_ns() / 1000000);
    if (!prom_begin(&c, call, reply))
        return;
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    for (size_t i = 0; i < c.form.count && reply->status == 200; i++) {
        struct prom_match m;
        if (strcmp(c.form.fields[i].name, "match[]") != 0)
            continue;
        if (prom_match_parse(&c, &c.form.fields[i], &m) == 0)
            put_selection(&c, &m, now_ms);
        prom_match_fini(&m);
    }
    prom_end(&c);
}
