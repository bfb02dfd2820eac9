// SPDX-License-Identifier: Apache-2.0
/* A sealed generation becomes a block: its series are sorted by their labels, the streams of each
 * are decoded and written as chunks. Nothing in a sealed generation changes, and neither do the
 * labels of its series, so all of that is read without the lock. Afterwards the generation is
 * retired: when nobody reads it any more its series forget it, and what it took is given back. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "collector/series/disk/writer.h"
#include "collector/series/store_internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { TIDY_SLICE = 2048 };

static int by_labels(const void *left, const void *right, void *context)
{
    const struct head *h = context;
    const struct head_series *a = head_series(h, (*(struct head_run *const *)left)->series);
    const struct head_series *b = head_series(h, (*(struct head_run *const *)right)->series);
    for (uint32_t i = 0; i < a->pair_count && i < b->pair_count; i++) {
        if (a->pairs[i] == b->pairs[i])
            continue;
        const struct label_pair *p = label_pair(&h->labels, a->pairs[i]);
        const struct label_pair *q = label_pair(&h->labels, b->pairs[i]);
        int order = p->name == q->name ? 0 : batch_str_compare(p->name->text, q->name->text);
        return order ? order : batch_str_compare(p->value, q->value);
    }
    return (a->pair_count > b->pair_count) - (a->pair_count < b->pair_count);
}

struct cut {
    struct series_store *store;
    const struct series_generation *g;
    struct block_writer *writer;
    struct points points;
    struct column scratch;
};

static int put_run(struct cut *c, const struct head_run *run)
{
    struct label items[LABELS_MAX];
    struct labels labels;
    const struct head_series *series = head_series(&c->store->head, run->series);
    points_clear(&c->points);
    if (series_read_run(run, NULL, INT64_MIN, INT64_MAX, &c->scratch, &c->points) != 0 ||
        series_settle_points(&c->points) != 0)
        return -ENOMEM;
    head_labels(&c->store->head, series, items, &labels);
    int error = block_writer_points(c->writer, &c->points);
    return error ? error : block_writer_series(c->writer, &labels, run->counts);
}

static int put_runs(struct cut *c)
{
    size_t count = c->g->count;
    struct head_run **sorted = malloc((count + 1) * sizeof(struct head_run *));
    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        sorted[i] = c->g->runs[i];
    qsort_r((void *)sorted, count, sizeof(struct head_run *), by_labels, &c->store->head);
    int error = 0;
    for (size_t i = 0; i < count && error == 0; i++) {
        error = put_run(c, sorted[i]);
        if (error == 0 && (i & 1023) == 0 && wakeup_is_stopping(&c->store->wakeup))
            error = -ECANCELED;
    }
    free((void *)sorted);
    return error;
}

static int put_metadata(struct cut *c)
{
    struct arena arena;
    struct series_metadata *list;
    size_t count;
    arena_init(&arena, 64 << 10);
    int error = metadata_list(&c->store->metadata, NULL, &arena, &list, &count) == 0 ? 0 : -ENOMEM;
    for (size_t i = 0; i < count && error == 0; i++)
        error = block_writer_metadata(c->writer, &list[i]);
    arena_fini(&arena);
    return error;
}

static int write_all(struct cut *c, int fd, struct block_summary *summary)
{
    points_init(&c->points);
    c->writer = block_writer_create(fd);
    int error = c->writer ? put_runs(c) : -ENOMEM;
    if (error == 0)
        error = put_metadata(c);
    if (error == 0)
        error = block_writer_finish(c->writer, summary);
    block_writer_destroy(&c->writer);
    points_fini(&c->points);
    column_fini(&c->scratch);
    return error;
}

/* ---- taking its place -------------------------------------------------------------------- */

struct exchange {
    struct series_store *store;
    struct series_generation *g;
};

static void exchange(void *context, struct block_edition *fresh)
{
    struct exchange *e = context;
    struct series_store *s = e->store;
    pthread_rwlock_wrlock(&s->lock);
    series_catalog_publish(s->catalog, fresh);
    s->stats.cuts++;
    s->count--;
    for (unsigned i = 0; i < s->count; i++)
        s->ring[i] = s->ring[i + 1];
    e->g->retired = true;
    s->retired[s->retired_count++] = e->g;
    pthread_rwlock_unlock(&s->lock);
}

static uint64_t accepted_before(struct series_store *s)
{
    struct block_edition *e = series_catalog_hold(s->catalog);
    const struct block_summary *last = e->count ? e->entries[e->count - 1]->summary : NULL;
    uint64_t before = last ? last->samples_before + last->accepted : 0;
    series_catalog_release(&e);
    return before;
}

int series_cut(struct series_store *s, struct series_generation *g)
{
    struct block_summary summary = {
        .first = g->number,
        .last = g->number,
        .samples_before = accepted_before(s),
        .accepted = g->samples,
        .ledger_end = g->ledger_end,
        .ledger_begun_unix_ns = s->options.ledger_begun_unix_ns,
        .created_unix_ns = clock_unix_ns(),
    };
    struct cut c = {.store = s, .g = g};
    int fd = series_catalog_create(s->catalog, g->number, g->number);
    if (fd < 0)
        return fd;
    int error = write_all(&c, fd, &summary);
    if (error != 0) {
        close(fd);
        series_catalog_discard(s->catalog, g->number, g->number);
        return error;
    }
    error = series_catalog_install(s->catalog, fd, g->number, g->number, exchange,
                                   &(struct exchange){s, g});
    if (error == 0)
        LOG_DEBUG("block %llu: %llu samples of %u series, %llu bytes",
                  (unsigned long long)summary.first, (unsigned long long)summary.samples,
                  summary.series, (unsigned long long)summary.file_bytes);
    return error;
}

/* ---- afterwards -------------------------------------------------------------------------- */

/* Under the write lock. */
static void forget_run(struct series_store *s, const struct head_run *run)
{
    struct head_series *series = head_series(&s->head, run->series);
    struct head_run **place = &series->runs;
    while (*place && *place != run)
        place = &(*place)->older;
    if (*place)
        *place = NULL; /* what is older is retired too */
}

static void forget_runs(struct series_store *s, const struct series_generation *g)
{
    for (uint32_t first = 0; first < g->count; first += TIDY_SLICE) {
        pthread_rwlock_wrlock(&s->lock);
        for (uint32_t i = first; i < g->count && i < first + TIDY_SLICE; i++)
            forget_run(s, g->runs[i]);
        pthread_rwlock_unlock(&s->lock);
    }
}

static void drop_idle(struct series_store *s)
{
    uint32_t now_s = (uint32_t)(clock_monotonic_ms() / 1000);
    uint32_t idle_s = (uint32_t)(s->options.idle_ns / 1000000000);
    for (uint32_t first = 0;; first += TIDY_SLICE) {
        pthread_rwlock_wrlock(&s->lock);
        uint32_t end = s->head.numbers;
        for (uint32_t i = first; i < end && i < first + TIDY_SLICE && !s->appending; i++) {
            struct head_series *series = head_series(&s->head, i);
            if (series->is_used && !series->runs &&
                (int32_t)(now_s - series->seen_s) > (int32_t)idle_s)
                head_drop(&s->head, i);
        }
        pthread_rwlock_unlock(&s->lock);
        if (first + TIDY_SLICE >= end)
            return;
    }
}

/* The oldest one that was retired, if nobody reads it. */
static struct series_generation *to_forget(struct series_store *s)
{
    pthread_rwlock_rdlock(&s->lock);
    struct series_generation *g = s->retired_count > 0 ? s->retired[0] : NULL;
    if (g && atomic_load(&g->references) > 1)
        g = NULL;
    pthread_rwlock_unlock(&s->lock);
    return g;
}

void series_tidy(struct series_store *s)
{
    struct series_generation *g;
    bool forgot = false;
    while ((g = to_forget(s)) != NULL) {
        forget_runs(s, g);
        pthread_rwlock_wrlock(&s->lock);
        s->retired_count--;
        for (unsigned i = 0; i < s->retired_count; i++)
            s->retired[i] = s->retired[i + 1];
        pthread_rwlock_unlock(&s->lock);
        series_generation_destroy(&g);
        forgot = true;
    }
    if (!forgot)
        return;
    drop_idle(s);
    wakeup_all(&s->wakeup);
}
