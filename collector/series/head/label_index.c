// SPDX-License-Identifier: Apache-2.0
#include "collector/series/head/label_index.h"

#include <malloc.h>
#include <string.h>

#include "collector/hash.h"

int label_index_init(struct label_index *ix)
{
    *ix = (struct label_index){.free = LABEL_NONE};
    ix->pages = calloc(LABEL_PAGES, sizeof(struct label_pair *));
    return ix->pages ? 0 : -1;
}

void label_index_fini(struct label_index *ix)
{
    for (uint32_t i = 0; i < ix->name_count; i++) {
        for (uint32_t k = 0; k < ix->names[i]->count; k++) {
            struct label_pair *pair = label_pair(ix, ix->names[i]->pairs[k]);
            posting_fini(&pair->series);
            free((void *)pair->value.bytes);
        }
        free((void *)ix->names[i]->text.bytes);
        free(ix->names[i]->pairs);
        free(ix->names[i]);
    }
    for (uint32_t i = 0; ix->pages && i * LABEL_PAGE < ix->pairs; i++)
        free(ix->pages[i]);
    free((void *)ix->pages);
    free((void *)ix->names);
    slots_fini(&ix->by_text);
    slots_fini(&ix->name_slots);
}

uint64_t label_index_bytes(const struct label_index *ix)
{
    uint64_t bytes = slots_bytes(&ix->by_text) + slots_bytes(&ix->name_slots) + ix->text_bytes +
                     (uint64_t)ix->pairs * sizeof(struct label_pair);
    for (uint32_t i = 0; i < ix->name_count; i++)
        bytes += sizeof *ix->names[i] + ix->names[i]->capacity * sizeof(uint32_t);
    return bytes;
}

static char *copy(struct label_index *ix, struct batch_str text)
{
    char *bytes = malloc(text.length ? text.length : 1);
    if (!bytes)
        return NULL;
    memcpy(bytes, text.bytes, text.length);
    ix->text_bytes += malloc_usable_size(bytes) + sizeof(size_t);
    return bytes;
}

static void forget(struct label_index *ix, struct batch_str text)
{
    ix->text_bytes -= malloc_usable_size((void *)text.bytes) + sizeof(size_t);
    free((void *)text.bytes);
}

/* ---- names ------------------------------------------------------------------------------- */

struct label_name *label_index_name(const struct label_index *ix, struct batch_str name)
{
    uint64_t hash = hash_bytes(name.bytes, name.length);
    uint32_t at = slots_start(&ix->name_slots, hash), i;
    while ((i = slots_next(&ix->name_slots, hash, &at)) != SLOTS_NONE)
        if (batch_str_equal(ix->names[i]->text, name))
            return ix->names[i];
    return NULL;
}

static struct label_name *add_name(struct label_index *ix, struct batch_str text)
{
    if (ix->name_count == ix->name_capacity) {
        uint32_t more = ix->name_capacity ? ix->name_capacity * 2 : 64;
        struct label_name **names = realloc((void *)ix->names, more * sizeof(struct label_name *));
        if (!names)
            return NULL;
        ix->names = names;
        ix->name_capacity = more;
    }
    struct label_name *name = calloc(1, sizeof *name);
    char *bytes = name ? copy(ix, text) : NULL;
    if (!bytes || slots_reserve(&ix->name_slots) != 0) {
        free(bytes);
        free(name);
        return NULL;
    }
    name->text = (struct batch_str){bytes, text.length};
    name->number = ix->name_count;
    slots_insert(&ix->name_slots, hash_bytes(bytes, text.length), ix->name_count);
    ix->names[ix->name_count++] = name;
    return name;
}

/* If it has no values any more. The last of the list takes its place. */
static void drop_name(struct label_index *ix, struct label_name *name)
{
    if (name->count > 0)
        return;
    struct label_name *last = ix->names[--ix->name_count];
    uint64_t hash = hash_bytes(last->text.bytes, last->text.length);
    slots_remove(&ix->name_slots, hash_bytes(name->text.bytes, name->text.length), name->number);
    if (last != name) {
        slots_remove(&ix->name_slots, hash, last->number);
        last->number = name->number;
        ix->names[last->number] = last;
        slots_insert(&ix->name_slots, hash, last->number);
    }
    forget(ix, name->text);
    free(name->pairs);
    free(name);
}

/* ---- pairs ------------------------------------------------------------------------------- */

static uint64_t hash_of(const struct label_name *name, struct batch_str value)
{
    return hash_words((uint64_t)(uintptr_t)name, hash_bytes(value.bytes, value.length));
}

static uint32_t find(const struct label_index *ix, const struct label_name *name,
                     struct batch_str value, uint64_t hash)
{
    uint32_t at = slots_start(&ix->by_text, hash), i;
    while ((i = slots_next(&ix->by_text, hash, &at)) != SLOTS_NONE) {
        const struct label_pair *pair = label_pair(ix, i);
        if (pair->name == name && batch_str_equal(pair->value, value))
            return i;
    }
    return LABEL_NONE;
}

uint32_t label_index_find(const struct label_index *ix, const struct label_name *name,
                          struct batch_str value)
{
    return find(ix, name, value, hash_of(name, value));
}

/* A free number with a place in a page. */
static uint32_t take_number(struct label_index *ix)
{
    uint32_t number = ix->free;
    if (number != LABEL_NONE) {
        ix->free = label_pair(ix, number)->position;
        return number;
    }
    if (ix->pairs % LABEL_PAGE == 0) {
        if (ix->pairs / LABEL_PAGE == LABEL_PAGES)
            return LABEL_NONE;
        struct label_pair *page = calloc(LABEL_PAGE, sizeof *page);
        if (!page)
            return LABEL_NONE;
        ix->pages[ix->pairs / LABEL_PAGE] = page;
    }
    return ix->pairs++;
}

static void give_number(struct label_index *ix, uint32_t number)
{
    label_pair(ix, number)->position = ix->free;
    ix->free = number;
}

static int reserve_value(struct label_index *ix, struct label_name *name)
{
    if (name->count == name->capacity) {
        uint32_t more = name->capacity ? name->capacity * 2 : 4;
        uint32_t *pairs = realloc(name->pairs, more * sizeof *pairs);
        if (!pairs)
            return -1;
        name->pairs = pairs;
        name->capacity = more;
    }
    return slots_reserve(&ix->by_text);
}

static uint32_t add_pair(struct label_index *ix, struct label_name *name, struct batch_str value,
                         uint64_t hash)
{
    uint32_t number;
    if (reserve_value(ix, name) != 0 || (number = take_number(ix)) == LABEL_NONE)
        return LABEL_NONE;
    char *bytes = copy(ix, value);
    if (!bytes) {
        give_number(ix, number);
        return LABEL_NONE;
    }
    *label_pair(ix, number) = (struct label_pair){
        .name = name,
        .value = {bytes, value.length},
        .hash = hash,
        .position = name->count,
    };
    name->pairs[name->count++] = number;
    name->value_bytes += value.length;
    slots_insert(&ix->by_text, hash, number);
    return number;
}

uint32_t label_index_intern(struct label_index *ix, struct batch_str name_text,
                            struct batch_str value)
{
    struct label_name *name = label_index_name(ix, name_text);
    if (!name && !(name = add_name(ix, name_text)))
        return LABEL_NONE;
    uint64_t hash = hash_of(name, value);
    uint32_t number = find(ix, name, value, hash);
    if (number == LABEL_NONE)
        number = add_pair(ix, name, value, hash);
    if (number == LABEL_NONE)
        drop_name(ix, name);
    return number;
}

void label_index_drop(struct label_index *ix, uint32_t number)
{
    struct label_pair *pair = label_pair(ix, number);
    struct label_name *name = pair->name;
    if (pair->series.count > 0)
        return;
    slots_remove(&ix->by_text, pair->hash, number);
    uint32_t last = name->pairs[--name->count];
    name->pairs[pair->position] = last;
    label_pair(ix, last)->position = pair->position;
    name->value_bytes -= pair->value.length;
    forget(ix, pair->value);
    posting_fini(&pair->series);
    give_number(ix, number);
    drop_name(ix, name);
}
