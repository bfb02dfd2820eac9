// SPDX-License-Identifier: Apache-2.0
/* What analyses ask of a tree's nodes. */
#ifndef WEFT_COLLECTOR_QUERY_ANALYSIS_NODE_H
#define WEFT_COLLECTOR_QUERY_ANALYSIS_NODE_H

#include <string.h>

#include "collector/query/tree.h"
#include "lib/model/span.h"

static inline struct batch_str node_name(const struct tree *t, uint32_t node)
{
    const struct tree_node *n = &t->nodes[node];
    return n->batch->strings[n->batch->name[n->row]];
}
static inline struct batch_str node_status_message(const struct tree *t, uint32_t node)
{
    const struct tree_node *n = &t->nodes[node];
    return n->batch->strings[n->batch->status_message[n->row]];
}
static inline const struct batch_process_view *node_process(const struct tree *t, uint32_t node)
{
    return t->processes[t->nodes[node].process].view;
}
static inline struct batch_str node_service(const struct tree *t, uint32_t node)
{
    return node_process(t, node)->service;
}
static inline enum span_kind node_kind(const struct tree *t, uint32_t node)
{
    return (enum span_kind)t->nodes[node].batch->kind[t->nodes[node].row];
}
static inline enum span_status node_status(const struct tree *t, uint32_t node)
{
    return (enum span_status)t->nodes[node].batch->status[t->nodes[node].row];
}
static inline bool node_failed(const struct tree *t, uint32_t node)
{
    enum span_status status = node_status(t, node);
    return status == SPAN_ERROR || status == SPAN_DIED;
}
/* Its end is the moment of a look or of a death, not its own. */
static inline bool node_ended(const struct tree *t, uint32_t node)
{
    enum span_status status = node_status(t, node);
    return status != SPAN_IN_FLIGHT && status != SPAN_DIED;
}
static inline uint64_t node_span_id(const struct tree *t, uint32_t node)
{
    return t->nodes[node].batch->span_id[t->nodes[node].row];
}
static inline uint64_t node_parent_id(const struct tree *t, uint32_t node)
{
    return t->nodes[node].batch->parent_id[t->nodes[node].row];
}

/* The value of a string attribute; empty where there is none. */
static inline struct batch_str node_attribute(const struct tree *t, uint32_t node, const char *key)
{
    const struct tree_node *n = &t->nodes[node];
    const struct batch *b = n->batch;
    size_t length = strlen(key);
    uint32_t first = b->attribute_first[n->row], count = b->attribute_count[n->row];
    for (uint32_t i = first; i < first + count; i++) {
        struct batch_str name = b->strings[b->attributes.key[i]];
        if (b->attributes.type[i] == VALUE_STRING && name.length == length &&
            memcmp(name.bytes, key, length) == 0)
            return b->strings[b->attributes.value[i]];
    }
    return (struct batch_str){NULL, 0};
}

#endif
