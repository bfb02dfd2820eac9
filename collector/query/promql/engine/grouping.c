// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/engine/grouping.h"

uint32_t grouping_add(struct evaluation *ev, struct grouping *g, const struct promql_expr *e,
                      const struct labels *labels, bool *added)
{
    struct labelset s;
    labelset_begin(&s, labels);
    if (e->aggregation.without) {
        labelset_drop(&s, &e->aggregation.names);
        labelset_drop_one(&s, str_of(LABEL_METRIC));
    } else {
        labelset_keep(&s, &e->aggregation.names);
    }
    struct labels key = labelset_view(&s);
    uint32_t at = labels_index_add(ev, &g->index, &key, added);
    if (at >= g->capacity) {
        void **states = evaluation_calloc(ev, g->index.capacity, sizeof(void *));
        uint8_t *drop = evaluation_calloc(ev, g->index.capacity, 1);
        for (uint32_t i = 0; i < g->capacity; i++) {
            states[i] = g->states[i];
            drop[i] = g->drop_name[i];
        }
        g->states = states;
        g->drop_name = drop;
        g->capacity = g->index.capacity;
    }
    return at;
}
