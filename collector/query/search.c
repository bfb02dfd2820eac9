// SPDX-License-Identifier: Apache-2.0
/* The list of traces: units of a scan are gone through newest first; each proposes the traces that
 * pass the filter, a heap gives them newest first, and those that no later unit can outdo are
 * looked at closely (their tree is built) until the limit is reached. */
#include <stdlib.h>

#include "collector/query/query.h"
#include "collector/query/scan.h"

struct candidate {
    uint64_t start_unix_ns;
    struct trace_id id;
};

struct search {
    const struct trace_filter *filter;
    struct trace_list *list;
    struct candidate *heap; /* the newest on top */
    size_t count, capacity;
};

/* ---- candidates, newest first ------------------------------------------------------------ */

static void sift_down(struct search *s, size_t at)
{
    struct candidate moving = s->heap[at];
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

static struct candidate pop(struct search *s)
{
    struct candidate top = s->heap[0];
    s->heap[0] = s->heap[--s->count];
    if (s->count > 0)
        sift_down(s, 0);
    return top;
}

static int push(struct search *s, struct candidate c)
{
    if (s->count == s->capacity) {
        size_t more = s->capacity ? s->capacity * 2 : 256;
        struct candidate *bigger = realloc(s->heap, more * sizeof *bigger);
        if (!bigger)
            return -1;
        s->heap = bigger;
        s->capacity = more;
    }
    size_t at = s->count++;
    for (; at > 0 && s->heap[(at - 1) / 2].start_unix_ns < c.start_unix_ns; at = (at - 1) / 2)
        s->heap[at] = s->heap[(at - 1) / 2];
    s->heap[at] = c;
    return 0;
}

/* ---- what a block proposes --------------------------------------------------------------- */

/* The columns of a block that a filter looks at. */
struct view {
    const uint64_t *start, *duration;
    const uint8_t *status;
    const uint32_t *process, *name; /* NULL: not asked for */
    const struct block_processes *processes;
    const struct block_strings *strings;
};

static bool look_at(struct view *v, struct block *b, const struct trace_filter *f)
{
    *v = (struct view){
        .start = block_u64(b, BLOCK_START),
        .duration = block_u64(b, BLOCK_DURATION),
        .status = block_u8(b, BLOCK_STATUS),
    };
    if (f->service) {
        v->process = block_u32(b, BLOCK_PROCESS);
        v->processes = block_processes(b);
    }
    if (f->operation) {
        v->name = block_u32(b, BLOCK_NAME);
        v->strings = block_strings(b);
    }
    return b->error == BLOCK_OK && v->start && v->duration && v->status;
}

static bool row_is_named(const struct view *v, const struct trace_filter *f, uint32_t row)
{
    return (!f->service || batch_str_is(v->processes->list[v->process[row]].service, f->service)) &&
           (!f->operation || batch_str_is(v->strings->list[v->name[row]], f->operation));
}

static bool status_is(enum trace_status wanted, const uint32_t counts[SPAN_STATUSES])
{
    switch (wanted) {
    case TRACE_OK:
        return counts[SPAN_ERROR] == 0 && counts[SPAN_DIED] == 0;
    case TRACE_ERROR:
        return counts[SPAN_ERROR] > 0;
    case TRACE_DIED:
        return counts[SPAN_DIED] > 0;
    case TRACE_IN_FLIGHT:
        return counts[SPAN_IN_FLIGHT] > 0;
    default:
        return true;
    }
}

static bool trace_passes(const struct view *v, const struct trace_filter *f,
                         const struct block_trace *t, uint64_t *start)
{
    uint64_t first = UINT64_MAX, last = 0;
    uint32_t counts[SPAN_STATUSES] = {0};
    bool named = !f->service && !f->operation;
    for (uint32_t row = t->row; row < t->row + t->count; row++) {
        uint64_t end;
        if (__builtin_add_overflow(v->start[row], v->duration[row], &end))
            end = UINT64_MAX;
        first = v->start[row] < first ? v->start[row] : first;
        last = end > last ? end : last;
        counts[v->status[row]]++;
        named = named || row_is_named(v, f, row);
    }
    *start = first;
    return named && first >= f->start_unix_ns && first < f->end_unix_ns &&
           last - first >= f->min_duration_ns && last - first <= f->max_duration_ns &&
           status_is(f->status, counts);
}

static int propose(struct search *s, size_t unit)
{
    struct block *b = scan_open(s->list->scan, unit);
    struct view v;
    if (!b)
        return -1;
    int result = b->error == BLOCK_ENOMEM ? -1 : 0;
    for (uint32_t i = 0; result == 0 && look_at(&v, b, s->filter) && i < b->trace_count; i++) {
        const struct block_trace *t = &b->traces[i];
        struct candidate c = {0, t->id};
        s->list->scanned++;
        if (trace_passes(&v, s->filter, t, &c.start_unix_ns) &&
            !scan_is_elsewhere(s->list->scan, unit, t->id))
            result = push(s, c);
    }
    if (b->error == BLOCK_ENOMEM)
        result = -1;
    block_close(&b);
    return result;
}

/* ---- a closer look ----------------------------------------------------------------------- */

static int count_services(struct trace_summary *s, const struct tree *t)
{
    struct trace_service *services = malloc(t->process_count * sizeof *services);
    if (!services)
        return -1;
    for (uint32_t i = 0; i < t->process_count; i++)
        services[i] = (struct trace_service){t->processes[i].view->service, t->processes[i].spans};
    s->services = services;
    s->service_count = trace_services_join(services, t->process_count);
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

/* Lists the trace, or finds that there is one too many. */
static int list_trace(struct search *s, struct trace_id id)
{
    struct trace_list *list = s->list;
    if (list->count == s->filter->limit) {
        list->more = true;
        return 0;
    }
    struct tree tree = {0};
    if (scan_tree(list->scan, id, false, &list->arena, &tree) != 0)
        return -1;
    int result = tree.count > 0 ? summarise(&list->traces[list->count], id, &tree) : 0;
    if (result == 0 && tree.count > 0)
        list->count++;
    tree_fini(&tree);
    return result;
}

/* Unit by unit, newest first; what a later unit cannot outdo is listed. */
static int run(struct search *s)
{
    struct trace_list *list = s->list;
    size_t units = scan_units(list->scan);
    list->traces = calloc(s->filter->limit, sizeof *list->traces);
    if (!list->traces)
        return -1;
    for (size_t unit = 0; unit < units && !list->more; unit++) {
        if (propose(s, unit) != 0)
            return -1;
        uint64_t newest =
            unit + 1 < units ? scan_bounds(list->scan, unit + 1)->start_max_unix_ns : 0;
        while (s->count > 0 && s->heap[0].start_unix_ns >= newest && !list->more) {
            if (list_trace(s, pop(s).id) != 0)
                return -1;
        }
    }
    return 0;
}

int query_traces(const struct query *q, const struct trace_filter *filter, uint64_t now_unix_ns,
                 struct trace_list *list)
{
    *list = (struct trace_list){0};
    arena_init(&list->arena, 64 << 10);
    list->scan = scan_create(q, filter->start_unix_ns, filter->end_unix_ns, now_unix_ns);
    struct search s = {.filter = filter, .list = list};
    int result = list->scan ? run(&s) : -1;
    free(s.heap);
    if (result == 0)
        list->complete_since_unix_ns = scan_complete_since(list->scan);
    else
        trace_list_fini(list);
    return result;
}

void trace_list_fini(struct trace_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->traces[i].services);
    free(list->traces);
    arena_fini(&list->arena);
    scan_destroy(&list->scan);
    *list = (struct trace_list){0};
}
