// SPDX-License-Identifier: Apache-2.0
/* A trace as OTLP, streamed in pieces of some hundred spans: as protobuf the pieces are messages
 * one after the other, which is one message; as JSON they share one list. */
#include <stdlib.h>

#include "collector/web/api.h"
#include "lib/otlp/otlp.h"

enum { SPANS_A_PIECE = 500 };

struct otlp_stream {
    struct trace_view view;
    uint32_t first, next, end; /* in tree.nodes */
    bool json;
    struct arena arena;
};

/* The piece's spans that lie in one batch: a piece ends where the details move on. */
static uint32_t collect(struct otlp_stream *s, struct otlp_row rows[SPANS_A_PIECE])
{
    uint32_t count = 0;
    const struct batch *of = s->view.tree.nodes[s->next].batch;
    while (s->next < s->end && count < SPANS_A_PIECE) {
        const struct tree_node *n = &s->view.tree.nodes[s->next];
        if (s->view.large && n->batch != of)
            break;
        const struct batch *b = trace_view_details(&s->view, s->next);
        if (!b)
            return 0;
        rows[count++] = (struct otlp_row){b, n->row};
        s->next++;
    }
    return count;
}

/* {"resourceSpans":[ a piece , a piece ]} */
static void put_json_piece(struct otlp_stream *s, const Otlp__Traces *piece, bool first,
                           struct buffer *out)
{
    struct json_writer w = json_writer_to(out);
    if (first) {
        json_open_object(&w);
        json_field_array(&w, "resourceSpans");
    }
    w.comma = !first;
    otlp_put_json_items(&w, piece);
    if (s->next == s->end)
        buffer_text(out, "]}\n");
}

static bool stream_next(void *context, struct buffer *out)
{
    struct otlp_stream *s = context;
    struct otlp_row rows[SPANS_A_PIECE];
    bool first = s->next == s->first;
    arena_reset(&s->arena);
    uint32_t count = s->next < s->end ? collect(s, rows) : 0;
    Otlp__Traces *piece = otlp_write(&s->arena, rows, count);
    if (!piece || (count == 0 && s->next < s->end)) {
        out->failed = true;
        return false;
    }
    if (s->json)
        put_json_piece(s, piece, first, out);
    else
        otlp_put_protobuf(out, piece);
    return s->next < s->end && !out->failed;
}

static void stream_close(void *context)
{
    struct otlp_stream *s = context;
    trace_view_fini(&s->view);
    arena_fini(&s->arena);
    free(s);
}

void trace_as_otlp(struct trace_view *view, uint32_t offset, uint32_t limit, bool json,
                   struct reply *reply)
{
    struct otlp_stream *s = calloc(1, sizeof *s);
    if (!s) {
        trace_view_fini(view);
        reply_no_memory(reply);
        return;
    }
    uint32_t count = view->tree.count;
    s->view = *view;
    s->json = json;
    s->first = s->next = offset < count ? offset : count;
    s->end = limit < count - s->first ? s->first + limit : count;
    arena_init(&s->arena, 64 << 10);
    reply->content_type = json ? "application/json; charset=utf-8" : "application/x-protobuf";
    reply->stream = (struct reply_stream){stream_next, stream_close, s};
}
