// SPDX-License-Identifier: Apache-2.0
#include "cli/top_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec/key_text.h"

enum { CACHES_MOST = 1024 };

void top_report_init(struct top_report *r)
{
    *r = (struct top_report){.lost_packets = NAN, .lost_reports = NAN};
}

void top_report_fini(struct top_report *r)
{
    free(r->caches);
    top_report_init(r);
}

/* ---- what is told ------------------------------------------------------------------------- */

static struct batch_str label_of(const struct batch *b, uint32_t series, const char *name)
{
    const struct batch_label_range shared = b->samples.series[series].shared;
    for (uint32_t i = shared.first; i < shared.first + shared.count; i++)
        if (batch_str_is(b->strings[b->samples.label_names[i]], name))
            return b->strings[b->samples.label_values[i]];
    return (struct batch_str){NULL, 0};
}

/* Other programs' bytes, as text. */
static void copy(char *out, size_t size, struct batch_str bytes)
{
    struct buffer text = {0};
    key_text(&text, bytes);
    if (text.length >= size)
        buffer_clear(&text);
    snprintf(out, size, "%s", buffer_cstring(&text));
    buffer_fini(&text);
}

static struct top_cache *find(const struct top_report *r, const char *host, const char *address)
{
    for (uint32_t i = 0; i < r->count; i++)
        if (strcmp(r->caches[i].address, address) == 0 && strcmp(r->caches[i].host, host) == 0)
            return &r->caches[i];
    return NULL;
}

static struct top_cache *cache_of(struct top_report *r, const struct batch *b, uint32_t series)
{
    char host[64], address[128];
    struct batch_str told = label_of(b, series, "cache");
    copy(host, sizeof host, label_of(b, series, "host"));
    copy(address, sizeof address, told);
    struct top_cache *found = find(r, host, address);
    if (found || told.length == 0 || r->count == CACHES_MOST)
        return found;
    struct top_cache *caches = realloc(r->caches, (r->count + 1) * sizeof *caches);
    if (!caches) {
        r->no_memory = true;
        return NULL;
    }
    r->caches = caches;
    struct top_cache *fresh = &caches[r->count++];
    *fresh = (struct top_cache){.distinct = NAN, .peak = NAN};
    memcpy(fresh->host, host, sizeof host);
    memcpy(fresh->address, address, sizeof address);
    copy(fresh->protocol, sizeof fresh->protocol, label_of(b, series, "protocol"));
    return fresh;
}

static void take_times(struct top_cache *c, const struct batch *b, uint32_t histogram)
{
    const struct batch_histogram_view *h = &b->samples.histograms[histogram];
    for (uint32_t i = h->first; i < h->first + h->positive; i++) {
        int32_t index = b->samples.bucket[i];
        int shift = h->scale - TOP_TIMES_SCALE;
        int64_t at = shift >= 0 ? index >> (shift < 31 ? shift : 31)
                                : (int64_t)index * (1 << (-shift < 20 ? -shift : 20));
        at -= TOP_TIMES_FIRST;
        at = at < 0 ? 0 : at >= TOP_TIMES ? TOP_TIMES - 1 : at;
        c->times[at] += (double)b->samples.bucket_count[i];
    }
}

static void take_count(struct top_cache *c, struct batch_str metric, double value)
{
    if (batch_str_is(metric, "weft_cache_commands_total"))
        c->commands += value;
    else if (batch_str_is(metric, "weft_cache_hits_total"))
        c->hits += value;
    else if (batch_str_is(metric, "weft_cache_misses_total"))
        c->misses += value;
    else if (batch_str_is(metric, "weft_cache_errors_total"))
        c->errors += value;
    else if (batch_str_is(metric, "weft_cache_request_bytes_total") ||
             batch_str_is(metric, "weft_cache_reply_bytes_total"))
        c->bytes += value;
    else if (batch_str_is(metric, "weft_cache_distinct_keys"))
        c->distinct = value;
    else if (batch_str_is(metric, "weft_cache_peak_ratio"))
        c->peak = value;
}

static void add(double *sum, double value)
{
    *sum = isnan(*sum) ? value : *sum + value;
}

void top_report_take(struct top_report *r, const struct batch *b)
{
    const struct batch_samples *s = &b->samples;
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t series = s->series_of[i];
        struct batch_str metric = s->metrics[s->series[series].metric].name;
        if (s->unix_ms[i] > r->unix_ms)
            r->unix_ms = s->unix_ms[i];
        if (batch_str_is(metric, "weft_tap_dropped_packets_total"))
            add(&r->lost_packets, s->value[i]);
        else if (batch_str_is(metric, "weft_tap_dropped_reports_total"))
            add(&r->lost_reports, s->value[i]);
        struct top_cache *c = cache_of(r, b, series);
        if (!c)
            continue;
        if (s->histogram[i] == BATCH_NONE)
            take_count(c, metric, s->value[i]);
        else if (batch_str_is(metric, "weft_cache_service_seconds"))
            take_times(c, b, s->histogram[i]);
    }
}

/* ---- rows --------------------------------------------------------------------------------- */

/* NAN where nothing was timed. */
static double quantile(const double times[TOP_TIMES], double q)
{
    double all = 0, below = 0;
    for (int i = 0; i < TOP_TIMES; i++)
        all += times[i];
    for (int i = 0; all > 0 && i < TOP_TIMES; i++) {
        if (times[i] > 0 && below + times[i] >= q * all) {
            double part = (q * all - below) / times[i];
            return exp2((i + part + TOP_TIMES_FIRST) / (1 << TOP_TIMES_SCALE));
        }
        below += times[i];
    }
    return NAN;
}

/* A count that is lower than before began anew. */
static double grown(double before, double now)
{
    return now >= before ? now - before : now;
}

static void add_cache(struct top_table *t, const struct top_cache *before,
                      const struct top_cache *now, double seconds)
{
    struct top_row *row = top_table_add(t);
    double times[TOP_TIMES];
    double hits = grown(before->hits, now->hits), misses = grown(before->misses, now->misses);
    for (int i = 0; i < TOP_TIMES; i++)
        times[i] = grown(before->times[i], now->times[i]);
    top_set_text(t, row, "cache", now->address, strlen(now->address));
    top_set_text(t, row, "host", now->host, strlen(now->host));
    top_set_text(t, row, "protocol", now->protocol, strlen(now->protocol));
    top_set_number(t, row, "commands_per_s", grown(before->commands, now->commands) / seconds);
    top_set_number(t, row, "miss_share", misses / (hits + misses));
    top_set_number(t, row, "errors_per_s", grown(before->errors, now->errors) / seconds);
    top_set_number(t, row, "bytes_per_s", grown(before->bytes, now->bytes) / seconds);
    top_set_number(t, row, "p50_seconds", quantile(times, 0.5));
    top_set_number(t, row, "p99_seconds", quantile(times, 0.99));
    top_set_number(t, row, "p999_seconds", quantile(times, 0.999));
    top_set_number(t, row, "distinct_keys", now->distinct);
    top_set_number(t, row, "peak_ratio", now->peak);
}

void top_report_rows(const struct top_report *before, const struct top_report *now,
                     struct top_table *t)
{
    static const struct top_cache nothing;
    double seconds = (double)(now->unix_ms - before->unix_ms) / 1e3, sum = 0;
    for (uint32_t i = 0; i < now->count; i++) {
        const struct top_cache *c = &now->caches[i], *was = find(before, c->host, c->address);
        add_cache(t, was ? was : &nothing, c, seconds);
        sum += grown(was ? was->commands : 0, c->commands);
    }
    t->totals.seconds = seconds;
    if (now->count > 0)
        t->totals.per_second = sum / seconds;
}
