// SPDX-License-Identifier: Apache-2.0
/* TraceQL's pipelines while they are read: what may follow what. */
#include "collector/query/traceql/build.h"

static uint32_t depth_of(const struct traceql_stage *s)
{
    uint32_t depth = 0;
    if (s->set)
        depth = s->set->depth;
    if (s->left && s->left->depth > depth)
        depth = s->left->depth;
    if (s->right && s->right->depth > depth)
        depth = s->right->depth;
    if (s->by && s->by->depth > depth)
        depth = s->by->depth;
    return depth + 1;
}

static bool append(struct traceql_parser *p, struct traceql_flow *flow,
                   const struct traceql_stage *stage)
{
    struct traceql_stage *copy = language_new(&p->in, sizeof *copy);
    if (!copy)
        return false;
    *copy = *stage;
    copy->next = NULL;
    struct traceql_pipeline *l = flow->pipeline;
    if (l->last)
        l->last->next = copy;
    else
        l->first = copy;
    l->last = copy;
    l->count++;
    if (depth_of(copy) > l->depth)
        l->depth = depth_of(copy);
    flow->sort = stage->form == TRACEQL_STAGE_SCALAR ? TRACEQL_SCALAR : TRACEQL_SET;
    return true;
}

/* Whether spans may be chosen further; what is wrong is told. */
static bool goes_on(struct traceql_parser *p, struct traceql_flow *flow, struct language_place at)
{
    if (flow->sort == TRACEQL_SET)
        return true;
    if (flow->sort == TRACEQL_SERIES)
        language_fail_meaning(&p->in, at,
                              "after a metrics function there are series and no spans any "
                              "more: only topk(), bottomk() and comparisons can follow");
    if (flow->sort == TRACEQL_SCALAR)
        language_fail_meaning(&p->in, at,
                              "before this there is a number, and nothing is chosen by it: "
                              "compare it, as in count() > 2");
    flow->sort = TRACEQL_BROKEN;
    return false;
}

bool traceql_flow_add_stage(struct traceql_parser *p, struct traceql_flow *flow,
                            const struct traceql_stage *next)
{
    return !goes_on(p, flow, next->place) || append(p, flow, next);
}

bool traceql_flow_begin_stage(struct traceql_parser *p, const struct traceql_stage *first,
                              struct traceql_flow *flow)
{
    *flow = (struct traceql_flow){.sort = TRACEQL_SET, .place = first->place};
    flow->pipeline = language_new(&p->in, sizeof *flow->pipeline);
    return flow->pipeline && append(p, flow, first);
}

static bool take_series(struct traceql_parser *p, struct traceql_flow *flow,
                        const struct traceql_operand *o)
{
    if (o->sort == TRACEQL_SERIES || flow->pipeline->count == 0) {
        if (o->sort == TRACEQL_SERIES)
            language_fail_meaning(&p->in, o->place,
                                  "these series have their own spans and take none "
                                  "from a pipeline");
        else
            language_fail_meaning(&p->in, o->place,
                                  "the function has no spans to work on: begin with "
                                  "{ }, as in { } | %s(…)",
                                  traceql_function_name(o->open->metrics->function));
        flow->sort = TRACEQL_BROKEN;
        return true;
    }
    o->open->pipeline = flow->pipeline;
    flow->series = o->series;
    flow->sort = TRACEQL_SERIES;
    return true;
}

static bool take_top(struct traceql_parser *p, struct traceql_flow *flow,
                     const struct traceql_operand *o)
{
    if (flow->sort != TRACEQL_SERIES) {
        language_fail_meaning(&p->in, o->place,
                              "topk() and bottomk() choose among series: a metrics "
                              "function, as rate(), comes first");
        flow->sort = TRACEQL_BROKEN;
        return true;
    }
    o->open->left = flow->series;
    o->series->depth += flow->series->depth;
    flow->series = o->series;
    if (o->series->depth > TRACEQL_DEPTH_MAX)
        language_fail_syntax(&p->in, o->place, "the query is nested more than %d levels deep",
                             TRACEQL_DEPTH_MAX);
    return o->series->depth <= TRACEQL_DEPTH_MAX;
}

bool traceql_flow_add(struct traceql_parser *p, struct traceql_flow *flow,
                      const struct traceql_operand *next)
{
    if (flow->sort == TRACEQL_BROKEN)
        return true;
    if (next->sort == TRACEQL_TOP)
        return take_top(p, flow, next);
    if (!goes_on(p, flow, next->place))
        return true;
    switch (next->sort) {
    case TRACEQL_SET:
        return append(p, flow,
                      &(struct traceql_stage){
                          .form = TRACEQL_STAGE_SET, .place = next->place, .set = next->set});
    case TRACEQL_SCALAR:
        return append(p, flow,
                      &(struct traceql_stage){.form = TRACEQL_STAGE_SCALAR,
                                              .place = next->place,
                                              .left = next->scalar});
    case TRACEQL_CONDITION:
        return append(p, flow, next->condition);
    case TRACEQL_METRICS:
    case TRACEQL_SERIES:
        return take_series(p, flow, next);
    default:
        flow->sort = TRACEQL_BROKEN;
        return true;
    }
}

bool traceql_flow_begin(struct traceql_parser *p, const struct traceql_operand *first,
                        struct traceql_flow *flow)
{
    *flow = (struct traceql_flow){.sort = TRACEQL_SET, .place = first->place};
    flow->pipeline = language_new(&p->in, sizeof *flow->pipeline);
    if (!flow->pipeline)
        return false;
    if (first->sort == TRACEQL_SERIES) {
        flow->sort = TRACEQL_SERIES;
        flow->series = first->series;
        return true;
    }
    return traceql_flow_add(p, flow, first);
}

bool traceql_build_query(struct traceql_parser *p, const struct traceql_flow *flow,
                         const struct traceql_hint_list *hints)
{
    struct traceql_query *q = language_new(&p->in, sizeof *q);
    if (!q)
        return false;
    q->text = p->in.text;
    q->hint_count = hints->count;
    q->hints = hints->list;
    if (flow->sort == TRACEQL_SERIES)
        q->series = flow->series;
    else
        q->pipeline = flow->pipeline;
    if (flow->sort == TRACEQL_SCALAR)
        language_fail_meaning(&p->in, flow->pipeline->last->place,
                              "the query ends with a number: compare it, as in count() > 2");
    p->query = q;
    return true;
}
