// SPDX-License-Identifier: Apache-2.0
#include "agent/stats/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ASK_EVERY = 5 };

/* ---- metrics ----------------------------------------------------------------------------- */

static const struct stats_metric_info processes = {
    .name = "weft_processes",
    .help = "Processes that record.",
    .type = METRIC_GAUGE,
};
static const struct stats_metric_info cpu = {
    .name = "process_cpu_seconds_total",
    .unit = "seconds",
    .help = "Processor time that recording processes used.",
    .type = METRIC_COUNTER,
};
static const struct stats_metric_info resident = {
    .name = "process_resident_memory_bytes",
    .unit = "bytes",
    .help = "Resident memory of recording processes.",
    .type = METRIC_GAUGE,
};
static const struct stats_metric_info fds = {
    .name = "process_open_fds",
    .help = "Open file descriptors of recording processes.",
    .type = METRIC_GAUGE,
};
static const struct stats_metric_info threads = {
    .name = "process_threads",
    .help = "Threads of recording processes.",
    .type = METRIC_GAUGE,
};
static const struct stats_metric_info switches = {
    .name = "process_context_switches_total",
    .help = "Context switches of recording processes.",
    .type = METRIC_COUNTER,
};

void proc_reserve(struct stats_table *t)
{
    const struct stats_metric_info *const all[] = {&processes, &cpu,     &resident,
                                                   &fds,       &threads, &switches};
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

/* A small file of /proc/PID, terminated. False: it cannot be read. */
static bool read_file(uint32_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t length = read(fd, text, size - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

struct usage {
    uint64_t user_ticks, system_ticks, threads, resident_pages, voluntary, involuntary, open_fds;
};

/* Fields 14, 15, 20 and 24 of proc(5)'s stat. The name before them may hold anything, a ")" too. */
static bool read_stat(uint32_t pid, struct usage *u)
{
    char text[1024];
    if (!read_file(pid, "stat", text, sizeof text))
        return false;
    const char *at = strrchr(text, ')');
    return at && sscanf(at + 1,
                        " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %lu "
                        "%*d %*u %*u %lu",
                        &u->user_ticks, &u->system_ticks, &u->threads, &u->resident_pages) == 4;
}

static uint64_t number_behind(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static bool read_switches(uint32_t pid, struct usage *u)
{
    char text[4096];
    if (!read_file(pid, "status", text, sizeof text))
        return false;
    u->voluntary = number_behind(text, "\nvoluntary_ctxt_switches:");
    u->involuntary = number_behind(text, "\nnonvoluntary_ctxt_switches:");
    return true;
}

static void count_fds(uint32_t pid, struct usage *u)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/fd", pid);
    DIR *d = opendir(path);
    if (!d)
        return;
    while (readdir(d))
        u->open_fds++;
    u->open_fds -= u->open_fds >= 2 ? 2 : 0; /* "." and ".." */
    closedir(d);
}

/* ---- a round ----------------------------------------------------------------------------- */

/* What came since; nothing where a counter went back, which is another process with its number. */
static double since(const struct proc *p, uint64_t *known, uint64_t now)
{
    double delta = now > *known && (p->read || !p->was_here) ? (double)(now - *known) : 0;
    *known = now;
    return delta;
}

static void ask(struct proc *p, struct stats_table *t, struct stats_identity *identity,
                uint32_t pid)
{
    struct usage u = {0};
    if (!read_stat(pid, &u))
        return;
    bool switched = read_switches(pid, &u);
    count_fds(pid, &u);
    double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
    count(t, identity, &cpu, "mode", "user", since(p, &p->user_ticks, u.user_ticks) * tick_s);
    count(t, identity, &cpu, "mode", "system", since(p, &p->system_ticks, u.system_ticks) * tick_s);
    if (switched) {
        count(t, identity, &switches, "kind", "voluntary", since(p, &p->voluntary, u.voluntary));
        count(t, identity, &switches, "kind", "involuntary",
              since(p, &p->involuntary, u.involuntary));
    }
    p->resident_bytes = (double)u.resident_pages * (double)sysconf(_SC_PAGESIZE);
    p->open_fds = (double)u.open_fds;
    p->threads = (double)u.threads;
    p->read = true;
}

void proc_round(struct proc *p, struct stats_table *t, struct stats_identity *identity,
                uint32_t pid)
{
    gauge(t, identity, &processes, 1);
    if (pid && p->rounds++ % ASK_EVERY == 0)
        ask(p, t, identity, pid);
    if (!p->read)
        return;
    gauge(t, identity, &resident, p->resident_bytes);
    gauge(t, identity, &fds, p->open_fds);
    gauge(t, identity, &threads, p->threads);
}
