// SPDX-License-Identifier: Apache-2.0
/* GET /api/v1/analysis/traces/{id}: one trace explained. Streamed, as a large one has a line for
 * each of its spans. */
#include <stdlib.h>

#include "collector/inquire/inquire.h"
#include "collector/query/analysis/node.h"
#include "collector/query/explain.h"
#include "collector/web/api.h"
#include "lib/base/clock.h"
#include "lib/model/loss.h"

enum { AMONG_DEFAULT = 200, AMONG_MAX = 2000, STREAM_BYTES = 64 << 10, CALLS_TOLD = 10 };
/* So long an observed span may be on its way: RIPE_MS of the agent, and some. */
#define OBSERVED_WITHIN_NS UINT64_C(4000000000)

struct explain_stream {
    struct trace_view view;
    struct explanation e;
    uint64_t now_unix_ns;
    struct watchers *watchers;
    struct json_writer writer;
    bool begun, paged;
    uint32_t next, limit; /* in tree.nodes; of spans still to be told */
};

static void put_id(struct json_writer *w, const char *key, const struct tree *t, uint32_t node)
{
    json_field_hex64(w, key, node_span_id(t, node));
}

static void put_path(struct json_writer *w, const struct explain_stream *s)
{
    const struct critical_path *p = &s->e.path;
    const struct tree *t = &s->view.tree;
    json_field_object(w, "critical_path");
    json_field_uint(w, "total_ns", p->total_ns);
    json_field_uint(w, "unknown_ns", p->unknown_ns);
    json_field_array(w, "segments");
    for (uint32_t i = 0; i < p->count; i++) {
        const struct critical_segment *part = &p->segments[i];
        json_open_object(w);
        json_field_int(w, "offset_ns", (int64_t)(part->from_unix_ns - t->start_unix_ns));
        json_field_uint(w, "duration_ns", part->to_unix_ns - part->from_unix_ns);
        if (part->node != TREE_NONE)
            put_id(w, "span_id", t, part->node);
        json_close_object(w);
    }
    json_close_array(w);
    json_close_object(w);
}

static void put_culprit(struct json_writer *w, const struct explain_stream *s)
{
    const struct culprit *c = &s->e.culprit;
    const struct tree *t = &s->view.tree;
    struct buffer sentence = {0};
    uint32_t node = culprit_node(c);
    if (node == TREE_NONE && c->suspect == TREE_NONE)
        return;
    json_field_object(w, "culprit");
    if (node != TREE_NONE)
        put_id(w, "span_id", t, node);
    if (c->suspect != TREE_NONE)
        put_id(w, "suspect_span_id", t, c->suspect);
    culprit_sentence(c, t, &sentence);
    json_field_string(w, "sentence", sentence.data, sentence.length);
    json_field_array(w, "chain");
    for (uint32_t i = 0; i < c->length; i++)
        json_put_hex64(w, node_span_id(t, c->chain[i]));
    json_close_array(w);
    json_close_object(w);
    buffer_fini(&sentence);
}

static void put_skew(struct json_writer *w, const struct skew *skew)
{
    json_field_object(w, "skew");
    json_field_bool(w, "corrected", skew->corrected);
    json_field_array(w, "clocks");
    for (uint32_t i = 0; i < skew->clock_count; i++) {
        const struct skew_clock *c = &skew->clocks[i];
        json_open_object(w);
        api_field_str(w, "host", c->host);
        json_field_uint(w, "process", c->process);
        if (c->against != SKEW_NONE)
            json_field_uint(w, "against", c->against);
        json_field_int(w, "offset_ns", c->offset_ns);
        if (c->uncertainty_ns != UINT64_MAX)
            json_field_uint(w, "uncertainty_ns", c->uncertainty_ns);
        json_field_uint(w, "pairs", c->pairs);
        json_field_uint(w, "agreeing", c->agreeing);
        json_close_object(w);
    }
    json_close_array(w);
    json_close_object(w);
}

static const char *hole_kind_name(enum hole_kind kind)
{
    static const char *const names[HOLE_KINDS] = {"parent", "server", "attributes"};
    return names[kind];
}

static const char *hole_reason_name(enum hole_reason reason)
{
    static const char *const names[HOLE_REASONS] = {"lost",        "in_flight",    "not_arrived",
                                                    "not_reached", "not_recorded", "unexplained"};
    return names[reason];
}

static void put_hole_losses(struct json_writer *w, const struct explain_stream *s,
                            const struct hole *hole)
{
    json_field_array(w, "losses");
    for (uint32_t i = 0; i < hole->loss_count; i++) {
        const struct trace_loss *loss = &s->view.losses[s->e.holes.losses[hole->loss_first + i]];
        json_open_object(w);
        json_field_text(w, "reason", loss_reason_name(loss->reason));
        json_field_text(w, "place", loss_reason_place(loss->reason));
        json_field_uint(w, "count", loss->count);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_holes(struct json_writer *w, struct explain_stream *s)
{
    const struct tree *t = &s->view.tree;
    struct holes_question question = explanation_question(&s->view, &s->e, s->now_unix_ns);
    struct buffer sentence = {0};
    json_field_array(w, "holes");
    for (uint32_t i = 0; i < s->e.holes.count; i++) {
        const struct hole *hole = &s->e.holes.list[i];
        json_open_object(w);
        json_field_text(w, "kind", hole_kind_name(hole->kind));
        json_field_text(w, "reason", hole_reason_name(hole->reason));
        put_id(w, "span_id", t, hole->node);
        if (hole->missing_id)
            json_field_hex64(w, "missing_span_id", hole->missing_id);
        json_field_uint(w, "count", hole->count);
        if (hole->service.length > 0)
            api_field_str(w, "service", hole->service);
        buffer_clear(&sentence);
        hole_sentence(&s->e.holes, hole, &question, &sentence);
        json_field_string(w, "sentence", sentence.data, sentence.length);
        put_hole_losses(w, s, hole);
        json_close_object(w);
    }
    json_close_array(w);
    json_field_uint(w, "holes_beyond", s->e.holes.beyond);
    buffer_fini(&sentence);
}

/* ---- calls ------------------------------------------------------------------------------- */

static void put_calls(struct json_writer *w, const struct explain_stream *s)
{
    const struct tree *t = &s->view.tree;
    uint32_t worst[CALLS_TOLD];
    uint32_t count = calls_worst(t, &s->e.timeline, s->e.path.critical_ns, worst, CALLS_TOLD);
    struct buffer sentence = {0};
    json_field_array(w, "calls");
    for (uint32_t i = 0; i < count; i++) {
        struct call c;
        call_of(&c, t, &s->e.timeline, worst[i]);
        buffer_clear(&sentence);
        call_sentence(&c, t, &s->e.timeline, worst[i], &sentence);
        json_open_object(w);
        put_id(w, "span_id", t, worst[i]);
        json_field_string(w, "sentence", sentence.data, sentence.length);
        json_close_object(w);
    }
    json_close_array(w);
    buffer_fini(&sentence);
}

/* Why a client span that says its connection has nothing of the other end below it. NULL: it says
 * none. */
static const char *why_not_observed(const struct explain_stream *s, uint32_t node)
{
    const struct tree *t = &s->view.tree;
    const struct tree_node *n = &t->nodes[node];
    struct inquiry_end client, cache;
    char agent[LINK_AGENT_ID_MAX + 1] = "";
    struct batch_str sender = node_process(t, node)->agent;
    if (!inquire_connection(n->batch, n->row, &client, &cache))
        return NULL;
    if (sender.length < sizeof agent)
        memcpy(agent, sender.bytes, sender.length);
    if (!watchers_watched(s->watchers, agent, &cache))
        return "no tap watches it";
    uint64_t end = tree_start_unix_ns(t, node) + tree_duration_ns(t, node);
    if (!node_ended(t, node) || end + OBSERVED_WITHIN_NS > s->now_unix_ns)
        return "what the tap saw is on its way";
    return "the tap did not see it, does not remember it, or cannot tell it from others";
}

static void put_call(struct json_writer *w, const struct explain_stream *s, uint32_t node)
{
    struct call c;
    const char *why = NULL;
    if (node_kind(&s->view.tree, node) != SPAN_CLIENT)
        return;
    bool known = call_of(&c, &s->view.tree, &s->e.timeline, node);
    if (!known && c.servers == 0)
        why = why_not_observed(s, node);
    if (!known && !why)
        return;
    json_field_object(w, "call");
    if (known) {
        json_field_uint(w, "server_ns", c.server_ns);
        json_field_uint(w, "network_ns", c.between_ns);
        json_field_bool(w, "observed", c.observed);
    } else {
        json_field_text(w, "not_observed", why);
    }
    json_close_object(w);
}

static uint32_t spans_left(const struct explain_stream *s)
{
    uint32_t count = s->view.tree.count;
    return s->next < count ? count - s->next : 0;
}

static void put_head(struct json_writer *w, struct explain_stream *s)
{
    json_open_object(w);
    json_field_hex128(w, "trace_id", s->view.id.hi, s->view.id.lo);
    json_field_unix_ns(w, "start_unix_ns", s->view.tree.start_unix_ns);
    json_field_uint(w, "duration_ns", s->view.tree.end_unix_ns - s->view.tree.start_unix_ns);
    put_culprit(w, s);
    put_calls(w, s);
    put_path(w, s);
    put_skew(w, &s->e.skew);
    put_holes(w, s);
    json_field_uint(w, "ranked_among_traces", s->e.ranked_among);
    if (s->paged) {
        json_field_uint(w, "offset", s->next);
        json_field_bool(w, "more", spans_left(s) > s->limit);
    }
    json_field_array(w, "spans");
}

static void put_span(struct json_writer *w, const struct explain_stream *s, uint32_t node)
{
    const struct tree *t = &s->view.tree;
    uint64_t among = 0;
    double rank = rank_of(&s->e.rank, t, node, &among);
    json_open_object(w);
    put_id(w, "span_id", t, node);
    json_field_uint(w, "self_ns", s->e.self_ns[node]);
    json_field_uint(w, "critical_ns", s->e.path.critical_ns[node]);
    if (rank >= 0) {
        json_field_double(w, "rank", rank);
        json_field_uint(w, "among", among);
    }
    put_call(w, s, node);
    if (s->e.skew.corrected)
        json_field_int(
            w, "start_correction_ns",
            (int64_t)(skew_start_unix_ns(&s->e.skew, t, node) - tree_start_unix_ns(t, node)));
    json_close_object(w);
}

static bool stream_next(void *context, struct buffer *out)
{
    struct explain_stream *s = context;
    size_t enough = out->length + STREAM_BYTES;
    s->writer.out = out;
    if (!s->begun)
        put_head(&s->writer, s);
    s->begun = true;
    for (; spans_left(s) > 0 && s->limit > 0 && out->length < enough; s->limit--)
        put_span(&s->writer, s, s->next++);
    if (spans_left(s) > 0 && s->limit > 0)
        return true;
    json_close_array(&s->writer);
    json_close_object(&s->writer);
    buffer_byte(out, '\n');
    return false;
}

static void stream_close(void *context)
{
    struct explain_stream *s = context;
    explanation_fini(&s->e);
    trace_view_fini(&s->view);
    free(s);
}

/* 1, 0: the trace is not known, or -1: no memory; then there is nothing to close. */
static int begin(const struct query *q, struct trace_id id, uint32_t among,
                 struct explain_stream *s)
{
    s->now_unix_ns = clock_unix_ns();
    int found = query_trace(q, id, s->now_unix_ns, &s->view);
    if (found == 1 && explain_trace(q, &s->view, among, s->now_unix_ns, &s->e) != 0) {
        trace_view_fini(&s->view);
        found = -1;
    }
    return found;
}

void api_explain(const struct api_call *call, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    struct trace_id id;
    uint32_t among, offset, limit;
    if (params_only(call->params, "among offset limit", why) != 0 ||
        params_number(call->params, "among", 0, AMONG_MAX, AMONG_DEFAULT, &among, why) != 0 ||
        params_number(call->params, "offset", 0, UINT32_MAX - 1, 0, &offset, why) != 0 ||
        params_number(call->params, "limit", 0, UINT32_MAX - 1, UINT32_MAX, &limit, why) != 0) {
        reply_error(reply, 400, "%s", why);
        return;
    }
    if (!params_trace_id(call->rest, &id)) {
        reply_error(reply, 400, "a trace id is 32 hex digits and not all zero");
        return;
    }
    struct explain_stream *s = calloc(1, sizeof *s);
    if (s) {
        s->watchers = call->web->watchers;
        s->next = offset;
        s->limit = limit;
        s->paged = params_get(call->params, "offset") || params_get(call->params, "limit");
    }
    int found = s ? begin(&call->web->query, id, among, s) : -1;
    if (found == 1) {
        reply->stream = (struct reply_stream){stream_next, stream_close, s};
        return;
    }
    free(s);
    if (found == 0)
        reply_error(reply, 404, "no span of this trace is known");
    else if (found == -2)
        reply_error(reply, 503, "other large traces are being read: try again in a moment");
    else
        reply_no_memory(reply);
}
