// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/culprit.h"

#include <stdlib.h>

#include "collector/query/analysis/sentence.h"

enum { NOT_REACHED = 0 }; /* else: the depth, from 1 */

static bool passes(const struct tree *t, uint32_t node)
{
    return node_failed(t, node) || node_status(t, node) == SPAN_IN_FLIGHT;
}

/* Is `node` the better culprit? */
static bool beats(const struct tree *t, const uint32_t *depth, uint32_t node, uint32_t best)
{
    if (best == TREE_NONE)
        return true;
    bool died = node_status(t, node) == SPAN_DIED, best_died = node_status(t, best) == SPAN_DIED;
    if (died != best_died)
        return died;
    if (depth[node] != depth[best])
        return depth[node] > depth[best];
    return tree_start_unix_ns(t, node) < tree_start_unix_ns(t, best);
}

/* The best among what is reached from the top-level nodes that `wanted` are. */
static uint32_t search(const struct tree *t, uint32_t *depth, bool orphans)
{
    uint32_t best = TREE_NONE;
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t parent = t->nodes[i].parent;
        bool orphan = t->nodes[i].flags & (TREE_ORPHAN | TREE_CYCLE);
        bool origin = orphans ? orphan : i == t->root;
        bool reached = parent == TREE_NONE ? origin : depth[parent] != NOT_REACHED;
        if (!reached || !passes(t, i)) {
            depth[i] = NOT_REACHED;
            continue;
        }
        depth[i] = parent == TREE_NONE ? 1 : depth[parent] + 1;
        if (node_failed(t, i) && beats(t, depth, i, best))
            best = i;
    }
    return best;
}

static int take_chain(struct culprit *c, const struct tree *t, uint32_t node, uint32_t length)
{
    c->chain = malloc(length * sizeof *c->chain);
    if (!c->chain)
        return -1;
    c->length = length;
    for (uint32_t i = length; i-- > 0; node = t->nodes[node].parent)
        c->chain[i] = node;
    return 0;
}

static bool in_time_of(const struct tree *t, uint32_t node, uint32_t root)
{
    uint64_t begin = tree_start_unix_ns(t, root), at = tree_start_unix_ns(t, node);
    return at >= begin && at - begin <= tree_duration_ns(t, root);
}

int culprit_find(struct culprit *c, const struct tree *t)
{
    *c = (struct culprit){.suspect = TREE_NONE};
    uint32_t *depth = malloc(((size_t)t->count + 1) * sizeof *depth);
    int result = depth ? 0 : -1;
    uint32_t node = TREE_NONE;
    if (result == 0 && t->root != TREE_NONE)
        node = search(t, depth, false);
    if (node != TREE_NONE)
        result = take_chain(c, t, node, depth[node]);
    /* The root itself: something unseen may explain it. Or there is no root. */
    if (result == 0 && (t->root == TREE_NONE || node == t->root) && t->orphans + t->cycles > 0) {
        uint32_t orphan = search(t, depth, true);
        if (orphan != TREE_NONE && t->root == TREE_NONE)
            result = take_chain(c, t, orphan, depth[orphan]);
        else if (orphan != TREE_NONE && in_time_of(t, orphan, t->root))
            c->suspect = orphan;
    }
    free(depth);
    return result;
}

void culprit_fini(struct culprit *c)
{
    free(c->chain);
    *c = (struct culprit){.suspect = TREE_NONE};
}

/* ---- in words ---------------------------------------------------------------------------- */

static void put_how(struct buffer *out, const struct tree *t, uint32_t node)
{
    const struct batch_process_view *process = node_process(t, node);
    struct batch_str message = node_status_message(t, node);
    if (node_status(t, node) == SPAN_DIED) {
        buffer_text(out, " died");
        if (process->host.length > 0) {
            buffer_text(out, " on ");
            put_str(out, process->host);
        }
        buffer_printf(out, " (pid %u)", process->pid);
        return;
    }
    buffer_text(out, node_failed(t, node) ? " failed" : " is waiting");
    if (message.length > 0 && node_failed(t, node)) {
        buffer_text(out, " (");
        put_str(out, message);
        buffer_text(out, ")");
    }
}

void culprit_sentence(const struct culprit *c, const struct tree *t, struct buffer *out)
{
    if (c->length == 0)
        return;
    put_who(out, t, c->chain[0]);
    put_how(out, t, c->chain[0]);
    if (c->length > 1) {
        buffer_text(out, " because ");
        put_who(out, t, culprit_node(c));
        put_how(out, t, culprit_node(c));
    }
    if (c->suspect != TREE_NONE) {
        buffer_text(out, "; perhaps because ");
        put_who(out, t, c->suspect);
        put_how(out, t, c->suspect);
        buffer_text(out, ", whose parent is missing");
    }
}
