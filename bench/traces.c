// SPDX-License-Identifier: Apache-2.0
/* The store beside its peers: both workloads, the same spans and the same questions to Weft, to
 * SQLite and to ClickHouse, one after the other, each in a process of its own.
 *
 *     bench_traces [directory for the data, on disk; default: the working directory]
 *
 * $WEFT_BENCH_SPANS: how many spans (10,000,000); $WEFT_BENCH_SQLITE_SPANS: how many of them
 * SQLite gets (1,000,000; more take it minutes); $WEFT_BENCH_PEERS: which peers, of "sqlite
 * clickhouse"; $WEFT_BENCH_WORKLOADS: which, of "dashboard eleven". */
#include "bench/traces/traces.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/log.h"

enum { SEED = 42 };

#define START_UNIX_NS UINT64_C(1763760000000000000)

/* Of the process that runs a side; what die() tells goes there. */
static struct side *telling;

void die(const char *format, ...)
{
    char why[sizeof telling->why];
    va_list list;
    va_start(list, format);
    vsnprintf(why, sizeof why, format, list);
    va_end(list);
    if (telling)
        memcpy(telling->why, why, sizeof why);
    else
        fprintf(stderr, "bench_traces: %s\n", why);
    fflush(NULL);
    _exit(1);
}

/* ---- files and memory -------------------------------------------------------------------- */

static int evict_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat;
    (void)ftw;
    int fd = type == FTW_F ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        fdatasync(fd);
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        close(fd);
    }
    return 0;
}

void evict(const char *path)
{
    nftw(path, evict_one, 16, FTW_PHYS);
}

static uint64_t counted_bytes;

static int count_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)path;
    (void)ftw;
    counted_bytes += type == FTW_F ? (uint64_t)stat->st_size : 0;
    return 0;
}

uint64_t bytes_below(const char *path)
{
    counted_bytes = 0;
    nftw(path, count_one, 16, FTW_PHYS);
    return counted_bytes;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat;
    (void)type;
    (void)ftw;
    remove(path);
    return 0;
}

void remove_below(const char *path)
{
    nftw(path, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

double memory_mib(int pid, const char *what)
{
    char path[64], line[256];
    double kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        size_t length = strlen(what);
        if (strncmp(line, what, length) == 0 && line[length] == ':')
            kib = strtod(line + length + 1, NULL);
    }
    if (file)
        fclose(file);
    return kib / 1024;
}

void peak_reset(int pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/clear_refs", pid);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "5", 1) != 1)
        fprintf(stderr, "bench_traces: %s: %s: peaks are those since the start\n", path,
                strerror(errno));
    if (fd >= 0)
        close(fd);
}

/* ---- sides ------------------------------------------------------------------------------- */

/* In a process of its own, with a directory of its own, which goes afterwards. */
static void run_side(const char *name, int (*run)(const struct input *in, struct side *side),
                     const struct input *of, const char *directory, struct side *side)
{
    char path[4096];
    struct input in = *of;
    snprintf(path, sizeof path, "%s/bench-traces-XXXXXX", directory);
    if (!mkdtemp(path))
        die("%s: %s", path, strerror(errno));
    in.directory = path;
    in.traces = input_count_traces(&in);
    fprintf(stderr, "%s: %s, %llu spans\n", workload_name(in.kind), name,
            (unsigned long long)in.spans);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        telling = side;
        _exit(run(&in, side) == 0 ? 0 : 1);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        die("a process cannot be started");
    if (WIFSIGNALED(status))
        snprintf(side->why, sizeof side->why, "killed by signal %d", WTERMSIG(status));
    remove_below(path);
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t number = text ? strtoull(text, NULL, 10) : otherwise;
    return number < 2000 ? 2000 : number - number % 2000;
}

static bool wanted(const char *variable, const char *name)
{
    const char *list = getenv(variable);
    return !list || strstr(list, name);
}

static void leave_out(struct side *side)
{
    snprintf(side->why, sizeof side->why, "not asked for");
}

static bool run_workload(enum workload_kind kind, const char *directory)
{
    enum { SIDES = 3 };
    struct side *sides = mmap(NULL, SIDES * sizeof *sides, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sides == MAP_FAILED)
        die("no memory");
    struct input in = {.kind = kind,
                       .spans = number_of("WEFT_BENCH_SPANS", 10000000),
                       .seed = SEED,
                       .start_unix_ns = START_UNIX_NS};
    in.step_ns = ((input_count_traces(&in) + 17) * 1000000 + 1000000000) / SERIES_STEPS + 1;
    run_side("Weft", run_weft, &in, directory, &sides[0]);
    struct input fewer = in;
    uint64_t sqlite_spans = number_of("WEFT_BENCH_SQLITE_SPANS", 1000000);
    fewer.spans = sqlite_spans < in.spans ? sqlite_spans : in.spans;
    if (wanted("WEFT_BENCH_PEERS", "sqlite"))
        run_side("SQLite", run_sqlite, &fewer, directory, &sides[1]);
    else
        leave_out(&sides[1]);
    if (wanted("WEFT_BENCH_PEERS", "clickhouse"))
        run_side("ClickHouse", run_clickhouse, &in, directory, &sides[2]);
    else
        leave_out(&sides[2]);
    bool there = sides[0].there;
    if (there)
        table_print(&in, &sides[0], &sides[1], &sides[2]);
    else
        fprintf(stderr, "bench_traces: %s: %s\n", workload_name(kind), sides[0].why);
    munmap(sides, SIDES * sizeof *sides);
    return there;
}

int main(int argc, char **argv)
{
    char directory[4096];
    if (!realpath(argc > 1 ? argv[1] : ".", directory))
        die("%s: %s", argv[1], strerror(errno));
    log_set_level(LOG_LEVEL_WARN);
    bool good = true;
    for (int kind = 0; kind < WORKLOADS; kind++) {
        if (wanted("WEFT_BENCH_WORKLOADS", workload_name((enum workload_kind)kind)))
            good = run_workload((enum workload_kind)kind, directory) && good;
    }
    return good ? 0 : 1;
}
