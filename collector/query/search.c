// SPDX-License-Identifier: Apache-2.0
/* The list of traces: the head proposes candidates (store_search), a heap gives them newest
 * first, and each is looked at closely (its tree is built) until the limit is reached. Traces
 * with spans in flight are candidates of their own, as the head may know nothing of them. */
#include <stdlib.h>

#include "collector/query/open.h"
#include "collector/query/query.h"

struct search {
    const struct trace_filter *filter;
    struct trace_list *list;
    struct open_index open;
    struct store_candidate *heap; /* the newest on top */
    size_t count;
};

/* ---- candidates, newest first ------------------------------------------------------------ */

static void sift_down(struct search *s, size_t at)
{
    struct store_candidate moving = s->heap[at];
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= s->count)
            break;
        if (child + 1 < s->count && s->heap[child + 1].start_unix_ns > s->heap[child].start_unix_ns)
            child++;
        if (s->heap[child].start_unix_ns <= moving.start_unix_ns)
            break;
        s->heap[at] = s->heap[child];
        at = child;
    }
    s->heap[at] = moving;
}

static struct store_candidate pop(struct search *s)
{
    struct store_candidate top = s->heap[0];
    s->heap[0] = s->heap[--s->count];
    if (s->count > 0)
        sift_down(s, 0);
    return top;
}

/* What the head can judge by itself. */
static struct store_filter head_filter(const struct trace_filter *f)
{
    return (struct store_filter){
        .service = f->service,
        .operation = f->operation,
        .start_unix_ns = f->start_unix_ns,
        .end_unix_ns = f->end_unix_ns,
        .min_duration_ns = f->min_duration_ns,
        .max_duration_ns = f->max_duration_ns,
        .failed = f->status == TRACE_ERROR,
        .died = f->status == TRACE_DIED,
    };
}

static int propose(struct search *s)
{
    struct trace_list *list = s->list;
    struct store_candidate *found = NULL;
    size_t count = 0;
    if (s->filter->status != TRACE_IN_FLIGHT) {
        struct store_filter filter = head_filter(s->filter);
        if (store_search(&list->hold, &filter, &found, &count, &list->scanned) != 0)
            return -1;
    }
    size_t most = count + s->open.trace_count + 1;
    s->heap = realloc(found, most * sizeof *s->heap);
    if (!s->heap) {
        free(found);
        return -1;
    }
    /* What is in flight too is judged with its open spans, below. */
    for (size_t i = 0; i < count; i++) {
        if (!open_index_find(&s->open, s->heap[i].id))
            s->heap[s->count++] = s->heap[i];
    }
    for (size_t i = 0; i < s->open.trace_count; i++) {
        const struct open_trace *t = &s->open.traces[i];
        s->heap[s->count++] = (struct store_candidate){t->start_unix_ns, t->id};
    }
    list->scanned += s->filter->status == TRACE_IN_FLIGHT ? s->open.trace_count : 0;
    for (size_t i = s->count / 2; i-- > 0;)
        sift_down(s, i);
    return 0;
}

/* ---- a closer look ----------------------------------------------------------------------- */

static bool row_matches(const struct trace_filter *f, const struct batch *b, uint32_t row)
{
    return (!f->service || str_is(b->processes[b->process[row]].service, f->service)) &&
           (!f->operation || str_is(b->strings[b->name[row]], f->operation));
}

static bool names_match(const struct trace_filter *f, const struct span_run *runs, size_t count)
{
    if (!f->service && !f->operation)
        return true;
    for (size_t i = 0; i < count; i++) {
        for (uint32_t row = runs[i].row; row < runs[i].row + runs[i].count; row++) {
            if (row_matches(f, runs[i].batch, row))
                return true;
        }
    }
    return false;
}

static bool status_matches(enum trace_status wanted, const struct tree *t)
{
    switch (wanted) {
    case TRACE_OK:
        return t->errors == 0 && t->died == 0;
    case TRACE_ERROR:
        return t->errors > 0;
    case TRACE_DIED:
        return t->died > 0;
    case TRACE_IN_FLIGHT:
        return t->in_flight > 0;
    default:
        return true;
    }
}

static bool tree_matches(const struct trace_filter *f, const struct tree *t)
{
    uint64_t duration_ns = t->end_unix_ns - t->start_unix_ns;
    return t->count > 0 && t->start_unix_ns >= f->start_unix_ns &&
           t->start_unix_ns < f->end_unix_ns && duration_ns >= f->min_duration_ns &&
           duration_ns <= f->max_duration_ns && status_matches(f->status, t);
}

static int by_name(const void *left, const void *right)
{
    const struct trace_services *a = left, *b = right;
    return str_compare(a->name, b->name);
}

static int most_spans_first(const void *left, const void *right)
{
    const struct trace_services *a = left, *b = right;
    return a->spans != b->spans ? (a->spans < b->spans ? 1 : -1) : by_name(left, right);
}

static int count_services(struct trace_summary *s, const struct tree *t)
{
    struct trace_services *services = malloc(t->process_count * sizeof *services);
    if (!services)
        return -1;
    for (uint32_t i = 0; i < t->process_count; i++)
        services[i] = (struct trace_services){t->processes[i].view->service, t->processes[i].spans};
    qsort(services, t->process_count, sizeof *services, by_name);
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->process_count; i++) {
        if (count > 0 && by_name(&services[count - 1], &services[i]) == 0)
            services[count - 1].spans += services[i].spans;
        else
            services[count++] = services[i];
    }
    qsort(services, count, sizeof *services, most_spans_first);
    s->services = services;
    s->service_count = count;
    return 0;
}

static int summarise(struct trace_summary *s, struct trace_id id, const struct tree *t)
{
    *s = (struct trace_summary){
        .id = id,
        .start_unix_ns = t->start_unix_ns,
        .duration_ns = t->end_unix_ns - t->start_unix_ns,
        .spans = t->count,
        .errors = t->errors,
        .died = t->died,
        .in_flight = t->in_flight,
        .complete = tree_complete(t),
        .has_root = t->root != TREE_NONE,
    };
    if (s->has_root) {
        const struct tree_node *root = &t->nodes[t->root];
        s->root_service = t->processes[root->process].view->service;
        s->root_operation = root->batch->strings[root->batch->name[root->row]];
    }
    return count_services(s, t);
}

/* 1: it passes and was listed (or is one too many). 0: it does not. */
static int look(struct search *s, struct trace_id id)
{
    struct span_run *runs = NULL;
    size_t count = 0;
    if (open_index_gather(&s->open, &s->list->hold, id, &runs, &count) != 0)
        return -1;
    struct tree tree = {0};
    int result = 0;
    if (names_match(s->filter, runs, count)) {
        result = tree_build(&tree, runs, count);
        if (result == 0 && tree_matches(s->filter, &tree)) {
            if (s->list->count == s->filter->limit)
                s->list->more = true;
            else
                result = summarise(&s->list->traces[s->list->count], id, &tree);
            if (result == 0 && !s->list->more)
                s->list->count++;
        }
        tree_fini(&tree);
    }
    free(runs);
    return result;
}

static int newest_first(const void *left, const void *right)
{
    const struct trace_summary *a = left, *b = right;
    return (a->start_unix_ns < b->start_unix_ns) - (a->start_unix_ns > b->start_unix_ns);
}

static int run(struct search *s)
{
    struct trace_list *list = s->list;
    list->traces = calloc(s->filter->limit, sizeof *list->traces);
    if (!list->traces || propose(s) != 0)
        return -1;
    while (s->count > 0 && !list->more) {
        if (look(s, pop(s).id) != 0)
            return -1;
    }
    /* Those in flight were proposed by their open spans; their root may be older. */
    if (list->count > 1)
        qsort(list->traces, list->count, sizeof *list->traces, newest_first);
    return 0;
}

int query_traces(const struct query *q, const struct trace_filter *filter, uint64_t now_unix_ns,
                 struct trace_list *list)
{
    *list = (struct trace_list){0};
    if (inflight_hold(q->inflight, now_unix_ns, &list->open) != 0)
        return -1;
    store_hold(q->store, &list->hold);
    struct search s = {.filter = filter, .list = list};
    int result = open_index_init(&s.open, &list->open);
    if (result == 0)
        result = run(&s);
    open_index_fini(&s.open);
    free(s.heap);
    if (result != 0)
        trace_list_fini(list);
    return result;
}

void trace_list_fini(struct trace_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->traces[i].services);
    free(list->traces);
    list->traces = NULL;
    list->count = 0;
    inflight_release(&list->open);
    if (list->hold.store)
        store_release(&list->hold);
    list->hold.store = NULL;
}
