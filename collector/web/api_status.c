// SPDX-License-Identifier: Apache-2.0
/* The pipeline's state, and the switch of recording. */
#include <jansson.h>

#include "collector/archive/archive.h"
#include "collector/web/api.h"
#include "lib/model/loss.h"

/* How cutting and merging go, and which files are not what they should be. */
static void put_keeping(struct json_writer *w, uint64_t cuts, const struct keeper_state *k,
                        const struct files_damage *damaged, size_t damaged_count)
{
    static const char *const health[] = {"ok", "full", "failed"};
    json_field_uint(w, "cuts", cuts);
    json_field_uint(w, "merges", k->merges);
    json_field_text(w, "state", health[k->health]);
    if (k->health != KEEPER_OK)
        json_field_text(w, "error", strerror(k->error));
    json_field_array(w, "damaged");
    for (size_t i = 0; i < damaged_count; i++) {
        json_open_object(w);
        json_field_text(w, "file", damaged[i].name);
        json_field_text(w, "why", damaged[i].why);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_segments(struct json_writer *w, const struct pipeline_status *s)
{
    const struct catalog_stats *segments = &s->store.segments;
    json_field_object(w, "segments");
    json_field_uint(w, "count", segments->segments);
    json_field_uint(w, "traces", segments->traces);
    json_field_uint(w, "spans", segments->spans);
    json_field_uint(w, "bytes", segments->bytes);
    json_field_uint(w, "limit_bytes", s->store.segments_limit_bytes);
    json_field_uint(w, "resident_bytes", segments->resident_bytes);
    if (s->store.oldest_unix_ns)
        json_field_unix_ns(w, "oldest_unix_ns", s->store.oldest_unix_ns);
    json_field_uint(w, "aged_spans", segments->aged_spans);
    put_keeping(w, s->store.cuts, &s->store.keeping, s->damaged, s->damaged_count);
    json_close_object(w);
}

static void put_refusals(struct json_writer *w, const struct series_stats *s)
{
    json_field_object(w, "refused");
    for (unsigned r = SERIES_TAKEN + 1; r < SERIES_REFUSALS; r++)
        json_field_uint(w, series_refusal_name(r), s->refused[r]);
    json_close_object(w);
    if (*s->most_refused_metric)
        json_field_text(w, "most_refused_metric", s->most_refused_metric);
}

static void put_series(struct json_writer *w, const struct pipeline_status *status)
{
    const struct series_stats *s = &status->series;
    json_field_object(w, "series");
    json_field_uint(w, "active", s->series);
    json_field_uint(w, "active_limit", s->series_limit);
    json_field_uint(w, "samples", s->samples);
    json_field_uint(w, "late_samples", s->late);
    put_refusals(w, s);
    json_field_uint(w, "head_samples", s->head_samples);
    json_field_uint(w, "head_bytes", s->head_chunk_bytes + s->head_index_bytes);
    json_field_uint(w, "head_limit_bytes", s->head_limit_bytes);
    json_field_uint(w, "blocks", s->blocks);
    json_field_uint(w, "block_samples", s->block_samples);
    json_field_uint(w, "bytes", s->block_bytes);
    json_field_uint(w, "limit_bytes", s->block_limit_bytes);
    json_field_uint(w, "aged_samples", s->aged_samples);
    put_keeping(w, s->cuts, &s->keeping, status->series_damaged, status->series_damaged_count);
    json_close_object(w);
}

/* Fields of an object that is open. */
static void put_observer(struct json_writer *w, const struct observer_stats *m)
{
    json_field_uint(w, "written", m->written);
    json_field_uint(w, "waiting", m->waiting);
    json_field_bool(w, "reads_ledger", m->reads_ledger);
    json_field_uint(w, "failed_writes", m->failed);
    json_field_uint(w, "refused", m->refused);
    json_field_uint(w, "gaps", m->gaps);
    json_field_text(w, "state", m->is_failing ? "failed" : "ok");
    if (m->is_failing)
        json_field_text(w, "error", m->error);
}

static void put_marks(struct json_writer *w, const struct observer_stats *m)
{
    json_field_object(w, "marks");
    put_observer(w, m);
    json_close_object(w);
}

static void put_caches(struct json_writer *w, const struct pipeline_status *s)
{
    json_field_object(w, "caches");
    put_observer(w, &s->caches_observer);
    json_field_uint(w, "bytes", s->caches.bytes);
    json_field_uint(w, "limit_bytes", s->caches.limit_bytes);
    json_field_uint(w, "aged_windows", s->caches.aged_windows);
    json_close_object(w);
}

static void put_archive(struct json_writer *w, struct archive *archive)
{
    struct archive_stats s;
    if (!archive)
        return;
    archive_read_stats(archive, &s);
    json_field_object(w, "archive");
    json_field_uint(w, "files", s.files);
    json_field_uint(w, "files_limit", s.files_most);
    json_field_uint(w, "samples", s.samples);
    json_field_uint(w, "refused", s.refused);
    if (*s.refused_rule)
        json_field_text(w, "refused_rule", s.refused_rule);
    json_field_uint(w, "failures", s.failures);
    json_field_text(w, "state", s.is_failing ? "failed" : "ok");
    if (*s.error)
        json_field_text(w, "error", s.error);
    json_close_object(w);
}

static void put_collector(struct json_writer *w, const struct pipeline_status *s,
                          struct archive *archive)
{
    static const char *const health[] = {"ok", "full", "failed"};
    json_field_object(w, "collector");
    json_field_text(w, "version", s->version);
    json_field_unix_ns(w, "start_unix_ns", s->start_unix_ns);
    json_field_unix_ns(w, "now_unix_ns", s->now_unix_ns);
    json_field_bool(w, "ready", s->not_ready == NULL);
    json_field_object(w, "accepted");
    json_field_uint(w, "batches", s->batches);
    json_field_uint(w, "spans", s->spans);
    json_field_uint(w, "bytes", s->bytes);
    json_field_uint(w, "duplicate_batches", s->duplicate_batches);
    json_field_double(w, "spans_per_s", s->spans_per_s);
    json_close_object(w);
    json_field_object(w, "head");
    json_field_uint(w, "traces", s->store.head_traces);
    json_field_uint(w, "spans", s->store.head_spans);
    json_field_uint(w, "bytes", s->store.head_bytes);
    json_field_uint(w, "limit_bytes", s->store.head_limit_bytes);
    json_close_object(w);
    put_segments(w, s);
    put_series(w, s);
    put_archive(w, archive);
    json_field_object(w, "ledger");
    json_field_uint(w, "bytes", s->ledger.bytes);
    json_field_uint(w, "limit_bytes", s->ledger.limit_bytes);
    json_field_uint(w, "segments", s->ledger.segments);
    if (s->ledger.oldest_unix_ns)
        json_field_unix_ns(w, "oldest_unix_ns", s->ledger.oldest_unix_ns);
    json_field_unix_ns(w, "begun_unix_ns", s->ledger.totals.begun_unix_ns);
    json_field_uint(w, "dropped_segments", s->ledger.dropped_segments);
    json_field_text(w, "state", health[s->ledger.health]);
    if (s->ledger.health != LEDGER_OK)
        json_field_text(w, "error", strerror(s->ledger.error));
    json_close_object(w);
    put_marks(w, &s->marks);
    put_caches(w, s);
    json_close_object(w);
}

static void put_agent(struct json_writer *w, const struct status_agent *a)
{
    json_open_object(w);
    json_field_text(w, "id", a->id);
    json_field_bool(w, "connected", a->connected);
    json_field_unix_ns(w, "last_seen_unix_ns", a->last_seen_unix_ns);
    json_field_int(w, "clock_skew_ns", a->clock_skew_ns);
    json_field_uint(w, "accepted_spans", a->accepted_spans);
    if (a->reported) {
        json_field_text(w, "host", a->host);
        json_field_text(w, "version", a->version);
        json_field_unix_ns(w, "start_unix_ns", a->start_unix_ns);
        json_field_uint(w, "processes", a->processes);
        json_field_uint(w, "spans", a->spans);
        json_field_uint(w, "sweep_lag_ns", a->sweep_lag_ns);
        json_field_uint(w, "cpu_ns", a->cpu_ns);
        json_field_uint(w, "resident_bytes", a->resident_bytes);
        json_field_object(w, "spool");
        json_field_uint(w, "bytes", a->spool_bytes);
        json_field_uint(w, "limit_bytes", a->spool_limit_bytes);
        json_field_uint(w, "batches", a->spool_batches);
        json_close_object(w);
        if (*a->problem)
            json_field_text(w, "problem", a->problem);
    }
    json_close_object(w);
}

static void put_loss(struct json_writer *w, const struct loss_row *row)
{
    json_open_object(w);
    json_field_text(w, "place", loss_reason_place(row->reason));
    json_field_text(w, "reason", loss_reason_name(row->reason));
    if (*row->agent)
        json_field_text(w, "agent", row->agent);
    if (*row->service)
        json_field_text(w, "service", row->service);
    json_field_uint(w, "count", row->count);
    json_field_text(w, "explanation", loss_reason_explanation(row->reason));
    json_field_unix_ns(w, "first_unix_ns", row->first_unix_ns);
    json_field_unix_ns(w, "last_unix_ns", row->last_unix_ns);
    json_close_object(w);
}

void api_status(const struct api_call *call, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    struct pipeline_status s;
    if (params_only(call->params, "", why) != 0) {
        reply_error(reply, 400, "%s", why);
        return;
    }
    if (call->web->status(call->web->context, &s) != 0) {
        reply_no_memory(reply);
        return;
    }
    struct json_writer w = json_writer_to(&reply->body);
    json_open_object(&w);
    put_collector(&w, &s, call->web->archive);
    json_field_array(&w, "agents");
    for (size_t i = 0; i < s.agent_count; i++)
        put_agent(&w, &s.agents[i]);
    json_close_array(&w);
    json_field_array(&w, "losses");
    for (size_t i = 0; i < s.loss_count; i++)
        put_loss(&w, &s.losses[i]);
    json_close_array(&w);
    json_field_object(&w, "freshness");
    json_field_uint(&w, "count", s.freshness.count);
    if (s.freshness.count > 0) {
        json_field_uint(&w, "p50_ns", s.freshness.p50_ns);
        json_field_uint(&w, "p99_ns", s.freshness.p99_ns);
    }
    json_close_object(&w);
    json_close_object(&w);
    buffer_byte(&reply->body, '\n');
    pipeline_status_fini(&s);
}

/* ---- recording on and off ---------------------------------------------------------------- */

static void switch_recording(const struct api_call *call, const json_t *body, struct reply *reply)
{
    const json_t *service = json_object_get(body, "service"), *on = json_object_get(body, "on");
    size_t length = json_string_length(service);
    if (!json_is_string(service) || !json_is_boolean(on) || length == 0 ||
        length > LOSS_SERVICE_MAX || strlen(json_string_value(service)) != length) {
        reply_error(reply, 400,
                    "expected {\"service\": a name of 1 to %d bytes or \"*\", \"on\": true or "
                    "false}",
                    LOSS_SERVICE_MAX);
        return;
    }
    int agents =
        call->web->recording(call->web->context, json_string_value(service), json_is_true(on));
    if (agents < 0) {
        reply_error(reply, 503, "the agents cannot be told now; try again");
        return;
    }
    buffer_printf(&reply->body, "{\"agents\":%d}\n", agents);
}

json_t *api_json_body(const struct api_call *call, struct reply *reply)
{
    const struct web_request *request = call->request;
    static const char json_type[] = "application/json";
    /* No form of another site can send this type without asking first (CORS). */
    if (!request->content_type ||
        strncasecmp(request->content_type, json_type, sizeof json_type - 1) != 0) {
        reply_error(reply, 415, "send the body with Content-Type: application/json");
        return NULL;
    }
    json_error_t error;
    json_t *body = json_loadb(request->body, request->body_length, JSON_REJECT_DUPLICATES, &error);
    if (!body)
        reply_error(reply, 400, "the body is no JSON: %.200s", error.text);
    return body;
}

void api_recording(const struct api_call *call, struct reply *reply)
{
    json_t *body = api_json_body(call, reply);
    if (body)
        switch_recording(call, body, reply);
    json_decref(body);
}
