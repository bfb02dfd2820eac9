// SPDX-License-Identifier: Apache-2.0
#include "collector/series/select.h"

#include <stdlib.h>

#include "collector/series/choose.h"
#include "collector/series/reach.h"
#include "collector/series/residue.h"
#include "collector/series/store_internal.h"

struct part { /* samples of a series: of a block's chunks, or of a run of the head */
    struct part *next;
    const struct head_run *run; /* NULL: chunks */
    struct block *block;
    const struct block_chunk *chunks;
    uint32_t chunk_count, gone_count;
    const struct time_range *gone; /* deleted */
};

struct selected {
    struct labels labels;
    struct series_key key;
    struct part *first, *last;
};

struct captured { /* of the head, under the lock */
    const struct head_series *series;
    const struct head_run *run;
    uint64_t generation;
};

struct selection {
    struct series_store *store;
    struct arena arena;
    struct block_edition *edition;
    struct tombstones *tombstones;
    struct series_generation *generations[SERIES_GENERATIONS_MAX];
    unsigned generation_count;
    struct captured *captured;
    size_t captured_count, captured_capacity;
    struct selected *list;
    size_t count, capacity;
    struct slots by_key;
    struct labels *labels;
    int64_t from_ms, to_ms;
    const struct matcher *matchers;
    size_t matcher_count;
    struct column scratch;
};

static void selection_destroy(struct selection **place)
{
    struct selection *s = *place;
    for (unsigned i = 0; i < s->generation_count; i++)
        series_let_go(s->store, s->generations[i]);
    series_catalog_release(&s->edition);
    tombstones_release(&s->tombstones);
    arena_fini(&s->arena);
    slots_fini(&s->by_key);
    column_fini(&s->scratch);
    free(s->captured);
    free(s->list);
    free(s->labels);
    free(s);
    *place = NULL;
}

/* ---- what is collected ------------------------------------------------------------------- */

static struct selected *selected_of(struct selection *s, const struct labels *labels)
{
    struct series_key key = series_key_of(labels);
    uint32_t at = slots_start(&s->by_key, key.lanes[0]), i;
    while ((i = slots_next(&s->by_key, key.lanes[0], &at)) != SLOTS_NONE)
        if (series_key_equal(s->list[i].key, key))
            return &s->list[i];
    if (s->count == s->capacity) {
        size_t more = s->capacity ? s->capacity * 2 : 64;
        struct selected *list = realloc(s->list, more * sizeof *list);
        if (!list)
            return NULL;
        s->list = list;
        s->capacity = more;
    }
    struct label *items = arena_copy(&s->arena, labels->items, labels->count * sizeof *items);
    if (!items || slots_reserve(&s->by_key) != 0)
        return NULL;
    slots_insert(&s->by_key, key.lanes[0], (uint32_t)s->count);
    s->list[s->count] = (struct selected){.labels = {items, labels->count}, .key = key};
    return &s->list[s->count++];
}

/* The ranges that were deleted of this series, in what is numbered `last`. */
static int find_gone(struct selection *s, struct part *p, const struct labels *labels,
                     uint64_t last, uint64_t cleaned)
{
    struct time_range *gone = NULL;
    for (size_t i = 0; i < s->tombstones->count; i++) {
        const struct tombstone *t = &s->tombstones->items[i];
        if (!series_is_concerned(t, last, cleaned) || t->to_ms < s->from_ms ||
            t->from_ms > s->to_ms || !tombstone_matches(t, labels))
            continue;
        if (!gone)
            gone = arena_alloc(&s->arena, s->tombstones->count * sizeof *gone);
        if (!gone)
            return -1;
        gone[p->gone_count++] = (struct time_range){t->from_ms, t->to_ms};
    }
    p->gone = gone;
    return 0;
}

/* Nothing is left of what it has in the time that is asked for. */
static bool is_all_gone(const struct selection *s, const struct part *p)
{
    struct time_range reach;
    if (p->gone_count == 0)
        return false;
    if (p->run)
        reach_of_run(p->run, s->from_ms, s->to_ms, &reach);
    else
        reach_of_chunks(p->chunks, p->chunk_count, s->from_ms, s->to_ms, &reach);
    for (uint32_t i = 0; i < p->gone_count; i++)
        if (p->gone[i].from_ms <= reach.from_ms && p->gone[i].to_ms >= reach.to_ms)
            return true;
    return false;
}

static int add_part(struct selection *s, const struct labels *labels, struct part *p, uint64_t last,
                    uint64_t cleaned)
{
    if (s->tombstones->count > 0 && find_gone(s, p, labels, last, cleaned) != 0)
        return SERIES_ENOMEM;
    if (is_all_gone(s, p))
        return SERIES_OK;
    struct selected *one = selected_of(s, labels);
    struct part *copy = one ? arena_copy(&s->arena, p, sizeof *p) : NULL;
    if (!copy)
        return SERIES_ENOMEM;
    if (one->last)
        one->last->next = copy;
    else
        one->first = copy;
    one->last = copy;
    return SERIES_OK;
}

/* ---- blocks ------------------------------------------------------------------------------ */

/* The series' chunks that overlap; none: *p is without. */
static int take_chunks(struct selection *s, const struct block_series *series, struct part *p)
{
    uint32_t first = 0, end = series->chunk_count;
    while (first < end && series->chunks[first].max_ms < s->from_ms)
        first++;
    while (end > first && series->chunks[end - 1].min_ms > s->to_ms)
        end--;
    p->chunk_count = end - first;
    if (p->chunk_count == 0)
        return SERIES_OK;
    p->chunks = arena_copy(&s->arena, series->chunks + first, p->chunk_count * sizeof *p->chunks);
    return p->chunks ? SERIES_OK : SERIES_ENOMEM;
}

static int add_block_series(struct selection *s, struct block_entry *entry, struct block_reader *r,
                            uint32_t number, struct residue *rest)
{
    const struct block_series *series;
    struct label items[LABELS_MAX];
    struct labels labels;
    struct part p = {.block = entry->block};
    int error = block_series(r, number, &series);
    if (error != BLOCK_OK)
        return error;
    if (take_chunks(s, series, &p) != SERIES_OK)
        return BLOCK_ENOMEM;
    if (p.chunk_count == 0)
        return BLOCK_OK;
    error = block_series_labels(r, series, items, &labels);
    if (error != BLOCK_OK || !residue_accepts(rest, &labels))
        return error;
    return add_part(s, &labels, &p, entry->summary->last, atomic_load(&entry->cleaned)) == SERIES_OK
               ? BLOCK_OK
               : BLOCK_ENOMEM;
}

static int add_found(struct selection *s, struct block_entry *entry, struct block_reader *r,
                     const roaring_bitmap_t *found, struct residue *rest)
{
    roaring_uint32_iterator_t at;
    int error = BLOCK_OK;
    roaring_init_iterator(found, &at);
    for (; at.has_value && error == BLOCK_OK; roaring_advance_uint32_iterator(&at))
        error = add_block_series(s, entry, r, at.current_value, rest);
    return error;
}

static int add_block(struct selection *s, struct block_entry *entry)
{
    struct block_reader r;
    struct residue rest;
    roaring_bitmap_t *found = NULL;
    uint64_t left = 0;
    int error = block_reader_init(&r, entry->block, &s->arena);
    if (error == BLOCK_OK)
        error = choose_in_block(&r, s->matchers, s->matcher_count, &found, &left);
    if (error == BLOCK_OK && residue_init(&rest, s->matchers, left) == 0) {
        error = add_found(s, entry, &r, found, &rest);
        residue_fini(&rest);
    } else if (error == BLOCK_OK) {
        error = BLOCK_ENOMEM;
    }
    if (found)
        roaring_bitmap_free(found);
    block_reader_fini(&r);
    /* What is damaged is passed over; the catalog tells (series_catalog_note_damage). */
    return error == BLOCK_ENOMEM ? SERIES_ENOMEM : error == BLOCK_EIO ? SERIES_EDISK : SERIES_OK;
}

static int add_blocks(struct selection *s)
{
    int error = SERIES_OK;
    for (size_t i = 0; i < s->edition->count && error == SERIES_OK; i++) {
        const struct block_summary *b = s->edition->entries[i]->summary;
        if (b->samples > 0 && b->min_ms <= s->to_ms && b->max_ms >= s->from_ms)
            error = add_block(s, s->edition->entries[i]);
    }
    return error;
}

/* ---- the head ---------------------------------------------------------------------------- */

/* The runs of one series, the oldest first. */
static int capture(struct selection *s, const struct head_series *series)
{
    uint64_t oldest = s->generations[0]->number;
    size_t first = s->captured_count;
    struct time_range reach;
    for (const struct head_run *run = series->runs; run && run->generation >= oldest;
         run = run->older) {
        if (!reach_of_run(run, s->from_ms, s->to_ms, &reach))
            continue;
        if (s->captured_count == s->captured_capacity) {
            size_t more = s->captured_capacity ? s->captured_capacity * 2 : 64;
            struct captured *list = realloc(s->captured, more * sizeof *list);
            if (!list)
                return SERIES_ENOMEM;
            s->captured = list;
            s->captured_capacity = more;
        }
        s->captured[s->captured_count++] = (struct captured){series, run, run->generation};
    }
    for (size_t i = first, k = s->captured_count; i + 1 < k; i++) {
        struct captured swapped = s->captured[i];
        s->captured[i] = s->captured[--k];
        s->captured[k] = swapped;
    }
    return SERIES_OK;
}

/* Under the lock: everything that there is, at one moment. */
static int hold_all(struct selection *s, uint64_t *rest)
{
    struct series_store *store = s->store;
    roaring_bitmap_t *found = NULL;
    roaring_uint32_iterator_t at;
    s->edition = series_catalog_hold(store->catalog);
    s->tombstones = tombstones_hold(store->tombstones);
    for (unsigned i = 0; i < store->count; i++) {
        atomic_fetch_add(&store->ring[i]->references, 1);
        s->generations[s->generation_count++] = store->ring[i];
    }
    if (choose_in_head(&store->head, s->matchers, s->matcher_count, &found, rest) != BLOCK_OK)
        return SERIES_ENOMEM;
    int error = SERIES_OK;
    roaring_init_iterator(found, &at);
    for (; at.has_value && error == SERIES_OK; roaring_advance_uint32_iterator(&at))
        error = capture(s, head_series(&store->head, at.current_value));
    roaring_bitmap_free(found);
    return error;
}

/* What was captured stays as it is while its generation is held: labels too. */
static int add_captured(struct selection *s, uint64_t left)
{
    struct residue rest;
    int error = residue_init(&rest, s->matchers, left) == 0 ? SERIES_OK : SERIES_ENOMEM;
    for (size_t i = 0; i < s->captured_count && error == SERIES_OK; i++) {
        const struct captured *c = &s->captured[i];
        struct label items[LABELS_MAX];
        struct labels labels;
        struct part p = {.run = c->run};
        head_labels(&s->store->head, c->series, items, &labels);
        if (residue_accepts(&rest, &labels))
            error = add_part(s, &labels, &p, c->generation, 0);
    }
    residue_fini(&rest);
    return error;
}

/* ---- the source -------------------------------------------------------------------------- */

static int by_labels(const void *left, const void *right)
{
    return labels_compare(&((const struct selected *)left)->labels,
                          &((const struct selected *)right)->labels);
}

static int collect(struct selection *s)
{
    uint64_t rest = 0;
    pthread_rwlock_rdlock(&s->store->lock);
    int error = hold_all(s, &rest);
    pthread_rwlock_unlock(&s->store->lock);
    if (error == SERIES_OK)
        error = add_blocks(s);
    if (error == SERIES_OK)
        error = add_captured(s, rest);
    s->matchers = NULL; /* the asker's */
    if (error != SERIES_OK)
        return error;
    if (s->count > 1)
        qsort(s->list, s->count, sizeof *s->list, by_labels);
    s->labels = malloc((s->count + 1) * sizeof *s->labels);
    for (size_t i = 0; s->labels && i < s->count; i++)
        s->labels[i] = s->list[i].labels;
    return s->labels ? SERIES_OK : SERIES_ENOMEM;
}

static int select_series(void *context, const struct matcher *matchers, size_t count,
                         int64_t from_ms, int64_t to_ms, struct series_selection *out)
{
    *out = (struct series_selection){0};
    if (count > MATCHERS_MAX)
        return SERIES_ELIMIT;
    struct selection *s = calloc(1, sizeof *s);
    if (!s)
        return SERIES_ENOMEM;
    s->store = context;
    s->from_ms = from_ms;
    s->to_ms = to_ms;
    s->matchers = matchers;
    s->matcher_count = count;
    arena_init(&s->arena, 64 << 10);
    int error = collect(s);
    if (error != SERIES_OK) {
        selection_destroy(&s);
        return error;
    }
    *out = (struct series_selection){s->count, s->labels, s};
    return SERIES_OK;
}

static int read_chunks(struct selection *s, const struct part *p, int64_t from_ms, int64_t to_ms,
                       struct points *out)
{
    for (uint32_t i = 0; i < p->chunk_count; i++) {
        if (p->chunks[i].max_ms < from_ms || p->chunks[i].min_ms > to_ms)
            continue;
        int error = block_read_chunk(p->block, &p->chunks[i], from_ms, to_ms, &s->scratch, out);
        if (error == BLOCK_ENOMEM)
            return SERIES_ENOMEM;
        if (error == BLOCK_EIO)
            return SERIES_EDISK;
    }
    return SERIES_OK;
}

static int read_series(void *context, const struct series_selection *selection, size_t i,
                       int64_t from_ms, int64_t to_ms, struct points *out)
{
    struct selection *s = selection->handle;
    struct series_store *store = context;
    points_clear(out);
    for (const struct part *p = s->list[i].first; p; p = p->next) {
        size_t before = out->count;
        int error = p->run ? series_read_run(p->run, &store->lock, from_ms, to_ms, &s->scratch, out)
                           : read_chunks(s, p, from_ms, to_ms, out);
        if (error != SERIES_OK)
            return error;
        if (p->gone_count > 0)
            points_remove(out, before, p->gone, p->gone_count);
    }
    return series_settle_points(out) == 0 ? SERIES_OK : SERIES_ENOMEM;
}

static void close_selection(void *context, struct series_selection *selection)
{
    struct selection *s = selection->handle;
    (void)context;
    if (s)
        selection_destroy(&s);
    *selection = (struct series_selection){0};
}

struct series_source series_select_source(struct series_store *s)
{
    return (struct series_source){s, select_series, read_series, close_selection};
}
