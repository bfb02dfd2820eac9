// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "collector/query/query.h"

static uint64_t start_of(const struct open_span *s)
{
    return s->snapshot->batch->start_unix_ns[s->row];
}

static int oldest_first(const void *left, const void *right)
{
    uint64_t a = start_of(left), b = start_of(right);
    return (a > b) - (a < b);
}

static void collect(struct open_list *list, const struct inflight_snapshot *s, const char *service)
{
    const struct batch *b = s->batch;
    for (uint32_t row = 0; row < b->span_count; row++) {
        if (!service || batch_str_is(b->processes[b->process[row]].service, service))
            list->spans[list->count++] = (struct open_span){s, row};
    }
}

int query_inflight(const struct query *q, const char *service, uint32_t limit, uint64_t now_unix_ns,
                   struct open_list *list)
{
    *list = (struct open_list){0};
    if (inflight_hold(q->inflight, now_unix_ns, &list->open) != 0)
        return -1;
    size_t rows = 0;
    for (size_t i = 0; i < list->open.count; i++)
        rows += list->open.snapshots[i]->batch->span_count;
    list->spans = malloc((rows + 1) * sizeof *list->spans);
    if (!list->spans) {
        open_list_fini(list);
        return -1;
    }
    for (size_t i = 0; i < list->open.count; i++) {
        const struct inflight_snapshot *s = list->open.snapshots[i];
        collect(list, s, service);
        if (s->received_unix_ns > list->as_of_unix_ns)
            list->as_of_unix_ns = s->received_unix_ns;
    }
    if (list->open.count == 0)
        list->as_of_unix_ns = now_unix_ns;
    if (list->count > 1)
        qsort(list->spans, list->count, sizeof *list->spans, oldest_first);
    if (list->count > limit) {
        list->count = limit;
        list->more = true;
    }
    return 0;
}

void open_list_fini(struct open_list *list)
{
    free(list->spans);
    list->spans = NULL;
    list->count = 0;
    inflight_release(&list->open);
}
