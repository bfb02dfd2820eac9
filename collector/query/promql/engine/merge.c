// SPDX-License-Identifier: Apache-2.0
/* Series that have the same labels become one, where no step has a sample of both. */
#include "collector/query/promql/engine/labelset.h"

static void join(struct evaluation *ev, struct column *to, const struct column *from)
{
    for (size_t i = 0; i < from->count; i++) {
        if (!is_present(from->value[i]))
            continue;
        if (is_present(to->value[i]))
            evaluation_fail(ev, PROMQL_FAILED,
                            "vector cannot contain metrics with the same labelset");
        to->value[i] = from->value[i];
        if (column_histogram(from, i))
            column_put_histogram(ev, to, i, from->histogram[i]);
    }
}

void merge_same_labels(struct evaluation *ev, struct column_list *l)
{
    struct labels_index index = {0};
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++) {
        bool added;
        uint32_t at = labels_index_add(ev, &index, &l->list[i]->labels, &added);
        if (added)
            l->list[kept++] = l->list[i];
        else
            join(ev, l->list[at], l->list[i]);
    }
    l->count = kept;
}
