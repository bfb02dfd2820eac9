// SPDX-License-Identifier: Apache-2.0
/* Plans over columns: which rows of a block pass a filter.
 *
 * A test of strings asks its predicate once for each string of the dictionary that occurs; an
 * equality looks the string up, and where the dictionary (sorted) does not have it no other column
 * is touched. A test of a resource attribute asks once for each process. Attributes that few spans
 * have cost as much as they have values; which rows these belong to is fetched only when one
 * passes. Each part of an "and" sees only the rows that the ones before it let through, and none
 * is asked when there are none left. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_MATCH_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_MATCH_H

#include "collector/query/traceql/engine/program.h"

/* `from`: the rows that matter. NULL: the view failed. The result is the caller's and a subset of
 * `from`. `readers`: one for each slot of the program, over the same view. */
uint64_t *match_plan(struct view *v, const struct plan *plan, struct reader *readers,
                     const uint64_t *from);

/* ---- parts, in match_test.c and match_list.c --------------------------------------------- */

/* Sets the bits of those rows of `from` that pass; `out` comes empty. */
void match_test(struct view *v, const struct traceql_field *field, const struct predicate *p,
                const uint64_t *from, uint64_t *out);
void match_present(struct view *v, const struct traceql_field *field, const uint64_t *from,
                   uint64_t *out);

/* Values with their rows, ascending: attributes, events, links. */
struct match_list {
    uint32_t count;
    const uint32_t *rows; /* NULL: of `attribute`, not fetched yet */
    const struct block_attribute *attribute;
};
/* `passes`: a byte for each value. */
void match_list(struct view *v, struct match_list *list, const struct predicate *p,
                const uint8_t *passes, const uint64_t *from, uint64_t *out);
void match_attribute(struct view *v, enum block_scope scope, struct batch_str key,
                     const struct predicate *p, const uint64_t *from, uint64_t *out);
void match_attribute_present(struct view *v, enum block_scope scope, struct batch_str key,
                             const uint64_t *from, uint64_t *out);

/* What a predicate says of the dictionary's strings, each asked when it is met first. */
struct match_strings {
    const struct predicate *p;
    const struct batch_str *list;
    uint8_t *verdicts; /* 0: not asked, 1: fails, 2: passes. NULL: `only` decides */
    uint32_t only;     /* the one that is equal; BLOCK_NONE: there is none */
};
/* False: the view failed. */
bool match_strings_init(struct match_strings *s, struct view *v, const struct predicate *p);
bool match_strings_ask(struct match_strings *s, uint32_t code);

static inline bool match_string(struct match_strings *s, uint32_t code)
{
    if (!s->verdicts)
        return (code == s->only) == (s->p->op == TRACEQL_EQ);
    uint8_t verdict = s->verdicts[code];
    return verdict ? verdict == 2 : match_strings_ask(s, code);
}

/* Whether no string of the block passes. */
static inline bool match_strings_never(const struct match_strings *s)
{
    return !s->verdicts && s->only == BLOCK_NONE && s->p->op == TRACEQL_EQ;
}

#endif
