// SPDX-License-Identifier: Apache-2.0
#include "agent/shown.h"

#include <stdlib.h>
#include <string.h>

#include "lib/model/topk.h"

struct item {
    struct shown_key key;
    int64_t kept_ms;
    size_t length;
    void *bytes;
};

struct shown {
    struct item items[SHOWN_MOST]; /* the oldest first */
    uint32_t count;
    size_t bytes;
};

/* ---- keys --------------------------------------------------------------------------------- */

/* The first of a tap's reports is what it says of itself (agent/tap/report.c). */
static bool is_report(const struct batch *b)
{
    static const char prefix[] = "weft_tap_";
    if (b->samples.metric_count == 0 || b->samples.series_count == 0)
        return false;
    struct batch_str name = b->samples.metrics[0].name;
    return name.length > sizeof prefix - 1 && memcmp(name.bytes, prefix, sizeof prefix - 1) == 0;
}

static uint64_t hash_of_labels(const struct batch *b)
{
    const struct batch_label_range shared = b->samples.series[0].shared;
    uint64_t hash = 0;
    for (uint32_t i = 0; i < shared.count; i++) {
        struct batch_str value = b->strings[b->samples.label_values[shared.first + i]];
        hash = hash * 31 + topk_hash(value.bytes, value.length);
    }
    return hash;
}

struct shown_key shown_key_of(const struct batch *b, bool under_way)
{
    struct shown_key key = {SHOWN_NOTHING, 0};
    if (b->window_count > 0) {
        const struct batch_window *w = &b->windows[0];
        key.kind = under_way ? SHOWN_UNDER_WAY : SHOWN_ENDED;
        key.hash = topk_hash(w->host.bytes, w->host.length) * 31 +
                   topk_hash(w->cache.bytes, w->cache.length);
    } else if (!under_way && is_report(b)) {
        key.kind = SHOWN_REPORT;
        key.hash = hash_of_labels(b);
    }
    return key;
}

/* ---- keeping ------------------------------------------------------------------------------ */

struct shown *shown_create(void)
{
    return calloc(1, sizeof(struct shown));
}

static void drop(struct shown *s, uint32_t i)
{
    s->bytes -= s->items[i].length;
    free(s->items[i].bytes);
    s->count--;
    memmove(&s->items[i], &s->items[i + 1], (s->count - i) * sizeof s->items[0]);
}

void shown_destroy(struct shown **place)
{
    struct shown *s = *place;
    while (s && s->count > 0)
        drop(s, s->count - 1);
    free(s);
    *place = NULL;
}

static bool is_same(struct shown_key a, struct shown_key b)
{
    return a.kind == b.kind && a.hash == b.hash;
}

void shown_keep(struct shown *s, struct shown_key key, const void *bytes, size_t length,
                int64_t now_ms)
{
    if (!s || key.kind == SHOWN_NOTHING || length > SHOWN_BYTES_MOST)
        return;
    for (uint32_t i = 0; i < s->count; i++)
        if (is_same(s->items[i].key, key))
            drop(s, i--);
    while (s->count == SHOWN_MOST || s->bytes + length > SHOWN_BYTES_MOST)
        drop(s, 0);
    void *copy = malloc(length ? length : 1);
    if (!copy)
        return;
    memcpy(copy, bytes, length);
    s->items[s->count++] = (struct item){key, now_ms, length, copy};
    s->bytes += length;
}

bool shown_get(const struct shown *s, uint32_t i, int64_t now_ms, const void **bytes,
               size_t *length)
{
    uint32_t found = 0;
    for (uint32_t at = 0; s && at < s->count; at++) {
        const struct item *item = &s->items[at];
        if (item->key.kind != SHOWN_ENDED && now_ms - item->kept_ms > SHOWN_FRESH_MS)
            continue;
        if (found++ < i)
            continue;
        *bytes = item->bytes;
        *length = item->length;
        return true;
    }
    return false;
}
