// SPDX-License-Identifier: Apache-2.0
#include "collector/caches/hot_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec/key_text.h"

enum { KEYS_MOST = 64 /* of a window */, SERIES_MOST = 4096, TEXT_MOST = 4 * WINDOW_KEY_MOST + 8 };
#define MS_NS UINT64_C(1000000)

struct hot_series { /* that goes on */
    uint64_t cache, key;
    char text[TEXT_MOST];
    int64_t last_ms;
};

struct hot_keys {
    struct hot_keys_options options;
    struct batch_builder *builder;
    struct hot_series *series; /* SERIES_MOST; of the keys that were hot in their cache's last */
    uint32_t series_count;
};

struct hot_keys *hot_keys_create(const struct hot_keys_options *options)
{
    struct hot_keys *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->options = *options;
    h->builder = batch_builder_create();
    h->series = calloc(SERIES_MOST, sizeof *h->series);
    if (!h->builder || !h->series)
        hot_keys_destroy(&h);
    return h;
}

void hot_keys_destroy(struct hot_keys **place)
{
    struct hot_keys *h = *place;
    if (!h)
        return;
    batch_builder_destroy(&h->builder);
    free(h->series);
    free(h);
    *place = NULL;
}

/* ---- which ------------------------------------------------------------------------------- */

struct hot_key {
    uint64_t hash;
    double share;
    char text[TEXT_MOST];
};

static void name_key(struct hot_key *key, const struct window_entry *e)
{
    struct buffer text = {0};
    key_text(&text, e->key);
    snprintf(key->text, sizeof key->text, "%s%s", buffer_cstring(&text),
             e->full_length > e->key.length ? "…" : "");
    buffer_fini(&text);
}

static uint32_t find_hot(const struct hot_keys *h, const struct batch_window *w,
                         struct hot_key list[KEYS_MOST])
{
    const struct window_list *keys = &w->lists[WINDOW_KEYS_BY_CALLS];
    double seconds = w->length_ms > 1000 ? (double)w->length_ms / 1e3 : 1;
    uint32_t count = 0;
    for (uint32_t i = 0; i < keys->count && keys->total > 0 && count < KEYS_MOST; i++) {
        const struct window_entry *e = &keys->entries[i];
        double share = (double)e->calls / (double)keys->total;
        if (share < h->options.share || (double)e->calls / seconds < h->options.calls_per_s)
            continue;
        list[count] = (struct hot_key){.hash = e->hash, .share = share};
        name_key(&list[count++], e);
    }
    return count;
}

/* ---- marks ------------------------------------------------------------------------------- */

static int mark_key(struct hot_keys *h, const struct batch_window *w, const struct hot_key *key)
{
    char title[TEXT_MOST + 512], text[256];
    snprintf(title, sizeof title, "%s is hot in %.*s on %.*s", key->text, (int)w->cache.length,
             w->cache.bytes, (int)w->host.length, w->host.bytes);
    snprintf(text, sizeof text, "it began with %.0f %% of the calls of this %.*s", 100 * key->share,
             (int)w->protocol.length, w->protocol.bytes);
    struct mark mark = {.kind = MARK_HOT_KEY,
                        .from_unix_ns = (uint64_t)w->begin_unix_ms * MS_NS,
                        .to_unix_ns = (uint64_t)(w->begin_unix_ms + w->length_ms) * MS_NS,
                        .title = title,
                        .text = text,
                        .service = "",
                        .version = "",
                        .previous = "",
                        .cell = "",
                        .count = 1};
    return marks_period(h->options.marks, &mark, 2 * (uint64_t)w->length_ms * MS_NS);
}

/* ---- series ------------------------------------------------------------------------------ */

static uint32_t text(struct hot_keys *h, const char *s)
{
    return batch_string(h->builder, s, strlen(s));
}

static void begin_samples(struct hot_keys *h, const struct batch_window *w)
{
    struct batch_builder *b = h->builder;
    batch_builder_reset(b);
    batch_metric(b, text(h, "weft_cache_hot_key_share"), METRIC_GAUGE, 0,
                 text(h, "of the calls of its cache, by a key that takes a large share of them"));
    const uint32_t pairs[] = {text(h, "host"), batch_string(b, w->host.bytes, w->host.length),
                              text(h, "cache"), batch_string(b, w->cache.bytes, w->cache.length)};
    batch_label_set(b, pairs, 2);
}

static void put_sample(struct hot_keys *h, const char *key, int64_t unix_ms, enum sample_kind kind,
                       double value)
{
    const uint32_t pairs[] = {text(h, "key"), text(h, key)};
    batch_sample(h->builder, batch_series(h->builder, 0, 0, pairs, 1), unix_ms, kind, value);
}

static uint64_t cache_hash(const struct batch_window *w)
{
    const struct batch_str names[] = {w->host, w->cache, w->protocol};
    uint64_t hashes[3];
    for (int i = 0; i < 3; i++)
        hashes[i] = topk_hash(names[i].bytes, names[i].length);
    return topk_hash(hashes, sizeof hashes);
}

static bool is_among(const struct hot_key *list, uint32_t count, uint64_t hash)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i].hash == hash)
            return true;
    return false;
}

/* Ends those of the cache that are hot no longer. */
static void put_ends(struct hot_keys *h, uint64_t cache, int64_t unix_ms,
                     const struct hot_key *list, uint32_t count)
{
    for (uint32_t i = 0; i < h->series_count; i++) {
        const struct hot_series *s = &h->series[i];
        if (s->cache == cache && s->last_ms < unix_ms && !is_among(list, count, s->key))
            put_sample(h, s->text, unix_ms, SAMPLE_STALE, 0);
    }
}

static struct hot_series *series_of(struct hot_keys *h, uint64_t cache, uint64_t key)
{
    for (uint32_t i = 0; i < h->series_count; i++)
        if (h->series[i].cache == cache && h->series[i].key == key)
            return &h->series[i];
    return h->series_count < SERIES_MOST ? &h->series[h->series_count++] : NULL;
}

/* Once they are written. */
static void remember(struct hot_keys *h, uint64_t cache, int64_t unix_ms,
                     const struct hot_key *list, uint32_t count)
{
    for (uint32_t i = 0; i < h->series_count;) {
        const struct hot_series *s = &h->series[i];
        if (s->cache == cache && s->last_ms < unix_ms && !is_among(list, count, s->key))
            h->series[i] = h->series[--h->series_count];
        else
            i++;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct hot_series *s = series_of(h, cache, list[i].hash);
        if (!s)
            return; /* it ends by itself, a little later */
        *s = (struct hot_series){.cache = cache, .key = list[i].hash, .last_ms = unix_ms};
        memcpy(s->text, list[i].text, sizeof s->text);
    }
}

static int write_samples(struct hot_keys *h, char *why, size_t why_size)
{
    struct buffer bytes = {0};
    if (batch_encode(h->builder, &bytes) == 0)
        return h->options.write(h->options.context, bytes.data, bytes.length, why, why_size);
    buffer_fini(&bytes);
    snprintf(why, why_size, "no memory");
    return -1;
}

static int tell_series(struct hot_keys *h, const struct batch_window *w, const struct hot_key *list,
                       uint32_t count, char *why, size_t why_size)
{
    uint64_t cache = cache_hash(w);
    int64_t end_ms = w->begin_unix_ms + w->length_ms;
    begin_samples(h, w);
    put_ends(h, cache, end_ms, list, count);
    for (uint32_t i = 0; i < count; i++)
        put_sample(h, list[i].text, end_ms, SAMPLE_VALUE, list[i].share);
    if (batch_builder_samples(h->builder) > 0 && write_samples(h, why, why_size) != 0)
        return -1;
    remember(h, cache, end_ms, list, count);
    return 0;
}

int hot_keys_see(struct hot_keys *h, const struct batch_window *w, char *why, size_t why_size)
{
    struct hot_key list[KEYS_MOST];
    uint32_t count = find_hot(h, w, list);
    for (uint32_t i = 0; i < count; i++) {
        int result = mark_key(h, w, &list[i]);
        if (result == MARKS_EDISK) {
            marks_error(h->options.marks, why, why_size);
            return MARKS_EDISK;
        }
    }
    return tell_series(h, w, list, count, why, why_size) == 0 ? 0 : MARKS_EDISK;
}
