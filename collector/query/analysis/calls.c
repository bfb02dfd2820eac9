// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/calls.h"

#include "collector/query/analysis/sentence.h"

/* ---- one call ---------------------------------------------------------------------------- */

static bool is_observed(const struct tree *t, uint32_t node)
{
    return t->nodes[node].batch->flags[t->nodes[node].row] & SPAN_FLAG_OBSERVED;
}

static bool is_server_of(const struct tree *t, uint32_t node, uint32_t client)
{
    return node_kind(t, node) == SPAN_SERVER && t->nodes[node].process != t->nodes[client].process;
}

/* Servers come with the last end first, so what is covered grows towards the beginning. */
static uint64_t covered_ns(const struct tree *t, const struct timeline *l, uint32_t client,
                           struct timeline_list below)
{
    uint64_t begin = l->start_unix_ns[client], from = l->end_unix_ns[client], sum = 0;
    for (uint32_t i = 0; i < below.count; i++) {
        const struct timeline_span *s = &below.spans[i];
        if (!is_server_of(t, s->node, client))
            continue;
        uint64_t start = s->start_unix_ns > begin ? s->start_unix_ns : begin;
        uint64_t end = s->end_unix_ns < from ? s->end_unix_ns : from;
        if (start < end) {
            sum += end - start;
            from = start;
        }
    }
    return sum;
}

bool call_of(struct call *c, const struct tree *t, const struct timeline *l, uint32_t node)
{
    *c = (struct call){.server = TREE_NONE, .observed = true};
    if (node_kind(t, node) != SPAN_CLIENT || !node_ended(t, node))
        return false;
    struct timeline_list below = timeline_below(l, t, node);
    for (uint32_t i = 0; i < below.count; i++) {
        uint32_t server = below.spans[i].node;
        if (!is_server_of(t, server, node))
            continue;
        c->servers++;
        if (!node_ended(t, server))
            return false;
        if (c->server == TREE_NONE || l->start_unix_ns[server] < l->start_unix_ns[c->server])
            c->server = server;
        c->observed &= is_observed(t, server);
    }
    c->server_ns = covered_ns(t, l, node, below);
    c->between_ns = l->end_unix_ns[node] - l->start_unix_ns[node] - c->server_ns;
    return c->servers > 0;
}

/* ---- for people -------------------------------------------------------------------------- */

static void put_server(struct buffer *out, const struct call *c, const struct tree *t)
{
    put_who(out, t, c->server);
    struct batch_str pattern = node_attribute(t, c->server, "weft.cache.key_pattern");
    struct batch_str outcome = node_attribute(t, c->server, "weft.cache.outcome");
    if (pattern.length) {
        buffer_byte(out, ' ');
        put_str(out, pattern);
    }
    if (outcome.length) {
        buffer_text(out, " (");
        put_str(out, outcome);
        buffer_byte(out, ')');
    }
    if (c->servers > 1)
        buffer_printf(out, " and %u more", c->servers - 1);
}

void call_sentence(const struct call *c, const struct tree *t, const struct timeline *l,
                   uint32_t node, struct buffer *out)
{
    put_who(out, t, node);
    buffer_text(out, " took ");
    put_duration(out, l->end_unix_ns[node] - l->start_unix_ns[node]);
    buffer_text(out, ": ");
    put_server(out, c, t);
    buffer_byte(out, ' ');
    put_duration(out, c->server_ns);
    buffer_text(out, ", network and queues ");
    put_duration(out, c->between_ns);
}

/* ---- the worst --------------------------------------------------------------------------- */

static uint64_t held_up_ns(const struct tree *t, const struct timeline *l,
                           const uint64_t *critical_ns, uint32_t node)
{
    struct timeline_list below = timeline_below(l, t, node);
    uint64_t sum = critical_ns[node];
    for (uint32_t i = 0; i < below.count; i++)
        if (is_server_of(t, below.spans[i].node, node))
            sum += critical_ns[below.spans[i].node];
    return sum;
}

uint32_t calls_worst(const struct tree *t, const struct timeline *l, const uint64_t *critical_ns,
                     uint32_t *out, uint32_t most)
{
    uint32_t count = 0;
    uint64_t held_up[CALLS_WORST_MOST];
    struct call c;
    most = most < CALLS_WORST_MOST ? most : CALLS_WORST_MOST;
    for (uint32_t node = 0; node < t->count; node++) {
        if (!call_of(&c, t, l, node))
            continue;
        uint64_t ns = held_up_ns(t, l, critical_ns, node);
        uint32_t at = count;
        while (at > 0 && held_up[at - 1] < ns)
            at--;
        if (ns == 0 || at == most)
            continue;
        for (uint32_t i = count < most ? count : most - 1; i > at; i--) {
            out[i] = out[i - 1];
            held_up[i] = held_up[i - 1];
        }
        out[at] = node;
        held_up[at] = ns;
        count += count < most;
    }
    return count;
}
