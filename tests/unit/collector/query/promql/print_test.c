// SPDX-License-Identifier: Apache-2.0
/* A printed query is read back as the same tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collector/query/promql/parse.h"
#include "collector/query/promql/print.h"
#include "tests/unit/collector/query/promql/queries.h"

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static const struct promql_query *parse(struct arena *arena, const char *text, size_t length)
{
    struct promql_query *query;
    struct language_error error;
    if (promql_parse(arena, text, length, &query, &error) != LANGUAGE_SOUND)
        fail_msg("%.*s: %s", (int)length, text, error.message);
    return query;
}

/* ---- trees ------------------------------------------------------------------------------- */

static bool same_text(struct batch_str a, struct batch_str b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

static bool same_number(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static bool same_names(const struct promql_names *a, const struct promql_names *b)
{
    bool same = a->count == b->count;
    for (uint32_t i = 0; same && i < a->count; i++)
        same = same_text(a->list[i], b->list[i]);
    return same;
}

static bool same_duration(const struct promql_duration *a, const struct promql_duration *b)
{
    if (!a || !b)
        return a == b;
    return a->form == b->form && (a->form != PROMQL_DURATION_BINARY || a->op == b->op) &&
           (a->form != PROMQL_DURATION_NUMBER || same_number(a->seconds, b->seconds)) &&
           same_duration(a->left, b->left) && same_duration(a->right, b->right);
}

static bool same_when(const struct promql_when *a, const struct promql_when *b)
{
    return same_duration(a->offset, b->offset) && a->at == b->at && a->at_ms == b->at_ms;
}

static bool same_selector(const struct promql_expr *a, const struct promql_expr *b)
{
    bool same = same_text(a->selector.name, b->selector.name) &&
                a->selector.matcher_count == b->selector.matcher_count &&
                same_when(&a->selector.when, &b->selector.when) &&
                same_duration(a->selector.range, b->selector.range) &&
                a->selector.anchored == b->selector.anchored &&
                a->selector.smoothed == b->selector.smoothed;
    for (uint32_t i = 0; same && i < a->selector.matcher_count; i++) {
        const struct promql_matcher *m = &a->selector.matchers[i], *n = &b->selector.matchers[i];
        same = m->kind == n->kind && same_text(m->name, n->name) && same_text(m->value, n->value);
    }
    return same;
}

static bool same_binary(const struct promql_expr *a, const struct promql_expr *b)
{
    const struct promql_matching *m = &a->binary.matching, *n = &b->binary.matching;
    return a->binary.op == b->binary.op && a->binary.to_bool == b->binary.to_bool &&
           m->on == n->on && m->cardinality == n->cardinality && same_names(&m->names, &n->names) &&
           same_names(&m->include, &n->include) && m->fills_left == n->fills_left &&
           m->fills_right == n->fills_right && same_number(m->fill_left, n->fill_left) &&
           same_number(m->fill_right, n->fill_right);
}

static bool same_own(const struct promql_expr *a, const struct promql_expr *b)
{
    switch (a->form) {
    case PROMQL_NUMBER:
        return same_number(a->number, b->number);
    case PROMQL_TEXT:
        return same_text(a->text, b->text);
    case PROMQL_SELECTOR:
        return same_selector(a, b);
    case PROMQL_SUBQUERY:
        return same_when(&a->subquery.when, &b->subquery.when) &&
               same_duration(a->subquery.range, b->subquery.range) &&
               same_duration(a->subquery.step, b->subquery.step);
    case PROMQL_CALL:
        return a->function == b->function;
    case PROMQL_AGGREGATION:
        return a->aggregation.op == b->aggregation.op &&
               a->aggregation.without == b->aggregation.without &&
               same_names(&a->aggregation.names, &b->aggregation.names);
    case PROMQL_BINARY:
        return same_binary(a, b);
    case PROMQL_UNARY:
        return a->negates == b->negates;
    case PROMQL_PAREN:
        break;
    }
    return true;
}

static bool same_tree(const struct promql_expr *a, const struct promql_expr *b)
{
    a = promql_bare(a), b = promql_bare(b);
    bool same =
        a->form == b->form && a->type == b->type && a->arg_count == b->arg_count && same_own(a, b);
    for (uint32_t i = 0; same && i < a->arg_count; i++)
        same = same_tree(a->args[i], b->args[i]);
    return same;
}

/* ---- tests ------------------------------------------------------------------------------- */

static void a_printed_query_is_read_as_the_same_tree(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(sound_queries); i++) {
        struct arena arena;
        struct buffer once = {0}, twice = {0};
        arena_init(&arena, 4096);
        const struct promql_query *a = parse(&arena, sound_queries[i], strlen(sound_queries[i]));
        promql_print(&once, a);
        const struct promql_query *b = parse(&arena, once.data, once.length);
        if (!same_tree(a->expr, b->expr))
            fail_msg("%s is printed as %.*s", sound_queries[i], (int)once.length, once.data);
        promql_print(&twice, b);
        assert_int_equal(once.length, twice.length);
        assert_memory_equal(once.data, twice.data, once.length);
        buffer_fini(&once);
        buffer_fini(&twice);
        arena_fini(&arena);
    }
}

static void prints(const char *text, const char *as)
{
    struct arena arena;
    struct buffer out = {0};
    arena_init(&arena, 4096);
    promql_print(&out, parse(&arena, text, strlen(text)));
    buffer_byte(&out, 0);
    assert_string_equal(out.data, as);
    buffer_fini(&out);
    arena_fini(&arena);
}

static void the_canonical_text_shows_what_binds_to_what(void **state)
{
    (void)state;
    prints("-foo ^ 2", "-(foo ^ (2))");
    prints("(a+b)*c", "(a + b) * c");
    prints("a or b and c", "a or (b and c)");
    prints("sum(rate(foo{a!='b'}[5m])) without (x,b)",
           "sum without (b, x) (rate(foo{a!=\"b\"}[300]))");
    prints("{\"a.b\",c=~'d'}", "{__name__=\"a.b\", c=~\"d\"}");
}

static void numbers_are_as_short_as_they_read_back(void **state)
{
    (void)state;
    static const double numbers[] = {0, -0.0, 0.1, 1.0 / 3, 1e300, 5e-324, 123456789012345680.0};
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct buffer out = {0};
        promql_print_number(&out, numbers[i]);
        buffer_byte(&out, 0);
        assert_true(same_number(strtod(out.data, NULL), numbers[i]));
        buffer_fini(&out);
    }
    prints("0.1", "0.1");
    prints("Inf", "+Inf");
    prints("nan", "NaN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_printed_query_is_read_as_the_same_tree),
        cmocka_unit_test(the_canonical_text_shows_what_binds_to_what),
        cmocka_unit_test(numbers_are_as_short_as_they_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
