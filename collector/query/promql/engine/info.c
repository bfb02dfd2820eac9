// SPDX-License-Identifier: Apache-2.0
/* info(): labels of info metrics (target_info, where no other is asked for) are added to the series
 * that have the same instance and job. Of several info series of one metric the latest sample's
 * counts. */
#include "collector/query/promql/engine/labelset.h"
#include "collector/query/promql/engine/nodes.h"

struct info_series {
    struct labels labels;
    struct batch_str metric;
    uint32_t metric_number;
    const double *value;
    const int64_t *unix_ms; /* of the sample at each step */
    uint32_t next;          /* of the same signature */
};

struct info {
    const struct promql_expr *e;
    const struct grid *grid;
    struct matcher *matchers; /* those of the metric's name first */
    size_t count, names;
    struct labels_index metrics, signatures;
    struct info_series *list;
    uint32_t *first; /* by signature; index + 1 */
    struct column_list out;
};

static const struct batch_str METRIC = {LABEL_METRIC, sizeof LABEL_METRIC - 1};

/* ---- which ones -------------------------------------------------------------------------- */

static void add_matcher(struct evaluation *ev, struct info *in, const struct promql_matcher *m)
{
    struct matcher *to = &in->matchers[in->count++];
    *to = (struct matcher){.kind = m->kind, .name = m->name, .value = m->value};
    if (m->kind == MATCH_REGEX || m->kind == MATCH_NOT_REGEX)
        to->regex = evaluation_regex(ev, m->value);
}

/* Where metrics are only excluded, those whose names end in _info are meant. */
static void take_matchers(struct evaluation *ev, struct info *in)
{
    const struct promql_expr *s = in->e->arg_count > 1 ? in->e->args[1] : NULL;
    uint32_t count = s ? s->selector.matcher_count : 0;
    bool positive = false, any = false;
    in->matchers = evaluation_calloc(ev, count + 1, sizeof *in->matchers);
    for (uint32_t i = 0; i < count; i++) {
        const struct promql_matcher *m = &s->selector.matchers[i];
        if (!batch_str_equal(m->name, METRIC))
            continue;
        any = true;
        positive |= m->kind == MATCH_EQUAL || m->kind == MATCH_REGEX;
        add_matcher(ev, in, m);
    }
    struct promql_matcher usual = {MATCH_EQUAL, METRIC, str_of("target_info"), {0, 0}};
    if (any)
        usual = (struct promql_matcher){MATCH_REGEX, METRIC, str_of(".+_info"), {0, 0}};
    if (!positive)
        add_matcher(ev, in, &usual);
    in->names = in->count;
    for (uint32_t i = 0; i < count; i++)
        if (!batch_str_equal(s->selector.matchers[i].name, METRIC))
            add_matcher(ev, in, &s->selector.matchers[i]);
}

static bool is_info(const struct info *in, const struct labels *l)
{
    for (size_t i = 0; i < in->names; i++)
        if (!matcher_matches(&in->matchers[i], metric_name(l)))
            return false;
    return true;
}

static bool is_asked_for(const struct info *in, struct batch_str label)
{
    for (size_t i = in->names; i < in->count; i++)
        if (batch_str_equal(in->matchers[i].name, label))
            return true;
    return in->count == in->names;
}

static void signature(struct labelset *s, const struct labels *l)
{
    static struct batch_str names[] = {{"instance", 8}, {"job", 3}};
    labelset_begin(s, l);
    labelset_keep(s, &(struct promql_names){2, names});
}

/* ---- reading them ------------------------------------------------------------------------ */

static void take_series(struct evaluation *ev, struct info *in, uint32_t i,
                        const struct labels *labels, const struct column *c, int64_t *times)
{
    bool added;
    struct labelset s;
    struct label name = {METRIC, metric_name(labels)};
    if (c->histogram)
        evaluation_fail(ev, PROMQL_FAILED,
                        "an info metric has float samples: \"%.*s\" has "
                        "histograms",
                        (int)name.value.length, name.value.bytes);
    signature(&s, labels);
    struct labels key = labelset_view(&s);
    uint32_t at = labels_index_add(ev, &in->signatures, &key, &added);
    in->list[i] =
        (struct info_series){*labels,
                             name.value,
                             labels_index_add(ev, &in->metrics, &(struct labels){&name, 1}, &added),
                             c->value,
                             times,
                             in->first[at]};
    in->first[at] = i + 1;
}

static void read_infos(struct evaluation *ev, struct info *in)
{
    struct node_plan now = {0};
    struct promql_expr plain = {.form = PROMQL_SELECTOR, .id = in->e->id};
    struct span span = selector_span(&now, in->grid, ev->options.lookback_ms);
    const struct series_selection *s =
        evaluation_select(ev, in->matchers, in->count, span.from_ms, span.to_ms);
    struct points *points = evaluation_points(ev);
    in->list = evaluation_calloc(ev, s->count + 1, sizeof *in->list);
    in->first = evaluation_calloc(ev, s->count + 1, sizeof *in->first);
    for (size_t i = 0; i < s->count; i++) {
        struct column *c = column_create(ev, in->grid->count, false);
        int64_t *times = evaluation_calloc(ev, in->grid->count, sizeof *times);
        evaluation_read(ev, s, i, span.from_ms, span.to_ms, points);
        selector_fill(ev, &plain, in->grid, points, c, times);
        take_series(ev, in, (uint32_t)i, &s->labels[i], c, times);
    }
    evaluation_release(ev, points->count);
    points->count = 0;
}

/* ---- joining ----------------------------------------------------------------------------- */

/* What one series becomes, by which info series are joined. */
struct joined {
    const uint32_t *chosen; /* index + 1 of each metric */
    struct column *result;
    struct joined *next;
};

/* The info series of each metric at a step. False: there is none. */
static bool choose(struct evaluation *ev, const struct info *in, uint32_t first, size_t step,
                   uint32_t *chosen)
{
    bool any = false;
    for (uint32_t i = 0; i < in->metrics.count; i++)
        chosen[i] = 0;
    for (uint32_t i = first; i; i = in->list[i - 1].next) {
        const struct info_series *s = &in->list[i - 1];
        if (!is_present(s->value[step]))
            continue;
        uint32_t *best = &chosen[s->metric_number];
        any = true;
        if (*best && in->list[*best - 1].unix_ms[step] == s->unix_ms[step])
            evaluation_fail(ev, PROMQL_FAILED, "found duplicate series for info metric: \"%.*s\"",
                            (int)s->metric.length, s->metric.bytes);
        if (!*best || in->list[*best - 1].unix_ms[step] < s->unix_ms[step])
            *best = i;
    }
    return any;
}

static struct labels joined_labels(struct evaluation *ev, const struct info *in,
                                   const struct labels *base, const uint32_t *chosen)
{
    struct labelset all, added = {.count = 0};
    labelset_begin(&all, base);
    for (uint32_t i = 0; i < in->metrics.count; i++) {
        const struct labels *l = chosen[i] ? &in->list[chosen[i] - 1].labels : NULL;
        for (uint32_t j = 0; l && j < l->count; j++) {
            const struct label *label = &l->items[j];
            struct labels view = labelset_view(&added);
            struct batch_str other = labels_get(&view, label->name);
            if (batch_str_equal(label->name, METRIC) || !is_asked_for(in, label->name))
                continue;
            if (other.length > 0 && !batch_str_equal(other, label->value))
                evaluation_fail(ev, PROMQL_FAILED, "conflicting label: %.*s",
                                (int)label->name.length, label->name.bytes);
            if (labels_get(base, label->name).length > 0)
                continue;
            labelset_set(ev, &added, label->name, label->value);
            labelset_set(ev, &all, label->name, label->value);
        }
    }
    return labelset_finish(ev, &all);
}

static struct column *result_of(struct evaluation *ev, struct info *in, const struct column *base,
                                struct joined **list, const uint32_t *chosen)
{
    size_t bytes = in->metrics.count * sizeof *chosen;
    for (struct joined *j = *list; j; j = j->next)
        if (memcmp(j->chosen, chosen, bytes) == 0)
            return j->result;
    struct joined *j = evaluation_alloc(ev, sizeof *j);
    struct column *c = column_create(ev, in->grid->count, false);
    column_clear(c);
    c->labels = joined_labels(ev, in, &base->labels, chosen);
    c->drop_name = base->drop_name;
    *j = (struct joined){evaluation_need(ev, arena_copy(ev->arena, chosen, bytes)), c, *list};
    *list = j;
    column_list_add(ev, &in->out, c);
    return c;
}

/* Whether a series stays that has no info: if no label is asked for that must be there. */
static bool stays_alone(const struct info *in)
{
    for (size_t i = in->names; i < in->count; i++)
        if (!matcher_matches(&in->matchers[i], (struct batch_str){"", 0}))
            return false;
    return true;
}

static void join(struct evaluation *ev, struct info *in, struct column *base)
{
    struct joined *list = NULL;
    struct labelset s;
    uint32_t *chosen = evaluation_calloc(ev, in->metrics.count + 1, sizeof *chosen);
    if (is_info(in, &base->labels)) {
        column_list_add(ev, &in->out, base);
        return;
    }
    signature(&s, &base->labels);
    struct labels key = labelset_view(&s);
    uint32_t at = s.count ? labels_index_find(&in->signatures, &key) : LABELS_INDEX_NONE;
    for (size_t i = 0; i < base->count; i++) {
        if (!is_present(base->value[i]))
            continue;
        bool any = choose(ev, in, at == LABELS_INDEX_NONE ? 0 : in->first[at], i, chosen);
        if (!any && !stays_alone(in))
            continue;
        struct column *c = result_of(ev, in, base, &list, chosen);
        if (column_histogram(base, i))
            column_put_histogram(ev, c, i, base->histogram[i]);
        else
            c->value[i] = base->value[i];
    }
}

OPENS(info_open)
{
    struct info in = {.e = e, .grid = grid};
    struct column_list base = stream_collect(ev, stream_open(ev, e->args[0], grid));
    take_matchers(ev, &in);
    if (base.count > 0)
        read_infos(ev, &in);
    for (size_t i = 0; i < base.count; i++)
        join(ev, &in, base.list[i]);
    merge_same_labels(ev, &in.out);
    return stream_of_list(ev, e, grid, in.out);
}
