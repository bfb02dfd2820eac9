// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool fits(struct promql_parser *p, uint32_t depth, struct language_place at)
{
    if (depth <= PROMQL_DEPTH_MAX)
        return true;
    language_fail_depth(&p->in, at, PROMQL_DEPTH_MAX);
    return false;
}

/* With copies of the arguments. */
static struct promql_expr *new_expr(struct promql_parser *p, enum promql_form form,
                                    struct promql_expr *const *args, uint32_t count,
                                    struct language_place at)
{
    struct promql_expr *e = language_new(&p->in, sizeof *e);
    if (!e)
        return NULL;
    e->form = form;
    e->id = p->nodes++;
    e->place = at;
    e->arg_count = count;
    e->depth = 1;
    for (uint32_t i = 0; i < count; i++)
        if (args[i]->depth >= e->depth)
            e->depth = args[i]->depth + 1;
    e->args = arena_copy(p->in.arena, args, count * sizeof(struct promql_expr *));
    if (!e->args) {
        p->in.no_memory = true;
        return NULL;
    }
    return fits(p, e->depth, at) ? e : NULL;
}

bool promql_build_query(struct promql_parser *p, struct promql_expr *expr)
{
    p->query = language_new(&p->in, sizeof *p->query);
    if (p->query)
        *p->query = (struct promql_query){p->in.text, p->nodes, expr};
    return p->query;
}

struct promql_expr *promql_build_number(struct promql_parser *p, double number,
                                        struct language_place at)
{
    struct promql_expr *e = new_expr(p, PROMQL_NUMBER, NULL, 0, at);
    if (e)
        e->number = number;
    return e;
}

struct promql_expr *promql_build_text(struct promql_parser *p, struct batch_str text,
                                      struct language_place at)
{
    struct promql_expr *e = new_expr(p, PROMQL_TEXT, NULL, 0, at);
    if (e)
        e->text = text;
    return e;
}

struct promql_expr *promql_build_paren(struct promql_parser *p, struct promql_expr *of,
                                       struct language_place at)
{
    return new_expr(p, PROMQL_PAREN, &of, 1, at);
}

struct promql_expr *promql_build_unary(struct promql_parser *p, bool negates,
                                       struct promql_expr *of, struct language_place at)
{
    if (of->form == PROMQL_NUMBER) { /* signs of numbers are theirs */
        if (negates)
            of->number = -of->number;
        of->place = at;
        return of;
    }
    struct promql_expr *e = new_expr(p, PROMQL_UNARY, &of, 1, at);
    if (e)
        e->negates = negates;
    return e;
}

static struct promql_names sorted(const struct promql_name_list *l);

struct promql_expr *promql_build_binary(struct promql_parser *p, enum promql_op op,
                                        struct promql_expr *left,
                                        const struct promql_modifiers *modifiers,
                                        struct promql_expr *right, struct language_place at)
{
    struct promql_expr *sides[] = {left, right};
    struct promql_expr *e = new_expr(p, PROMQL_BINARY, sides, 2, at);
    if (e) {
        e->binary.op = op;
        e->binary.to_bool = modifiers->to_bool;
        e->binary.matching = modifiers->matching;
    }
    return e;
}

struct promql_expr *promql_build_call(struct promql_parser *p, struct batch_str name,
                                      const struct promql_expr_list *args,
                                      struct language_place name_at, struct language_place at)
{
    struct promql_expr *e = new_expr(p, PROMQL_CALL, args->list, args->count, at);
    if (!e)
        return NULL;
    e->function = promql_function_named(name);
    if (!e->function)
        language_fail_meaning(&p->in, name_at, "there is no function named %.*s",
                              (int)(name.length < 100 ? name.length : 100), name.bytes);
    return e;
}

static bool has_parameter(enum promql_aggregate op)
{
    return op >= PROMQL_TOPK;
}

struct promql_expr *promql_build_aggregation(struct promql_parser *p, enum promql_aggregate op,
                                             const struct promql_grouping *grouping,
                                             const struct promql_expr_list *args,
                                             struct language_place at)
{
    uint32_t wanted = has_parameter(op) ? 2 : 1;
    struct promql_expr *turned[] = {args->list[args->count - 1], args->list[0]};
    if (args->count != wanted)
        language_fail_meaning(&p->in, at, "%s takes %u argument%s, and got %u",
                              promql_aggregate_name(op), wanted, wanted > 1 ? "s" : "",
                              args->count);
    struct promql_expr *e =
        new_expr(p, PROMQL_AGGREGATION, turned, args->count < wanted ? 1 : wanted, at);
    if (e) {
        e->aggregation.op = op;
        e->aggregation.without = grouping->without;
        e->aggregation.grouped = grouping->written;
        e->aggregation.names = sorted(&grouping->names);
    }
    return e;
}

/* ---- selectors --------------------------------------------------------------------------- */

struct promql_expr *promql_build_selector(struct promql_parser *p, struct batch_str name,
                                          const struct promql_matcher_list *matchers,
                                          struct language_place at)
{
    static const struct batch_str metric = {LABEL_METRIC, sizeof LABEL_METRIC - 1};
    struct promql_matcher_list all = {0};
    struct promql_expr *e = new_expr(p, PROMQL_SELECTOR, NULL, 0, at);
    if (!e)
        return NULL;
    if (name.length > 0) {
        struct promql_matcher m = {MATCH_EQUAL, metric, name, at};
        if (!promql_matchers_add(p, &all, &m))
            return NULL;
    }
    for (uint32_t i = 0; matchers && i < matchers->count; i++) {
        const struct promql_matcher *m = &matchers->list[i];
        if (name.length > 0 && batch_str_equal(m->name, metric) && m->kind == MATCH_EQUAL)
            language_fail_meaning(
                &p->in, m->place, "the metric's name is set twice: \"%.*s\" and \"%.*s\"",
                (int)(name.length < 80 ? name.length : 80), name.bytes,
                (int)(m->value.length < 80 ? m->value.length : 80), m->value.bytes);
        if (!promql_matchers_add(p, &all, m))
            return NULL;
    }
    e->selector.name = name;
    e->selector.matcher_count = all.count;
    e->selector.matchers = all.list;
    return e;
}

struct promql_expr *promql_build_range(struct promql_parser *p, struct promql_expr *of,
                                       const struct promql_duration *range,
                                       struct language_place at)
{
    if (of->form != PROMQL_SELECTOR || of->selector.range) {
        language_fail_meaning(&p->in, at,
                              "a range [...] stands behind a selector; behind anything else "
                              "with a colon, as a subquery: [5m:]");
        return of;
    }
    if (of->selector.when.offset || of->selector.when.at)
        language_fail_meaning(&p->in, at, "offset and @ stand behind the range");
    of->selector.range = range;
    of->place = at;
    return of;
}

struct promql_expr *promql_build_subquery(struct promql_parser *p, struct promql_expr *of,
                                          const struct promql_duration *range,
                                          const struct promql_duration *step,
                                          struct language_place at)
{
    struct promql_expr *e = new_expr(p, PROMQL_SUBQUERY, &of, 1, at);
    if (e) {
        e->subquery.range = range;
        e->subquery.step = step;
    }
    return e;
}

/* Where offset and @ of an expression stand; NULL (and told) for those that take none. */
static struct promql_when *when_of(struct promql_parser *p, struct promql_expr *of,
                                   struct language_place at, const char *what)
{
    if (of->form == PROMQL_SELECTOR || of->form == PROMQL_SUBQUERY) {
        of->place = at;
        return of->form == PROMQL_SELECTOR ? &of->selector.when : &of->subquery.when;
    }
    language_fail_meaning(&p->in, at, "%s stands behind a selector or a subquery", what);
    return NULL;
}

void promql_build_offset(struct promql_parser *p, struct promql_expr *of,
                         const struct promql_duration *offset, struct language_place at)
{
    struct promql_when *when = when_of(p, of, at, "offset");
    if (when && when->offset)
        language_fail_meaning(&p->in, at, "offset is written twice");
    if (when)
        when->offset = offset;
}

void promql_build_at_time(struct promql_parser *p, struct promql_expr *of, double seconds,
                          struct language_place at)
{
    struct promql_when *when = when_of(p, of, at, "@");
    if (!when)
        return;
    if (when->at)
        language_fail_meaning(&p->in, at, "@ is written twice");
    if (!isfinite(seconds) || fabs(seconds) > (double)(INT64_MAX / 2000)) {
        language_fail_meaning(&p->in, at, "the time behind @ is out of range");
        return;
    }
    when->at = PROMQL_AT_TIME;
    when->at_ms = llround(seconds * 1000);
}

static bool is_name(struct batch_str name, const char *word)
{
    return name.length == strlen(word) && strncasecmp(name.bytes, word, name.length) == 0;
}

void promql_build_at_edge(struct promql_parser *p, struct promql_expr *of, struct batch_str edge,
                          struct language_place edge_at, struct language_place at)
{
    struct promql_when *when = when_of(p, of, at, "@");
    bool start = is_name(edge, "start");
    if (!start && !is_name(edge, "end"))
        language_fail_meaning(&p->in, edge_at, "behind @ stands a time, start() or end()");
    if (when && when->at)
        language_fail_meaning(&p->in, at, "@ is written twice");
    if (when)
        when->at = start ? PROMQL_AT_START : PROMQL_AT_END;
}

void promql_build_extended(struct promql_parser *p, struct promql_expr *of, bool anchored,
                           struct language_place at)
{
    if (of->form != PROMQL_SELECTOR || (anchored && !of->selector.range)) {
        language_fail_meaning(&p->in, at,
                              anchored ? "anchored stands behind a range selector"
                                       : "smoothed stands behind a selector");
        return;
    }
    if (of->selector.anchored || of->selector.smoothed)
        language_fail_meaning(&p->in, at, "one of anchored and smoothed is enough");
    of->selector.anchored = anchored;
    of->selector.smoothed = !anchored;
    of->place = at;
}

/* ---- how operators match ----------------------------------------------------------------- */

void promql_build_matching(struct promql_modifiers *m, bool on,
                           const struct promql_name_list *names)
{
    m->matching.on = on;
    m->matching.written = true;
    m->matching.names = sorted(names);
}

void promql_build_group(struct promql_modifiers *m, bool left,
                        const struct promql_name_list *include)
{
    m->matching.cardinality = left ? PROMQL_MANY_TO_ONE : PROMQL_ONE_TO_MANY;
    m->matching.include = sorted(include);
}

void promql_build_fill(struct promql_modifiers *m, bool left, double value)
{
    if (left) {
        m->matching.fills_left = true;
        m->matching.fill_left = value;
    } else {
        m->matching.fills_right = true;
        m->matching.fill_right = value;
    }
}

/* ---- durations --------------------------------------------------------------------------- */

struct promql_duration *promql_build_duration(struct promql_parser *p,
                                              enum promql_duration_form form, enum promql_op op,
                                              const struct promql_duration *left,
                                              const struct promql_duration *right,
                                              struct language_place at)
{
    struct promql_duration *d = language_new(&p->in, sizeof *d);
    if (!d)
        return NULL;
    *d = (struct promql_duration){.form = form, .op = op, .depth = 1, .place = at};
    d->left = left;
    d->right = right;
    if (left)
        d->depth = left->depth + 1;
    if (right && right->depth >= d->depth)
        d->depth = right->depth + 1;
    if (form == PROMQL_DURATION_NEGATE && left->form == PROMQL_DURATION_NUMBER) {
        d->form = PROMQL_DURATION_NUMBER;
        d->seconds = -left->seconds;
        d->left = NULL;
        d->depth = 1;
    }
    return fits(p, d->depth, at) ? d : NULL;
}

struct promql_duration *promql_build_seconds(struct promql_parser *p, double seconds,
                                             struct language_place at)
{
    struct promql_duration *d =
        promql_build_duration(p, PROMQL_DURATION_NUMBER, PROMQL_ADD, NULL, NULL, at);
    if (d)
        d->seconds = seconds;
    return d;
}

struct promql_duration *promql_build_duration_of(struct promql_parser *p, struct batch_str name,
                                                 const struct promql_duration *left,
                                                 const struct promql_duration *right,
                                                 struct language_place at)
{
    static const struct {
        const char *word;
        enum promql_duration_form form;
        bool takes;
    } known[] = {{"step", PROMQL_DURATION_STEP, false},
                 {"range", PROMQL_DURATION_RANGE, false},
                 {"min_of", PROMQL_DURATION_MIN, true},
                 {"max_of", PROMQL_DURATION_MAX, true}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (is_name(name, known[i].word) && known[i].takes == (left != NULL))
            return promql_build_duration(p, known[i].form, PROMQL_ADD, left, right, at);
    language_fail_syntax(&p->in, at,
                         "in durations there are step(), range(), min_of(a, b), max_of(a, b)");
    return NULL;
}

/* ---- lists ------------------------------------------------------------------------------- */

struct batch_str promql_text_at(const struct promql_parser *p, struct language_place at)
{
    return (struct batch_str){p->in.text.bytes + at.begin, at.end - at.begin};
}

bool promql_exprs_add(struct promql_parser *p, struct promql_expr_list *l, struct promql_expr *e)
{
    l->list = language_grow(&p->in, (void *)l->list, l->count, &l->capacity,
                            sizeof(struct promql_expr *));
    if (l->list)
        l->list[l->count++] = e;
    return l->list;
}

bool promql_names_add(struct promql_parser *p, struct promql_name_list *l, struct batch_str name,
                      struct language_place at)
{
    if (!promql_is_name(name))
        language_fail_meaning(&p->in, at, "this is no name of a label: it is empty, or not UTF-8");
    l->list = language_grow(&p->in, l->list, l->count, &l->capacity, sizeof *l->list);
    if (l->list)
        l->list[l->count++] = name;
    return l->list;
}

bool promql_matchers_add(struct promql_parser *p, struct promql_matcher_list *l,
                         const struct promql_matcher *m)
{
    l->list = language_grow(&p->in, l->list, l->count, &l->capacity, sizeof *l->list);
    if (l->list)
        l->list[l->count++] = *m;
    return l->list;
}

static int compare_text(const void *a, const void *b)
{
    return batch_str_compare(*(const struct batch_str *)a, *(const struct batch_str *)b);
}

static struct promql_names sorted(const struct promql_name_list *l)
{
    struct promql_names n = {0, l->list};
    if (l->count)
        qsort(l->list, l->count, sizeof *l->list, compare_text);
    for (uint32_t i = 0; i < l->count; i++)
        if (n.count == 0 || !batch_str_equal(l->list[i], n.list[n.count - 1]))
            n.list[n.count++] = l->list[i];
    return n;
}
