// SPDX-License-Identifier: Apache-2.0
#include "collector/series/ask_matched.h"

#include "collector/series/choose.h"
#include "collector/series/reach.h"
#include "collector/series/residue.h"
#include "collector/series/store_internal.h"

/* So many of a value's series are looked at before it is left to the look at all series. */
enum { TRIES = BLOCK_COMMON_MAX };

struct look { /* at one place */
    const struct asking *asking;
    struct string_set *set;
    const struct tombstones *tombstones;
    roaring_bitmap_t *found; /* the series that were chosen */
    struct residue rest;
    bool undecided; /* the index did not tell of everything */
    int error;      /* of a block */
};

static void look_fini(struct look *k)
{
    residue_fini(&k->rest);
    if (k->found)
        roaring_bitmap_free(k->found);
}

/* ---- the head ---------------------------------------------------------------------------- */

struct head_look {
    struct look all;
    const struct head *head;
    uint64_t oldest; /* generation */
    /* Texts that are known to be in the set: each stands at one place. */
    const char *known[1024];
};

static bool counts_in_head(struct head_look *k, uint32_t number)
{
    const struct asking *a = k->all.asking;
    const struct head_series *series = head_series(k->head, number);
    struct label items[LABELS_MAX];
    struct labels labels = {items, 0};
    struct time_range reach;
    if (k->all.rest.left || k->all.tombstones->count > 0)
        head_labels(k->head, series, items, &labels);
    if (!residue_accepts(&k->all.rest, &labels))
        return false;
    for (const struct head_run *run = series->runs; run && run->generation >= k->oldest;
         run = run->older)
        if (reach_of_run(run, a->from_ms, a->to_ms, &reach) &&
            !reach_is_deleted(k->all.tombstones, &labels, run->generation, 0, reach))
            return true;
    return false;
}

/* Whether a series with this label counts. */
static bool meet_pair(struct head_look *k, const struct label_pair *pair)
{
    uint32_t series[TRIES];
    bool more;
    unsigned count = posting_common(&pair->series, k->all.found, series, TRIES, &more);
    for (unsigned i = 0; i < count; i++)
        if (counts_in_head(k, series[i]))
            return true;
    k->all.undecided |= more;
    return false;
}

static void meet_values_of_head(struct head_look *k, const struct label_name *name)
{
    for (uint32_t i = 0; i < name->count; i++) {
        const struct label_pair *pair = label_pair(&k->head->labels, name->pairs[i]);
        if (meet_pair(k, pair))
            string_set_add(k->all.set, pair->value);
    }
}

static void meet_names_of_head(struct head_look *k)
{
    const struct label_index *ix = &k->head->labels;
    for (uint32_t n = 0; n < ix->name_count; n++) {
        bool found = false;
        for (uint32_t i = 0; i < ix->names[n]->count && !found; i++)
            found = meet_pair(k, label_pair(ix, ix->names[n]->pairs[i]));
        if (found)
            string_set_add(k->all.set, ix->names[n]->text);
    }
}

/* Adds the text, if it is not there yet and the series counts. */
static void add_of_head(struct head_look *k, struct batch_str text, uint32_t number)
{
    uint64_t place = (uint64_t)(uintptr_t)text.bytes * UINT64_C(0x9e3779b97f4a7c15) >> 54;
    if (k->known[place] == text.bytes)
        return;
    if (!string_set_has(k->all.set, text)) {
        if (!counts_in_head(k, number))
            return;
        string_set_add(k->all.set, text);
    }
    k->known[place] = text.bytes;
}

static void look_through_head(struct head_look *k, const struct label_name *name)
{
    roaring_uint32_iterator_t at;
    roaring_init_iterator(k->all.found, &at);
    for (; at.has_value; roaring_advance_uint32_iterator(&at)) {
        const struct head_series *series = head_series(k->head, at.current_value);
        for (uint32_t i = 0; i < series->pair_count; i++) {
            const struct label_pair *pair = label_pair(&k->head->labels, series->pairs[i]);
            if (!name)
                add_of_head(k, pair->name->text, at.current_value);
            else if (pair->name == name)
                add_of_head(k, pair->value, at.current_value);
        }
    }
}

static uint64_t values_in_head(const struct label_index *ix, const struct label_name *name)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; !name && i < ix->name_count; i++)
        sum += ix->names[i]->count;
    return name ? name->count : sum;
}

/* Under the lock. */
static int ask_head(struct series_store *s, struct look look)
{
    const struct asking *a = look.asking;
    struct head_look k = {.all = look, .head = &s->head, .oldest = s->ring[0]->number};
    const struct label_name *name = a->name ? label_index_name(&s->head.labels, *a->name) : NULL;
    uint64_t left = 0;
    if (a->name && !name)
        return SERIES_OK;
    int error = choose_in_head(&s->head, a->matchers, a->matcher_count, &k.all.found, &left);
    if (error == BLOCK_OK)
        error = residue_init(&k.all.rest, a->matchers, left);
    if (error == 0) {
        k.all.undecided =
            values_in_head(&s->head.labels, name) > 2 * roaring_bitmap_get_cardinality(k.all.found);
        if (!k.all.undecided && name)
            meet_values_of_head(&k, name);
        else if (!k.all.undecided)
            meet_names_of_head(&k);
        if (k.all.undecided)
            look_through_head(&k, name);
    }
    look_fini(&k.all);
    return error == 0 ? SERIES_OK : SERIES_ENOMEM;
}

/* ---- blocks ------------------------------------------------------------------------------ */

struct block_look {
    struct look all;
    struct block_entry *entry;
    struct block_reader reader;
    bool exact;          /* every series that was chosen counts */
    struct batch_str of; /* names: the one whose values are met */
    bool met;            /* and one of these counts */
    uint8_t *known;      /* numbers of values, or names, that are known to be in the set */
};

static bool counts_in_block(struct block_look *k, uint32_t number)
{
    const struct asking *a = k->all.asking;
    const struct block_series *series;
    struct label items[LABELS_MAX];
    struct labels labels = {items, 0};
    struct time_range reach;
    k->all.error = block_series(&k->reader, number, &series);
    if (k->all.error != BLOCK_OK ||
        !reach_of_chunks(series->chunks, series->chunk_count, a->from_ms, a->to_ms, &reach))
        return false;
    if (k->all.rest.left || k->all.tombstones->count > 0)
        k->all.error = block_series_labels(&k->reader, series, items, &labels);
    return k->all.error == BLOCK_OK && residue_accepts(&k->all.rest, &labels) &&
           !reach_is_deleted(k->all.tombstones, &labels, k->entry->summary->last,
                             atomic_load(&k->entry->cleaned), reach);
}

static bool any_counts(struct block_look *k, const struct block_common *value)
{
    bool counts = k->exact;
    for (unsigned i = 0; i < value->count && !counts && k->all.error == BLOCK_OK; i++)
        counts = counts_in_block(k, value->series[i]);
    k->all.undecided |= !counts && value->more;
    return counts;
}

static bool meet_value(void *context, const struct block_common *value)
{
    struct block_look *k = context;
    if ((k->exact || !string_set_has(k->all.set, value->text)) && any_counts(k, value))
        string_set_add(k->all.set, value->text);
    return k->all.error == BLOCK_OK;
}

static bool meet_name(void *context, const struct block_common *value)
{
    struct block_look *k = context;
    k->met = any_counts(k, value);
    return !k->met && k->all.error == BLOCK_OK;
}

static int meet_block(struct block_look *k, uint32_t name)
{
    unsigned most = k->exact ? 1 : TRIES;
    int error = BLOCK_OK;
    if (name != UINT32_MAX) {
        error = block_common_values(&k->reader, name, k->all.found, most, meet_value, k);
        return error == BLOCK_OK ? k->all.error : error;
    }
    for (uint32_t n = 0; n < k->entry->summary->names && error == BLOCK_OK; n++) {
        struct batch_str text = block_name_text(k->entry->block, n);
        k->met = false;
        if (string_set_has(k->all.set, text))
            continue;
        error = block_common_values(&k->reader, n, k->all.found, most, meet_name, k);
        if (k->met)
            string_set_add(k->all.set, text);
        if (error == BLOCK_OK)
            error = k->all.error;
    }
    return error;
}

/* Adds the text, if it is not there yet and the series counts. */
static void add_of_block(struct block_look *k, uint32_t key, struct batch_str text, uint32_t number)
{
    if (!string_set_has(k->all.set, text)) {
        if (!counts_in_block(k, number))
            return;
        string_set_add(k->all.set, text);
    }
    k->known[key] = 1;
}

static void look_at_series(struct block_look *k, const struct block_series *series, uint32_t name)
{
    for (uint32_t i = 0; i < series->pair_count && k->all.error == BLOCK_OK; i++) {
        uint32_t n = series->pairs[2 * i], value = series->pairs[2 * i + 1];
        struct batch_str text;
        if (name == UINT32_MAX && !k->known[n])
            add_of_block(k, n, block_name_text(k->entry->block, n), series->number);
        if (n != name || k->known[value])
            continue;
        k->all.error = block_value(&k->reader, n, value, &text);
        if (k->all.error == BLOCK_OK)
            add_of_block(k, value, text, series->number);
    }
}

static int look_through_block(struct block_look *k, uint32_t name)
{
    roaring_uint32_iterator_t at;
    uint32_t keys =
        name == UINT32_MAX ? k->entry->summary->names : block_name_values(k->entry->block, name);
    k->known = calloc(keys + 1U, 1);
    if (!k->known)
        return BLOCK_ENOMEM;
    roaring_init_iterator(k->all.found, &at);
    for (; at.has_value && k->all.error == BLOCK_OK; roaring_advance_uint32_iterator(&at)) {
        const struct block_series *series;
        k->all.error = block_series(&k->reader, at.current_value, &series);
        if (k->all.error == BLOCK_OK)
            look_at_series(k, series, name);
    }
    free(k->known);
    return k->all.error;
}

/* Values against what it takes to look at the series: they lie in pages that are read whole, and
 * where the index alone does not tell, a page is read for each value as well. */
static bool is_index_cheaper(const struct block_look *k, uint32_t name)
{
    const struct block_summary *b = k->entry->summary;
    uint64_t values = 0, series = roaring_bitmap_get_cardinality(k->all.found);
    uint64_t pages = b->series / 128 + 1;
    if (pages > series)
        pages = series;
    for (uint32_t n = 0; name == UINT32_MAX && n < b->names; n++)
        values += block_name_values(k->entry->block, n);
    if (name != UINT32_MAX)
        values = block_name_values(k->entry->block, name);
    return k->exact ? values <= pages * 64 : values <= pages;
}

static bool is_concerned(const struct look *k, const struct block_entry *e)
{
    for (size_t i = 0; i < k->tombstones->count; i++)
        if (series_is_concerned(&k->tombstones->items[i], e->summary->last,
                                atomic_load(&e->cleaned)))
            return true;
    return false;
}

static int ask_chosen(struct block_look *k, uint32_t name, uint64_t left)
{
    const struct asking *a = k->all.asking;
    const struct block_summary *b = k->entry->summary;
    int error = BLOCK_OK;
    if (residue_init(&k->all.rest, a->matchers, left) != 0)
        return BLOCK_ENOMEM;
    k->exact = left == 0 && b->min_ms >= a->from_ms && b->max_ms <= a->to_ms &&
               !is_concerned(&k->all, k->entry);
    k->all.undecided = !is_index_cheaper(k, name);
    if (!k->all.undecided)
        error = meet_block(k, name);
    if (error == BLOCK_OK && k->all.undecided)
        error = look_through_block(k, name);
    return error;
}

static int ask_block(struct block_entry *e, struct look look)
{
    struct block_look k = {.all = look, .entry = e};
    const struct asking *a = look.asking;
    struct arena arena;
    uint32_t name = a->name ? block_name(e->block, *a->name) : UINT32_MAX;
    uint64_t left = 0;
    if (a->name && name == UINT32_MAX)
        return SERIES_OK;
    arena_init(&arena, 64 << 10);
    int error = block_reader_init(&k.reader, e->block, &arena);
    if (error == BLOCK_OK)
        error = choose_in_block(&k.reader, a->matchers, a->matcher_count, &k.all.found, &left);
    if (error == BLOCK_OK && !roaring_bitmap_is_empty(k.all.found))
        error = ask_chosen(&k, name, left);
    look_fini(&k.all);
    block_reader_fini(&k.reader);
    arena_fini(&arena);
    /* What is damaged is passed over; the catalog tells (series_catalog_note_damage). */
    return error == BLOCK_ENOMEM ? SERIES_ENOMEM : error == BLOCK_EIO ? SERIES_EDISK : SERIES_OK;
}

/* ---- all places -------------------------------------------------------------------------- */

int ask_matched(struct series_store *s, const struct asking *a, struct string_set *set)
{
    struct look look = {.asking = a, .set = set};
    if (a->matcher_count > MATCHERS_MAX)
        return SERIES_ELIMIT;
    pthread_rwlock_rdlock(&s->lock);
    struct block_edition *e = series_catalog_hold(s->catalog);
    struct tombstones *tombstones = tombstones_hold(s->tombstones);
    look.tombstones = tombstones;
    int error = ask_head(s, look);
    pthread_rwlock_unlock(&s->lock);
    for (size_t i = 0; i < e->count && error == SERIES_OK; i++) {
        const struct block_summary *b = e->entries[i]->summary;
        if (b->samples > 0 && b->min_ms <= a->to_ms && b->max_ms >= a->from_ms)
            error = ask_block(e->entries[i], look);
    }
    tombstones_release(&tombstones);
    series_catalog_release(&e);
    return error;
}
