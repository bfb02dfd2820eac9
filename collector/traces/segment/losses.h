// SPDX-License-Identifier: Apache-2.0
/* The losses that a segment keeps, so that holes in its traces can be explained. */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_LOSSES_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_LOSSES_H

#include "collector/traces/segment/numbers.h"
#include "collector/traces/segment/tables.h"

enum loss_column {
    LOSS_AGENT,
    LOSS_SERVICE,
    LOSS_PROCESS_HI,
    LOSS_PROCESS_LO,
    LOSS_REASON,
    LOSS_COUNT,
    LOSS_FROM,
    LOSS_TO,
    LOSS_COLUMNS
};

/* Losses on their way into a segment. Zero-initialised but for the strings. */
struct loss_list {
    struct string_table strings;
    struct numbers columns[LOSS_COLUMNS];
};

bool loss_list_init(struct loss_list *l); /* false: no memory */
void loss_list_fini(struct loss_list *l);
/* Beyond SEGMENT_LOSSES_MAX losses are added up by reason, without agent, service and process: so
 * no count is ever dropped. */
bool loss_list_add(struct loss_list *l, const struct segment_loss *loss); /* false: no memory */
static inline size_t loss_list_count(const struct loss_list *l)
{
    return l->columns[LOSS_AGENT].count;
}
/* Appends losses [first, first + count) as a part of the table. */
void loss_list_put(const struct loss_list *l, size_t first, size_t count, struct encoder *e,
                   struct column *out);

/* Reads a part into list[0 … count). SEGMENT_OK or another. */
int losses_get(struct table_reader *r, uint32_t count, struct segment_loss *list);

#endif
