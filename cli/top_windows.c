// SPDX-License-Identifier: Apache-2.0
#include "cli/top_windows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec/key_text.h"
#include "lib/model/distinct.h"

enum { GAP_MS = 1500, LATE_MS = 5000 };

void top_windows_fini(struct top_windows *w)
{
    free((void *)w->list);
    *w = (struct top_windows){0};
}

void top_windows_add(struct top_windows *w, const struct batch_window *window)
{
    if (w->count == w->room) {
        uint32_t room = w->room ? 2 * w->room : 32;
        const struct batch_window **list =
            realloc((void *)w->list, room * sizeof(const struct batch_window *));
        if (!list) {
            w->no_memory = true;
            return;
        }
        w->list = list;
        w->room = room;
    }
    w->list[w->count++] = window;
}

/* ---- which count -------------------------------------------------------------------------- */

static int compare_caches(const struct batch_window *a, const struct batch_window *b)
{
    int result = batch_str_compare(a->host, b->host);
    return result ? result : batch_str_compare(a->cache, b->cache);
}

static int64_t end_of(const struct batch_window *w)
{
    return w->begin_unix_ms + w->length_ms;
}

/* By cache, the newest first; of those that began at once the longest. */
static int in_order(const void *x, const void *y)
{
    const struct batch_window *a = *(const struct batch_window *const *)x,
                              *b = *(const struct batch_window *const *)y;
    int result = compare_caches(a, b);
    if (result)
        return result;
    if (a->begin_unix_ms != b->begin_unix_ms)
        return a->begin_unix_ms < b->begin_unix_ms ? 1 : -1;
    return (a->length_ms < b->length_ms) - (a->length_ms > b->length_ms);
}

static bool is_late(const struct batch_window *w, int64_t now_unix_ms)
{
    return end_of(w) + w->length_ms + LATE_MS < now_unix_ms;
}

void top_windows_settle(struct top_windows *w, int64_t now_unix_ms)
{
    uint32_t kept = 0, of_cache = 0;
    if (w->count > 0)
        qsort((void *)w->list, w->count, sizeof *w->list, in_order);
    for (uint32_t i = 0; i < w->count; i++) {
        const struct batch_window *window = w->list[i], *last = kept > 0 ? w->list[kept - 1] : NULL;
        if (!last || compare_caches(last, window) != 0)
            of_cache = 0;
        bool counts = of_cache == 0
                          ? !is_late(window, now_unix_ms)
                          : of_cache == 1 && llabs(last->begin_unix_ms - end_of(window)) <= GAP_MS;
        if (!counts)
            continue;
        w->list[kept++] = window;
        of_cache++;
    }
    w->count = kept;
}

/* ---- sums --------------------------------------------------------------------------------- */

struct part {
    const struct window_entry *entry;
    const struct window_list *list;
};

struct sum {
    struct part *parts;
    size_t count;
    double total, rest, commands;
    int64_t begin_ms, end_ms;
    struct distinct keys;
};

static enum window_kind kind_of(const struct top_question *q)
{
    static const enum window_kind keys[] = {WINDOW_KEYS_BY_CALLS, WINDOW_KEYS_BY_BYTES,
                                            WINDOW_KEYS_BY_MISSES};
    return q->view == TOP_PATTERNS  ? WINDOW_PATTERNS
           : q->view == TOP_CLIENTS ? WINDOW_CLIENTS
                                    : keys[q->by];
}

static bool is_of(const struct batch_window *w, const char *cache)
{
    return !*cache || batch_str_is(w->cache, cache);
}

static void gather_window(struct sum *s, const struct batch_window *w, enum window_kind kind)
{
    const struct window_list *list = &w->lists[kind];
    struct distinct keys;
    memcpy(keys.registers, w->registers, sizeof keys.registers);
    distinct_merge(&s->keys, &keys);
    s->total += (double)list->total;
    s->rest += (double)list->rest;
    s->commands += (double)w->commands;
    if (s->end_ms == 0 || w->begin_unix_ms < s->begin_ms)
        s->begin_ms = w->begin_unix_ms;
    if (end_of(w) > s->end_ms)
        s->end_ms = end_of(w);
    for (uint32_t i = 0; i < list->count; i++)
        s->parts[s->count++] = (struct part){&list->entries[i], list};
}

static int by_hash(const void *x, const void *y)
{
    const struct part *a = x, *b = y;
    return (a->entry->hash > b->entry->hash) - (a->entry->hash < b->entry->hash);
}

/* -1: no memory. The parts are sorted, so that those of a key stand together. */
static int gather(const struct top_windows *w, const char *cache, enum window_kind kind,
                  struct sum *s)
{
    size_t most = 0;
    *s = (struct sum){.count = 0};
    for (uint32_t i = 0; i < w->count; i++)
        most += w->list[i]->lists[kind].count;
    s->parts = malloc((most + 1) * sizeof *s->parts);
    if (!s->parts)
        return -1;
    for (uint32_t i = 0; i < w->count; i++)
        if (is_of(w->list[i], cache))
            gather_window(s, w->list[i], kind);
    qsort(s->parts, s->count, sizeof *s->parts, by_hash);
    return 0;
}

static double seconds_of(const struct sum *s)
{
    return s->end_ms > s->begin_ms ? (double)(s->end_ms - s->begin_ms) / 1e3 : NAN;
}

/* ---- rows --------------------------------------------------------------------------------- */

struct folded {
    const struct window_entry *entry; /* of one of its parts */
    double calls, bytes, misses, error;
};

/* The parts of one key, from `at` on. Where a list has it not, it may have had the list's rest. */
static size_t fold(const struct sum *s, size_t at, struct folded *out)
{
    size_t i = at;
    *out = (struct folded){.entry = s->parts[at].entry, .error = s->rest};
    for (; i < s->count && s->parts[i].entry->hash == out->entry->hash; i++) {
        const struct window_entry *e = s->parts[i].entry;
        out->calls += (double)e->calls;
        out->bytes += (double)e->bytes;
        out->misses += (double)e->misses;
        out->error += (double)e->error - (double)s->parts[i].list->rest;
    }
    return i;
}

static void put_name(struct buffer *out, const struct window_entry *e)
{
    buffer_clear(out);
    key_text(out, e->key);
    if (e->full_length > e->key.length)
        buffer_text(out, "…");
}

static void add_row(struct top_table *t, const struct folded *f, double seconds, double all_calls)
{
    struct buffer name = {0};
    struct top_row *row = top_table_add(t);
    if (!row)
        return;
    put_name(&name, f->entry);
    top_set_text(t, row, top_view_info(t->view)->columns[0].name, buffer_cstring(&name),
                 name.length);
    buffer_fini(&name);
    top_set_number(t, row, "calls", f->calls);
    top_set_number(t, row, "size_bytes", f->bytes / f->calls);
    top_set_number(t, row, "requests_per_s", f->calls / seconds);
    top_set_number(t, row, "bytes_per_s", f->bytes / seconds);
    top_set_number(t, row, "misses", f->misses);
    top_set_number(t, row, "share", f->calls / all_calls);
    top_set_number(t, row, "error", f->error);
    t->totals.error_most = fmax(t->totals.error_most, f->error);
}

void top_windows_rows(const struct top_windows *w, const struct top_question *q,
                      struct top_table *t)
{
    struct sum s;
    struct folded f;
    enum window_kind kind = kind_of(q);
    if (gather(w, q->cache, kind, &s) != 0) {
        t->no_memory = true;
        return;
    }
    bool by_calls = kind != WINDOW_KEYS_BY_BYTES && kind != WINDOW_KEYS_BY_MISSES;
    double seconds = seconds_of(&s), calls = by_calls ? s.total : s.commands;
    t->totals.seconds = seconds;
    t->totals.per_second = calls / seconds;
    t->totals.rest = s.rest;
    t->totals.distinct = distinct_count(&s.keys);
    t->totals.error_most = 0;
    for (size_t at = 0; at < s.count;) {
        at = fold(&s, at, &f);
        add_row(t, &f, seconds, calls);
    }
    free(s.parts);
}

bool top_windows_hottest(const struct top_windows *w, const char *cache, char key[TOP_LINE],
                         double *share, double *per_second)
{
    struct sum s;
    struct folded f, most = {.calls = 0};
    struct buffer name = {0};
    if (gather(w, cache, WINDOW_KEYS_BY_CALLS, &s) != 0)
        return false;
    for (size_t at = 0; at < s.count;) {
        at = fold(&s, at, &f);
        if (f.calls > most.calls)
            most = f;
    }
    if (most.entry) {
        struct top_table t;
        top_table_init(&t, TOP_KEYS);
        put_name(&name, most.entry);
        top_set_hottest(&t, buffer_cstring(&name), "", 0, 0);
        memcpy(key, t.hottest, TOP_LINE);
        *share = most.calls / s.total;
        *per_second = most.calls / seconds_of(&s);
    }
    buffer_fini(&name);
    free(s.parts);
    return most.entry != NULL;
}
