// SPDX-License-Identifier: Apache-2.0
/* The lists: traces, services, what is in flight. */
#include "collector/span_json.h"
#include "collector/web/api.h"
#include "lib/base/clock.h"

/* ---- traces ------------------------------------------------------------------------------ */

void api_put_summary(struct json_writer *w, const struct trace_summary *s)
{
    json_field_hex128(w, "trace_id", s->id.hi, s->id.lo);
    json_field_unix_ns(w, "start_unix_ns", s->start_unix_ns);
    json_field_uint(w, "duration_ns", s->duration_ns);
    if (s->has_root) {
        json_field_object(w, "root");
        api_field_str(w, "service", s->root_service);
        api_field_str(w, "operation", s->root_operation);
        json_close_object(w);
    }
    json_field_uint(w, "span_count", s->spans);
    json_field_uint(w, "error_count", s->errors);
    json_field_uint(w, "died_count", s->died);
    json_field_uint(w, "in_flight_count", s->in_flight);
    json_field_array(w, "services");
    for (uint32_t i = 0; i < s->service_count; i++) {
        json_open_object(w);
        api_field_str(w, "name", s->services[i].name);
        json_field_uint(w, "spans", s->services[i].spans);
        json_close_object(w);
    }
    json_close_array(w);
    json_field_bool(w, "complete", s->complete);
}

void api_traces(const struct api_call *call, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    struct trace_filter filter;
    struct trace_list list;
    if (params_trace_filter(call->params, &filter, why) != 0) {
        reply_error(reply, 400, "%s", why);
        return;
    }
    if (query_traces(&call->web->query, &filter, clock_unix_ns(), &list) != 0) {
        reply_no_memory(reply);
        return;
    }
    struct json_writer w = json_writer_to(&reply->body);
    json_open_object(&w);
    json_field_array(&w, "traces");
    for (size_t i = 0; i < list.count; i++) {
        json_open_object(&w);
        api_put_summary(&w, &list.traces[i]);
        json_close_object(&w);
    }
    json_close_array(&w);
    json_field_uint(&w, "scanned", list.scanned);
    json_field_bool(&w, "more", list.more);
    if (list.complete_since_unix_ns > filter.start_unix_ns) /* older ones were aged out */
        json_field_unix_ns(&w, "complete_since_unix_ns", list.complete_since_unix_ns);
    json_close_object(&w);
    buffer_byte(&reply->body, '\n');
    trace_list_fini(&list);
}

/* ---- services ---------------------------------------------------------------------------- */

static void put_names(struct json_writer *w, const char *key, const struct service_names *names)
{
    json_field_array(w, key);
    for (uint32_t i = 0; i < names->count; i++)
        json_put_string(w, names->names[i].bytes, names->names[i].length);
    json_close_array(w);
}

void api_services(const struct api_call *call, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    struct service_list list;
    if (params_only(call->params, "", why) != 0) {
        reply_error(reply, 400, "%s", why);
        return;
    }
    if (query_services(&call->web->query, &list) != 0) {
        reply_no_memory(reply);
        return;
    }
    struct json_writer w = json_writer_to(&reply->body);
    json_open_object(&w);
    json_field_array(&w, "services");
    for (size_t i = 0; i < list.count; i++) {
        const struct service_view *s = &list.services[i];
        json_open_object(&w);
        api_field_str(&w, "name", s->name);
        json_field_uint(&w, "spans", s->spans);
        json_field_uint(&w, "errors", s->errors);
        json_field_uint(&w, "died", s->died);
        put_names(&w, "operations", &s->operations);
        put_names(&w, "versions", &s->versions);
        put_names(&w, "cells", &s->cells);
        put_names(&w, "instances", &s->instances);
        json_close_object(&w);
    }
    json_close_array(&w);
    json_close_object(&w);
    buffer_byte(&reply->body, '\n');
    service_list_fini(&list);
}

/* ---- in flight --------------------------------------------------------------------------- */

static void put_open(struct json_writer *w, const struct open_span *s)
{
    const struct batch *b = s->snapshot->batch;
    uint32_t row = s->row;
    const struct batch_process_view *p = &b->processes[b->process[row]];
    json_open_object(w);
    json_field_hex128(w, "trace_id", b->trace_hi[row], b->trace_lo[row]);
    json_field_hex64(w, "span_id", b->span_id[row]);
    span_json_parent(w, b->parent_id[row]);
    api_field_str(w, "name", b->strings[b->name[row]]);
    json_field_text(w, "kind", span_kind_name(b->kind[row]));
    api_field_str(w, "service", p->service);
    api_field_str(w, "instance", p->instance);
    api_field_str(w, "cell", p->cell);
    api_field_str(w, "host", p->host);
    json_field_uint(w, "pid", p->pid);
    json_field_unix_ns(w, "start_unix_ns", b->start_unix_ns[row]);
    json_field_uint(w, "age_ns", b->duration_ns[row]);
    span_json_attributes(w, "attributes", b, &b->attributes, b->attribute_first[row],
                         b->attribute_count[row]);
    json_close_object(w);
}

void api_inflight(const struct api_call *call, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    uint32_t limit;
    struct open_list list;
    if (params_only(call->params, "service limit", why) != 0 ||
        params_number(call->params, "limit", 1, 10000, 1000, &limit, why) != 0) {
        reply_error(reply, 400, "%s", why);
        return;
    }
    if (query_inflight(&call->web->query, params_get(call->params, "service"), limit,
                       clock_unix_ns(), &list) != 0) {
        reply_no_memory(reply);
        return;
    }
    struct json_writer w = json_writer_to(&reply->body);
    json_open_object(&w);
    json_field_unix_ns(&w, "as_of_unix_ns", list.as_of_unix_ns);
    json_field_array(&w, "spans");
    for (size_t i = 0; i < list.count; i++)
        put_open(&w, &list.spans[i]);
    json_close_array(&w);
    json_field_bool(&w, "more", list.more);
    json_close_object(&w);
    buffer_byte(&reply->body, '\n');
    open_list_fini(&list);
}
