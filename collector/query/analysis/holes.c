// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/holes.h"

#include <stdlib.h>

#include "collector/hash.h"
#include "collector/query/analysis/dense.h"
#include "collector/query/analysis/sentence.h"
#include "lib/model/loss.h"

enum { LIMIT = 1000 };
/* Counters of losses are read by sweeps; what is younger than a moment may be on its way. */
static const uint64_t SLACK_NS = 1000000000, ON_ITS_WAY_NS = 5000000000;

struct search {
    struct holes *holes;
    const struct holes_question *q;
    uint32_t limit;
    uint32_t *slots; /* holes of missing parents by id: index + 1 */
    size_t mask;
    bool *answered;         /* of each node */
    bool *service_here;     /* of each of tree.processes: it has a server or consumer span here */
    struct batch_str asked; /* last, and the answer */
    bool asked_records;
};

/* ---- losses ------------------------------------------------------------------------------ */

static bool loses_spans(unsigned reason)
{
    return reason != LOSS_ATTRIBUTE_NO_ROOM && reason != LOSS_NAMES_FULL &&
           reason != LOSS_STALE_HANDLE;
}

static bool in_time(const struct search *s, uint32_t node, const struct trace_loss *loss)
{
    uint64_t from = tree_start_unix_ns(s->q->tree, node), to = s->q->tree->end_unix_ns;
    from = from > SLACK_NS ? from - SLACK_NS : 0;
    to = to < UINT64_MAX - SLACK_NS ? to + SLACK_NS : UINT64_MAX;
    return loss->from_unix_ns <= to && loss->to_unix_ns >= from;
}

static struct batch_str service_of_loss(const struct search *s, const struct trace_loss *loss)
{
    if (loss->process != TREE_NONE)
        return s->q->tree->processes[loss->process].view->service;
    return loss->service;
}

/* Might the loss have swallowed the span that the hole misses? */
static bool concerns(const struct search *s, const struct hole *hole, const struct trace_loss *loss)
{
    const struct tree *t = s->q->tree;
    uint32_t process = t->nodes[hole->node].process;
    bool of_agent = loss->process == TREE_NONE && loss->service.length == 0;
    if (!in_time(s, hole->node, loss))
        return false;
    if (hole->kind == HOLE_ATTRIBUTES)
        return loss->reason == LOSS_ATTRIBUTE_NO_ROOM && loss->process == process;
    if (!loses_spans(loss->reason))
        return false;
    bool local = hole->kind == HOLE_PARENT && hole->service.length > 0;
    if (of_agent)
        return !local || batch_str_equal(t->processes[process].view->agent, loss->agent);
    if (local)
        return loss->process == process;
    return hole->service.length == 0 || batch_str_equal(service_of_loss(s, loss), hole->service);
}

static int add_loss(struct holes *h, uint32_t loss)
{
    uint32_t *covered =
        dense_cover(h->losses, &h->loss_capacity, h->loss_count + 1, sizeof *covered);
    if (!covered)
        return -1;
    h->losses = covered;
    h->losses[h->loss_count++] = loss;
    return 0;
}

/* Those of a process come before those of an agent as a whole. */
static int find_losses(struct search *s, struct hole *hole)
{
    hole->loss_first = s->holes->loss_count;
    for (int of_agents = 0; of_agents < 2; of_agents++) {
        for (size_t i = 0; i < s->q->loss_count; i++) {
            const struct trace_loss *loss = &s->q->losses[i];
            bool of_agent = loss->process == TREE_NONE && loss->service.length == 0;
            if (of_agent == (of_agents == 1) && concerns(s, hole, loss) &&
                add_loss(s->holes, (uint32_t)i) != 0)
                return -1;
        }
    }
    hole->loss_count = s->holes->loss_count - hole->loss_first;
    return 0;
}

static bool is_young(const struct search *s, uint32_t node)
{
    uint64_t end = tree_start_unix_ns(s->q->tree, node);
    if (__builtin_add_overflow(end, tree_duration_ns(s->q->tree, node), &end))
        return false;
    return end + ON_ITS_WAY_NS > s->q->now_unix_ns;
}

static enum hole_reason reason_of(const struct search *s, const struct hole *hole)
{
    const struct tree *t = s->q->tree;
    if (hole->kind == HOLE_ATTRIBUTES || hole->loss_count > 0)
        return HOLE_LOST;
    if (hole->kind == HOLE_SERVER && node_status(t, hole->node) == SPAN_IN_FLIGHT)
        return HOLE_IN_FLIGHT;
    if (is_young(s, hole->node))
        return HOLE_NOT_ARRIVED;
    if (hole->kind == HOLE_SERVER && node_failed(t, hole->node))
        return HOLE_NOT_REACHED;
    if (hole->kind == HOLE_PARENT && hole->service.length == 0)
        return HOLE_NOT_RECORDED;
    return HOLE_UNEXPLAINED;
}

/* ---- holes ------------------------------------------------------------------------------- */

/* TREE_NONE in *index: there are too many. */
static int add_hole(struct search *s, struct hole hole, uint32_t *index)
{
    struct holes *h = s->holes;
    *index = TREE_NONE;
    if (h->count == s->limit) {
        h->beyond++;
        return 0;
    }
    struct hole *covered = dense_cover(h->list, &h->capacity, h->count + 1, sizeof *covered);
    if (!covered)
        return -1;
    h->list = covered;
    if (find_losses(s, &hole) != 0)
        return -1;
    hole.reason = reason_of(s, &hole);
    *index = h->count;
    h->list[h->count++] = hole;
    return 0;
}

static int add_orphan(struct search *s, uint32_t node)
{
    const struct tree *t = s->q->tree;
    const struct tree_node *n = &t->nodes[node];
    uint64_t parent_id = node_parent_id(t, node);
    bool remote = n->batch->flags[n->row] & SPAN_FLAG_REMOTE_PARENT;
    for (uint64_t at = hash_words(parent_id, 0);; at++) {
        uint32_t *slot = &s->slots[at & s->mask];
        struct hole *known = *slot ? &s->holes->list[*slot - 1] : NULL;
        if (known && known->missing_id == parent_id) {
            known->count++;
            return 0;
        }
        if (known)
            continue;
        struct hole hole = {.kind = HOLE_PARENT, .node = node, .missing_id = parent_id, .count = 1};
        if (!remote)
            hole.service = node_service(t, node);
        uint32_t index;
        int result = add_hole(s, hole, &index);
        *slot = index == TREE_NONE ? 0 : index + 1;
        return result;
    }
}

static bool look_up(const struct search *s, struct batch_str service)
{
    const struct tree *t = s->q->tree;
    for (uint32_t i = 0; i < t->process_count; i++) {
        if (s->service_here[i] && batch_str_equal(t->processes[i].view->service, service))
            return true;
    }
    return s->q->records && s->q->records(s->q->context, service);
}

/* Many calls in a row are of the same. */
static bool records(struct search *s, struct batch_str service)
{
    if (!s->asked.bytes || !batch_str_equal(s->asked, service)) {
        s->asked = service;
        s->asked_records = look_up(s, service);
    }
    return s->asked_records;
}

/* What is known of a database's or cache's own side was observed from outside, where a tap is: that
 * there is none tells nothing of losses (calls.h). */
static bool is_of_database(const struct tree *t, uint32_t node)
{
    return node_attribute(t, node, "db.system.name").length > 0 ||
           node_attribute(t, node, "db.system").length > 0;
}

static int add_call(struct search *s, uint32_t node)
{
    struct batch_str peer = node_attribute(s->q->tree, node, "peer.service");
    uint32_t index;
    if (peer.length == 0 || is_of_database(s->q->tree, node) || !records(s, peer))
        return 0;
    return add_hole(
        s, (struct hole){.kind = HOLE_SERVER, .node = node, .count = 1, .service = peer}, &index);
}

static int look_at(struct search *s, uint32_t node)
{
    const struct tree *t = s->q->tree;
    const struct tree_node *n = &t->nodes[node];
    uint32_t index, dropped = n->batch->dropped_attributes[n->row];
    if (n->flags & TREE_ORPHAN && add_orphan(s, node) != 0)
        return -1;
    if (node_kind(t, node) == SPAN_CLIENT && !s->answered[node] && add_call(s, node) != 0)
        return -1;
    struct hole hole = {
        .kind = HOLE_ATTRIBUTES, .node = node, .count = dropped, .service = node_service(t, node)};
    return dropped > 0 ? add_hole(s, hole, &index) : 0;
}

static void prepare(struct search *s)
{
    const struct tree *t = s->q->tree;
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t parent = t->nodes[i].parent;
        enum span_kind kind = node_kind(t, i);
        bool serves = kind == SPAN_SERVER || kind == SPAN_CONSUMER;
        if (serves)
            s->service_here[t->nodes[i].process] = true;
        if (parent != TREE_NONE && (serves || t->nodes[i].process != t->nodes[parent].process))
            s->answered[parent] = true;
    }
}

int holes_find(struct holes *h, const struct holes_question *q)
{
    const struct tree *t = q->tree;
    *h = (struct holes){0};
    struct search s = {.holes = h, .q = q, .limit = q->limit ? q->limit : LIMIT};
    size_t slots = hash_slots(s.limit);
    s.slots = calloc(slots, sizeof *s.slots);
    s.mask = slots - 1;
    s.answered = calloc((size_t)t->count + 1, sizeof *s.answered);
    s.service_here = calloc((size_t)t->process_count + 1, sizeof *s.service_here);
    int result = s.slots && s.answered && s.service_here ? 0 : -1;
    if (result == 0)
        prepare(&s);
    for (uint32_t i = 0; result == 0 && i < t->count; i++)
        result = look_at(&s, i);
    free(s.slots);
    free(s.answered);
    free(s.service_here);
    if (result != 0)
        holes_fini(h);
    return result;
}

void holes_fini(struct holes *h)
{
    free(h->list);
    free(h->losses);
    *h = (struct holes){0};
}

/* ---- in words ---------------------------------------------------------------------------- */

static void put_what(const struct hole *hole, const struct tree *t, struct buffer *out)
{
    if (hole->kind == HOLE_PARENT) {
        buffer_printf(out, "the parent of %llu span%s is missing", (unsigned long long)hole->count,
                      hole->count == 1 ? "" : "s");
    } else if (hole->kind == HOLE_SERVER) {
        buffer_text(out, "the span of ");
        put_str(out, hole->service);
        buffer_text(out, " is missing");
    } else {
        put_str(out, node_service(t, hole->node));
        buffer_printf(out, " dropped %llu attribute%s of a span", (unsigned long long)hole->count,
                      hole->count == 1 ? "" : "s");
    }
}

static void put_loss(const struct tree *t, const struct trace_loss *loss, struct buffer *out)
{
    if (loss->process != TREE_NONE) {
        put_str(out, t->processes[loss->process].view->service);
    } else if (loss->service.length > 0) {
        put_str(out, loss->service);
    } else if (loss->agent.length > 0) {
        buffer_text(out, "agent ");
        put_str(out, loss->agent);
    } else {
        buffer_text(out, "the collector");
    }
    buffer_printf(out, " lost %llu at that time (%s)", (unsigned long long)loss->count,
                  loss_reason_explanation(loss->reason));
}

void hole_sentence(const struct holes *h, const struct hole *hole, const struct holes_question *q,
                   struct buffer *out)
{
    static const char *const reasons[HOLE_REASONS] = {
        [HOLE_LOST] = "its place for them was full",
        [HOLE_IN_FLIGHT] = "the call has not ended, its other side may come yet",
        [HOLE_NOT_ARRIVED] = "it may be on its way",
        [HOLE_NOT_REACHED] = "the call failed, perhaps nobody received it",
        [HOLE_NOT_RECORDED] = "it came in a header, its sender may not record here",
        [HOLE_UNEXPLAINED] = "no loss is known that explains it",
    };
    put_what(hole, q->tree, out);
    buffer_text(out, ": ");
    for (uint32_t i = 0; i < hole->loss_count; i++) {
        if (i > 0)
            buffer_text(out, "; ");
        put_loss(q->tree, &q->losses[h->losses[hole->loss_first + i]], out);
    }
    if (hole->loss_count == 0)
        buffer_text(out, reasons[hole->reason]);
}
