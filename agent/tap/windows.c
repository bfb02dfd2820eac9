// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/windows.h"

#include <stdlib.h>
#include <string.h>

#include "agent/tap/report.h"
#include "lib/codec/batch.h"

/* Of a batch, as far as it can be told before it is encoded; the feed takes 1 MiB. */
enum { BATCH_BYTES_MOST = 512 << 10 };

_Static_assert((int)HOT_KEYS_BY_CALLS == (int)WINDOW_KEYS_BY_CALLS &&
                   (int)HOT_KEYS_BY_BYTES == (int)WINDOW_KEYS_BY_BYTES &&
                   (int)HOT_KEYS_BY_MISSES == (int)WINDOW_KEYS_BY_MISSES &&
                   (int)HOT_PATTERNS == (int)WINDOW_PATTERNS &&
                   (int)HOT_CLIENTS == (int)WINDOW_CLIENTS && (int)HOT_KINDS == (int)WINDOW_KINDS,
               "the same kinds, by the same numbers");

struct windows {
    struct windows_parts parts;
    struct batch_builder *builder;
    struct buffer bytes;
    struct window_entry *entries[WINDOW_KINDS]; /* parts.tell each */
    const struct topk_entry **list;             /* one more */
    char (*addresses)[TAP_ADDRESS_TEXT];        /* of clients */
    uint32_t shown;                             /* how often */
};

struct windows *windows_create(const struct windows_parts *parts)
{
    struct windows *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->parts = *parts;
    bool good = (w->builder = batch_builder_create()) != NULL;
    for (int kind = 0; kind < WINDOW_KINDS; kind++)
        good &= (w->entries[kind] = calloc(parts->tell, sizeof(struct window_entry))) != NULL;
    w->list = calloc(parts->tell + 1, sizeof(const struct topk_entry *));
    w->addresses = calloc(parts->tell, sizeof *w->addresses);
    if (!good || !w->list || !w->addresses)
        windows_destroy(&w);
    return w;
}

void windows_destroy(struct windows **place)
{
    struct windows *w = *place;
    if (!w)
        return;
    batch_builder_destroy(&w->builder);
    buffer_fini(&w->bytes);
    for (int kind = 0; kind < WINDOW_KINDS; kind++)
        free(w->entries[kind]);
    free((void *)w->list);
    free(w->addresses);
    free(w);
    *place = NULL;
}

/* ---- lists ---------------------------------------------------------------------------------- */

/* Its sums count since it was last taken in, so they are as true as its weight, or truer. */
static struct window_entry entry_of(enum window_kind kind, const struct topk_entry *from,
                                    uint64_t error)
{
    struct window_entry e = {.key = {from->text, from->length},
                             .full_length = from->full_length,
                             .hash = from->hash,
                             .calls = from->sums[HOT_CALLS],
                             .bytes = from->sums[HOT_BYTES],
                             .misses = from->sums[HOT_MISSES]};
    uint64_t most = from->weight + error, told = window_weight(kind, &e);
    e.error = most > told ? most - told : 0;
    return e;
}

/* A client's key is the bytes of its address. */
static void tell_address(struct window_entry *e, const struct topk_entry *from, char *text)
{
    tap_ip_text((const uint8_t *)from->text, text);
    e->key = (struct batch_str){text, (uint32_t)strlen(text)};
    e->full_length = e->key.length;
}

static struct window_list list_of(struct windows *w, enum window_kind kind, const struct topk *t)
{
    struct window_list list = {
        .entries = w->entries[kind], .total = t->total, .rest = topk_error(t)};
    size_t count = topk_list(t, w->list, w->parts.tell + 1);
    if (count > w->parts.tell) {
        count = w->parts.tell;
        list.rest += w->list[count]->weight;
    }
    for (size_t i = 0; i < count; i++) {
        list.entries[i] = entry_of(kind, w->list[i], topk_error(t));
        if (kind == WINDOW_CLIENTS)
            tell_address(&list.entries[i], w->list[i], w->addresses[i]);
    }
    list.count = (uint32_t)count;
    return list;
}

/* ---- windows -------------------------------------------------------------------------------- */

static void send(struct windows *w, struct courier *courier)
{
    buffer_clear(&w->bytes);
    if (batch_builder_windows(w->builder) > 0 && batch_encode(w->builder, &w->bytes) == 0)
        courier_send(courier, &w->bytes);
    batch_builder_reset(w->builder);
}

static struct batch_str text_of(const char *text)
{
    return (struct batch_str){text, (uint32_t)strlen(text)};
}

static void add(struct windows *w, const struct tap_cache *cache, const struct hot *h,
                int64_t begin_ms, int64_t length_ms)
{
    char address[TAP_ADDRESS_TEXT];
    tap_address_text(&cache->address, address);
    struct batch_window window = {.host = text_of(w->parts.host),
                                  .cache = text_of(address),
                                  .protocol = text_of(cache->protocol->name),
                                  .begin_unix_ms = begin_ms,
                                  .length_ms = length_ms,
                                  .commands = h->calls,
                                  .peak_commands = h->peak_calls,
                                  .registers = h->keys.registers};
    for (int kind = 0; kind < WINDOW_KINDS; kind++)
        window.lists[kind] = list_of(w, (enum window_kind)kind, &h->tops[kind]);
    batch_window_add(w->builder, &window);
}

static int64_t length_ms_of(const struct hot *h, uint64_t now_unix_ns)
{
    return (int64_t)(now_unix_ns / 1000000) - (int64_t)(h->begun_unix_ns / 1000000);
}

static void tell_cache(struct windows *w, const struct tap_cache *cache, const struct hot *h,
                       uint64_t now_unix_ns)
{
    if (h->calls > 0)
        add(w, cache, h, (int64_t)(h->begun_unix_ns / 1000000), length_ms_of(h, now_unix_ns));
}

/* Windows are known by the millisecond in which they began: one that began in this one goes on. */
static void turn_cache(struct hot *h, uint64_t now_unix_ns)
{
    int64_t length_ms = length_ms_of(h, now_unix_ns);
    if (length_ms < 0) /* the clock was set back */
        h->begun_unix_ns = now_unix_ns;
    if (length_ms > 0)
        hot_clear(h, now_unix_ns);
}

/* Of caches from `first` on each `step`-th. */
struct part {
    uint32_t first, step;
};

static void tell(struct windows *w, struct courier *courier, uint64_t now_unix_ns, bool turns,
                 struct part part)
{
    uint32_t count;
    const struct tap_cache *caches = tap_connections_caches(w->parts.connections, &count);
    batch_builder_reset(w->builder);
    for (uint32_t i = part.first; i < count; i += part.step) {
        struct observed_cache *o = w->parts.caches->list[i];
        if (caches[i].foreign || !o)
            continue;
        if (length_ms_of(&o->hot, now_unix_ns) > 0)
            tell_cache(w, &caches[i], &o->hot, now_unix_ns);
        if (turns)
            turn_cache(&o->hot, now_unix_ns);
        if (batch_builder_bytes(w->builder) > BATCH_BYTES_MOST)
            send(w, courier);
    }
    send(w, courier);
}

void windows_turn(struct windows *w, uint64_t now_unix_ns)
{
    tell(w, w->parts.courier, now_unix_ns, true, (struct part){0, 1});
}

void windows_show(struct windows *w, uint64_t now_unix_ns)
{
    uint32_t count;
    tap_connections_caches(w->parts.connections, &count);
    uint32_t parts = 1 + count / WINDOWS_SHOWN_AT_ONCE;
    if (parts > WINDOWS_SHOWN_WITHIN)
        parts = WINDOWS_SHOWN_WITHIN;
    tell(w, w->parts.to_show, now_unix_ns, false, (struct part){w->shown++ % parts, parts});
}
