// SPDX-License-Identifier: Apache-2.0
/* Neighbouring blocks become one: fewer files to ask, larger chunks, and what was deleted goes.
 *
 * Blocks are merged when the two hours in which they end are over, then when the six hours are,
 * the eighteen, and so on, up to a tenth of the time that blocks are kept. Within two hours that
 * are not over four blocks of about the same size become one, so that a head with little memory
 * does not leave many files. A sample is rewritten some five times in its life.
 *
 * Chunks that are large and follow each other go as they are.
 *
 * Memory: the samples of one series, pages of each input, and the index of what is written.
 * I/O: series_store_options.merge_bytes_s.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/series/disk/writer.h"
#include "collector/series/merge_input.h"
#include "collector/series/store_internal.h"
#include "collector/store/pace.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { MERGE_MOST = 64, TIER_FAN = 4, TIERS = 12, STEP = 3 };
enum { TIER_BYTES_FIRST = 64 << 10, CHUNK_LARGE = 384 };
#define MERGE_BYTES_MAX    (UINT64_C(64) << 30)
#define LARGEST_DEFAULT_MS (INT64_C(54) * 3600000)

/* ---- which ------------------------------------------------------------------------------- */

struct choice {
    size_t first, count;
};

/* Up to when the block and all before it go. */
static int64_t end_of(const struct block_edition *e, size_t i)
{
    int64_t end = INT64_MIN;
    for (size_t k = 0; k <= i; k++)
        if (e->entries[k]->summary->samples > 0 && e->entries[k]->summary->max_ms > end)
            end = e->entries[k]->summary->max_ms;
    return end;
}

static int64_t window_of(int64_t unix_ms, int64_t window_ms)
{
    int64_t window = unix_ms / window_ms;
    return unix_ms % window_ms < 0 ? window - 1 : window;
}

static bool may_merge(const struct block_edition *e, size_t i, uint64_t *bytes)
{
    *bytes += e->entries[i]->summary->file_bytes;
    return *bytes <= MERGE_BYTES_MAX && !block_damage(e->entries[i]->block, NULL, 0);
}

/* The first run of blocks that end in one window which is over. */
static bool choose_window(const struct block_edition *e, int64_t window_ms, struct choice *c)
{
    int64_t newest = window_of(end_of(e, e->count - 1), window_ms);
    for (size_t first = 0; first < e->count; first += c->count) {
        int64_t window = window_of(end_of(e, first), window_ms);
        uint64_t bytes = 0;
        *c = (struct choice){first, 0};
        while (first + c->count < e->count && c->count < MERGE_MOST &&
               window_of(end_of(e, first + c->count), window_ms) == window &&
               may_merge(e, first + c->count, &bytes))
            c->count++;
        if (c->count > 1 && window < newest)
            return true;
        if (c->count == 0)
            c->count = 1; /* a damaged one, or too large */
    }
    return false;
}

static unsigned tier_of(const struct block_entry *entry)
{
    unsigned tier = 0;
    for (uint64_t most = TIER_BYTES_FIRST; entry->summary->file_bytes > most && tier < TIERS;
         most *= TIER_FAN)
        tier++;
    return tier;
}

/* Four that are of one tier and end in the same two hours, the smallest first. */
static bool choose_tier(const struct block_edition *e, struct choice *c)
{
    for (unsigned tier = 0; tier < TIERS; tier++) {
        for (size_t first = 0; first + TIER_FAN <= e->count; first++) {
            uint64_t bytes = 0;
            size_t count = 0;
            int64_t window = window_of(end_of(e, first), SERIES_WINDOW_MS);
            while (count < TIER_FAN && tier_of(e->entries[first + count]) <= tier &&
                   window_of(end_of(e, first + count), SERIES_WINDOW_MS) == window &&
                   may_merge(e, first + count, &bytes))
                count++;
            *c = (struct choice){first, count};
            if (count == TIER_FAN)
                return true;
        }
    }
    return false;
}

static int choose(struct series_store *s, const struct block_edition *e, const struct tombstones *t,
                  struct choice *c)
{
    int64_t largest =
        s->options.max_age_ns ? (int64_t)(s->options.max_age_ns / 10000000) : LARGEST_DEFAULT_MS;
    if (e->count == 0)
        return 0;
    for (int64_t window = SERIES_WINDOW_MS; window == SERIES_WINDOW_MS || window <= largest;
         window *= STEP)
        if (choose_window(e, window, c))
            return 1;
    if (choose_tier(e, c))
        return 1;
    for (size_t i = 0; i < e->count; i++) {
        int needs = block_damage(e->entries[i]->block, NULL, 0)
                        ? 0
                        : series_needs_cleaning(e->entries[i], t);
        *c = (struct choice){i, 1};
        if (needs != 0)
            return needs < 0 ? -ENOMEM : 1;
    }
    return 0;
}

/* ---- merging ----------------------------------------------------------------------------- */

struct merge {
    struct series_store *store;
    struct merge_input inputs[MERGE_MOST];
    size_t count;
    const struct tombstones *tombstones;
    struct block_writer *writer;
    struct points points;
    struct column scratch;
    struct pace pace;
};

static const struct merge_input *least_of(const struct merge *m)
{
    const struct merge_input *least = NULL;
    for (size_t i = 0; i < m->count; i++) {
        const struct merge_input *in = &m->inputs[i];
        if (!in->done && (!least || labels_compare(&in->labels, &least->labels) < 0))
            least = in;
    }
    return least;
}

struct series_merge { /* of one series */
    struct label items[LABELS_MAX];
    struct labels labels;
    bool has[MERGE_MOST], counts;
};

/* Whether all chunks follow each other in time, and nothing of them was deleted. */
static bool is_in_order(const struct merge *m, const struct series_merge *sm)
{
    bool begun = false;
    int64_t last = 0;
    for (size_t i = 0; i < m->count; i++) {
        const struct merge_input *in = &m->inputs[i];
        if (!sm->has[i])
            continue;
        if (merge_input_is_concerned(in, m->tombstones))
            return false;
        for (uint32_t c = 0; c < in->chunk_count; c++) {
            if (begun && in->chunks[c].min_ms <= last)
                return false;
            begun = true;
            last = in->chunks[c].max_ms;
        }
    }
    return true;
}

static int put_points(struct merge *m)
{
    int error = block_writer_points(m->writer, &m->points);
    points_clear(&m->points);
    return error;
}

/* A chunk that is large goes as it is, after what was gathered of smaller ones. */
static int put_chunk(struct merge *m, const struct merge_input *in, const struct block_chunk *chunk)
{
    if (chunk->samples < CHUNK_LARGE)
        return merge_error(block_read_chunk(in->entry->block, chunk, INT64_MIN, INT64_MAX,
                                            &m->scratch, &m->points));
    int error = put_points(m);
    if (error == 0)
        error = merge_error(block_chunk_bytes(in->entry->block, chunk, &m->scratch));
    return error ? error : block_writer_chunk(m->writer, chunk, m->scratch.bytes);
}

static int put_in_order(struct merge *m, const struct series_merge *sm)
{
    int error = 0;
    for (size_t i = 0; i < m->count; i++)
        for (uint32_t c = 0; sm->has[i] && c < m->inputs[i].chunk_count && error == 0; c++)
            error = put_chunk(m, &m->inputs[i], &m->inputs[i].chunks[c]);
    return error ? error : put_points(m);
}

/* All samples are read; of one time the later input's counts. */
static int put_sorted(struct merge *m, const struct series_merge *sm)
{
    int error = 0;
    for (size_t i = 0; i < m->count && error == 0; i++)
        if (sm->has[i])
            error = merge_input_read(&m->inputs[i], m->tombstones, &m->scratch, &m->points);
    if (error == 0 && series_settle_points(&m->points) != 0)
        error = -ENOMEM;
    return error ? error : put_points(m);
}

static int merge_series(struct merge *m, const struct merge_input *least)
{
    struct series_merge sm = {.labels = {sm.items, least->labels.count}};
    memcpy(sm.items, least->labels.items, sm.labels.count * sizeof *sm.items);
    for (size_t i = 0; i < m->count; i++) {
        const struct merge_input *in = &m->inputs[i];
        sm.has[i] = !in->done && labels_equal(&in->labels, &sm.labels);
        if (sm.has[i])
            sm.counts = in->counts;
    }
    points_clear(&m->points);
    int error = is_in_order(m, &sm) ? put_in_order(m, &sm) : put_sorted(m, &sm);
    if (error == 0)
        error = block_writer_series(m->writer, &sm.labels, sm.counts);
    for (size_t i = 0; i < m->count && error == 0; i++)
        if (sm.has[i])
            error = merge_input_next(&m->inputs[i]);
    return error;
}

static int merge_all(struct merge *m)
{
    const struct merge_input *least;
    int error = 0;
    for (size_t i = 0; i < m->count && error == 0; i++)
        error = merge_input_next(&m->inputs[i]);
    for (uint64_t n = 0; error == 0 && (least = least_of(m)) != NULL; n++) {
        error = merge_series(m, least);
        if (error == 0 && (n & 255) == 0)
            error = pace_keep(&m->pace, block_writer_bytes(m->writer));
    }
    return error;
}

static int put_metadata(struct merge *m)
{
    struct arena arena;
    struct series_metadata *list;
    size_t count;
    arena_init(&arena, 64 << 10);
    int error = metadata_list(&m->store->metadata, NULL, &arena, &list, &count) == 0 ? 0 : -ENOMEM;
    for (size_t i = 0; i < count && error == 0; i++)
        error = block_writer_metadata(m->writer, &list[i]);
    arena_fini(&arena);
    return error;
}

static int write_all(struct merge *m, const struct block_edition *e, struct choice c, int fd,
                     struct block_summary *summary)
{
    int error = 0;
    m->pace = pace_begin(&m->store->wakeup, m->store->options.merge_bytes_s);
    m->writer = block_writer_create(fd);
    points_init(&m->points);
    for (; m->count < c.count && error == 0; m->count++)
        error = merge_input_init(&m->inputs[m->count], e->entries[c.first + m->count]);
    if (error == 0)
        error = m->writer ? merge_all(m) : -ENOMEM;
    if (error == 0)
        error = put_metadata(m);
    if (error == 0)
        error = block_writer_finish(m->writer, summary);
    for (size_t i = 0; i < m->count; i++)
        merge_input_fini(&m->inputs[i]);
    block_writer_destroy(&m->writer);
    points_fini(&m->points);
    column_fini(&m->scratch);
    return error;
}

static struct block_summary sum_up(const struct block_edition *e, struct choice c,
                                   const struct tombstones *t)
{
    const struct block_summary *oldest = e->entries[c.first]->summary;
    const struct block_summary *newest = e->entries[c.first + c.count - 1]->summary;
    return (struct block_summary){
        .first = oldest->first,
        .last = newest->last,
        .samples_before = oldest->samples_before,
        .accepted = newest->samples_before + newest->accepted - oldest->samples_before,
        .ledger_end = newest->ledger_end,
        .ledger_begun_unix_ns = newest->ledger_begun_unix_ns,
        .created_unix_ns = clock_unix_ns(),
        .cleaned = t->next_sequence - 1,
    };
}

static int merge(struct series_store *s, const struct block_edition *e, struct choice c,
                 const struct tombstones *t)
{
    struct block_summary summary = sum_up(e, c, t);
    struct merge *m = calloc(1, sizeof *m);
    if (!m)
        return -ENOMEM;
    m->store = s;
    m->tombstones = t;
    int fd = series_catalog_create(s->catalog, summary.first, summary.last);
    int error = fd < 0 ? fd : write_all(m, e, c, fd, &summary);
    free(m);
    if (fd >= 0 && error != 0) {
        close(fd);
        series_catalog_discard(s->catalog, summary.first, summary.last);
    }
    if (error == 0)
        error = series_catalog_install(s->catalog, fd, summary.first, summary.last, NULL, NULL);
    if (error == 0)
        LOG_DEBUG("blocks %llu to %llu merged: %llu samples of %u series, %llu bytes",
                  (unsigned long long)summary.first, (unsigned long long)summary.last,
                  (unsigned long long)summary.samples, summary.series,
                  (unsigned long long)summary.file_bytes);
    return error;
}

int series_merge(struct series_store *s)
{
    struct choice c;
    pthread_rwlock_rdlock(&s->lock);
    struct tombstones *t = tombstones_hold(s->tombstones);
    struct block_edition *e = series_catalog_hold(s->catalog);
    pthread_rwlock_unlock(&s->lock);
    int result = choose(s, e, t, &c);
    if (result == 1) {
        int error = merge(s, e, c, t);
        result = error == 0 ? 1 : error;
    }
    series_catalog_release(&e);
    tombstones_release(&t);
    return result;
}
