// SPDX-License-Identifier: Apache-2.0
#include "agent/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "weft.pb-c.h"

static uint64_t resident_bytes(void)
{
    unsigned long total, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%lu %lu", &total, &resident) != 2)
        resident = 0;
    fclose(file);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

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
    report.resident_bytes = resident_bytes();
    report.problem = (char *)stats->link.problem;
    uint8_t *to = (uint8_t *)buffer_reserve(out, weft__agent_report__get_packed_size(&report));
    if (to)
        out->length += weft__agent_report__pack(&report, to);
}

static void metric(struct buffer *out, const char *name, const char *type, const char *help,
                   uint64_t value)
{
    buffer_printf(out,
                  "# HELP weft_agent_%s %s\n# TYPE weft_agent_%s %s\nweft_agent_%s %" PRIu64 "\n",
                  name, help, name, type, name, value);
}

static void losses(struct buffer *out, const struct counters *counters)
{
    buffer_text(out, "# HELP weft_agent_lost_total Lost in the agent, its spool, or on the way.\n"
                     "# TYPE weft_agent_lost_total counter\n");
    for (unsigned reason = SLAB_LOSS_REASONS; reason < LOSS_REASONS; reason++) {
        const char *name = loss_reason_name(reason);
        if (name[0] != '?')
            buffer_printf(out, "weft_agent_lost_total{place=\"%s\",reason=\"%s\"} %" PRIu64 "\n",
                          loss_reason_place(reason), name, counters_get(&counters->lost[reason]));
    }
}

static void inquiries(struct buffer *out, const struct counters *counters)
{
    static const char *const results[INQUIRY_RESULTS] = {
        [INQUIRY_OBSERVED] = "observed",   [INQUIRY_NOT_SEEN] = "not seen",
        [INQUIRY_AMBIGUOUS] = "ambiguous", [INQUIRY_FORGOTTEN] = "forgotten",
        [INQUIRY_NO_ROOM] = "no room",
    };
    buffer_text(out, "# HELP weft_agent_inquiries_total Client spans whose exchanges with a cache "
                     "were looked for, by what was found.\n"
                     "# TYPE weft_agent_inquiries_total counter\n");
    for (int i = 0; i < INQUIRY_RESULTS; i++)
        buffer_printf(out, "weft_agent_inquiries_total{result=\"%s\"} %" PRIu64 "\n", results[i],
                      counters_get(&counters->inquiries[i]));
}

void report_metrics(struct buffer *out, const struct counters *counters,
                    const struct outbox_stats *stats)
{
    metric(out, "processes", "gauge", "Recording processes followed.",
           counters_get(&counters->processes));
    metric(out, "spans_total", "counter", "Spans swept.", counters_get(&counters->spans));
    metric(out, "died_spans_total", "counter", "Spans whose process died before they ended.",
           counters_get(&counters->died_spans));
    metric(out, "batches_total", "counter", "Batches spooled.", counters_get(&counters->batches));
    metric(out, "batch_bytes_total", "counter", "Bytes of sealed batches.",
           counters_get(&counters->batch_bytes));
    metric(out, "sweeps_total", "counter", "Rounds over all rings.",
           counters_get(&counters->sweeps));
    metric(out, "bells_total", "counter", "Rings that were half full before their sweep.",
           counters_get(&counters->bells));
    metric(out, "sweep_lag_nanoseconds", "gauge", "Longest pause between sweeps, last second.",
           counters_get(&counters->sweep_lag_ns));
    metric(out, "watched_processes", "gauge", "Processes of weft run, and those that rules found.",
           counters_get(&counters->watched));
    metric(out, "watched_refused_total", "counter", "Beyond the most that are watched.",
           counters_get(&counters->watched_refused));
    metric(out, "feed_batches_total", "counter", "Batches spooled for programs on this host.",
           counters_get(&counters->feed_batches));
    metric(out, "feed_refused_total", "counter", "Batches of theirs that were none.",
           counters_get(&counters->feed_refused));
    metric(out, "observed_spans_total", "counter", "Spans of caches that the tap saw, spooled.",
           counters_get(&counters->observed_spans));
    inquiries(out, counters);
    metric(out, "spool_errors_total", "counter", "Refusals of the spool's disk.",
           counters_get(&counters->spool_errors));
    metric(out, "spool_bytes", "gauge", "Bytes in the spool.", stats->spool_bytes);
    metric(out, "spool_limit_bytes", "gauge", "The most that the spool may hold.",
           stats->spool_limit_bytes);
    metric(out, "spool_batches", "gauge", "Batches not acknowledged.", stats->spool_batches);
    metric(out, "link_ready", "gauge", "1 while the collector answers.",
           stats->link.state == LINK_READY);
    metric(out, "link_sent_total", "counter", "Batches sent.", stats->link.sent);
    metric(out, "link_resent_total", "counter", "Batches sent again.", stats->link.resent);
    metric(out, "link_acknowledged_total", "counter", "Batches acknowledged.",
           stats->link.acknowledged);
    metric(out, "link_reconnects_total", "counter", "Connections made anew.",
           stats->link.reconnects);
    metric(out, "cpu_nanoseconds_total", "counter", "Processor time of the agent.",
           clock_read_ns(CLOCK_PROCESS_CPUTIME_ID));
    metric(out, "resident_bytes", "gauge", "Resident memory of the agent.", resident_bytes());
    losses(out, counters);
}
