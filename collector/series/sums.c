// SPDX-License-Identifier: Apache-2.0
/* What a start does for series that are sums of deltas: it finds the last sample of each in the
 * newest blocks and puts the series into the head with that sum, so that deltas go on from there.
 * Blocks and series whose newest sample is older than the newest of all by the time after which a
 * series leaves the head are passed over: such a series would begin anew anyway, and would take the
 * place of one that lives. */
#include <errno.h>
#include <stdlib.h>

#include "collector/series/merge_input.h"
#include "collector/series/store_internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

struct loading {
    struct series_store *store;
    struct points points;
    struct column scratch;
    int64_t oldest_ms; /* what ended before it is not loaded */
    uint64_t series;
};

/* The last sample that is no marker of staleness, searched from the last chunk on. False: none, or
 * it cannot be read. */
static bool last_sample(struct loading *l, const struct merge_input *in, size_t *at)
{
    for (uint32_t c = in->chunk_count; c-- > 0;) {
        points_clear(&l->points);
        if (block_read_chunk(in->entry->block, &in->chunks[c], INT64_MIN, INT64_MAX, &l->scratch,
                             &l->points) != BLOCK_OK)
            return false;
        for (*at = l->points.count; *at > 0; --*at)
            if (!sample_is_stale(l->points.value[*at - 1]))
                return --*at, true;
    }
    return false;
}

static int take_sum(struct loading *l, struct head_series *series, const struct merge_input *in,
                    size_t at)
{
    const struct histogram *h = l->points.histogram ? l->points.histogram[at] : NULL;
    if (h) {
        series->histogram = calloc(1, sizeof *series->histogram);
        if (!series->histogram || running_histogram_set(series->histogram, h) != 0)
            return -1;
        l->store->head.histogram_bytes += running_histogram_bytes(series->histogram);
        series->is_histogram = true;
    } else {
        series->last_value = l->points.value[at];
        series->has_fractions = !stream_is_whole(series->last_value);
    }
    series->last_ms = in->chunks[in->chunk_count - 1].max_ms;
    series->has_samples = true;
    l->series++;
    return 0;
}

static int load_series(struct loading *l, const struct merge_input *in)
{
    struct series_store *s = l->store;
    struct series_key key = series_key_of(&in->labels);
    size_t at;
    if (head_find(&s->head, key) != HEAD_NO_SERIES || in->chunk_count == 0 ||
        in->chunks[in->chunk_count - 1].max_ms < l->oldest_ms ||
        (s->options.series_limit && head_count(&s->head) >= s->options.series_limit) ||
        !last_sample(l, in, &at))
        return 0;
    uint32_t number = head_add(&s->head, &in->labels, key);
    if (number == HEAD_NO_SERIES)
        return -1;
    struct head_series *series = head_series(&s->head, number);
    series->seen_s = (uint32_t)(clock_monotonic_ms() / 1000);
    return take_sum(l, series, in, at);
}

/* A block that is damaged gives what can be read of it. */
static int load_block(struct loading *l, struct block_entry *entry)
{
    struct merge_input in;
    int error = merge_input_init(&in, entry);
    if (error == 0)
        error = merge_input_next(&in);
    while (error == 0 && !in.done) {
        if (in.counts && load_series(l, &in) != 0)
            error = -ENOMEM;
        if (error == 0)
            error = merge_input_next(&in);
    }
    merge_input_fini(&in);
    return error == -ENOMEM ? -1 : 0;
}

int series_load_sums(struct series_store *s)
{
    struct loading l = {.store = s};
    struct block_edition *e = series_catalog_hold(s->catalog);
    int error = 0;
    l.oldest_ms = s->newest_ms;
    if (l.oldest_ms > INT64_MIN) /* there are samples */
        l.oldest_ms -= (int64_t)(s->options.idle_ns / 1000000);
    points_init(&l.points);
    for (size_t i = e->count; i-- > 0 && error == 0;) {
        const struct block_summary *b = e->entries[i]->summary;
        if (b->samples > 0 && b->max_ms >= l.oldest_ms)
            error = load_block(&l, e->entries[i]);
    }
    points_fini(&l.points);
    column_fini(&l.scratch);
    series_catalog_release(&e);
    if (l.series > 0)
        LOG_DEBUG("series %s: %llu sums go on", s->directory, (unsigned long long)l.series);
    return error;
}
