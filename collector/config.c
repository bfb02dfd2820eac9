// SPDX-License-Identifier: Apache-2.0
#include "collector/config.h"

#include <stddef.h>
#include <stdio.h>

#include "collector/archive/plan.h"
#include "collector/rules/notify.h"
#include "collector/rules/rule.h"
#include "collector/web/web.h"
#include "lib/base/log.h"

#define FIELD(name) offsetof(struct collector_config, name)

static const struct config_option options[] = {
    {"http", CONFIG_STRING, "127.0.0.1:4040", FIELD(http), 0, 0, "HOST:PORT",
     "where the API and the page are served; anything but loopback needs a token-file"},
    {"http-hosts", CONFIG_STRING, NULL, FIELD(http_hosts), 0, 0, "NAMES",
     "further names, with commas, under which the API may be asked on loopback"},
    {"query-threads", CONFIG_INTEGER, "0", FIELD(query_threads), 0, 256, NULL,
     "how many processors a search may use; 0: all"},
    {"http-connections", CONFIG_INTEGER, "256", FIELD(http_connections), 8, 65536, NULL,
     "how many connections are kept at a time"},
    {"admin-api", CONFIG_BOOL, "no", FIELD(admin_api), 0, 0, NULL,
     "whether series may be deleted over HTTP, as Prometheus' admin API has it"},
    {"token-file", CONFIG_STRING, NULL, FIELD(token_file), 0, 0, "FILE",
     "its first line is the token that questions must bring"},
    {"page-dir", CONFIG_STRING, WEFT_PAGE_DIRECTORY, FIELD(page_dir), 0, 0, "DIRECTORY",
     "the files of the page"},
    {"log-link", CONFIG_URL, NULL, FIELD(log_link), 0, 0, "URL",
     "where the page finds the logs of a span: an address with places such as {trace_id} in it"},
    {"link", CONFIG_STRING, "tcp://127.0.0.1:4042", FIELD(link), 0, 0, "tcp://HOST:PORT",
     "where agents send their batches"},
    {"control", CONFIG_STRING, "tcp://127.0.0.1:4043", FIELD(control), 0, 0, "tcp://HOST:PORT",
     "where agents listen for switches"},
    {"keys-dir", CONFIG_STRING, NULL, FIELD(keys_dir), 0, 0, "DIRECTORY",
     "the agents' keys (AGENT.key); without it only agents on this host may send"},
    {"ledger-dir", CONFIG_STRING, "/var/lib/weft/ledger", FIELD(ledger_dir), 0, 0, "DIRECTORY",
     "where accepted batches are kept"},
    {"ledger-limit", CONFIG_BYTES, "1G", FIELD(ledger_limit_bytes), 1 << 20, INT64_MAX, NULL,
     "beyond it the oldest segments go"},
    {"ledger-segment", CONFIG_BYTES, "16M", FIELD(ledger_segment_bytes), 64 << 10, 1 << 30, NULL,
     "the size of a segment, the unit in which old batches go"},
    {"ledger-age", CONFIG_DURATION, "0", FIELD(ledger_age_ns), 0, INT64_MAX, NULL,
     "segments older than this go too; 0: only the limit counts"},
    {"traces-dir", CONFIG_STRING, NULL, FIELD(traces_dir), 0, 0, "DIRECTORY",
     "where traces are kept; by default the directory traces beside the ledger's"},
    {"traces-limit", CONFIG_BYTES, "20G", FIELD(traces_limit_bytes), 1 << 20, INT64_MAX, NULL,
     "beyond it the oldest traces go"},
    {"traces-age", CONFIG_DURATION, "0", FIELD(traces_age_ns), 0, INT64_MAX, NULL,
     "older traces go too; 0: only the limit counts"},
    {"traces-cut", CONFIG_DURATION, "10m", FIELD(traces_cut_ns), 1000000000, INT64_MAX, NULL,
     "spans go from memory to disk when they are so old, or when memory is full"},
    {"traces-merge", CONFIG_BYTES, "64M", FIELD(traces_merge_bytes), 1 << 20, INT64_MAX, NULL,
     "how much of the disk's traffic in a second merging small segments may take"},
    {"series-dir", CONFIG_STRING, NULL, FIELD(series_dir), 0, 0, "DIRECTORY",
     "where series are kept; by default the directory series beside the ledger's"},
    {"series-limit", CONFIG_BYTES, "20G", FIELD(series_limit_bytes), 1 << 20, INT64_MAX, NULL,
     "beyond it the oldest samples go"},
    {"series-age", CONFIG_DURATION, "0", FIELD(series_age_ns), 0, INT64_MAX, NULL,
     "older samples go too; 0: only the limit counts"},
    {"series-cut", CONFIG_DURATION, "20m", FIELD(series_cut_ns), 1000000000, INT64_MAX, NULL,
     "samples go from memory to disk when they are so old, or when their memory is full"},
    {"series-late", CONFIG_DURATION, "1h", FIELD(series_late_ns), 0, INT64_MAX, NULL,
     "samples that come later than this behind their series' newest are refused; 0: none is"},
    {"series-active", CONFIG_INTEGER, "200000", FIELD(series_active), 1, 100000000, NULL,
     "how many series may live at a time: new ones beyond are refused; about 1 KB of memory each"},
    {"series-memory", CONFIG_BYTES, "128M", FIELD(series_memory_bytes), 4 << 20, INT64_MAX, NULL,
     "the bound of memory for samples on their way to disk ..."},
    {"series-memory-each", CONFIG_BYTES, "1K", FIELD(series_memory_each_bytes), 0, 1 << 20, NULL,
     "... and as much more for each series that lives"},
    {"own-metrics", CONFIG_DURATION, "5s", FIELD(own_metrics_ns), 0, INT64_MAX, NULL,
     "how often the collector keeps what its /metrics say as series, a second at least; 0: never"},
    {"dashboards-dir", CONFIG_STRING, NULL, FIELD(dashboards_dir), 0, 0, "DIRECTORY",
     "where dashboards are kept that people save; by default dashboards beside the ledger's"},
    {"marks-dir", CONFIG_STRING, NULL, FIELD(marks_dir), 0, 0, "DIRECTORY",
     "where marks and deploys are kept; by default the directory marks beside the ledger's"},
    {"marks-age", CONFIG_DURATION, "0", FIELD(marks_age_ns), 0, INT64_MAX, NULL,
     "older marks go; 0: none do"},
    {"caches-dir", CONFIG_STRING, NULL, FIELD(caches_dir), 0, 0, "DIRECTORY",
     "where it is kept which keys of caches were hot; by default caches beside the ledger's"},
    {"caches-age", CONFIG_DURATION, "30d", FIELD(caches_age_ns), 0, INT64_MAX, NULL,
     "for how long: by windows as told for an hour, by minutes for a day, then by hours; 0: only "
     "the limit counts"},
    {"caches-limit", CONFIG_BYTES, "1G", FIELD(caches_limit_bytes), 1 << 20, INT64_MAX, NULL,
     "beyond it the oldest go"},
    {"hot-key-share", CONFIG_INTEGER, "10", FIELD(hot_key_share), 0, 100, "PERCENT",
     "of a cache's calls, from which on a key is hot and makes a mark and a series; 0: none is "
     "..."},
    {"hot-key-rate", CONFIG_INTEGER, "10", FIELD(hot_key_rate), 0, INT32_MAX, "NUMBER",
     "... if it has so many calls a second, too"},
    {"rules", CONFIG_STRING, NULL, FIELD(rules), 0, 0, "FILES",
     "recording and alerting rules: files and directories, with commas; read again on SIGHUP"},
    {"rules-grace", CONFIG_DURATION, "10m", FIELD(rules_grace_ns), 0, INT64_MAX, NULL,
     "how long a pending alert waits at least after a restart before it fires"},
    {"alertmanagers", CONFIG_STRING, NULL, FIELD(alertmanagers), 0, 0, "URLS",
     "where alerts are sent, with commas: http://HOST:PORT"},
    {"archive", CONFIG_STRING, "default", FIELD(archive), 0, 0, "FILE",
     "what is kept for years: a file of rules, \"default\" (services' rates, errors and latencies, "
     "and collectd's hosts) or \"none\"; read again on SIGHUP"},
    {"archive-dir", CONFIG_STRING, NULL, FIELD(archive_dir), 0, 0, "DIRECTORY",
     "where that is kept; by default the directory archive beside the ledger's"},
    {"archive-files", CONFIG_INTEGER, "2000", FIELD(archive_files), 1, 1000000, NULL,
     "how many series the archive may have, each a file of 1.7 MB"},
    {"firehose-dir", CONFIG_STRING, NULL, FIELD(firehose_dir), 0, 0, "DIRECTORY",
     "where it is kept how far the firehose's apps are; by default firehose beside the ledger's"},
    {"memory", CONFIG_BYTES, "512M", FIELD(memory_bytes), 16 << 20, INT64_MAX, NULL,
     "the bound of memory but for series: half for spans on their way to disk, the rest for "
     "questions"},
    {"log-level", CONFIG_STRING, "info", FIELD(log_level), 0, 0, "LEVEL",
     "error, warn, info or debug; read again on SIGHUP"},
    {"check-config", CONFIG_BOOL, "no", FIELD(check_config), 0, 0, NULL,
     "say whether the configuration is right, and exit"},
};

const struct config_program collector_program = {
    .name = "weft-collector",
    .version = WEFT_VERSION,
    .summary =
        "makes traces and series of what the hosts' agents send, and answers questions about "
        "them",
    .description =
        "weft-collector accepts batches of spans and samples from weft-agents, keeps them in its "
        "ledger and as traces and series, answers questions about them over HTTP (TraceQL, "
        "PromQL), "
        "and serves the page.\n\n"
        "SIGTERM: what is queued is made durable and answered, then it exits. SIGHUP: the log "
        "level, the rules and those of the archive are read again (keys and the page's files are "
        "always read when they are needed).",
    .default_file = WEFT_SYSCONF_DIR "/weft/collector.yaml",
    .options = options,
    .option_count = sizeof options / sizeof *options,
};

/* The page fills these in: ui/src/model/log-link.ts. */
static const char *const log_places[] = {"trace_id", "span_id", "service",  "host",  "instance",
                                         "from_ms",  "to_ms",   "from_iso", "to_iso"};

/* 0, or -1 and a sentence: every {place} is one that the page knows, and none says where the link
 * leads, as their texts come from spans. */
static int check_log_link(const char *link, char *why, size_t why_size)
{
    const char *host = link ? strstr(link, "//") : NULL;
    host += host ? strspn(host, "/\\") : 0; /* browsers pass over any number of them */
    if (host && host[strcspn(host, "/\\?#{")] == '{') {
        snprintf(why, why_size,
                 "log-link: found a {place} in the host of \"%s\", expected them "
                 "behind it: https://logs.example/search?q={trace_id}",
                 link);
        return -1;
    }
    for (const char *open = link ? strchr(link, '{') : NULL; open; open = strchr(open + 1, '{')) {
        size_t length = strcspn(open + 1, "{}");
        bool known = false;
        for (size_t i = 0; i < sizeof log_places / sizeof *log_places; i++)
            known = known || (strlen(log_places[i]) == length &&
                              strncmp(log_places[i], open + 1, length) == 0);
        if (known && open[1 + length] == '}')
            continue;
        snprintf(why, why_size,
                 "log-link: found \"%.*s\", expected one of {trace_id}, {span_id}, {service}, "
                 "{host}, {instance}, {from_ms}, {to_ms}, {from_iso}, {to_iso}",
                 (int)length + 1 + (open[1 + length] == '}'), open);
        return -1;
    }
    return 0;
}

bool collector_keeps_archive(const struct collector_config *c)
{
    return c->archive && *c->archive && strcmp(c->archive, "none") != 0;
}

int collector_config_check(const struct collector_config *c, char *why, size_t why_size)
{
    enum log_level level;
    if (!log_parse_level(c->log_level, &level)) {
        snprintf(why, why_size, "log-level: found \"%s\", expected error, warn, info or debug",
                 c->log_level);
        return -1;
    }
    int loopback = web_address_is_loopback(c->http);
    if (loopback < 0) {
        snprintf(why, why_size, "http: found \"%s\", expected HOST:PORT", c->http);
        return -1;
    }
    if (!loopback && !c->token_file) {
        snprintf(why, why_size,
                 "http: %s is not loopback, so that a token-file is needed: anybody could read "
                 "every trace",
                 c->http);
        return -1;
    }
    if (c->ledger_segment_bytes > c->ledger_limit_bytes / 2) {
        snprintf(why, why_size, "ledger-segment: expected at most half of ledger-limit");
        return -1;
    }
    if (check_log_link(c->log_link, why, why_size) != 0)
        return -1;
    if (notify_check_urls(c->alertmanagers, why, why_size) != 0)
        return -1;
    struct rule_set *rules = rule_set_load(c->rules, why, why_size);
    bool sound = rules != NULL;
    rule_set_destroy(&rules);
    if (!sound || !collector_keeps_archive(c))
        return sound ? 0 : -1;
    struct archive_plan *plan = archive_plan_load(c->archive, why, why_size);
    sound = plan != NULL;
    archive_plan_destroy(&plan);
    return sound ? 0 : -1;
}
