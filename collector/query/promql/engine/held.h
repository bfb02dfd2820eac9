// SPDX-License-Identifier: Apache-2.0
/* What an evaluation holds and gives back at its end, however it ends. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_HELD_H
#define WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_HELD_H

#include "collector/query/promql/engine/evaluation.h"

enum held_kind { HELD_SELECTION, HELD_POINTS, HELD_ARENA, HELD_REGEX, HELD_BUFFER };

struct held {
    struct held *next;
    enum held_kind kind;
    struct series_selection selection;
    struct points points;
    struct arena arena;
    struct regex *regex;
    struct batch_str pattern;
    struct buffer buffer;
};

void held_give_back(struct evaluation *ev);

#endif
