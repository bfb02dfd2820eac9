// SPDX-License-Identifier: Apache-2.0
#include "collector/archive/merged.h"

#include <stdio.h>
#include <stdlib.h>

#include "collector/archive/round.h"
#include "collector/series/points.h"

enum { PATH_BYTES = 4096 };
#define NOT_IN_STORE SIZE_MAX

struct joint { /* a series of the selection */
    size_t in_store;
    struct archive_entry *entry; /* NULL: the archive has none */
};

struct selected {
    struct series_selection store;
    int64_t oldest_ms; /* before it the store has aged out */
    struct joint *joints;
    struct labels *labels;
    struct archive_entry **entries;
    size_t entry_count;
};

/* ---- selecting --------------------------------------------------------------------------- */

/* Two sorted lists become one. */
static int join(struct selected *s, size_t *count)
{
    size_t room = s->store.count + s->entry_count + 1, i = 0, k = 0;
    s->joints = calloc(room, sizeof *s->joints);
    s->labels = calloc(room, sizeof *s->labels);
    if (!s->joints || !s->labels)
        return SERIES_ENOMEM;
    for (*count = 0; i < s->store.count || k < s->entry_count; ++*count) {
        int order = i == s->store.count ? 1
                    : k == s->entry_count
                        ? -1
                        : labels_compare(&s->store.labels[i], &s->entries[k]->labels);
        s->labels[*count] = order <= 0 ? s->store.labels[i] : s->entries[k]->labels;
        s->joints[*count].in_store = order <= 0 ? i++ : NOT_IN_STORE;
        s->joints[*count].entry = order >= 0 ? s->entries[k++] : NULL;
    }
    return SERIES_OK;
}

static void free_selected(struct selected *s)
{
    free(s->joints);
    free(s->labels);
    free((void *)s->entries);
    free(s);
}

int64_t merged_source_oldest_ms(const struct merged_source *m)
{
    int64_t oldest_ms = m->oldest_ms(m->context);
    return oldest_ms > 0 ? oldest_ms : INT64_MAX;
}

static int on_select(void *context, const struct matcher *matchers, size_t count, int64_t from_ms,
                     int64_t to_ms, struct series_selection *out)
{
    const struct merged_source *m = context;
    struct selected *s = calloc(1, sizeof *s);
    *out = (struct series_selection){0};
    if (!s)
        return SERIES_ENOMEM;
    s->oldest_ms = merged_source_oldest_ms(m);
    int error = m->store->select(m->store->context, matchers, count, from_ms, to_ms, &s->store);
    if (error != SERIES_OK) {
        free_selected(s);
        return error;
    }
    if (archive_entries_select(m->entries, matchers, count, from_ms, to_ms, from_ms < s->oldest_ms,
                               &s->entries, &s->entry_count) != 0)
        error = SERIES_ENOMEM;
    if (error == SERIES_OK)
        error = join(s, &out->count);
    if (error != SERIES_OK) {
        m->store->close(m->store->context, &s->store);
        free_selected(s);
        *out = (struct series_selection){0};
        return error;
    }
    out->labels = s->labels;
    out->handle = s;
    return SERIES_OK;
}

static void on_close(void *context, struct series_selection *selection)
{
    const struct merged_source *m = context;
    struct selected *s = selection->handle;
    if (!s)
        return;
    m->store->close(m->store->context, &s->store);
    free_selected(s);
    *selection = (struct series_selection){0};
}

/* ---- reading ----------------------------------------------------------------------------- */

/* Puts the archive's points before those that are there. */
static int put_before(struct points *out, const struct points *older)
{
    size_t count = out->count, more = older->count;
    if (more == 0)
        return SERIES_OK;
    if (points_reserve(out, more) != 0)
        return SERIES_ENOMEM;
    memmove(out->unix_ms + more, out->unix_ms, count * sizeof *out->unix_ms);
    memmove(out->value + more, out->value, count * sizeof *out->value);
    memcpy(out->unix_ms, older->unix_ms, more * sizeof *out->unix_ms);
    memcpy(out->value, older->value, more * sizeof *out->value);
    if (out->histogram) {
        memmove((void *)(out->histogram + more), (void *)out->histogram,
                count * sizeof(struct histogram *));
        memset((void *)out->histogram, 0, more * sizeof(struct histogram *));
    }
    out->start_unix_ms = NULL; /* it was of the store's points alone */
    out->count = count + more;
    return SERIES_OK;
}

static int read_entry(const struct merged_source *m, struct archive_entry *entry, int64_t from_ms,
                      int64_t to_ms, struct points *out)
{
    char path[PATH_BYTES];
    struct points older;
    snprintf(path, sizeof path, "%s/%s", m->directory, entry->file);
    points_init(&older);
    pthread_mutex_lock(&entry->lock);
    int error = round_read(path, atomic_load(&entry->last_s), from_ms, to_ms, &older);
    pthread_mutex_unlock(&entry->lock);
    if (error == SERIES_OK)
        error = put_before(out, &older);
    points_fini(&older);
    return error;
}

static int on_read(void *context, const struct series_selection *selection, size_t i,
                   int64_t from_ms, int64_t to_ms, struct points *out)
{
    const struct merged_source *m = context;
    const struct selected *s = selection->handle;
    const struct joint *j = &s->joints[i];
    int error = SERIES_OK;
    if (j->in_store == NOT_IN_STORE)
        points_clear(out);
    else
        error = m->store->read(m->store->context, &s->store, j->in_store, from_ms, to_ms, out);
    if (error != SERIES_OK || !j->entry)
        return error;
    if (j->entry->is_raw && to_ms >= s->oldest_ms)
        to_ms = s->oldest_ms - 1;
    if (out->count > 0 && to_ms >= out->unix_ms[0])
        to_ms = out->unix_ms[0] - 1;
    return from_ms <= to_ms ? read_entry(m, j->entry, from_ms, to_ms, out) : SERIES_OK;
}

void merged_source_init(struct merged_source *m)
{
    m->source = (struct series_source){m, on_select, on_read, on_close};
}
