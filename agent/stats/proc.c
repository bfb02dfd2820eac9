// SPDX-License-Identifier: Apache-2.0
#include "agent/stats/proc.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/proc/stat.h"

enum { ASK_EVERY = 5 };

/* ---- metrics ----------------------------------------------------------------------------- */

static const struct stats_metric_info processes = {
    .name = "weft_processes",
    .help = "Processes that record or are watched.",
    .type = METRIC_GAUGE,
};
static const struct stats_metric_info cpu = {
    .name = "process_cpu_seconds_total",
    .unit = "seconds",
    .help = "Processor time that processes used.",
    .type = METRIC_COUNTER,
};
static const struct stats_metric_info resident = {
    .name = "process_resident_memory_bytes",
    .unit = "bytes",
    .help = "Resident memory of processes.",
    .type = METRIC_GAUGE,
};
static const struct stats_metric_info fds = {
    .name = "process_open_fds",
    .help = "Open file descriptors of processes.",
    .type = METRIC_GAUGE,
};
static const struct stats_metric_info threads = {
    .name = "process_threads",
    .help = "Threads of processes.",
    .type = METRIC_GAUGE,
};
static const struct stats_metric_info switches = {
    .name = "process_context_switches_total",
    .help = "Context switches of processes.",
    .type = METRIC_COUNTER,
};

static const struct stats_metric_info sockets = {
    .name = "process_sockets",
    .help = "Open sockets of processes.",
    .type = METRIC_GAUGE,
};
static const struct stats_metric_info starts = {
    .name = "process_starts_total",
    .help = "Processes that began.",
    .type = METRIC_COUNTER,
};

void proc_reserve(struct stats_table *t)
{
    const struct stats_metric_info *const all[] = {&processes, &cpu,      &resident, &fds,
                                                   &threads,   &switches, &sockets,  &starts};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        stats_own_metric(t, all[i]);
}

static void count(struct stats_table *t, struct stats_identity *identity,
                  const struct stats_metric_info *info, const char *name, const char *value,
                  double delta)
{
    struct stats_label label = {{name, (uint32_t)strlen(name)}, {value, (uint32_t)strlen(value)}};
    stats_count(stats_find(t, stats_own_metric(t, info), identity, &label, 1), delta);
}

static void gauge(struct stats_table *t, struct stats_identity *identity,
                  const struct stats_metric_info *info, double value)
{
    stats_gauge(t, stats_find(t, stats_own_metric(t, info), identity, NULL, 0), value);
}

/* ---- the kernel -------------------------------------------------------------------------- */

static uint64_t number_behind(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static bool read_switches(uint32_t pid, uint64_t *voluntary, uint64_t *involuntary)
{
    char text[4096];
    if (!proc_read_text(pid, "status", text, sizeof text))
        return false;
    *voluntary = number_behind(text, "\nvoluntary_ctxt_switches:");
    *involuntary = number_behind(text, "\nnonvoluntary_ctxt_switches:");
    return true;
}

static double count_fds(uint32_t pid)
{
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%u/fd", pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        count += e->d_name[0] != '.';
    if (d)
        closedir(d);
    return (double)count;
}

/* ---- a round ----------------------------------------------------------------------------- */

/* What came since; nothing where a counter went back, which is another process with its number. */
static double since(const struct proc *p, uint64_t *known, uint64_t now)
{
    double delta = now > *known && (p->read || !p->was_here) ? (double)(now - *known) : 0;
    *known = now;
    return delta;
}

static void count_cpu(struct proc *p, struct stats_table *t, struct stats_identity *identity,
                      double user_s, double system_s)
{
    p->user_s += user_s;
    p->system_s += system_s;
    count(t, identity, &cpu, "mode", "user", user_s);
    count(t, identity, &cpu, "mode", "system", system_s);
}

static void ask(struct proc *p, struct stats_table *t, struct stats_identity *identity,
                uint32_t pid)
{
    struct proc_stat s;
    uint64_t voluntary, involuntary;
    if (!proc_stat_read(pid, &s, NULL))
        return;
    double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
    count_cpu(p, t, identity, since(p, &p->user_ticks, s.user_ticks) * tick_s,
              since(p, &p->system_ticks, s.system_ticks) * tick_s);
    if (read_switches(pid, &voluntary, &involuntary)) {
        count(t, identity, &switches, "kind", "voluntary", since(p, &p->voluntary, voluntary));
        count(t, identity, &switches, "kind", "involuntary",
              since(p, &p->involuntary, involuntary));
    }
    p->resident_bytes = (double)s.resident_pages * (double)sysconf(_SC_PAGESIZE);
    p->open_fds = count_fds(pid);
    p->threads = (double)s.threads;
    p->read = true;
}

static void gauge_sockets(struct stats_table *t, struct stats_identity *identity,
                          const struct proc_socket_counts *counts)
{
    static const char *const names[PROC_SOCKET_KINDS] = {[PROC_TCP_ESTABLISHED] = "established",
                                                         [PROC_TCP_LISTENING] = "listening",
                                                         [PROC_TCP_OTHER] = "closing",
                                                         [PROC_UDP] = "udp",
                                                         [PROC_UNIX] = "unix",
                                                         [PROC_UNIX_LISTENING] = "unix_listening"};
    for (int kind = 0; kind < PROC_SOCKET_KINDS; kind++) {
        const char *name = names[kind];
        struct stats_label label = {{"kind", 4}, {name, (uint32_t)strlen(name)}};
        stats_gauge(t, stats_find(t, stats_own_metric(t, &sockets), identity, &label, 1),
                    counts->by_kind[kind]);
    }
}

void proc_round(struct proc *p, struct stats_table *t, struct stats_identity *identity,
                uint32_t pid, const struct proc_socket_counts *counts)
{
    gauge(t, identity, &processes, 1);
    /* By its number, that not all are asked in the same round. */
    if (pid && (!p->read || (p->rounds + pid) % ASK_EVERY == 0))
        ask(p, t, identity, pid);
    p->rounds++;
    if (!p->read)
        return;
    gauge(t, identity, &resident, p->resident_bytes);
    gauge(t, identity, &fds, p->open_fds);
    gauge(t, identity, &threads, p->threads);
    if (counts)
        gauge_sockets(t, identity, counts);
}

void proc_began(struct stats_table *t, struct stats_identity *identity)
{
    stats_count(stats_find(t, stats_own_metric(t, &starts), identity, NULL, 0), 1);
}

void proc_settle_cpu(struct proc *p, struct stats_table *t, struct stats_identity *identity,
                     double user_s, double system_s)
{
    count_cpu(p, t, identity, user_s > p->user_s ? user_s - p->user_s : 0,
              system_s > p->system_s ? system_s - p->system_s : 0);
}
