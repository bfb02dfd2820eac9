// SPDX-License-Identifier: Apache-2.0
#include "collector/series/reach.h"

#include "collector/series/store_internal.h"

/* Adds what [min, max] has of [from, to]. */
static void add(struct time_range *out, int64_t min_ms, int64_t max_ms, int64_t from_ms,
                int64_t to_ms)
{
    if (min_ms > to_ms || max_ms < from_ms)
        return;
    if (min_ms < from_ms)
        min_ms = from_ms;
    if (max_ms > to_ms)
        max_ms = to_ms;
    if (min_ms < out->from_ms)
        out->from_ms = min_ms;
    if (max_ms > out->to_ms)
        out->to_ms = max_ms;
}

bool reach_of_run(const struct head_run *run, int64_t from_ms, int64_t to_ms,
                  struct time_range *out)
{
    *out = (struct time_range){INT64_MAX, INT64_MIN};
    if (run->front.count > 0)
        add(out, run->front.min_ms, run->front_last->max_ms, from_ms, to_ms);
    for (const struct stream *late = run->late; late; late = late->next)
        add(out, late->min_ms, late->max_ms, from_ms, to_ms);
    return out->from_ms <= out->to_ms;
}

bool reach_of_chunks(const struct block_chunk *chunks, uint32_t count, int64_t from_ms,
                     int64_t to_ms, struct time_range *out)
{
    *out = (struct time_range){INT64_MAX, INT64_MIN};
    for (uint32_t i = 0; i < count; i++)
        add(out, chunks[i].min_ms, chunks[i].max_ms, from_ms, to_ms);
    return out->from_ms <= out->to_ms;
}

bool reach_is_deleted(const struct tombstones *t, const struct labels *labels, uint64_t last,
                      uint64_t cleaned, struct time_range reach)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct tombstone *one = &t->items[i];
        if (series_is_concerned(one, last, cleaned) && one->from_ms <= reach.from_ms &&
            one->to_ms >= reach.to_ms && tombstone_matches(one, labels))
            return true;
    }
    return false;
}
