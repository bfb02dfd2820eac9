// SPDX-License-Identifier: Apache-2.0
/* Who is to blame for a failed request: "client says A failed, B died".
 *
 * From the root down, a failure is explained by a failed (or dead) span right below: a server's
 * by the call that failed in it, a client's by the server that it called. A span that ended well
 * survived whatever is below it, so that explains nothing; one that is still in flight may yet
 * fail, and is passed through. Of all that is reached so, the culprit is
 *
 *     died before error; then the deepest; then the earliest.
 *
 * Where the root failed and nothing recorded below explains it, but an orphan failed in its time,
 * that one is told as a suspect: what connects the two is missing.
 */
#ifndef WEFT_COLLECTOR_QUERY_ANALYSIS_CULPRIT_H
#define WEFT_COLLECTOR_QUERY_ANALYSIS_CULPRIT_H

#include "collector/query/tree.h"
#include "lib/base/buffer.h"

struct culprit {
    uint32_t *chain;  /* nodes from the root (or an orphan, where there is none) to the culprit */
    uint32_t length;  /* 0: nothing failed, or nothing that the root did not survive */
    uint32_t suspect; /* a failed orphan, or TREE_NONE */
};

/* O(n). -1 when memory is out; then there is nothing to free. */
int culprit_find(struct culprit *c, const struct tree *t);
void culprit_fini(struct culprit *c);

static inline uint32_t culprit_node(const struct culprit *c)
{
    return c->length > 0 ? c->chain[c->length - 1] : TREE_NONE;
}

/* A sentence for people: 'web "GET /dashboard" failed because cell "deliver" on box7 died'.
 * Nothing where there is no culprit. */
void culprit_sentence(const struct culprit *c, const struct tree *t, struct buffer *out);

#endif
