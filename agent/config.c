// SPDX-License-Identifier: Apache-2.0
#include "agent/config.h"

#include <stddef.h>

#define AT(field) offsetof(struct agent_config, field)

static const struct config_option options[] = {
    {"directory", CONFIG_STRING, "/run/weft", AT(directory), 0, 0, "DIR",
     "where recording processes put their files (their $WEFT_DIR); on a tmpfs"},
    {"agent", CONFIG_STRING, NULL, AT(agent), 0, 0, "NAME",
     "this agent's name to the collector; the host's name unless given"},
    {"collector", CONFIG_STRING, "tcp://127.0.0.1:4042", AT(collector), 0, 0, "ADDRESS",
     "where the collector listens for agents"},
    {"control", CONFIG_STRING, "tcp://127.0.0.1:4043", AT(control), 0, 0, "ADDRESS",
     "where the collector publishes its switches"},
    {"key-file", CONFIG_STRING, NULL, AT(key_file), 0, 0, "FILE",
     "this agent's key (weft keygen); without one the collector must be on this host"},
    {"spool", CONFIG_STRING, "/var/lib/weft/spool", AT(spool), 0, 0, "DIR",
     "where batches wait until the collector has them"},
    {"spool-limit", CONFIG_BYTES, "1G", AT(spool_limit), 1 << 20, INT64_MAX, NULL,
     "the most that may wait there; beyond it the oldest go, and are counted"},
    {"sweep-interval", CONFIG_DURATION, "10ms", AT(sweep_interval_ns), 1000000, 1000000000, NULL,
     "how often rings are read; shorter by itself under load"},
    {"batch-age", CONFIG_DURATION, "100ms", AT(batch_age_ns), 1000000, 10000000000, NULL,
     "the longest that a span waits for its batch to fill"},
    {"batch-bytes", CONFIG_BYTES, "192K", AT(batch_bytes), 4096, 4 << 20, NULL,
     "the size before compression at which a batch is closed"},
    {"in-flight", CONFIG_INTEGER, "16", AT(in_flight), 1, 1024, NULL,
     "batches sent and not yet acknowledged, at most"},
    {"http", CONFIG_STRING, "127.0.0.1:4041", AT(http), 0, 0, "ADDRESS",
     "where /metrics and /healthz are served, on loopback only; empty: nowhere"},
    {"statsd", CONFIG_STRING, "127.0.0.1:8125", AT(statsd), 0, 0, "ADDRESS",
     "where StatsD is listened for over UDP, on loopback only; empty: nowhere"},
    {"processes", CONFIG_STRING, NULL, AT(processes), 0, 0, "FILE",
     "rules by which running processes are watched as services: executable, unit, port"},
    {"own-metrics", CONFIG_DURATION, "5s", AT(own_metrics_ns), 0, INT64_MAX, NULL,
     "how often what /metrics say is told as series, each second at most; 0: never"},
    {"series-per-metric", CONFIG_INTEGER, "2000", AT(series_per_metric), 1, 1000000, NULL,
     "how many series of one metric are counted at a time; further ones are refused, and counted"},
    {"drain", CONFIG_DURATION, "5s", AT(drain_ns), 0, 600000000000, NULL,
     "how long a stop waits for acknowledgements; what is left stays in the spool"},
    {"log-level", CONFIG_STRING, "info", AT(log_level), 0, 0, "LEVEL",
     "error, warn, info or debug"},
};

const struct config_program agent_program = {
    .name = "weft-agent",
    .version = WEFT_VERSION,
    .summary = "gathers the spans and statistics that this host's processes record",
    .description =
        "weft-agent reads the shared memory of every process on this host that links libweft, "
        "turns what it finds into batches, keeps them in a spool on disk, and ships them to "
        "weft-collector. When a process dies, the spans that it had open are shipped too, with "
        "the status \"died\". Each second it adds the statistics: what services count, rates, "
        "errors "
        "and durations of all spans, what the kernel says of each process, and StatsD. Programs "
        "that "
        "do not link libweft are watched as well: commands of weft run, and those that rules "
        "find.\n\n"
        "It needs to read and write the process files of other users: run it as root or with "
        "CAP_DAC_OVERRIDE, which is all the privilege that it uses.\n\n"
        "SIGTERM sweeps once more, spools, and waits for acknowledgements. SIGHUP reads the log "
        "level again from the configuration file.",
    .default_file = WEFT_SYSCONF_DIR "/weft/agent.yaml",
    .options = options,
    .option_count = sizeof options / sizeof *options,
};
