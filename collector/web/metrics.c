// SPDX-License-Identifier: Apache-2.0
/* /metrics: Prometheus' text format, version 0.0.4. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "collector/archive/archive.h"
#include "collector/rules/rules.h"
#include "collector/web/api.h"
#include "lib/model/loss.h"

static void family(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(struct buffer *out, const char *name, const char *type, const char *help,
                   double value)
{
    family(out, name, type, help);
    buffer_printf(out, "%s %.17g\n", name, value);
}

/* The format knows three escapes; other control characters stay as they are. */
static void put_label_value(struct buffer *out, const char *value)
{
    buffer_byte(out, '"');
    for (; *value; value++) {
        if (*value == '\n')
            buffer_text(out, "\\n");
        else if (*value == '"' || *value == '\\')
            buffer_append(out, (char[]){'\\', *value}, 2);
        else
            buffer_byte(out, *value);
    }
    buffer_byte(out, '"');
}

static void put_accepted(struct buffer *out, const struct pipeline_status *s)
{
    single(out, "weft_collector_start_time_seconds", "gauge", "When the collector started.",
           (double)s->start_unix_ns * 1e-9);
    single(out, "weft_collector_ready", "gauge", "Whether batches are accepted.",
           s->not_ready == NULL);
    single(out, "weft_collector_accepted_batches_total", "counter", "Batches made durable.",
           (double)s->batches);
    single(out, "weft_collector_accepted_spans_total", "counter", "Spans made durable.",
           (double)s->spans);
    single(out, "weft_collector_accepted_bytes_total", "counter", "Encoded bytes made durable.",
           (double)s->bytes);
    single(out, "weft_collector_duplicate_batches_total", "counter",
           "Batches that had been accepted already.", (double)s->duplicate_batches);
    single(out, "weft_collector_queued_batches", "gauge", "Batches waiting to be made durable.",
           (double)s->queued_batches);
    single(out, "weft_collector_queued_bytes", "gauge", "Bytes waiting to be made durable.",
           (double)s->queued_bytes);
}

static void put_stores(struct buffer *out, const struct pipeline_status *s)
{
    const struct store_stats *store = &s->store;
    single(out, "weft_collector_head_spans", "gauge", "Spans in memory.",
           (double)store->head_spans);
    single(out, "weft_collector_head_traces", "gauge", "Traces in memory.",
           (double)store->head_traces);
    single(out, "weft_collector_head_bytes", "gauge", "Memory of the spans and their index.",
           (double)store->head_bytes);
    single(out, "weft_collector_head_limit_bytes", "gauge", "Bound of the head's memory.",
           (double)store->head_limit_bytes);
    single(out, "weft_collector_segments", "gauge", "Segments of traces on disk.",
           (double)store->segments.segments);
    single(out, "weft_collector_segment_spans", "gauge", "Spans in segments.",
           (double)store->segments.spans);
    single(out, "weft_collector_segment_bytes", "gauge", "Size of all segments.",
           (double)store->segments.bytes);
    single(out, "weft_collector_segment_limit_bytes", "gauge", "Bound of all segments.",
           (double)store->segments_limit_bytes);
    single(out, "weft_collector_segment_aged_spans_total", "counter",
           "Spans that were removed for age or size.", (double)store->segments.aged_spans);
    single(out, "weft_collector_segment_cuts_total", "counter", "Segments made of memory.",
           (double)store->cuts);
    single(out, "weft_collector_segment_merges_total", "counter", "Merges of segments.",
           (double)store->keeping.merges);
    single(out, "weft_collector_segments_writable", "gauge", "Whether segments can be written.",
           store->keeping.health == KEEPER_OK);
    single(out, "weft_collector_oldest_time_seconds", "gauge", "Start of the oldest span.",
           (double)store->oldest_unix_ns * 1e-9);
    single(out, "weft_collector_ledger_bytes", "gauge", "Size of the ledger on disk.",
           (double)s->ledger.bytes);
    single(out, "weft_collector_ledger_limit_bytes", "gauge", "Bound of the ledger on disk.",
           (double)s->ledger.limit_bytes);
    single(out, "weft_collector_ledger_segments", "gauge", "Files of the ledger.",
           s->ledger.segments);
    single(out, "weft_collector_ledger_dropped_segments_total", "counter",
           "Files of the ledger dropped for age or size.", (double)s->ledger.dropped_segments);
    single(out, "weft_collector_ledger_writable", "gauge", "Whether the ledger can be written.",
           s->ledger.health == LEDGER_OK);
}

static void put_series(struct buffer *out, const struct series_stats *s)
{
    single(out, "weft_collector_series", "gauge", "Series that live.", (double)s->series);
    single(out, "weft_collector_series_limit", "gauge", "Bound of series that live.",
           (double)s->series_limit);
    single(out, "weft_collector_samples_total", "counter", "Samples taken.", (double)s->samples);
    single(out, "weft_collector_late_samples_total", "counter",
           "Samples that were not newer than their series' newest.", (double)s->late);
    family(out, "weft_collector_refused_samples_total", "counter",
           "Series and samples that were refused.");
    for (unsigned r = SERIES_TAKEN + 1; r < SERIES_REFUSALS; r++)
        buffer_printf(out, "weft_collector_refused_samples_total{reason=\"%s\"} %" PRIu64 "\n",
                      series_refusal_name(r), s->refused[r]);
    single(out, "weft_collector_series_head_bytes", "gauge", "Memory of samples and their index.",
           (double)(s->head_chunk_bytes + s->head_index_bytes));
    single(out, "weft_collector_series_blocks", "gauge", "Blocks of samples on disk.",
           (double)s->blocks);
    single(out, "weft_collector_series_block_samples", "gauge", "Samples in blocks.",
           (double)s->block_samples);
    single(out, "weft_collector_series_block_bytes", "gauge", "Size of all blocks.",
           (double)s->block_bytes);
    single(out, "weft_collector_series_aged_samples_total", "counter",
           "Samples that were removed for age or size.", (double)s->aged_samples);
    single(out, "weft_collector_series_writable", "gauge", "Whether blocks can be written.",
           s->keeping.health == KEEPER_OK);
}

static void put_marks(struct buffer *out, const struct observer_stats *m)
{
    single(out, "weft_collector_marks_written_total", "counter",
           "Processes, deaths and notifications that were written down.", (double)m->written);
    single(out, "weft_collector_marks_waiting", "gauge", "Of these, what waits to be written.",
           m->waiting);
    single(out, "weft_collector_marks_read_ledger", "gauge",
           "Whether more waits than the queue holds: the ledger is read for it.", m->reads_ledger);
    single(out, "weft_collector_marks_failed_writes_total", "counter",
           "Attempts to write that failed; each is made again.", (double)m->failed);
    single(out, "weft_collector_marks_refused_total", "counter",
           "What the database of marks did not take.", (double)m->refused);
    single(out, "weft_collector_marks_gaps_total", "counter",
           "Times when the ledger had dropped what marks were not made of yet.", (double)m->gaps);
    single(out, "weft_collector_marks_writable", "gauge", "Whether marks can be written.",
           !m->is_failing);
}

static void put_caches(struct buffer *out, const struct pipeline_status *s)
{
    const struct observer_stats *o = &s->caches_observer;
    single(out, "weft_collector_cache_windows_written_total", "counter",
           "Windows of caches that were written down.", (double)o->written);
    single(out, "weft_collector_cache_windows_waiting", "gauge",
           "Of these, what waits to be written.", o->waiting);
    single(out, "weft_collector_cache_windows_failed_writes_total", "counter",
           "Attempts to write that failed; each is made again.", (double)o->failed);
    single(out, "weft_collector_cache_windows_refused_total", "counter",
           "What the database of caches did not take.", (double)o->refused);
    single(out, "weft_collector_cache_windows_gaps_total", "counter",
           "Times when the ledger had dropped windows that were not written yet.", (double)o->gaps);
    single(out, "weft_collector_cache_windows_aged_total", "counter",
           "Windows that were removed for age or size.", (double)s->caches.aged_windows);
    single(out, "weft_collector_cache_windows_bytes", "gauge", "Size of all windows.",
           (double)s->caches.bytes);
    single(out, "weft_collector_cache_windows_writable", "gauge",
           "Whether windows of caches can be written.", !o->is_failing);
}

static void put_watchers(struct buffer *out, const struct pipeline_status *s)
{
    const struct watchers_stats *w = &s->watchers;
    single(out, "weft_collector_watchers", "gauge", "Agents with a tap that come for inquiries.",
           w->watchers);
    single(out, "weft_collector_watched_caches", "gauge", "Caches that they watch.", w->caches);
    single(out, "weft_collector_inquiries_total", "counter",
           "Client spans that agents were to be asked about.", (double)w->asked);
    single(out, "weft_collector_inquiries_given_total", "counter", "Of these, what they fetched.",
           (double)w->given);
    single(out, "weft_collector_inquiries_dropped_total", "counter",
           "Of these, what they did not fetch in time.", (double)w->dropped);
    single(out, "weft_collector_inquiries_unwatched_total", "counter",
           "Client spans that say a connection to where nobody watches.", (double)w->unwatched);
    single(out, "weft_collector_inquiries_waiting", "gauge", "Not fetched yet.", w->waiting);
}

/* Under the names that every Prometheus client library gives them. */
static void put_process(struct buffer *out)
{
    struct rusage usage;
    long total = 0, resident = 0;
    getrusage(RUSAGE_SELF, &usage);
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%ld %ld", &total, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    single(out, "process_cpu_seconds_total", "counter", "CPU time used.",
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6);
    single(out, "process_resident_memory_bytes", "gauge", "Memory in use.",
           (double)resident * (double)sysconf(_SC_PAGESIZE));
}

static void put_freshness(struct buffer *out, const struct freshness_summary *f)
{
    static const char name[] = "weft_collector_freshness_seconds";
    family(out, name, "histogram", "From the end of a span to its being visible.");
    uint64_t below = 0;
    for (unsigned i = 0; i + 1 < FRESHNESS_OCTAVES; i++) {
        below += f->octaves[i];
        buffer_printf(out, "%s_bucket{le=\"%.9g\"} %" PRIu64 "\n", name,
                      (double)(UINT64_C(2) << (FRESHNESS_OCTAVE_FIRST + i)) * 1e-9, below);
    }
    buffer_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.17g\n%s_count %" PRIu64 "\n",
                  name, f->total, name, f->total_sum_s, name, f->total);
}

static void put_link(struct buffer *out, const struct link_server_stats *l)
{
    static const char name[] = "weft_collector_link_refused_total";
    single(out, "weft_collector_link_received_total", "counter", "Messages from agents.",
           (double)l->received);
    family(out, name, "counter", "Messages that were not opened, by reason.");
    buffer_printf(out, "%s{reason=\"bad_envelope\"} %" PRIu64 "\n", name, l->bad_envelope);
    buffer_printf(out, "%s{reason=\"bad_key\"} %" PRIu64 "\n", name, l->bad_key);
    buffer_printf(out, "%s{reason=\"unknown_agent\"} %" PRIu64 "\n", name, l->unknown_agent);
    buffer_printf(out, "%s{reason=\"too_old\"} %" PRIu64 "\n", name, l->too_old);
    buffer_printf(out, "%s{reason=\"replayed\"} %" PRIu64 "\n", name, l->replayed);
}

/* ---- agents: one family at a time, as the format wants ----------------------------------- */

struct agent_family {
    const char *name, *type, *help;
    double (*value)(const struct status_agent *a);
    bool reported; /* only of agents that have sent a report */
};

static double agent_connected(const struct status_agent *a)
{
    return a->connected;
}

static double agent_seen(const struct status_agent *a)
{
    return (double)a->last_seen_unix_ns * 1e-9;
}

static double agent_skew(const struct status_agent *a)
{
    return (double)a->clock_skew_ns * 1e-9;
}

static double agent_accepted(const struct status_agent *a)
{
    return (double)a->accepted_spans;
}

static double agent_processes(const struct status_agent *a)
{
    return (double)a->processes;
}

static double agent_spans(const struct status_agent *a)
{
    return (double)a->spans;
}

static double agent_lag(const struct status_agent *a)
{
    return (double)a->sweep_lag_ns * 1e-9;
}

static double agent_spool(const struct status_agent *a)
{
    return (double)a->spool_bytes;
}

static double agent_spool_limit(const struct status_agent *a)
{
    return (double)a->spool_limit_bytes;
}

static double agent_cpu(const struct status_agent *a)
{
    return (double)a->cpu_ns * 1e-9;
}

static double agent_resident(const struct status_agent *a)
{
    return (double)a->resident_bytes;
}

static const struct agent_family agent_families[] = {
    {"weft_agent_connected", "gauge", "Whether it was heard of in the last seconds.",
     agent_connected, false},
    {"weft_agent_last_seen_time_seconds", "gauge", "When it was heard of last.", agent_seen, false},
    {"weft_agent_clock_skew_seconds", "gauge", "The collector's clock less the agent's.",
     agent_skew, false},
    {"weft_agent_accepted_spans_total", "counter", "Spans of it that the collector made durable.",
     agent_accepted, false},
    {"weft_agent_processes", "gauge", "Processes it reads.", agent_processes, true},
    {"weft_agent_spans_total", "counter", "Spans it has read.", agent_spans, true},
    {"weft_agent_sweep_lag_seconds", "gauge", "Its longest pause between two sweeps.", agent_lag,
     true},
    {"weft_agent_spool_bytes", "gauge", "What waits in its spool.", agent_spool, true},
    {"weft_agent_spool_limit_bytes", "gauge", "Bound of its spool.", agent_spool_limit, true},
    {"weft_agent_cpu_seconds_total", "counter", "CPU time it has used.", agent_cpu, true},
    {"weft_agent_resident_bytes", "gauge", "Its memory.", agent_resident, true},
};

static void put_agents(struct buffer *out, const struct pipeline_status *s)
{
    for (size_t f = 0; f < sizeof agent_families / sizeof *agent_families; f++) {
        const struct agent_family *of = &agent_families[f];
        family(out, of->name, of->type, of->help);
        for (size_t i = 0; i < s->agent_count; i++) {
            const struct status_agent *a = &s->agents[i];
            if (of->reported && !a->reported)
                continue;
            buffer_printf(out, "%s{agent=", of->name);
            put_label_value(out, a->id);
            buffer_printf(out, "} %.17g\n", of->value(a));
        }
    }
}

static void put_losses(struct buffer *out, const struct pipeline_status *s)
{
    family(out, "weft_lost_total", "counter",
           "What was lost, by place and reason, since the ledger begins.");
    for (size_t i = 0; i < s->loss_count; i++) {
        const struct loss_row *row = &s->losses[i];
        buffer_printf(out, "weft_lost_total{place=\"%s\",reason=\"%s\",agent=",
                      loss_reason_place(row->reason), loss_reason_name(row->reason));
        put_label_value(out, row->agent);
        buffer_text(out, ",service=");
        put_label_value(out, row->service);
        buffer_printf(out, "} %" PRIu64 "\n", row->count);
    }
}

static void put_archive(struct buffer *out, struct archive *archive)
{
    struct archive_stats s;
    if (!archive)
        return;
    archive_read_stats(archive, &s);
    single(out, "weft_collector_archive_files", "gauge", "Series that are kept for years.",
           (double)s.files);
    single(out, "weft_collector_archive_files_limit", "gauge", "Bound of these.",
           (double)s.files_most);
    single(out, "weft_collector_archive_samples_total", "counter", "Samples written to them.",
           (double)s.samples);
    single(out, "weft_collector_archive_refused_total", "counter",
           "Series that were not kept: too many, or histograms.", (double)s.refused);
    single(out, "weft_collector_archive_failures_total", "counter",
           "Rules that could not be evaluated or written.", (double)s.failures);
    single(out, "weft_collector_archive_writable", "gauge", "Whether the last round was written.",
           !s.is_failing);
}

static void put_rules(struct buffer *out, struct rules *rules)
{
    struct rules_stats s;
    rules_stats(rules, &s);
    single(out, "weft_collector_rules", "gauge", "Recording and alerting rules.", (double)s.rules);
    single(out, "weft_collector_rules_failing", "gauge", "Rules whose last evaluation failed.",
           (double)s.failing);
    single(out, "weft_collector_rule_group_evaluations", "gauge",
           "Evaluations of the groups that there are.", (double)s.evaluations);
    single(out, "weft_collector_rule_group_missed", "gauge",
           "Moments at which these were not evaluated, as others were.", (double)s.missed);
    single(out, "weft_collector_alerts_sent_total", "counter", "Alerts that a receiver took.",
           (double)s.alerts.sent);
    single(out, "weft_collector_alert_requests_failed_total", "counter",
           "Requests that a receiver of alerts did not take.", (double)s.alerts.failed);
    single(out, "weft_collector_alerts_dropped_total", "counter",
           "Alerts that a receiver refused, or could not be reached for.",
           (double)s.alerts.dropped);
}

void api_metrics(const struct api_call *call, struct reply *reply)
{
    struct pipeline_status s;
    if (call->web->status(call->web->context, &s) != 0) {
        reply_no_memory(reply);
        return;
    }
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    put_process(&reply->body);
    put_accepted(&reply->body, &s);
    put_stores(&reply->body, &s);
    put_series(&reply->body, &s.series);
    put_marks(&reply->body, &s.marks);
    put_caches(&reply->body, &s);
    put_watchers(&reply->body, &s);
    put_archive(&reply->body, call->web->archive);
    put_freshness(&reply->body, &s.freshness);
    put_link(&reply->body, &s.link);
    put_agents(&reply->body, &s);
    put_losses(&reply->body, &s);
    if (call->web->rules)
        put_rules(&reply->body, call->web->rules);
    pipeline_status_fini(&s);
}

void api_healthz(const struct api_call *call, struct reply *reply)
{
    (void)call;
    buffer_text(&reply->body, "{\"status\":\"alive\"}\n");
}

void api_readyz(const struct api_call *call, struct reply *reply)
{
    const char *not_ready = call->web->not_ready(call->web->context);
    if (not_ready)
        reply_error(reply, 503, "%s", not_ready);
    else
        buffer_text(&reply->body, "{\"status\":\"ready\"}\n");
}
