// SPDX-License-Identifier: Apache-2.0
/* The spans of one trace in the order of its tree, whatever arrived of it. Segments keep their
 * rows in this order, blocks show it, the tree of a trace (query/tree.h) is made by it.
 *
 *   1. Copies of the same span (its process died between writing and forgetting, or it is in
 *      flight in one batch and ended in another) become one: ended beats died beats in flight.
 *   2. Parents are found by span id. Where two different spans have the same id, the earlier
 *      start is the parent and the later is marked a duplicate.
 *   3. A parent that is not here makes an orphan. Parents that lead round in a circle are cut
 *      at the earliest span of the circle. Both stand at the top level, as roots do.
 *   4. Parents first, siblings by start: all that is below a span follows it without a gap.
 *
 * O(n log n) whatever the ids are, no recursion; memory is kept from one trace to the next.
 */
#ifndef WEFT_COLLECTOR_TRACES_ORDER_H
#define WEFT_COLLECTOR_TRACES_ORDER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ORDER_NONE UINT32_MAX

enum order_flag {
    ORDER_ORPHAN = 1,    /* its parent is not here */
    ORDER_DUPLICATE = 2, /* another span with its id came before it */
    ORDER_CYCLE = 4,     /* its parents led back to it: cut here */
};

struct order_span {
    uint64_t span_id, parent_id; /* parent 0: none */
    uint64_t start_unix_ns;
    uint32_t process; /* copies of a span have the same: any numbering will do */
    uint8_t status;   /* enum span_status */
};

/* A numbering of processes that needs no table: their uuids are random. */
static inline uint32_t order_process(const uint8_t uuid[16])
{
    uint32_t words[4];
    memcpy(words, uuid, sizeof words);
    return words[0] ^ words[1] * 3 ^ words[2] * 5 ^ words[3] * 7;
}

struct order_scratch;

/* Zero-initialised is empty and valid. The results are valid until the next order_trace. */
struct order {
    uint32_t count;         /* rows: spans without copies */
    const uint32_t *span;   /* row → index in the spans given */
    const uint32_t *parent; /* row → its parent's row, which is smaller; ORDER_NONE */
    const uint8_t *flags;   /* enum order_flag */
    struct order_scratch *scratch;
};

/* -1 when memory is out. */
int order_trace(struct order *o, const struct order_span *spans, uint32_t count);
void order_fini(struct order *o);

#endif
