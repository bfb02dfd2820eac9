// SPDX-License-Identifier: Apache-2.0
#include "collector/series/merge_input.h"

#include <errno.h>
#include <string.h>

#include "collector/series/store_internal.h"

enum { PAGES_BYTES_MAX = 32 << 20 };

int merge_error(int block_error)
{
    return block_error == BLOCK_OK       ? 0
           : block_error == BLOCK_ENOMEM ? -ENOMEM
           : block_error == BLOCK_EIO    ? -EIO
                                         : -EBADMSG;
}

int merge_input_init(struct merge_input *in, struct block_entry *entry)
{
    *in = (struct merge_input){.entry = entry};
    arena_init(&in->pages, 256 << 10);
    arena_init(&in->now, 4 << 10);
    return merge_error(block_reader_init(&in->reader, entry->block, &in->pages));
}

void merge_input_fini(struct merge_input *in)
{
    block_reader_fini(&in->reader);
    arena_fini(&in->pages);
    arena_fini(&in->now);
}

static void trim(struct merge_input *in)
{
    if (in->pages.total_bytes < PAGES_BYTES_MAX)
        return;
    arena_fini(&in->pages);
    arena_init(&in->pages, 256 << 10);
    block_reader_forget(&in->reader);
}

static int copy_labels(struct merge_input *in, const struct block_series *series)
{
    struct label *items = arena_alloc(&in->now, (series->pair_count + 1) * sizeof *items);
    if (!items)
        return -ENOMEM;
    for (uint32_t i = 0; i < series->pair_count; i++) {
        struct batch_str text;
        int error = block_value(&in->reader, series->pairs[2 * i], series->pairs[2 * i + 1], &text);
        if (error != BLOCK_OK)
            return merge_error(error);
        const char *bytes = arena_copy(&in->now, text.bytes, text.length);
        if (!bytes)
            return -ENOMEM;
        items[i].name = block_name_text(in->entry->block, series->pairs[2 * i]);
        items[i].value = (struct batch_str){bytes, text.length};
    }
    in->labels = (struct labels){items, series->pair_count};
    return 0;
}

int merge_input_next(struct merge_input *in)
{
    const struct block_series *series;
    if (in->next == in->entry->summary->series) {
        in->done = true;
        return 0;
    }
    arena_reset(&in->now);
    trim(in);
    int error = merge_error(block_series(&in->reader, in->next, &series));
    if (error == 0)
        error = copy_labels(in, series);
    if (error != 0)
        return error;
    in->next++;
    in->counts = series->counts;
    in->chunk_count = series->chunk_count;
    in->chunks = series->chunks;
    return 0;
}

static bool concerns(const struct merge_input *in, const struct tombstone *t)
{
    return series_is_concerned(t, in->entry->summary->last, atomic_load(&in->entry->cleaned)) &&
           tombstone_matches(t, &in->labels);
}

bool merge_input_is_concerned(const struct merge_input *in, const struct tombstones *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (concerns(in, &t->items[i]))
            return true;
    return false;
}

int merge_input_read(const struct merge_input *in, const struct tombstones *t,
                     struct column *scratch, struct points *out)
{
    size_t before = out->count;
    for (uint32_t i = 0; i < in->chunk_count; i++) {
        int error =
            block_read_chunk(in->entry->block, &in->chunks[i], INT64_MIN, INT64_MAX, scratch, out);
        if (error != BLOCK_OK)
            return merge_error(error);
    }
    for (size_t i = 0; t && i < t->count; i++) {
        const struct tombstone *one = &t->items[i];
        struct time_range range = {one->from_ms, one->to_ms};
        if (concerns(in, one))
            points_remove(out, before, &range, 1);
    }
    return 0;
}
