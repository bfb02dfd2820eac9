// SPDX-License-Identifier: Apache-2.0
#include "collector/series/residue.h"

#include <stdlib.h>

int residue_init(struct residue *r, const struct matcher *matchers, uint64_t left)
{
    *r = (struct residue){.matchers = matchers, .left = left};
    if (left == 0)
        return 0;
    r->answers = calloc((size_t)__builtin_popcountll(left) * RESIDUE_PLACES, sizeof *r->answers);
    return r->answers ? 0 : -1;
}

void residue_fini(struct residue *r)
{
    free(r->answers);
    r->answers = NULL;
}

static bool ask(struct residue_answer *answers, const struct matcher *m, struct batch_str value)
{
    if (value.length == 0)
        return matcher_matches(m, value);
    uint64_t place = (uint64_t)(uintptr_t)value.bytes * UINT64_C(0x9e3779b97f4a7c15) >> 54;
    struct residue_answer *a = &answers[place % RESIDUE_PLACES];
    if (a->bytes != value.bytes || a->length != value.length)
        *a = (struct residue_answer){value.bytes, value.length, matcher_matches(m, value)};
    return a->accepted;
}

bool residue_accepts(struct residue *r, const struct labels *labels)
{
    size_t n = 0;
    for (uint64_t left = r->left; left; left &= left - 1, n++) {
        const struct matcher *m = &r->matchers[__builtin_ctzll(left)];
        if (!ask(r->answers + n * RESIDUE_PLACES, m, labels_get(labels, m->name)))
            return false;
    }
    return true;
}
