// SPDX-License-Identifier: Apache-2.0
/* The routes of docs/api.md, one function each. `rest` is what follows the route's path. */
#ifndef WEFT_COLLECTOR_WEB_API_H
#define WEFT_COLLECTOR_WEB_API_H

#include <jansson.h>

#include "collector/web/params.h"
#include "collector/web/web.h"
#include "lib/base/json_writer.h"

struct api_call {
    const struct web *web;
    const struct web_request *request;
    const struct params *params;
    const char *rest;
};

typedef void api_route(const struct api_call *call, struct reply *reply);

api_route api_services, api_traces, api_trace, api_inflight, api_status, api_recording;
api_route api_import, api_explain, api_search, api_phases, api_diff, api_graph;
api_route api_deploy, api_marks, api_mark, api_mark_add, api_tags, api_tag_values, api_measure,
    api_firehose, api_caches, api_cache_rest;
api_route api_dashboards, api_dashboard, api_dashboard_put, api_dashboard_delete;
api_route api_metrics, api_healthz, api_readyz, api_page;
/* One cache, by its number. */
void api_cache(const struct api_call *call, uint64_t id, struct reply *reply);
/* Files of the page; also every path that the page itself makes a view of. */
void page_answer(const struct web *w, const struct web_request *request, struct reply *reply);

/* Spans [offset, offset + limit) of the trace as OTLP, JSON or protobuf; takes over the view's
 * contents. */
void trace_as_otlp(struct trace_view *view, uint32_t offset, uint32_t limit, bool json,
                   struct reply *reply);

/* The whole trace as columns (api_trace_columns.c); takes over the view's contents. */
void trace_as_columns(struct trace_view *view, struct reply *reply);
/* The trace as JSON, its list of spans empty. */
void trace_head_as_json(const struct trace_view *view, struct buffer *out);

/* The request's body, to be given back by json_decref; NULL: *reply says why. */
json_t *api_json_body(const struct api_call *call, struct reply *reply);

/* One mark, as an object's fields. */
void api_put_mark(struct json_writer *w, const struct mark *m);

static inline void api_field_str(struct json_writer *w, const char *key, struct batch_str s)
{
    json_field_string(w, key, s.bytes, s.length);
}

/* The summary's fields, into an object that is open. */
void api_put_summary(struct json_writer *w, const struct trace_summary *s);

#endif
