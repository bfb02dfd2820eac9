// SPDX-License-Identifier: Apache-2.0
/* The matchers that an index has left to be asked for each series. Values of one index stand at one
 * place each, so the answer for a place is remembered: a regex runs about once for each value. */
#ifndef WEFT_COLLECTOR_SERIES_RESIDUE_H
#define WEFT_COLLECTOR_SERIES_RESIDUE_H

#include "collector/series/source.h"

enum { RESIDUE_PLACES = 1024 };

struct residue_answer {
    const char *bytes;
    uint32_t length;
    bool accepted;
};

struct residue {
    const struct matcher *matchers;
    uint64_t left;
    struct residue_answer *answers; /* RESIDUE_PLACES of each matcher that is left */
};

/* -1: no memory; nothing to be given back then. */
int residue_init(struct residue *r, const struct matcher *matchers, uint64_t left);
void residue_fini(struct residue *r);
/* The texts of the labels must stay where they are while r lives. */
bool residue_accepts(struct residue *r, const struct labels *labels);

#endif
