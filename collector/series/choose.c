// SPDX-License-Identifier: Apache-2.0
#include "collector/series/choose.h"

#include "collector/series/pattern.h"

/* To look at a value of an index costs about as much as to look at some series. */
enum { VALUES_A_SERIES = 4 };

typedef bool wants_value(void *context, struct batch_str value);

struct view { /* of an index; `error` of each: BLOCK_OK … */
    void *context;
    int (*equal)(void *context, struct batch_str name, struct batch_str value,
                 roaring_bitmap_t *to);
    int (*values)(void *context, struct batch_str name, struct batch_str prefix, wants_value *wants,
                  void *wants_context, roaring_bitmap_t *to);
    uint64_t (*count)(void *context, struct batch_str name);
    int (*all)(void *context, roaring_bitmap_t *to);
};

struct choosing {
    const struct view *view;
    roaring_bitmap_t *found; /* NULL: all */
    uint64_t rest;
};

/* found = found and some, which is taken over. */
static void narrow(struct choosing *c, roaring_bitmap_t *some)
{
    if (!c->found) {
        c->found = some;
        return;
    }
    roaring_bitmap_and_inplace(c->found, some);
    roaring_bitmap_free(some);
}

static bool is_empty(const struct choosing *c)
{
    return c->found && roaring_bitmap_is_empty(c->found);
}

static bool accepts(void *context, struct batch_str value)
{
    return matcher_matches(context, value);
}

static int look_up(struct choosing *c, const struct matcher *m, const struct pattern *p)
{
    roaring_bitmap_t *some = roaring_bitmap_create();
    int error = some ? BLOCK_OK : BLOCK_ENOMEM;
    if (error == BLOCK_OK && m->kind == MATCH_EQUAL)
        error = c->view->equal(c->view->context, m->name, m->value, some);
    for (uint32_t i = 0; error == BLOCK_OK && m->kind == MATCH_REGEX && i < p->count; i++)
        error = c->view->equal(c->view->context, m->name, p->values[i], some);
    if (error == BLOCK_OK)
        narrow(c, some);
    else
        roaring_bitmap_free(some);
    return error;
}

static int look_through(struct choosing *c, const struct matcher *m, struct batch_str prefix)
{
    roaring_bitmap_t *some = roaring_bitmap_create();
    if (!some)
        return BLOCK_ENOMEM;
    int error = c->view->values(c->view->context, m->name, prefix, accepts, (void *)m, some);
    if (error == BLOCK_OK)
        narrow(c, some);
    else
        roaring_bitmap_free(some);
    return error;
}

/* Whether there are so few series that each can be asked. */
static bool better_asked(const struct choosing *c, const struct matcher *m)
{
    return c->found && roaring_bitmap_get_cardinality(c->found) <=
                           c->view->count(c->view->context, m->name) * VALUES_A_SERIES;
}

/* Those that name values first: they leave few series for the others. */
static int choose_named(struct choosing *c, const struct matcher *m, uint64_t bit, bool *done)
{
    struct pattern p = {0};
    *done = true;
    if (matcher_matches(m, (struct batch_str){"", 0})) {
        c->rest |= bit;
        return BLOCK_OK;
    }
    if (m->kind == MATCH_EQUAL)
        return look_up(c, m, &p);
    *done = false;
    if (m->kind != MATCH_REGEX)
        return BLOCK_OK;
    if (pattern_init(&p, m->value) != 0)
        return BLOCK_ENOMEM;
    int error = BLOCK_OK;
    if (p.is_finite) {
        *done = true;
        error = look_up(c, m, &p);
    }
    pattern_fini(&p);
    return error;
}

static int choose_other(struct choosing *c, const struct matcher *m, uint64_t bit)
{
    struct pattern p = {0};
    if (better_asked(c, m)) {
        c->rest |= bit;
        return BLOCK_OK;
    }
    if (m->kind == MATCH_REGEX && pattern_init(&p, m->value) != 0)
        return BLOCK_ENOMEM;
    int error = look_through(c, m, p.prefix);
    pattern_fini(&p);
    return error;
}

static int choose(const struct view *view, const struct matcher *matchers, size_t count,
                  roaring_bitmap_t **found, uint64_t *rest)
{
    struct choosing c = {.view = view};
    bool done[MATCHERS_MAX];
    int error = BLOCK_OK;
    for (size_t i = 0; i < count && error == BLOCK_OK; i++)
        error = choose_named(&c, &matchers[i], UINT64_C(1) << i, &done[i]);
    for (size_t i = 0; i < count && error == BLOCK_OK && !is_empty(&c); i++)
        if (!done[i])
            error = choose_other(&c, &matchers[i], UINT64_C(1) << i);
    if (error == BLOCK_OK && !c.found) {
        c.found = roaring_bitmap_create();
        error = c.found ? view->all(view->context, c.found) : BLOCK_ENOMEM;
    }
    if (error != BLOCK_OK && c.found) {
        roaring_bitmap_free(c.found);
        c.found = NULL;
    }
    *found = c.found;
    *rest = c.rest;
    return error;
}

/* ---- a block ----------------------------------------------------------------------------- */

static int block_equal(void *context, struct batch_str name, struct batch_str value,
                       roaring_bitmap_t *to)
{
    struct block_reader *r = context;
    uint32_t number = block_name(r->block, name);
    return number == UINT32_MAX ? BLOCK_OK : block_value_series(r, number, value, to);
}

static int block_through(void *context, struct batch_str name, struct batch_str prefix,
                         wants_value *wants, void *wants_context, roaring_bitmap_t *to)
{
    struct block_reader *r = context;
    uint32_t number = block_name(r->block, name);
    return number == UINT32_MAX ? BLOCK_OK
                                : block_values(r, number, prefix, wants, wants_context, to);
}

static uint64_t block_count(void *context, struct batch_str name)
{
    struct block_reader *r = context;
    uint32_t number = block_name(r->block, name);
    return number == UINT32_MAX ? 0 : block_name_values(r->block, number);
}

static int block_all(void *context, roaring_bitmap_t *to)
{
    struct block_reader *r = context;
    roaring_bitmap_add_range(to, 0, block_summary(r->block)->series);
    return BLOCK_OK;
}

int choose_in_block(struct block_reader *r, const struct matcher *matchers, size_t count,
                    roaring_bitmap_t **found, uint64_t *rest)
{
    const struct view view = {r, block_equal, block_through, block_count, block_all};
    return choose(&view, matchers, count, found, rest);
}

/* ---- the head ---------------------------------------------------------------------------- */

static int head_equal(void *context, struct batch_str name_text, struct batch_str value,
                      roaring_bitmap_t *to)
{
    const struct head *h = context;
    const struct label_name *name = label_index_name(&h->labels, name_text);
    uint32_t pair = name ? label_index_find(&h->labels, name, value) : LABEL_NONE;
    if (pair != LABEL_NONE)
        posting_or(&label_pair(&h->labels, pair)->series, to);
    return BLOCK_OK;
}

static int head_through(void *context, struct batch_str name_text, struct batch_str prefix,
                        wants_value *wants, void *wants_context, roaring_bitmap_t *to)
{
    const struct head *h = context;
    const struct label_name *name = label_index_name(&h->labels, name_text);
    for (uint32_t i = 0; name && i < name->count; i++) {
        const struct label_pair *pair = label_pair(&h->labels, name->pairs[i]);
        if (pair->value.length >= prefix.length &&
            (prefix.length == 0 || memcmp(pair->value.bytes, prefix.bytes, prefix.length) == 0) &&
            wants(wants_context, pair->value))
            posting_or(&pair->series, to);
    }
    return BLOCK_OK;
}

static uint64_t head_value_count(void *context, struct batch_str name_text)
{
    const struct head *h = context;
    const struct label_name *name = label_index_name(&h->labels, name_text);
    return name ? name->count : 0;
}

static int head_all(void *context, roaring_bitmap_t *to)
{
    const struct head *h = context;
    for (uint32_t i = 0; i < h->numbers; i++)
        if (head_series(h, i)->is_used)
            roaring_bitmap_add(to, i);
    return BLOCK_OK;
}

int choose_in_head(const struct head *h, const struct matcher *matchers, size_t count,
                   roaring_bitmap_t **found, uint64_t *rest)
{
    const struct view view = {(void *)h, head_equal, head_through, head_value_count, head_all};
    return choose(&view, matchers, count, found, rest);
}
