// SPDX-License-Identifier: Apache-2.0
/* Every hole of a trace, and why it is there:
 *
 *   HOLE_PARENT      spans whose parent is not here (one hole for each missing parent)
 *   HOLE_SERVER      a call of a service that is known to record, without that service's span
 *   HOLE_ATTRIBUTES  a span that could not keep all its attributes, events or links
 *
 * The losses that the trace knows of (struct trace_loss) are looked through first: those of the
 * process that the missing span was recorded by, where that is known (a parent that did not
 * come in a header is of the same process; a call says its peer.service), and of its agent, in
 * its time. Where nothing fits, what else is known decides; "no loss is known" is an
 * answer too.
 */
#ifndef WEFT_COLLECTOR_QUERY_ANALYSIS_HOLES_H
#define WEFT_COLLECTOR_QUERY_ANALYSIS_HOLES_H

#include "collector/query/query.h"
#include "lib/base/buffer.h"

enum hole_kind { HOLE_PARENT, HOLE_SERVER, HOLE_ATTRIBUTES, HOLE_KINDS };

enum hole_reason {
    HOLE_LOST,         /* `losses` say why and how many */
    HOLE_IN_FLIGHT,    /* the call has not ended, its other side may not have been seen yet */
    HOLE_NOT_ARRIVED,  /* it is a matter of seconds: it may be on its way */
    HOLE_NOT_REACHED,  /* the call failed: perhaps nobody got it */
    HOLE_NOT_RECORDED, /* the parent came in a header; its sender may not record here */
    HOLE_UNEXPLAINED,  /* no loss is known */
    HOLE_REASONS
};

struct hole {
    enum hole_kind kind;
    enum hole_reason reason;
    uint32_t node;       /* the (first) orphan, the client span, the span with less attributes */
    uint64_t missing_id; /* PARENT: its span id */
    uint64_t count;      /* orphans of that parent; attributes dropped */
    struct batch_str service;        /* of the missing span; empty: unknown */
    uint32_t loss_first, loss_count; /* in holes.losses */
};

struct holes {
    struct hole *list; /* in the order of the tree */
    uint32_t count, capacity;
    uint64_t beyond;  /* holes that are not listed */
    uint32_t *losses; /* indices of the losses given, of each hole the likeliest first */
    uint32_t loss_count, loss_capacity;
};

struct holes_question {
    const struct tree *tree;
    const struct trace_loss *losses;
    size_t loss_count;
    uint64_t now_unix_ns;
    uint32_t limit; /* of holes to list; 0: 1000 */
    /* Is the service known to record? Services of the tree are; NULL: no other is. */
    bool (*records)(void *context, struct batch_str service);
    void *context;
};

/* -1 when memory is out; then there is nothing to free. */
int holes_find(struct holes *h, const struct holes_question *q);
void holes_fini(struct holes *h);
/* A sentence for people, without its full stop. */
void hole_sentence(const struct holes *h, const struct hole *hole, const struct holes_question *q,
                   struct buffer *out);

#endif
