// SPDX-License-Identifier: Apache-2.0
/* What a span costs the collector: from an encoded batch to the head, and to a durable ledger
 * and the head, with one thread doing all of it. Prints medians of several rounds, each with a
 * fresh head and ledger.
 *
 *     bench_collector [directory for the ledger; default: the working directory]
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/workload.h"
#include "collector/accept/commit.h"
#include "collector/query/query.h"
#include "lib/base/clock.h"

enum { BATCHES = 300, SPANS_PER_BATCH = 2000, ROUNDS = 5, GROUP = 16 };

#define SPANS ((double)BATCHES * SPANS_PER_BATCH)
#define MIB   (1 << 20)

static struct buffer batches[BATCHES];

struct cost {
    double wall_ns, cpu_ns;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_collector: %s\n", what);
    exit(1);
}

static double encode_all(enum workload_kind kind)
{
    struct workload *w = workload_create(kind, 42, clock_unix_ns());
    struct batch_builder *b = batch_builder_create();
    uint64_t bytes = 0;
    if (!w || !b)
        die("no memory");
    for (unsigned i = 0; i < BATCHES; i++) {
        batch_builder_reset(b);
        workload_fill(w, b, SPANS_PER_BATCH);
        buffer_clear(&batches[i]);
        if (batch_encode(b, &batches[i]) != 0)
            die("no memory");
        bytes += batches[i].length;
    }
    batch_builder_destroy(&b);
    workload_destroy(&w);
    return (double)bytes / SPANS;
}

static struct cost now(void)
{
    return (struct cost){measure_wall_ns(), measure_cpu_ns()};
}

static struct cost since(struct cost began)
{
    struct cost ended = now();
    return (struct cost){(ended.wall_ns - began.wall_ns) / SPANS,
                         (ended.cpu_ns - began.cpu_ns) / SPANS};
}

/* ---- decode alone, and into the head ----------------------------------------------------- */

static struct cost decode_only(uint64_t memory, const char *directory)
{
    (void)memory;
    (void)directory;
    struct arena arena;
    int error;
    arena_init(&arena, MIB);
    struct cost began = now();
    for (unsigned i = 0; i < BATCHES; i++) {
        if (!batch_decode(&arena, batches[i].data, batches[i].length, 16 * MIB, &error))
            die(batch_error_text(error));
        if (arena.total_bytes > 8 * MIB)
            arena_reset(&arena);
    }
    struct cost cost = since(began);
    arena_fini(&arena);
    return cost;
}

static void remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    while (directory && (entry = readdir(directory)) != NULL)
        unlinkat(dirfd(directory), entry->d_name, 0);
    if (directory)
        closedir(directory);
    rmdir(path);
}

static struct store *open_store(uint64_t memory, const char *directory, char path[4096])
{
    char why[512];
    snprintf(path, 4096, "%s/bench-traces-XXXXXX", directory);
    if (!mkdtemp(path))
        die("the directory for segments cannot be made");
    struct store *store = store_open(
        &(struct store_options){.directory = path, .head_bytes = memory}, why, sizeof why);
    if (!store)
        die(why);
    return store;
}

static void close_store(struct store **store, const char *path)
{
    store_close(store);
    remove_directory(path);
}

static struct cost into_head(uint64_t memory, const char *directory)
{
    char path[4096];
    struct store *store = open_store(memory, directory, path);
    struct cost began = now();
    for (unsigned i = 0; i < BATCHES; i++) {
        struct store_staged staged;
        if (store_decode(store, NULL, batches[i].data, batches[i].length, 16 * MIB, &staged) ||
            store_insert(store, &staged, "box1", (struct journal_position){1, i + 1}))
            die("a batch was not taken");
    }
    struct cost cost = since(began);
    close_store(&store, path);
    return cost;
}

/* ---- durable and in the head ------------------------------------------------------------- */

static void settle(void *context, struct link_request *request, enum link_verdict verdict,
                   const char *text)
{
    (void)context;
    (void)request;
    if (verdict != LINK_ACCEPTED)
        die(text);
}

static void write_state(void *context, struct buffer *out)
{
    commit_write_state(context, out);
}

static void feed(struct commit *c)
{
    struct queued group[GROUP];
    for (unsigned i = 0; i < BATCHES;) {
        size_t count = 0;
        for (; count < GROUP && i < BATCHES; count++, i++) {
            struct link_request *r = &group[count].request;
            group[count].copy = false;
            group[count].kind = FRAME_BATCH;
            *r = (struct link_request){.type = LINK_BATCH,
                                       .agent = "box1",
                                       .sequence = {1, i + 1},
                                       .body = batches[i].data,
                                       .length = batches[i].length};
            if (dedupe_begin(c->parts.dedupe, r->agent, r->sequence, (struct link_sequence){0}) !=
                DEDUPE_NEW)
                die("a batch is not new");
        }
        commit_group(c, group, count);
    }
}

static struct cost durable(uint64_t memory, const char *directory)
{
    char path[4096], traces[4096], series[4096], why[512];
    snprintf(path, sizeof path, "%s/bench-ledger-XXXXXX", directory);
    if (!mkdtemp(path))
        die("the directory for the ledger cannot be made");
    struct freshness freshness;
    freshness_init(&freshness);
    snprintf(series, sizeof series, "%.4000s/series", path);
    struct stores stores;
    stores_init(&stores);
    stores.traces = open_store(memory, directory, traces);
    stores.series =
        series_store_open(&(struct series_store_options){.directory = series}, why, sizeof why);
    if (!stores.series)
        die(why);
    struct commit c;
    struct commit_parts parts = {
        .dedupe = dedupe_create(),
        .stores = &stores,
        .losses = losses_create(),
        .freshness = &freshness,
        .agents = agents_create(),
        .settle = settle,
    };
    commit_init(&c, &parts);
    struct ledger_options options = {.directory = path,
                                     .limit_bytes = 1 << 30,
                                     .segment_bytes = 16 * MIB,
                                     .write_state = write_state,
                                     .context = &c.parts};
    c.parts.ledger = ledger_open(&options, why, sizeof why);
    if (!c.parts.ledger)
        die(why);
    struct cost began = now();
    feed(&c);
    struct cost cost = since(began);
    ledger_close(&c.parts.ledger);
    series_store_close(&stores.series);
    close_store(&stores.traces, traces);
    stores_fini(&stores);
    dedupe_destroy(&c.parts.dedupe);
    losses_destroy(&c.parts.losses);
    agents_destroy(&c.parts.agents);
    freshness_fini(&freshness);
    remove_directory(path);
    return cost;
}

/* ---- the table --------------------------------------------------------------------------- */

static double row(const char *name, struct cost (*stage)(uint64_t, const char *), uint64_t memory,
                  const char *directory)
{
    double wall[ROUNDS], cpu[ROUNDS];
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct cost cost = stage(memory, directory);
        wall[i] = cost.wall_ns;
        cpu[i] = cost.cpu_ns;
    }
    double wall_ns = measure_quantile(wall, ROUNDS, 0.5);
    double cpu_ns = measure_quantile(cpu, ROUNDS, 0.5);
    printf("  %-34s %8.0f %10.0f %14.0f\n", name, wall_ns, cpu_ns, 1e9 / cpu_ns);
    return cpu_ns;
}

static double resident_mib(void)
{
    long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file || fscanf(file, "%ld %ld", &total, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / MIB;
}

/* What a span costs in memory until it is cut. */
static void memory_of_head(uint64_t limit, const char *directory)
{
    char path[4096];
    double before = resident_mib();
    struct store *store = open_store(limit, directory, path);
    struct store_stats stats;
    struct store_staged staged;
    for (unsigned i = 0; i < BATCHES; i++) {
        if (store_decode(store, NULL, batches[i].data, batches[i].length, 16 * MIB, &staged) == 0)
            store_insert(store, &staged, "box1", (struct journal_position){1, i + 1});
    }
    store_stats(store, &stats);
    printf("  head: counts %.0f MiB, resident +%.0f MiB, %.0f bytes a span\n",
           (double)stats.head_bytes / MIB, resident_mib() - before,
           (double)stats.head_bytes / (double)stats.head_spans);
    close_store(&store, path);
}

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : ".";
    uint64_t memory = (uint64_t)1024 * MIB; /* nothing is cut: bench_traces measures that */
    printf("collector: %d batches of %d spans, %d rounds, medians\n", BATCHES, SPANS_PER_BATCH,
           ROUNDS);
    for (int kind = 0; kind < WORKLOADS; kind++) {
        double bytes = encode_all((enum workload_kind)kind);
        printf("\n%s, %.1f bytes a span encoded\n", workload_name((enum workload_kind)kind), bytes);
        printf("  %-34s %8s %10s %14s\n", "", "ns/span", "CPU ns", "spans/s, core");
        row("decode", decode_only, memory, directory);
        row("decode, index in the head", into_head, memory, directory);
        double cpu_ns = row("the same, durable in the ledger", durable, memory, directory);
        printf("  budget: 1,000,000 spans/s per core: %s (%.0f %% of it)\n",
               cpu_ns <= 1000 ? "met" : "NOT met", cpu_ns / 10);
        memory_of_head(memory, directory);
    }
    for (unsigned i = 0; i < BATCHES; i++)
        buffer_fini(&batches[i]);
    return 0;
}
