// SPDX-License-Identifier: Apache-2.0
/* Tests of what lies in lists beside the rows: attributes, events, links; and of dictionaries. */
#include "collector/query/traceql/engine/match.h"
#include "collector/query/traceql/engine/resource.h"

/* ---- dictionaries ------------------------------------------------------------------------ */

bool match_strings_init(struct match_strings *s, struct view *v, const struct predicate *p)
{
    const struct block_strings *strings = view_strings(v);
    if (!strings)
        return false;
    *s = (struct match_strings){.p = p, .list = strings->list, .only = BLOCK_NONE};
    bool equality = p->op == TRACEQL_EQ || p->op == TRACEQL_NE;
    if (p->value.type != TRACEQL_STRING) { /* no string compares with it */
        s->verdicts = view_alloc(v, strings->count, 1);
        if (s->verdicts)
            memset(s->verdicts, 1, strings->count);
        return s->verdicts != NULL;
    }
    if (equality && strings->sorted) {
        s->only = batch_str_find(strings->list, strings->count, p->value.text);
        return true;
    }
    s->verdicts = view_zeroed(v, strings->count, 1);
    return s->verdicts != NULL;
}

bool match_strings_ask(struct match_strings *s, uint32_t code)
{
    bool passes = predicate_passes_text(s->p, s->list[code]);
    s->verdicts[code] = passes ? 2 : 1;
    return passes;
}

/* ---- lists ------------------------------------------------------------------------------- */

static bool fetch_rows(struct view *v, struct match_list *list)
{
    if (!list->rows)
        list->rows = view_attribute_rows(v, list->attribute);
    return list->rows != NULL;
}

/* Where all values of a row must pass, one that fails takes it out again. */
void match_list(struct view *v, struct match_list *list, const struct predicate *p,
                const uint8_t *passes, const uint64_t *from, uint64_t *out)
{
    if (list->count == 0 || !memchr(passes, 1, list->count) || !fetch_rows(v, list))
        return;
    for (uint32_t i = 0; i < list->count; i++) {
        if (passes[i] && bits_get(from, list->rows[i]))
            bits_set(out, list->rows[i]);
    }
    if (!predicate_wants_all(p))
        return;
    for (uint32_t i = 0; i < list->count; i++) {
        if (!passes[i])
            bits_clear(out, list->rows[i]);
    }
}

/* ---- attributes -------------------------------------------------------------------------- */

static void test_texts(const struct block_attribute *a, struct match_strings *s, uint8_t *passes)
{
    for (uint32_t i = 0; i < a->count; i++)
        passes[i] = (a->type[i] == VALUE_STRING || a->type[i] == VALUE_BYTES) &&
                    match_string(s, (uint32_t)a->value[i]);
}

static void test_values(const struct block_attribute *a, const struct predicate *p, uint8_t *passes)
{
    for (uint32_t i = 0; i < a->count; i++) {
        passes[i] = 0;
        if (a->type[i] == VALUE_INT) {
            passes[i] = predicate_passes_int(p, (int64_t)a->value[i]);
        } else if (a->type[i] == VALUE_DOUBLE || a->type[i] == VALUE_BOOL) {
            struct traceql_value value = value_of_batch(a->type[i], a->value[i], NULL);
            passes[i] = predicate_passes(p, &value);
        }
    }
}

void match_attribute(struct view *v, enum block_scope scope, struct batch_str key,
                     const struct predicate *p, const uint64_t *from, uint64_t *out)
{
    bool text = p->value.type == TRACEQL_STRING;
    struct match_strings s;
    if (text && (!match_strings_init(&s, v, p) || match_strings_never(&s)))
        return;
    const struct block_attribute *a = view_attribute(v, scope, key);
    uint8_t *passes = a && a->count ? view_alloc(v, a->count, 1) : NULL;
    if (!passes)
        return;
    if (text)
        test_texts(a, &s, passes);
    else
        test_values(a, p, passes);
    struct match_list list = {.count = a->count, .attribute = a};
    match_list(v, &list, p, passes, from, out);
}

void match_attribute_present(struct view *v, enum block_scope scope, struct batch_str key,
                             const uint64_t *from, uint64_t *out)
{
    const struct block_attribute *a = view_attribute(v, scope, key);
    const uint32_t *rows = a && a->count ? view_attribute_rows(v, a) : NULL;
    for (uint32_t i = 0; rows && i < a->count; i++) {
        if (bits_get(from, rows[i]))
            bits_set(out, rows[i]);
    }
}
