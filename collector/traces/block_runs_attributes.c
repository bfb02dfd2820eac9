// SPDX-License-Identifier: Apache-2.0
/* Attributes of a block over runs: all values of a key, gathered when it is asked for first. */
#include <string.h>

#include "collector/traces/block_runs.h"

struct runs_attribute { /* asked for before */
    struct block_attribute public;
    struct runs_attribute *next;
    enum block_scope scope;
    struct batch_str key;
    const uint32_t *rows, *items;
};

/* Goes through the attributes of one scope in the order of rows. */
struct walk {
    const struct runs_block *b;
    enum block_scope scope;
    uint32_t row, hanging, hangings; /* the span's event or link that is next, and how many */
    uint32_t item;                   /* events or links begun so far */
    const struct runs_source *source;
    uint32_t first, count; /* of the attributes found */
};

static void enter_row(struct walk *w)
{
    const struct runs_place *p = &w->b->places[w->row];
    w->source = &w->b->sources[p->source];
    w->hanging = 0;
    w->hangings = w->scope == BLOCK_SPAN    ? 1
                  : w->scope == BLOCK_EVENT ? w->source->batch->event_count[p->row]
                                            : w->source->batch->link_count[p->row];
}

static struct walk walk_begin(const struct runs_block *b, enum block_scope scope)
{
    struct walk w = {.b = b, .scope = scope};
    if (b->block.rows > 0)
        enter_row(&w);
    return w;
}

/* The attributes of the next span, event or link; false: that was all. w->row is one too far
 * only when it is false. */
static bool walk_next(struct walk *w)
{
    while (w->row < w->b->block.rows && w->hanging == w->hangings) {
        if (++w->row < w->b->block.rows)
            enter_row(w);
    }
    if (w->row == w->b->block.rows)
        return false;
    const struct batch *batch = w->source->batch;
    uint32_t row = w->b->places[w->row].row, i = w->hanging++;
    switch (w->scope) {
    case BLOCK_EVENT:
        w->first = batch->event_attribute_first[batch->event_first[row] + i];
        w->count = batch->event_attribute_count[batch->event_first[row] + i];
        break;
    case BLOCK_LINK:
        w->first = batch->link_attribute_first[batch->link_first[row] + i];
        w->count = batch->link_attribute_count[batch->link_first[row] + i];
        break;
    default:
        w->first = batch->attribute_first[row];
        w->count = batch->attribute_count[row];
    }
    w->item++;
    return true;
}

struct matches { /* which strings of each source are the key: `first` mostly, seldom more */
    uint32_t *first;
    bool several;
};

static bool find_key(struct runs_block *b, struct batch_str key, struct matches *m)
{
    *m = (struct matches){.first = runs_need(b, b->source_count, sizeof *m->first)};
    for (uint32_t s = 0; m->first && s < b->source_count; s++) {
        const struct batch *batch = b->sources[s].batch;
        m->first[s] = BLOCK_NONE;
        for (uint32_t i = batch->string_count; i-- > 0;) {
            if (!batch_str_equal(batch->strings[i], key))
                continue;
            m->several = m->several || m->first[s] != BLOCK_NONE;
            m->first[s] = i;
        }
    }
    return m->first != NULL;
}

static bool matches(const struct matches *m, const struct runs_block *b,
                    const struct runs_source *s, uint32_t string, struct batch_str key)
{
    return string == m->first[s - b->sources] ||
           (m->several && batch_str_equal(s->batch->strings[string], key));
}

/* Counts (out == NULL) or fills in. */
static uint32_t gather(struct runs_block *b, struct runs_attribute *a, const struct matches *m,
                       uint8_t *type, uint64_t *value, uint32_t *rows, uint32_t *items)
{
    uint32_t at = 0;
    struct walk w = walk_begin(b, a->scope);
    while (walk_next(&w)) {
        if (m->first[w.source - b->sources] == BLOCK_NONE)
            continue;
        const struct batch_attributes *from = &w.source->batch->attributes;
        for (uint32_t i = w.first; i < w.first + w.count; i++) {
            if (!matches(m, b, w.source, from->key[i], a->key))
                continue;
            if (type) {
                bool text = from->type[i] == VALUE_STRING || from->type[i] == VALUE_BYTES;
                type[at] = from->type[i];
                value[at] = text ? runs_string_of(w.source, from->value[i]) : from->value[i];
                rows[at] = w.row;
                items[at] = w.item - 1;
            }
            at++;
        }
    }
    return at;
}

static struct runs_attribute *add_attribute(struct runs_block *b, enum block_scope scope,
                                            struct batch_str key)
{
    struct matches m;
    struct runs_attribute *a = runs_need(b, 1, sizeof *a);
    char *copy = a ? runs_need(b, key.length, 1) : NULL;
    if (!copy || !find_key(b, key, &m))
        return NULL;
    if (key.length > 0)
        memcpy(copy, key.bytes, key.length);
    *a = (struct runs_attribute){.scope = scope, .key = {copy, key.length}};
    uint32_t count = gather(b, a, &m, NULL, NULL, NULL, NULL);
    uint8_t *type = runs_need(b, count, sizeof *type);
    uint64_t *value = runs_need(b, count, sizeof *value);
    uint32_t *rows = runs_need(b, count, sizeof *rows), *items = runs_need(b, count, sizeof *items);
    if (!type || !value || !rows || !items)
        return NULL;
    if (count > 0)
        gather(b, a, &m, type, value, rows, items);
    a->public = (struct block_attribute){count, type, value, a};
    a->rows = rows;
    a->items = items;
    a->next = b->attributes;
    return b->attributes = a;
}

const struct block_attribute *runs_attribute(struct block *block, enum block_scope scope,
                                             const void *key, size_t length)
{
    struct runs_block *b = (struct runs_block *)block;
    struct batch_str wanted = {key, (uint32_t)length};
    for (struct runs_attribute *a = b->attributes; a; a = a->next) {
        if (a->scope == scope && batch_str_equal(a->key, wanted))
            return &a->public;
    }
    struct runs_attribute *a = add_attribute(b, scope, wanted);
    return a ? &a->public : NULL;
}

const uint32_t *runs_attribute_rows(struct block *block, const struct block_attribute *a)
{
    (void)block;
    return ((const struct runs_attribute *)a->rows)->rows;
}

const uint32_t *runs_attribute_items(struct block *block, const struct block_attribute *a)
{
    (void)block;
    return ((const struct runs_attribute *)a->rows)->items;
}

bool runs_keys(struct block *block, enum block_scope scope,
               void (*each)(void *context, struct batch_str key), void *context)
{
    struct runs_block *b = (struct runs_block *)block;
    uint8_t *told = runs_need(b, runs_count_strings(b), 1); /* by the block's index of the key */
    if (!told)
        return false;
    struct walk w = walk_begin(b, scope);
    while (walk_next(&w)) {
        for (uint32_t i = w.first; i < w.first + w.count; i++) {
            uint32_t key = w.source->batch->attributes.key[i];
            uint8_t *mark = &told[runs_string_of(w.source, key)];
            if (!*mark)
                each(context, w.source->batch->strings[key]);
            *mark = 1;
        }
    }
    return true;
}
