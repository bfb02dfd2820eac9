// SPDX-License-Identifier: Apache-2.0
#include "collector/own/metrics.h"

#include <stdio.h>

#include "lib/model/loss.h"

/* The first two under the names that every Prometheus client library gives them; as series these
 * belong to what agents tell of processes. */
static void put_process(struct own_metrics *m)
{
    double cpu_s = own_cpu_seconds(), resident_bytes = own_resident_bytes();
    if (m->text) {
        own_counter(m, "process_cpu_seconds_total", "CPU time used.", cpu_s);
        own_gauge(m, "process_resident_memory_bytes", "Memory in use.", resident_bytes);
    }
    own_counter(m, "weft_collector_cpu_seconds_total", "CPU time that the collector used.", cpu_s);
    own_gauge(m, "weft_collector_resident_bytes", "Memory of the collector.", resident_bytes);
}

static void put_accepted(struct own_metrics *m, const struct pipeline_status *s)
{
    own_gauge(m, "weft_collector_start_time_seconds", "When the collector started.",
              (double)s->start_unix_ns * 1e-9);
    own_gauge(m, "weft_collector_ready", "Whether batches are accepted.", s->not_ready == NULL);
    own_counter(m, "weft_collector_accepted_batches_total", "Batches made durable.",
                (double)s->batches);
    own_counter(m, "weft_collector_accepted_spans_total", "Spans made durable.", (double)s->spans);
    own_counter(m, "weft_collector_accepted_bytes_total", "Encoded bytes made durable.",
                (double)s->bytes);
    own_counter(m, "weft_collector_duplicate_batches_total",
                "Batches that had been accepted already.", (double)s->duplicate_batches);
    own_gauge(m, "weft_collector_queued_batches", "Batches waiting to be made durable.",
              (double)s->queued_batches);
    own_gauge(m, "weft_collector_queued_bytes", "Bytes waiting to be made durable.",
              (double)s->queued_bytes);
}

static void put_stores(struct own_metrics *m, const struct pipeline_status *s)
{
    const struct store_stats *store = &s->store;
    own_gauge(m, "weft_collector_head_spans", "Spans in memory.", (double)store->head_spans);
    own_gauge(m, "weft_collector_head_traces", "Traces in memory.", (double)store->head_traces);
    own_gauge(m, "weft_collector_head_bytes", "Memory of the spans and their index.",
              (double)store->head_bytes);
    own_gauge(m, "weft_collector_head_limit_bytes", "Bound of the head's memory.",
              (double)store->head_limit_bytes);
    own_gauge(m, "weft_collector_segments", "Segments of traces on disk.",
              (double)store->segments.segments);
    own_gauge(m, "weft_collector_segment_spans", "Spans in segments.",
              (double)store->segments.spans);
    own_gauge(m, "weft_collector_segment_bytes", "Size of all segments.",
              (double)store->segments.bytes);
    own_gauge(m, "weft_collector_segment_limit_bytes", "Bound of all segments.",
              (double)store->segments_limit_bytes);
    own_counter(m, "weft_collector_segment_aged_spans_total",
                "Spans that were removed for age or size.", (double)store->segments.aged_spans);
    own_counter(m, "weft_collector_segment_cuts_total", "Segments made of memory.",
                (double)store->cuts);
    own_counter(m, "weft_collector_segment_merges_total", "Merges of segments.",
                (double)store->keeping.merges);
    own_gauge(m, "weft_collector_segments_writable", "Whether segments can be written.",
              store->keeping.health == KEEPER_OK);
    own_gauge(m, "weft_collector_oldest_time_seconds", "Start of the oldest span.",
              (double)store->oldest_unix_ns * 1e-9);
    own_gauge(m, "weft_collector_ledger_bytes", "Size of the ledger on disk.",
              (double)s->ledger.bytes);
    own_gauge(m, "weft_collector_ledger_limit_bytes", "Bound of the ledger on disk.",
              (double)s->ledger.limit_bytes);
    own_gauge(m, "weft_collector_ledger_segments", "Files of the ledger.", s->ledger.segments);
    own_counter(m, "weft_collector_ledger_dropped_segments_total",
                "Files of the ledger dropped for age or size.", (double)s->ledger.dropped_segments);
    own_gauge(m, "weft_collector_ledger_writable", "Whether the ledger can be written.",
              s->ledger.health == LEDGER_OK);
}

static void put_series(struct own_metrics *m, const struct series_stats *s)
{
    own_gauge(m, "weft_collector_series", "Series that live.", (double)s->series);
    own_gauge(m, "weft_collector_series_limit", "Bound of series that live.",
              (double)s->series_limit);
    own_counter(m, "weft_collector_samples_total", "Samples taken.", (double)s->samples);
    own_counter(m, "weft_collector_late_samples_total",
                "Samples that were not newer than their series' newest.", (double)s->late);
    own_family(m, "weft_collector_refused_samples_total", METRIC_COUNTER,
               "Series and samples that were refused.");
    for (unsigned r = SERIES_TAKEN + 1; r < SERIES_REFUSALS; r++) {
        const struct own_label reason = {"reason", series_refusal_name(r)};
        own_value(m, &reason, 1, (double)s->refused[r]);
    }
    own_gauge(m, "weft_collector_series_head_bytes", "Memory of samples and their index.",
              (double)(s->head_chunk_bytes + s->head_index_bytes));
    own_gauge(m, "weft_collector_series_blocks", "Blocks of samples on disk.", (double)s->blocks);
    own_gauge(m, "weft_collector_series_block_samples", "Samples in blocks.",
              (double)s->block_samples);
    own_gauge(m, "weft_collector_series_block_bytes", "Size of all blocks.",
              (double)s->block_bytes);
    own_counter(m, "weft_collector_series_aged_samples_total",
                "Samples that were removed for age or size.", (double)s->aged_samples);
    own_gauge(m, "weft_collector_series_writable", "Whether blocks can be written.",
              s->keeping.health == KEEPER_OK);
}

static void put_marks(struct own_metrics *m, const struct observer_stats *o)
{
    own_counter(m, "weft_collector_marks_written_total",
                "Processes, deaths and notifications that were written down.", (double)o->written);
    own_gauge(m, "weft_collector_marks_waiting", "Of these, what waits to be written.", o->waiting);
    own_gauge(m, "weft_collector_marks_read_ledger",
              "Whether more waits than the queue holds: the ledger is read for it.",
              o->reads_ledger);
    own_counter(m, "weft_collector_marks_failed_writes_total",
                "Attempts to write that failed; each is made again.", (double)o->failed);
    own_counter(m, "weft_collector_marks_refused_total", "What the database of marks did not take.",
                (double)o->refused);
    own_counter(m, "weft_collector_marks_gaps_total",
                "Times when the ledger had dropped what marks were not made of yet.",
                (double)o->gaps);
    own_gauge(m, "weft_collector_marks_writable", "Whether marks can be written.", !o->is_failing);
}

static void put_caches(struct own_metrics *m, const struct pipeline_status *s)
{
    const struct observer_stats *o = &s->caches_observer;
    own_counter(m, "weft_collector_cache_windows_written_total",
                "Windows of caches that were written down.", (double)o->written);
    own_gauge(m, "weft_collector_cache_windows_waiting", "Of these, what waits to be written.",
              o->waiting);
    own_counter(m, "weft_collector_cache_windows_failed_writes_total",
                "Attempts to write that failed; each is made again.", (double)o->failed);
    own_counter(m, "weft_collector_cache_windows_refused_total",
                "What the database of caches did not take.", (double)o->refused);
    own_counter(m, "weft_collector_cache_windows_gaps_total",
                "Times when the ledger had dropped windows that were not written yet.",
                (double)o->gaps);
    own_counter(m, "weft_collector_cache_windows_aged_total",
                "Windows that were removed for age or size.", (double)s->caches.aged_windows);
    own_gauge(m, "weft_collector_cache_windows_bytes", "Size of all windows.",
              (double)s->caches.bytes);
    own_gauge(m, "weft_collector_cache_windows_writable",
              "Whether windows of caches can be written.", !o->is_failing);
}

static void put_watchers(struct own_metrics *m, const struct pipeline_status *s)
{
    const struct watchers_stats *w = &s->watchers;
    own_gauge(m, "weft_collector_watchers", "Agents with a tap that come for inquiries.",
              w->watchers);
    own_gauge(m, "weft_collector_watched_caches", "Caches that they watch.", w->caches);
    own_counter(m, "weft_collector_inquiries_total",
                "Client spans that agents were to be asked about.", (double)w->asked);
    own_counter(m, "weft_collector_inquiries_given_total", "Of these, what they fetched.",
                (double)w->given);
    own_counter(m, "weft_collector_inquiries_dropped_total",
                "Of these, what they did not fetch in time.", (double)w->dropped);
    own_counter(m, "weft_collector_inquiries_unwatched_total",
                "Client spans that say a connection to where nobody watches.",
                (double)w->unwatched);
    own_gauge(m, "weft_collector_inquiries_waiting", "Not fetched yet.", w->waiting);
}

static void put_freshness(struct own_metrics *m, const struct freshness_summary *f)
{
    own_family(m, "weft_collector_freshness_seconds", METRIC_HISTOGRAM,
               "From the end of a span to its being visible.");
    uint64_t below = 0;
    char bound[32];
    const struct own_label le = {"le", bound};
    for (unsigned i = 0; i + 1 < FRESHNESS_OCTAVES; i++) {
        below += f->octaves[i];
        snprintf(bound, sizeof bound, "%.9g",
                 (double)(UINT64_C(2) << (FRESHNESS_OCTAVE_FIRST + i)) * 1e-9);
        own_part(m, "_bucket", &le, 1, (double)below);
    }
    snprintf(bound, sizeof bound, "+Inf");
    own_part(m, "_bucket", &le, 1, (double)f->total);
    own_part(m, "_sum", NULL, 0, f->total_sum_s);
    own_part(m, "_count", NULL, 0, (double)f->total);
}

static void put_link(struct own_metrics *m, const struct link_server_stats *l)
{
    const struct {
        const char *reason;
        uint64_t count;
    } refused[] = {
        {"bad_envelope", l->bad_envelope},   {"bad_key", l->bad_key},
        {"unknown_agent", l->unknown_agent}, {"too_old", l->too_old},
        {"replayed", l->replayed},
    };
    own_counter(m, "weft_collector_link_received_total", "Messages from agents.",
                (double)l->received);
    own_family(m, "weft_collector_link_refused_total", METRIC_COUNTER,
               "Messages that were not opened, by reason.");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const struct own_label reason = {"reason", refused[i].reason};
        own_value(m, &reason, 1, (double)refused[i].count);
    }
}

/* ---- agents: one family at a time, as the format wants ----------------------------------- */

struct agent_family {
    const char *name;
    enum metric_type type;
    const char *help;
    double (*value)(const struct status_agent *a);
    bool reported; /* by the agent, which tells it as a series itself */
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
    {"weft_agent_connected", METRIC_GAUGE, "Whether it was heard of in the last seconds.",
     agent_connected, false},
    {"weft_agent_last_seen_time_seconds", METRIC_GAUGE, "When it was heard of last.", agent_seen,
     false},
    {"weft_agent_clock_skew_seconds", METRIC_GAUGE, "The collector's clock less the agent's.",
     agent_skew, false},
    {"weft_agent_accepted_spans_total", METRIC_COUNTER,
     "Spans of it that the collector made durable.", agent_accepted, false},
    {"weft_agent_processes", METRIC_GAUGE, "Processes it reads.", agent_processes, true},
    {"weft_agent_spans_total", METRIC_COUNTER, "Spans it has read.", agent_spans, true},
    {"weft_agent_sweep_lag_seconds", METRIC_GAUGE, "Its longest pause between two sweeps.",
     agent_lag, true},
    {"weft_agent_spool_bytes", METRIC_GAUGE, "What waits in its spool.", agent_spool, true},
    {"weft_agent_spool_limit_bytes", METRIC_GAUGE, "Bound of its spool.", agent_spool_limit, true},
    {"weft_agent_cpu_seconds_total", METRIC_COUNTER, "CPU time it has used.", agent_cpu, true},
    {"weft_agent_resident_bytes", METRIC_GAUGE, "Its memory.", agent_resident, true},
};

static void put_agents(struct own_metrics *m, const struct pipeline_status *s)
{
    for (size_t f = 0; f < sizeof agent_families / sizeof *agent_families; f++) {
        const struct agent_family *of = &agent_families[f];
        if (of->reported && !m->text)
            continue;
        own_family(m, of->name, of->type, of->help);
        for (size_t i = 0; i < s->agent_count; i++) {
            const struct own_label agent = {"agent", s->agents[i].id};
            if (!of->reported || s->agents[i].reported)
                own_value(m, &agent, 1, of->value(&s->agents[i]));
        }
    }
}

static void put_losses(struct own_metrics *m, const struct pipeline_status *s)
{
    own_family(m, "weft_lost_total", METRIC_COUNTER,
               "What was lost, by place and reason, since the ledger begins.");
    for (size_t i = 0; i < s->loss_count; i++) {
        const struct loss_row *row = &s->losses[i];
        const struct own_label labels[] = {{"place", loss_reason_place(row->reason)},
                                           {"reason", loss_reason_name(row->reason)},
                                           {"agent", row->agent},
                                           {"service", row->service}};
        own_value(m, labels, 4, (double)row->count);
    }
}

/* A series that begins with its first loss has no rate of it; these are there before. */
static void put_lost_by_reason(struct own_metrics *m, const struct pipeline_status *s)
{
    uint64_t lost[LOSS_REASONS] = {0};
    for (size_t i = 0; i < s->loss_count; i++)
        if (s->losses[i].reason < LOSS_REASONS)
            lost[s->losses[i].reason] += s->losses[i].count;
    own_family(m, "weft_collector_lost_total", METRIC_COUNTER,
               "The same by place and reason alone, also where there was none.");
    for (unsigned reason = 0; reason < LOSS_REASONS; reason++) {
        const char *name = loss_reason_name(reason);
        const struct own_label labels[] = {{"place", loss_reason_place(reason)}, {"reason", name}};
        if (name[0] != '?')
            own_value(m, labels, 2, (double)lost[reason]);
    }
}

static void put_archive(struct own_metrics *m, struct archive *archive)
{
    struct archive_stats s;
    if (!archive)
        return;
    archive_read_stats(archive, &s);
    own_gauge(m, "weft_collector_archive_files", "Series that are kept for years.",
              (double)s.files);
    own_gauge(m, "weft_collector_archive_files_limit", "Bound of these.", (double)s.files_most);
    own_counter(m, "weft_collector_archive_samples_total", "Samples written to them.",
                (double)s.samples);
    own_counter(m, "weft_collector_archive_refused_total",
                "Series that were not kept: too many, or histograms.", (double)s.refused);
    own_counter(m, "weft_collector_archive_failures_total",
                "Rules that could not be evaluated or written.", (double)s.failures);
    own_gauge(m, "weft_collector_archive_writable", "Whether the last round was written.",
              !s.is_failing);
}

static void put_rules(struct own_metrics *m, struct rules *rules)
{
    struct rules_stats s;
    rules_stats(rules, &s);
    own_gauge(m, "weft_collector_rules", "Recording and alerting rules.", (double)s.rules);
    own_gauge(m, "weft_collector_rules_failing", "Rules whose last evaluation failed.",
              (double)s.failing);
    own_gauge(m, "weft_collector_rule_group_evaluations",
              "Evaluations of the groups that there are.", (double)s.evaluations);
    own_gauge(m, "weft_collector_rule_group_missed",
              "Moments at which these were not evaluated, as others were.", (double)s.missed);
    own_counter(m, "weft_collector_alerts_sent_total", "Alerts that a receiver took.",
                (double)s.alerts.sent);
    own_counter(m, "weft_collector_alert_requests_failed_total",
                "Requests that a receiver of alerts did not take.", (double)s.alerts.failed);
    own_counter(m, "weft_collector_alerts_dropped_total",
                "Alerts that a receiver refused, or could not be reached for.",
                (double)s.alerts.dropped);
}

static void put_own(struct own_metrics *m, struct own_teller *teller)
{
    struct own_teller_stats s;
    own_teller_stats(teller, &s);
    own_counter(m, "weft_collector_own_samples_total", "Samples of these that were kept as series.",
                (double)s.kept);
    own_counter(m, "weft_collector_own_samples_dropped_total",
                "Those that were not, as nothing was accepted then.", (double)s.dropped);
}

void collector_own_metrics(struct own_metrics *m, const struct own_sources *from)
{
    const struct pipeline_status *s = from->status;
    put_process(m);
    put_accepted(m, s);
    put_stores(m, s);
    put_series(m, &s->series);
    put_marks(m, &s->marks);
    put_caches(m, s);
    put_watchers(m, s);
    put_archive(m, from->archive);
    put_freshness(m, &s->freshness);
    put_link(m, &s->link);
    put_agents(m, s);
    put_losses(m, s);
    put_lost_by_reason(m, s);
    if (from->rules)
        put_rules(m, from->rules);
    if (from->teller)
        put_own(m, from->teller);
}
