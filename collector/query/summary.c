// SPDX-License-Identifier: Apache-2.0
#include "collector/query/summary.h"

#include <stdlib.h>

static int by_name(const void *left, const void *right)
{
    const struct trace_service *a = left, *b = right;
    return batch_str_compare(a->name, b->name);
}

static int most_spans_first(const void *left, const void *right)
{
    const struct trace_service *a = left, *b = right;
    return a->spans != b->spans ? (a->spans < b->spans ? 1 : -1) : by_name(left, right);
}

uint32_t trace_services_join(struct trace_service *list, uint32_t count)
{
    uint32_t joined = 0;
    qsort(list, count, sizeof *list, by_name);
    for (uint32_t i = 0; i < count; i++) {
        if (joined > 0 && batch_str_equal(list[joined - 1].name, list[i].name))
            list[joined - 1].spans += list[i].spans;
        else
            list[joined++] = list[i];
    }
    qsort(list, joined, sizeof *list, most_spans_first);
    return joined;
}
