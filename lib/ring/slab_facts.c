// SPDX-License-Identifier: Apache-2.0
/* What a process file says besides spans: names, the process' resource, losses. */
#include <stdlib.h>

#include "lib/ring/slab_reader_internal.h"

static bool add_name(struct slab_reader *r, uint32_t offset, uint32_t length)
{
    if (r->name_count == r->name_capacity) {
        uint32_t capacity = r->name_capacity ? r->name_capacity * 2 : 64;
        struct name_view *names = realloc(r->names, capacity * sizeof *names);
        if (!names)
            return false;
        r->names = names;
        r->name_capacity = capacity;
    }
    r->names[r->name_count++] = (struct name_view){offset, length};
    return true;
}

/* Copies what was added to the name table since and cuts it into entries. */
static void refresh_names(struct slab_reader *r)
{
    const struct slab_file *shared = (const struct slab_file *)r->fixed;
    uint64_t used;
    /* pairs with the release in append() of client/names.c */
    if (!load64(&shared->names_used, &used) || used > r->file.names_bytes ||
        used <= r->names_copied)
        return;
    if (!r->names_copy && !(r->names_copy = malloc(r->file.names_bytes)))
        return;
    uint64_t at = r->names_copied;
    if (!copy_out(r->names_copy + at, r->fixed + r->file.names_offset + at, used - at))
        return;
    r->names_copied = used;
    while (used - at > sizeof(uint16_t) && r->name_count < SLAB_NAMES_MAX) {
        uint16_t length;
        memcpy(&length, r->names_copy + at, sizeof length);
        if (length > used - at - sizeof length ||
            !add_name(r, (uint32_t)(at + sizeof length), length))
            return;
        at += (sizeof length + length + 3) & ~3ul;
        if (at > used)
            return;
    }
}

const char *slab_name(struct slab_reader *r, uint32_t number, size_t *length)
{
    if (number > r->name_count)
        refresh_names(r);
    if (number == 0 || number > r->name_count) {
        *length = 0;
        return NULL;
    }
    *length = r->names[number - 1].length;
    return r->names_copy + r->names[number - 1].offset;
}

const char *slab_resource(struct slab_reader *r, uint32_t *used)
{
    *used = 0;
    if (!r->resource_copy) {
        char *copy = malloc(r->file.resource_bytes + 1);
        if (!copy || !copy_out(copy, r->fixed + r->file.resource_offset, r->file.resource_bytes)) {
            free(copy);
            return "";
        }
        r->resource_copy = copy;
    }
    *used = (uint32_t)r->file.resource_bytes;
    return r->resource_copy;
}

uint64_t slab_lost(struct slab_reader *r, unsigned reason)
{
    const struct slab_file *shared = (const struct slab_file *)r->fixed;
    uint64_t sum = 0, count;
    if (reason >= SLAB_LOSS_REASONS)
        return 0;
    if (load64(&shared->lost[reason], &count))
        sum = count;
    for (uint32_t i = 0; i < r->thread_count; i++)
        if (load64(&thread_header(&r->threads[i])->lost[reason], &count))
            sum += count;
    return sum;
}
