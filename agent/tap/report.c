// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/report.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec/batch.h"

enum metric {
    COMMANDS,
    HITS,
    MISSES,
    KEYS,
    ERRORS,
    UNANSWERED,
    NOT_SEEN,
    WITHDRAWN,
    REQUEST_BYTES,
    REPLY_BYTES,
    SERVICE,
    VALUES,
    CONNECTIONS,
    DISTINCT,
    PEAK,
    PACKETS,
    DROPPED_PACKETS,
    GAPS,
    LOSSES,
    SKIPPED_BYTES,
    TRACKED,
    EVICTED,
    MEMORY,
    REPORTS_DROPPED,
    METRICS
};

static const struct {
    const char *name;
    enum metric_type type;
    const char *unit, *help;
} metrics[METRICS] = {
    [COMMANDS] = {"weft_cache_commands_total", METRIC_COUNTER, "",
                  "commands that clients sent to a cache"},
    [HITS] = {"weft_cache_hits_total", METRIC_COUNTER, "", "keys that were found"},
    [MISSES] = {"weft_cache_misses_total", METRIC_COUNTER, "", "keys that were looked for in vain"},
    [KEYS] = {"weft_cache_keys_total", METRIC_COUNTER, "", "keys that commands named"},
    [ERRORS] = {"weft_cache_errors_total", METRIC_COUNTER, "", "replies that are errors"},
    [UNANSWERED] = {"weft_cache_unanswered_total", METRIC_COUNTER, "",
                    "commands that want no reply"},
    [NOT_SEEN] = {"weft_cache_unseen_replies_total", METRIC_COUNTER, "",
                  "commands whose reply the tap did not see"},
    [WITHDRAWN] = {"weft_cache_withdrawn_total", METRIC_COUNTER, "",
                   "commands of transactions that were not carried out"},
    [REQUEST_BYTES] = {"weft_cache_request_bytes_total", METRIC_COUNTER, "bytes", "of commands"},
    [REPLY_BYTES] = {"weft_cache_reply_bytes_total", METRIC_COUNTER, "bytes", "of replies"},
    [SERVICE] = {"weft_cache_service_seconds", METRIC_HISTOGRAM, "seconds",
                 "from a command's last byte to its reply's first"},
    [VALUES] = {"weft_cache_value_bytes", METRIC_HISTOGRAM, "bytes", "values read and written"},
    [CONNECTIONS] = {"weft_cache_connections_total", METRIC_COUNTER, "",
                     "connections of clients that the tap met"},
    [DISTINCT] = {"weft_cache_distinct_keys", METRIC_GAUGE, "",
                  "about how many different keys were named in the present window"},
    [PEAK] = {"weft_cache_peak_ratio", METRIC_GAUGE, "",
              "commands in the window's fullest second by those in its average one"},
    [PACKETS] = {"weft_tap_packets_total", METRIC_COUNTER, "", "packets read"},
    [DROPPED_PACKETS] = {"weft_tap_dropped_packets_total", METRIC_COUNTER, "",
                         "packets that were not read, by the kernel or an interface"},
    [GAPS] = {"weft_tap_gaps_total", METRIC_COUNTER, "",
              "places in connections where bytes did not come"},
    [LOSSES] = {"weft_tap_losses_total", METRIC_COUNTER, "",
                "times that the place in a connection was lost"},
    [SKIPPED_BYTES] = {"weft_tap_skipped_bytes_total", METRIC_COUNTER, "bytes",
                       "passed over until the place was found again"},
    [TRACKED] = {"weft_tap_connections", METRIC_GAUGE, "", "connections that are followed"},
    [EVICTED] = {"weft_tap_evicted_connections_total", METRIC_COUNTER, "",
                 "connections given up for others"},
    [MEMORY] = {"weft_tap_memory_bytes", METRIC_GAUGE, "bytes", "of connections"},
    [REPORTS_DROPPED] = {"weft_tap_dropped_reports_total", METRIC_COUNTER, "",
                         "reports that the agent did not take in time"},
};

struct report {
    struct report_parts parts;
    struct batch_builder *builder;
    struct buffer bytes;
    /* Of the batch that is being made. */
    int64_t now_ms;
    uint32_t metrics[METRICS]; /* index + 1 */
    uint32_t labels;           /* of the cache, or of the tap */
};

/* ---- addresses ---------------------------------------------------------------------------- */

static bool is_ipv4(const uint8_t ip[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(ip, mapped, sizeof mapped) == 0;
}

void tap_ip_text(const uint8_t ip[16], char *out)
{
    bool short_one = is_ipv4(ip);
    if (!inet_ntop(short_one ? AF_INET : AF_INET6, short_one ? ip + 12 : ip, out, TAP_ADDRESS_TEXT))
        out[0] = '\0';
}

void tap_address_text(const struct tap_address *address, char *out)
{
    char ip[TAP_ADDRESS_TEXT];
    tap_ip_text(address->ip, ip);
    snprintf(out, TAP_ADDRESS_TEXT, is_ipv4(address->ip) ? "%.45s:%u" : "[%.45s]:%u", ip,
             address->port);
}

/* ---- rows --------------------------------------------------------------------------------- */

static uint32_t string(struct report *r, const char *text)
{
    return batch_string(r->builder, text, strlen(text));
}

static uint32_t metric_of(struct report *r, enum metric m)
{
    if (r->metrics[m] == 0)
        r->metrics[m] = 1 + batch_metric(r->builder, string(r, metrics[m].name), metrics[m].type,
                                         string(r, metrics[m].unit), string(r, metrics[m].help));
    return r->metrics[m] - 1;
}

struct pair {
    const char *name, *value; /* name NULL: none */
};

static uint32_t series(struct report *r, enum metric m, struct pair a, struct pair b)
{
    uint32_t pairs[4], count = 0;
    for (int i = 0; i < 2; i++) {
        struct pair p = i == 0 ? a : b;
        if (!p.name)
            continue;
        pairs[2 * count] = string(r, p.name);
        pairs[2 * count++ + 1] = string(r, p.value);
    }
    return batch_series(r->builder, metric_of(r, m), r->labels, pairs, count);
}

static void put(struct report *r, enum metric m, struct pair label, double value)
{
    batch_sample(r->builder, series(r, m, label, (struct pair){0}), r->now_ms, SAMPLE_VALUE, value);
}

/* What never happened makes no series. */
static void put_count(struct report *r, enum metric m, struct pair label, uint64_t count)
{
    if (count > 0)
        put(r, m, label, (double)count);
}

static void put_histogram(struct report *r, enum metric m, struct pair label,
                          const struct exphist *h)
{
    if (h->count > 0)
        batch_histogram(r->builder, series(r, m, label, (struct pair){0}), r->now_ms,
                        SAMPLE_HISTOGRAM, h);
}

/* ---- caches ------------------------------------------------------------------------------- */

static void put_command(struct report *r, const char *name, const struct command_statistics *c)
{
    const struct pair label = {"command", name};
    put(r, COMMANDS, label, (double)c->calls);
    put_count(r, HITS, label, c->hits);
    put_count(r, MISSES, label, c->misses);
    put_count(r, KEYS, label, c->keys);
    put_count(r, UNANSWERED, label, c->unanswered);
    put_count(r, NOT_SEEN, label, c->not_seen);
    put_count(r, WITHDRAWN, label, c->withdrawn);
    put_count(r, REQUEST_BYTES, label, c->request_bytes);
    put_count(r, REPLY_BYTES, label, c->reply_bytes);
    put_histogram(r, SERVICE, label, &c->service_seconds);
    put_histogram(r, VALUES, label, &c->value_bytes);
}

static void put_errors(struct report *r, const struct tap_protocol *protocol,
                       const struct cache_statistics *s)
{
    for (uint32_t i = 0; i < s->error_count; i++) {
        const struct error_statistics *e = &s->errors[i];
        uint32_t of =
            series(r, ERRORS, (struct pair){"command", protocol->command_name(e->command)},
                   (struct pair){"error", e->error});
        batch_sample(r->builder, of, r->now_ms, SAMPLE_VALUE, (double)e->count);
    }
    if (s->other_errors > 0) {
        uint32_t of =
            series(r, ERRORS, (struct pair){"command", "other"}, (struct pair){"error", "other"});
        batch_sample(r->builder, of, r->now_ms, SAMPLE_VALUE, (double)s->other_errors);
    }
}

static void put_window(struct report *r, const struct hot *h)
{
    double seconds = (double)(r->now_ms - (int64_t)(h->begun_unix_ns / 1000000)) / 1e3;
    put(r, DISTINCT, (struct pair){0}, distinct_count(&h->keys));
    if (h->calls > 0 && seconds >= 1)
        put(r, PEAK, (struct pair){0}, (double)h->peak_calls * seconds / (double)h->calls);
}

static void put_cache(struct report *r, const struct tap_cache *cache,
                      const struct observed_cache *o)
{
    char address[TAP_ADDRESS_TEXT];
    tap_address_text(&cache->address, address);
    const uint32_t pairs[] = {string(r, "host"),     string(r, r->parts.host),
                              string(r, "cache"),    string(r, address),
                              string(r, "protocol"), string(r, cache->protocol->name)};
    r->labels = batch_label_set(r->builder, pairs, 3);
    put(r, CONNECTIONS, (struct pair){0}, (double)cache->connections);
    if (!o)
        return;
    for (uint16_t i = 0; i < o->statistics.command_count; i++)
        if (o->statistics.commands[i])
            put_command(r, cache->protocol->command_name(i), o->statistics.commands[i]);
    put_errors(r, cache->protocol, &o->statistics);
    put_window(r, &o->hot);
}

/* ---- the tap itself ----------------------------------------------------------------------- */

static void put_tap(struct report *r)
{
    const uint32_t pairs[] = {string(r, "host"), string(r, r->parts.host)};
    const struct pair none = {0};
    struct tap_connections_stats c;
    struct tap_capture_stats p;
    struct courier_stats sent, windows;
    tap_connections_stats(r->parts.connections, &c);
    tap_capture_stats(r->parts.capture, &p);
    courier_stats(r->parts.courier, &sent);
    courier_stats(r->parts.windows_courier, &windows);
    r->labels = batch_label_set(r->builder, pairs, 1);
    put(r, PACKETS, none, (double)p.packets);
    put(r, DROPPED_PACKETS, (struct pair){"by", "kernel"}, (double)p.dropped);
    put(r, DROPPED_PACKETS, (struct pair){"by", "interface"}, (double)p.missed);
    put(r, GAPS, none, (double)c.counts.streams.gaps);
    put(r, LOSSES, (struct pair){"of", "requests"}, (double)c.counts.request_losses);
    put(r, LOSSES, (struct pair){"of", "replies"}, (double)c.counts.reply_losses);
    put(r, SKIPPED_BYTES, (struct pair){"of", "requests"}, (double)c.counts.skipped_request_bytes);
    put(r, SKIPPED_BYTES, (struct pair){"of", "replies"}, (double)c.counts.skipped_reply_bytes);
    put(r, TRACKED, none, c.open);
    put(r, EVICTED, none, (double)c.evicted);
    put(r, MEMORY, none, (double)c.memory_bytes);
    put(r, REPORTS_DROPPED, none, (double)(sent.dropped + windows.dropped));
}

void report_tell(struct report *r, uint64_t now_unix_ns)
{
    uint32_t count;
    const struct tap_cache *caches = tap_connections_caches(r->parts.connections, &count);
    batch_builder_reset(r->builder);
    memset(r->metrics, 0, sizeof r->metrics);
    r->now_ms = (int64_t)(now_unix_ns / 1000000);
    put_tap(r);
    for (uint32_t i = 0; i < count; i++)
        if (!caches[i].foreign)
            put_cache(r, &caches[i], r->parts.caches->list[i]);
    buffer_clear(&r->bytes);
    if (batch_encode(r->builder, &r->bytes) == 0)
        courier_send(r->parts.courier, &r->bytes);
}

/* ---- life --------------------------------------------------------------------------------- */

struct report *report_create(const struct report_parts *parts)
{
    struct report *r = calloc(1, sizeof *r);
    if (r && !(r->builder = batch_builder_create())) {
        free(r);
        return NULL;
    }
    if (r)
        r->parts = *parts;
    return r;
}

void report_destroy(struct report **place)
{
    struct report *r = *place;
    if (!r)
        return;
    batch_builder_destroy(&r->builder);
    buffer_fini(&r->bytes);
    free(r);
    *place = NULL;
}
