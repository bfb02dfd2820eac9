// SPDX-License-Identifier: Apache-2.0
/* absent and absent_over_time: 1 at the steps at which there is nothing, with the labels that the
 * selector asks for by equality. */
#include "collector/query/promql/engine/labelset.h"
#include "collector/query/promql/engine/nodes.h"

struct absent_stream {
    struct stream stream;
    const uint8_t *seen;
    struct labels labels;
    bool done;
};

static bool next_absent(struct evaluation *ev, struct stream *s, struct column *out)
{
    struct absent_stream *a = (struct absent_stream *)s;
    (void)ev;
    if (a->done)
        return false;
    a->done = true;
    out->labels = a->labels;
    for (size_t i = 0; i < out->count; i++)
        out->value[i] = a->seen[i] ? absent() : 1;
    return true;
}

/* A label that is asked for twice, or otherwise than by equality, is not known. */
static struct labels asked_labels(struct evaluation *ev, const struct promql_expr *e)
{
    struct labelset s = {.count = 0}, unknown = {.count = 0};
    e = promql_bare(e);
    if (e->form != PROMQL_SELECTOR)
        return (struct labels){NULL, 0};
    for (uint32_t i = 0; i < e->selector.matcher_count; i++) {
        const struct promql_matcher *m = &e->selector.matchers[i];
        struct labels known = labelset_view(&unknown);
        if (batch_str_is(m->name, LABEL_METRIC))
            continue;
        if (m->kind == MATCH_EQUAL && labels_get(&known, m->name).length == 0)
            labelset_set(ev, &s, m->name, m->value);
        else
            labelset_drop_one(&s, m->name);
        if (m->kind == MATCH_EQUAL)
            labelset_set(ev, &unknown, m->name, str_of("seen"));
    }
    return labelset_finish(ev, &s);
}

static struct stream *open_absent(struct evaluation *ev, const struct promql_expr *e,
                                  const struct grid *grid, struct stream *of)
{
    uint8_t *seen = evaluation_calloc(ev, grid->count, 1);
    struct column *c = column_create(ev, grid->count, true);
    while (stream_next(ev, of, c))
        for (size_t i = 0; i < c->count; i++)
            seen[i] |= is_present(c->value[i]);
    struct absent_stream *a = evaluation_calloc(ev, 1, sizeof *a);
    a->stream = (struct stream){next_absent, e, *grid};
    a->seen = seen;
    a->labels = asked_labels(ev, e->args[0]);
    return &a->stream;
}

OPENS(absent_open)
{
    return open_absent(ev, e, grid, stream_open(ev, e->args[0], grid));
}

OPENS(absent_over_time_open)
{
    return open_absent(ev, e, grid, range_call_open(ev, e, grid));
}
