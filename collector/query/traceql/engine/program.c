// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/engine/program.h"

#include <string.h>

#include "collector/query/traceql/engine/plan.h"
#include "collector/query/traceql/print.h"

/* ---- memory ------------------------------------------------------------------------------ */

void *program_new(struct program *p, size_t bytes)
{
    void *made = p->failed ? NULL : arena_calloc(&p->arena, 1, bytes);
    if (!made)
        p->failed = true;
    return made;
}

/* Room for one more item in a list of the arena. */
static void *grow(struct program *p, void *list, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity)
        return list;
    uint32_t more = *capacity ? *capacity * 2 : 8;
    void *bigger = program_new(p, more * size);
    if (!bigger)
        return NULL;
    if (count)
        memcpy(bigger, list, count * size);
    *capacity = more;
    return bigger;
}

bool program_own_regex(struct program *p, struct regex *regex)
{
    struct regex **list =
        grow(p, p->regexes, p->regex_count, &p->regex_capacity, sizeof(*p->regexes));
    if (!list) {
        regex_destroy(&regex);
        return false;
    }
    p->regexes = list;
    list[p->regex_count++] = regex;
    return true;
}

static struct batch_str printed(struct program *p, struct buffer *text)
{
    struct batch_str result = {"", 0};
    char *copy = text->failed ? NULL : arena_copy(&p->arena, text->data, text->length);
    if (copy)
        result = (struct batch_str){copy, (uint32_t)text->length};
    else
        p->failed = true;
    buffer_fini(text);
    return result;
}

/* ---- fields ------------------------------------------------------------------------------ */

static bool same_field(const struct traceql_field *a, const struct traceql_field *b)
{
    if (a->scope != b->scope || a->parent != b->parent)
        return false;
    if (a->scope == TRACEQL_INTRINSIC)
        return a->intrinsic == b->intrinsic;
    return batch_str_equal(a->key, b->key);
}

uint32_t program_slot(struct program *p, const struct traceql_field *field)
{
    for (uint32_t i = 0; i < p->slot_count; i++) {
        if (same_field(&p->slots[i], field))
            return i;
    }
    struct traceql_field *slots =
        grow(p, p->slots, p->slot_count, &p->slot_capacity, sizeof *slots);
    if (!slots)
        return 0;
    p->slots = slots;
    slots[p->slot_count] = *field;
    return p->slot_count++;
}

/* What is told of each found span, or of its trace, anyway. */
static bool goes_without_saying(const struct traceql_field *f)
{
    if (f->scope != TRACEQL_INTRINSIC || f->parent)
        return false;
    switch (f->intrinsic) {
    case TRACEQL_NAME:
    case TRACEQL_DURATION_OF:
    case TRACEQL_SPAN_ID:
    case TRACEQL_TRACE_ID:
    case TRACEQL_TRACE_DURATION:
    case TRACEQL_ROOT_NAME:
    case TRACEQL_ROOT_SERVICE:
    case TRACEQL_PARENT:
        return true;
    default:
        return false;
    }
}

static void tell(struct program *p, const struct traceql_field *field)
{
    if (goes_without_saying(field))
        return;
    uint32_t slot = program_slot(p, field);
    for (uint32_t i = 0; i < p->told_count; i++) {
        if (p->told[i] == slot)
            return;
    }
    uint32_t *told = grow(p, p->told, p->told_count, &p->told_capacity, sizeof *told);
    if (!told)
        return;
    p->told = told;
    told[p->told_count++] = slot;
}

static void tell_all(struct program *p, const struct traceql_expr *e)
{
    if (e->op == TRACEQL_FIELD)
        tell(p, &e->field);
    if (e->left)
        tell_all(p, e->left);
    if (e->right)
        tell_all(p, e->right);
}

/* ---- sets, scalars, stages --------------------------------------------------------------- */

static struct program_pipeline *make_pipeline(struct program *p, const struct traceql_pipeline *l);

uint32_t program_filter(struct program *p, const struct traceql_expr *filter)
{
    struct plan **list =
        grow(p, p->filters, p->filter_count, &p->filter_capacity, sizeof(*p->filters));
    if (!list)
        return 0;
    p->filters = list;
    list[p->filter_count] = plan_make(p, filter);
    if (filter)
        tell_all(p, filter);
    return p->filter_count++;
}

static struct program_set *make_set(struct program *p, const struct traceql_set *from)
{
    struct program_set *s = program_new(p, sizeof *s);
    if (!s)
        return NULL;
    s->op = from->op;
    if (from->op == TRACEQL_SET_FILTER) {
        s->filter = program_filter(p, from->filter);
    } else if (from->op == TRACEQL_SET_PIPELINE) {
        s->pipeline = make_pipeline(p, from->pipeline);
    } else {
        s->left = make_set(p, from->left);
        s->right = make_set(p, from->right);
    }
    if (p->failed)
        return NULL;
    s->cost = s->left       ? s->left->cost + s->right->cost
              : s->pipeline ? 1000
                            : p->filters[s->filter]->cost;
    return s;
}

static struct program_scalar *make_scalar(struct program *p, const struct traceql_scalar *from)
{
    struct program_scalar *s = program_new(p, sizeof *s);
    if (!s)
        return NULL;
    s->form = from->form;
    s->op = from->op;
    s->value = from->value;
    s->aggregate = from->aggregate;
    if (from->form == TRACEQL_SCALAR_AGGREGATE) {
        struct buffer text = {0};
        traceql_print_scalar(&text, from);
        s->name = printed(p, &text);
        s->of = from->of ? plan_calc(p, from->of) : NULL;
        if (from->of)
            tell_all(p, from->of);
    } else if (from->form == TRACEQL_SCALAR_PIPELINE) {
        s->pipeline = make_pipeline(p, from->pipeline);
    } else if (from->form == TRACEQL_SCALAR_ARITHMETIC) {
        s->left = make_scalar(p, from->left);
        s->right = make_scalar(p, from->right);
    }
    return s;
}

static void make_by(struct program *p, struct program_stage *s, const struct traceql_expr *by)
{
    struct buffer text = {0};
    buffer_text(&text, "by(");
    traceql_print_expr(&text, by);
    buffer_byte(&text, ')');
    s->name = printed(p, &text);
    s->by = plan_calc(p, by);
    tell_all(p, by);
}

static struct program_stage *make_stage(struct program *p, const struct traceql_stage *from)
{
    struct program_stage *s = program_new(p, sizeof *s);
    if (!s)
        return NULL;
    s->form = from->form;
    s->op = from->op;
    if (from->set)
        s->set = make_set(p, from->set);
    if (from->left)
        s->left = make_scalar(p, from->left);
    if (from->right)
        s->right = make_scalar(p, from->right);
    if (from->by)
        make_by(p, s, from->by);
    for (uint32_t i = 0; i < from->fields.count; i++)
        tell(p, &from->fields.list[i]);
    return s;
}

static struct program_pipeline *make_pipeline(struct program *p, const struct traceql_pipeline *l)
{
    struct program_pipeline *made = program_new(p, sizeof *made);
    struct program_stage **next = made ? &made->first : NULL;
    for (const struct traceql_stage *s = l->first; s && next; s = s->next) {
        *next = make_stage(p, s);
        next = *next ? &(*next)->next : NULL;
    }
    return p->failed ? NULL : made;
}

int program_init(struct program *p, const struct traceql_pipeline *pipeline)
{
    *p = (struct program){.failed = false};
    arena_init(&p->arena, 4096);
    p->pipeline = make_pipeline(p, pipeline);
    return p->failed ? -1 : 0;
}

void program_fini(struct program *p)
{
    for (uint32_t i = 0; i < p->regex_count; i++)
        regex_destroy(&p->regexes[i]);
    arena_fini(&p->arena);
}

/* ---- bounds ------------------------------------------------------------------------------ */

static bool pipeline_may_match(const struct program *p, const struct program_pipeline *l,
                               const struct block_bounds *b);

static bool set_may_match(const struct program *p, const struct program_set *s,
                          const struct block_bounds *b)
{
    switch (s->op) {
    case TRACEQL_SET_FILTER:
        return plan_may_match(p->filters[s->filter], b);
    case TRACEQL_SET_PIPELINE:
        return pipeline_may_match(p, s->pipeline, b);
    case TRACEQL_SET_OR:
        return set_may_match(p, s->left, b) || set_may_match(p, s->right, b);
    case TRACEQL_SET_NOT_CHILD:
    case TRACEQL_SET_NOT_PARENT:
    case TRACEQL_SET_NOT_DESCENDANT:
    case TRACEQL_SET_NOT_ANCESTOR:
    case TRACEQL_SET_NOT_SIBLING:
        return set_may_match(p, s->right, b);
    default:
        return set_may_match(p, s->left, b) && set_may_match(p, s->right, b);
    }
}

static bool pipeline_may_match(const struct program *p, const struct program_pipeline *l,
                               const struct block_bounds *b)
{
    for (const struct program_stage *s = l->first; s; s = s->next) {
        if (s->form == TRACEQL_STAGE_SET && !set_may_match(p, s->set, b))
            return false;
    }
    return true;
}

bool program_may_match(const struct program *p, const struct block_bounds *bounds)
{
    return pipeline_may_match(p, p->pipeline, bounds);
}
