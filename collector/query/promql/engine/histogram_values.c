// SPDX-License-Identifier: Apache-2.0
/* Functions that make one float of each histogram; floats are left out. */
#include "collector/query/promql/engine/nodes.h"

struct values {
    struct stream stream;
    struct stream *of;
};

static struct histogram_bucket *scratch_for(struct evaluation *ev, const struct column *c,
                                            const struct histogram *h)
{
    return evaluation_need(
        ev, arena_alloc(c->arena, histogram_list_most(h) * sizeof(struct histogram_bucket)));
}

static double value_of(struct evaluation *ev, const struct column *c,
                       enum promql_function_id function, const struct histogram *h)
{
    switch (function) {
    case PROMQL_FN_HISTOGRAM_COUNT:
        return h->count;
    case PROMQL_FN_HISTOGRAM_SUM:
        return h->sum;
    case PROMQL_FN_HISTOGRAM_AVG:
        return h->sum / h->count;
    case PROMQL_FN_HISTOGRAM_STDVAR:
        return histogram_variance(h, scratch_for(ev, c, h));
    default:
        return sqrt(histogram_variance(h, scratch_for(ev, c, h)));
    }
}

static bool next_value(struct evaluation *ev, struct stream *s, struct column *out)
{
    struct values *v = (struct values *)s;
    if (!stream_next(ev, v->of, out))
        return false;
    for (size_t i = 0; i < out->count; i++) {
        const struct histogram *h = column_histogram(out, i);
        out->value[i] = h ? value_of(ev, out, s->expr->function->id, h) : absent();
    }
    out->histogram = NULL;
    out->drop_name = true;
    return true;
}

OPENS(histogram_value_open)
{
    struct values *v = evaluation_calloc(ev, 1, sizeof *v);
    v->stream = (struct stream){next_value, e, *grid};
    v->of = stream_open(ev, e->args[0], grid);
    return &v->stream;
}
