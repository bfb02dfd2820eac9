// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/engine/signature.h"

void signature_of(struct labelset *s, const struct promql_matching *m, const struct labels *labels)
{
    labelset_begin(s, labels);
    if (m->on) {
        labelset_keep(s, &m->names);
        return;
    }
    labelset_drop(s, &m->names);
    labelset_drop_metadata(s);
}

uint32_t signature_add(struct evaluation *ev, struct labels_index *x,
                       const struct promql_matching *m, const struct labels *labels, bool *added)
{
    struct labelset s;
    signature_of(&s, m, labels);
    struct labels key = labelset_view(&s);
    return labels_index_add(ev, x, &key, added);
}
