// SPDX-License-Identifier: Apache-2.0
#include "agent/cursors.h"

#include <stdlib.h>
#include <string.h>

/* An entry: this head, then `threads` positions of 8 bytes, then the generation of the statistics
 * if the flag says so. Host byte order: the spool does not leave the host. */
enum { FLAG_REAPED = 1, FLAG_STATS = 2 };

struct entry_head {
    uint8_t uuid[16];
    uint32_t threads;
    uint32_t flags;
    uint64_t lost[SLAB_LOSS_REASONS];
};

struct cursors {
    struct entry {
        struct entry_head head;
        uint64_t *positions;
        uint64_t generation; /* of FLAG_STATS */
    } * entries;
    size_t count, capacity;
};

void cursors_write(struct buffer *out, const struct recording_process *p)
{
    bool stats = slab_stats_held(p->reader);
    struct entry_head head = {.threads = slab_threads(p->reader),
                              .flags = (p->reaped ? FLAG_REAPED : 0u) | (stats ? FLAG_STATS : 0u)};
    memcpy(head.uuid, p->file->uuid, sizeof head.uuid);
    memcpy(head.lost, p->lost_reported, sizeof head.lost);
    buffer_append(out, &head, sizeof head);
    for (uint32_t i = 0; i < head.threads; i++) {
        uint64_t position = slab_position(p->reader, i);
        buffer_append(out, &position, sizeof position);
    }
    uint64_t generation = slab_stats_generation(p->reader);
    if (stats)
        buffer_append(out, &generation, sizeof generation);
}

struct cursors *cursors_create(void)
{
    return calloc(1, sizeof(struct cursors));
}

void cursors_destroy(struct cursors **cursors)
{
    struct cursors *c = *cursors;
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++)
        free(c->entries[i].positions);
    free(c->entries);
    free(c);
    *cursors = NULL;
}

static struct entry *find(const struct cursors *c, const uint8_t uuid[16])
{
    for (size_t i = 0; i < c->count; i++)
        if (memcmp(c->entries[i].head.uuid, uuid, 16) == 0)
            return &c->entries[i];
    return NULL;
}

static struct entry *add(struct cursors *c)
{
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? c->capacity * 2 : 16;
        struct entry *entries = realloc(c->entries, capacity * sizeof *entries);
        if (!entries)
            return NULL;
        c->entries = entries;
        c->capacity = capacity;
    }
    c->entries[c->count] = (struct entry){.positions = NULL};
    return &c->entries[c->count++];
}

void cursors_read(struct cursors *c, const void *bytes, size_t length)
{
    const char *at = bytes, *end = at + length;
    struct entry_head head;
    while ((size_t)(end - at) >= sizeof head) {
        memcpy(&head, at, sizeof head);
        at += sizeof head;
        size_t size = (size_t)head.threads * sizeof(uint64_t), left = (size_t)(end - at);
        size_t behind = head.flags & FLAG_STATS ? sizeof(uint64_t) : 0;
        if (head.threads > SLAB_THREADS_MAX || size > left || behind > left - size)
            return;
        struct entry *e = find(c, head.uuid);
        uint64_t *positions = malloc(size + 1);
        if (!positions || (!e && !(e = add(c)))) {
            free(positions);
            return;
        }
        memcpy(positions, at, size);
        free(e->positions);
        /* A later batch without statistics leaves the generation of an earlier one as it was. */
        uint64_t generation = e->generation;
        if (behind)
            memcpy(&generation, at + size, behind);
        *e = (struct entry){head, positions, generation};
        at += size + behind;
    }
}

void cursors_apply(const struct cursors *c, struct recording_process *p)
{
    const struct entry *e = find(c, p->file->uuid);
    if (!e)
        return;
    for (uint32_t i = 0; i < e->head.threads; i++)
        slab_advance(p->reader, i, e->positions[i]);
    for (int i = 0; i < SLAB_LOSS_REASONS; i++)
        if (e->head.lost[i] > p->lost_reported[i]) {
            p->lost_reported[i] = e->head.lost[i];
            p->lost_changed = true; /* the file is told with the next batch */
        }
    p->reaped |= (e->head.flags & FLAG_REAPED) != 0;
    slab_stats_resume(p->reader, e->generation);
}
