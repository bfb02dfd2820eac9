// SPDX-License-Identifier: Apache-2.0
/* The processes of a segment: some of them, for a trace or a group; or all, read once and kept
 * for as long as questions are asked, as each of a segment's groups would read them again. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "collector/traces/segment/reader.h"

/* Of all processes together: what is above was not written by us. */
enum { STRINGS_MAX = 1 << 24, ATTRIBUTES_MAX = 1 << 24, CACHE_BLOCK_BYTES = 1 << 14 };

/* Joins what parts hold: processes, their attributes, and the strings of these. */
struct joining {
    struct process_set *set;
    struct process_part *parts; /* read so far */
    uint32_t *string_first;     /* in the set, of each part */
    uint32_t part_count;
    uint64_t attribute_count;
    struct arena *arena;
};

static int read_part(struct segment *s, uint32_t number, struct joining *j)
{
    int error;
    const struct table_entry *t = &s->footer.tables[s->first_processes + number];
    const uint8_t *bytes = segment_table(s, t, j->arena, &error);
    if (!bytes)
        return error;
    struct process_part *part = &j->parts[j->part_count];
    error = process_part_get(bytes, t->length, t->count, j->arena, part);
    if (error)
        return segment_table_error(s, t, error);
    j->attribute_count += part->resource.count;
    if (part->string_count > STRINGS_MAX - j->set->string_count ||
        j->attribute_count > ATTRIBUTES_MAX)
        return segment_table_error(s, t, SEGMENT_EDAMAGED);
    j->string_first[j->part_count++] = j->set->string_count;
    j->set->string_count += part->string_count;
    return SEGMENT_OK;
}

static int join_strings(struct joining *j)
{
    struct batch_str *to = arena_alloc(j->arena, j->set->string_count * sizeof *to);
    if (!to)
        return SEGMENT_ENOMEM;
    for (uint32_t i = 0; i < j->part_count; i++)
        memcpy(to + j->string_first[i], j->parts[i].strings, j->parts[i].string_count * sizeof *to);
    j->set->strings = to;
    return SEGMENT_OK;
}

struct resource_columns {
    uint32_t *key;
    uint8_t *type;
    uint64_t *value;
    uint32_t count;
};

static void join_attributes(struct resource_columns *to, const struct process_part *part,
                            uint32_t string_first, struct batch_process_view *p)
{
    uint32_t first = p->attribute_first;
    p->attribute_first = to->count;
    for (uint32_t i = first; i < first + p->attribute_count; i++, to->count++) {
        uint8_t type = part->resource.type[i];
        bool is_string = type == VALUE_STRING || type == VALUE_BYTES;
        to->key[to->count] = part->resource.key[i] + string_first;
        to->type[to->count] = type;
        to->value[to->count] = part->resource.value[i] + (is_string ? string_first : 0);
    }
}

/* The processes themselves, once their parts are read. */
static int join_processes(struct joining *j, const uint64_t *numbers, uint32_t count)
{
    struct resource_columns to = {0};
    uint64_t attributes = j->attribute_count;
    uint32_t part = 0;
    to.key = arena_alloc(j->arena, attributes * sizeof *to.key);
    to.type = arena_alloc(j->arena, attributes);
    to.value = arena_alloc(j->arena, attributes * sizeof *to.value);
    j->set->list = arena_alloc(j->arena, count * sizeof *j->set->list);
    if (!to.key || !to.type || !to.value || !j->set->list)
        return SEGMENT_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 &&
            numbers[i] / SEGMENT_PROCESSES_A_PART != numbers[i - 1] / SEGMENT_PROCESSES_A_PART)
            part++;
        struct batch_process_view *p = &j->set->list[i];
        *p = j->parts[part].list[numbers[i] % SEGMENT_PROCESSES_A_PART];
        join_attributes(&to, &j->parts[part], j->string_first[part], p);
    }
    j->set->count = count;
    j->set->resource = (struct batch_attributes){to.count, to.key, to.type, to.value};
    return SEGMENT_OK;
}

int segment_load_processes(struct segment *s, const uint64_t *numbers, uint32_t count,
                           struct arena *arena, struct process_set *set)
{
    struct joining j = {.set = set, .arena = arena};
    uint32_t most = s->process_parts < count ? s->process_parts : count;
    *set = (struct process_set){0};
    j.parts = arena_alloc(arena, most * sizeof *j.parts);
    j.string_first = arena_alloc(arena, most * sizeof *j.string_first);
    if (!j.parts || !j.string_first)
        return SEGMENT_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t part = numbers[i] / SEGMENT_PROCESSES_A_PART;
        if (part >= s->process_parts || (i > 0 && numbers[i] <= numbers[i - 1]) ||
            numbers[i] % SEGMENT_PROCESSES_A_PART >=
                s->footer.tables[s->first_processes + part].count)
            return segment_note_damage(s, "process %" PRIu64 ": there is none", numbers[i]);
        if (i > 0 && part == numbers[i - 1] / SEGMENT_PROCESSES_A_PART)
            continue;
        int error = read_part(s, (uint32_t)part, &j);
        if (error)
            return error;
    }
    int error = join_strings(&j);
    return error ? error : join_processes(&j, numbers, count);
}

static uint32_t process_count(const struct segment *s)
{
    if (s->process_parts == 0)
        return 0;
    uint32_t last = s->first_processes + s->process_parts - 1;
    return (s->process_parts - 1) * SEGMENT_PROCESSES_A_PART + s->footer.tables[last].count;
}

int segment_processes(struct segment *s, struct arena *arena, struct block_processes *processes)
{
    struct process_set set;
    uint32_t count = process_count(s);
    uint64_t *numbers = arena_alloc(arena, count * sizeof *numbers);
    *processes = (struct block_processes){0};
    if (!numbers)
        return SEGMENT_ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = i;
    int error = segment_load_processes(s, numbers, count, arena, &set);
    if (error)
        return error;
    struct batch_attributes *resource = arena_copy(arena, &set.resource, sizeof set.resource);
    if (!resource)
        return SEGMENT_ENOMEM;
    *processes = (struct block_processes){set.list, set.count, resource, set.strings};
    return SEGMENT_OK;
}

/* ---- kept for questions ------------------------------------------------------------------ */

struct process_cache {
    struct arena arena;
    struct block_processes processes;
    size_t users;
};

static struct process_cache *load_cache(struct segment *s, int *error)
{
    struct process_cache *c = calloc(1, sizeof *c);
    *error = SEGMENT_ENOMEM;
    if (!c)
        return NULL;
    arena_init(&c->arena, CACHE_BLOCK_BYTES);
    *error = segment_processes(s, &c->arena, &c->processes);
    if (*error) {
        arena_fini(&c->arena);
        free(c);
        return NULL;
    }
    return c;
}

const struct block_processes *segment_hold_processes(struct segment *s, int *error)
{
    *error = SEGMENT_OK;
    pthread_mutex_lock(&s->cache_lock);
    if (!s->cache)
        s->cache = load_cache(s, error);
    struct process_cache *c = s->cache;
    if (c)
        c->users++;
    pthread_mutex_unlock(&s->cache_lock);
    return c ? &c->processes : NULL;
}

void segment_release_processes(struct segment *s)
{
    pthread_mutex_lock(&s->cache_lock);
    s->cache->users--;
    pthread_mutex_unlock(&s->cache_lock);
}

void segment_trim(struct segment *s)
{
    pthread_mutex_lock(&s->cache_lock);
    struct process_cache *c = s->cache;
    bool unused = c && c->users == 0;
    if (unused)
        s->cache = NULL;
    pthread_mutex_unlock(&s->cache_lock);
    if (!unused)
        return;
    arena_fini(&c->arena);
    free(c);
}

size_t segment_resident_bytes(const struct segment *segment)
{
    struct segment *s = (struct segment *)segment; /* the lock is what changes */
    const struct footer *f = &s->footer;
    size_t bytes = sizeof *s + f->summary.groups * sizeof *f->groups +
                   f->table_count * sizeof *f->tables + (s->filter ? f->tables[0].length : 0);
    pthread_mutex_lock(&s->cache_lock);
    bytes += s->cache ? s->cache->arena.total_bytes : 0;
    pthread_mutex_unlock(&s->cache_lock);
    return bytes;
}
