// SPDX-License-Identifier: Apache-2.0
#include "agent/report.h"

#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "weft.pb-c.h"

void report_encode(struct buffer *out, const struct counters *counters,
                   const struct outbox_stats *stats)
{
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    Weft__AgentReport report = WEFT__AGENT_REPORT__INIT;
    report.host = host;
    report.version = (char *)WEFT_VERSION;
    report.start_unix_ns = counters->start_unix_ns;
    report.processes = (uint32_t)counters_get(&counters->processes);
    /* All that it puts into batches: the collector holds its account against it. */
    report.spans = counters_get(&counters->spans) + counters_get(&counters->observed_spans);
    report.batches = counters_get(&counters->batches);
    report.sweep_lag_ns = counters_get(&counters->sweep_lag_ns);
    report.spool_bytes = stats->spool_bytes;
    report.spool_limit_bytes = stats->spool_limit_bytes;
    report.spool_batches = stats->spool_batches;
    report.cpu_ns = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
    report.resident_bytes = (uint64_t)own_resident_bytes();
    report.problem = (char *)stats->link.problem;
    uint8_t *to = (uint8_t *)buffer_reserve(out, weft__agent_report__get_packed_size(&report));
    if (to)
        out->length += weft__agent_report__pack(&report, to);
}

static void losses(struct own_metrics *m, const struct counters *counters)
{
    own_family(m, "weft_agent_lost_total", METRIC_COUNTER,
               "Lost in the agent, its spool, or on the way.");
    for (unsigned reason = SLAB_LOSS_REASONS; reason < LOSS_REASONS; reason++) {
        const char *name = loss_reason_name(reason);
        const struct own_label labels[] = {{"place", loss_reason_place(reason)}, {"reason", name}};
        if (name[0] != '?')
            own_value(m, labels, 2, (double)counters_get(&counters->lost[reason]));
    }
}

static void inquiries(struct own_metrics *m, const struct counters *counters)
{
    static const char *const results[INQUIRY_RESULTS] = {
        [INQUIRY_OBSERVED] = "observed",   [INQUIRY_NOT_SEEN] = "not seen",
        [INQUIRY_AMBIGUOUS] = "ambiguous", [INQUIRY_FORGOTTEN] = "forgotten",
        [INQUIRY_NO_ROOM] = "no room",
    };
    own_family(m, "weft_agent_inquiries_total", METRIC_COUNTER,
               "Client spans whose exchanges with a cache were looked for, by what was found.");
    for (int i = 0; i < INQUIRY_RESULTS; i++) {
        const struct own_label result = {"result", results[i]};
        own_value(m, &result, 1, (double)counters_get(&counters->inquiries[i]));
    }
}

static void counter(struct own_metrics *m, const char *name, const char *help,
                    const _Atomic uint64_t *value)
{
    own_counter(m, name, help, (double)counters_get(value));
}

static void gauge(struct own_metrics *m, const char *name, const char *help,
                  const _Atomic uint64_t *value)
{
    own_gauge(m, name, help, (double)counters_get(value));
}

static void swept(struct own_metrics *m, const struct counters *c)
{
    gauge(m, "weft_agent_processes", "Recording processes followed.", &c->processes);
    counter(m, "weft_agent_spans_total", "Spans swept.", &c->spans);
    counter(m, "weft_agent_died_spans_total", "Spans whose process died before they ended.",
            &c->died_spans);
    counter(m, "weft_agent_batches_total", "Batches spooled.", &c->batches);
    counter(m, "weft_agent_batch_bytes_total", "Bytes of sealed batches.", &c->batch_bytes);
    counter(m, "weft_agent_sweeps_total", "Rounds over all rings.", &c->sweeps);
    counter(m, "weft_agent_bells_total", "Rings that were half full before their sweep.",
            &c->bells);
    own_gauge(m, "weft_agent_sweep_lag_seconds", "Longest pause between sweeps, last second.",
              (double)counters_get(&c->sweep_lag_ns) * 1e-9);
    gauge(m, "weft_agent_watched_processes", "Processes of weft run, and those that rules found.",
          &c->watched);
    counter(m, "weft_agent_watched_refused_total", "Beyond the most that are watched.",
            &c->watched_refused);
    counter(m, "weft_agent_feed_batches_total", "Batches spooled for programs on this host.",
            &c->feed_batches);
    counter(m, "weft_agent_feed_refused_total", "Batches of theirs that were none.",
            &c->feed_refused);
    counter(m, "weft_agent_observed_spans_total", "Spans of caches that the tap saw, spooled.",
            &c->observed_spans);
    inquiries(m, c);
    counter(m, "weft_agent_spool_errors_total", "Refusals of the spool's disk.", &c->spool_errors);
}

void report_metrics(struct own_metrics *m, const struct counters *counters,
                    const struct outbox_stats *stats)
{
    swept(m, counters);
    own_gauge(m, "weft_agent_spool_bytes", "Bytes in the spool.", (double)stats->spool_bytes);
    own_gauge(m, "weft_agent_spool_limit_bytes", "The most that the spool may hold.",
              (double)stats->spool_limit_bytes);
    own_gauge(m, "weft_agent_spool_batches", "Batches not acknowledged.",
              (double)stats->spool_batches);
    own_gauge(m, "weft_agent_link_ready", "1 while the collector answers.",
              stats->link.state == LINK_READY);
    own_counter(m, "weft_agent_link_sent_total", "Batches sent.", (double)stats->link.sent);
    own_counter(m, "weft_agent_link_resent_total", "Batches sent again.",
                (double)stats->link.resent);
    own_counter(m, "weft_agent_link_acknowledged_total", "Batches acknowledged.",
                (double)stats->link.acknowledged);
    own_counter(m, "weft_agent_link_reconnects_total", "Connections made anew.",
                (double)stats->link.reconnects);
    own_counter(m, "weft_agent_cpu_seconds_total", "Processor time of the agent.",
                own_cpu_seconds());
    own_gauge(m, "weft_agent_resident_bytes", "Resident memory of the agent.",
              own_resident_bytes());
    losses(m, counters);
}
