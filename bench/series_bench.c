// SPDX-License-Identifier: Apache-2.0
/* What the series store costs, on one thread's clock:
 *
 *     bench_series [SERIES [MINUTES]]       default 100,000 series, 120 minutes at 15 s
 *
 * Series have eight labels; a fifth each are counters that grow by a noisy rate, counters of whole
 * steps, gauges with two decimals, gauges that seldom change, and gauges of any bits' doubles
 * (a random walk, which no format can shrink much). Requests are as remote write has them: one
 * sample of each series, with its labels. Then the head is cut, blocks are merged, and questions
 * are asked. Histograms are a store of their own. Seeded: every run has the same samples. */
#include <dirent.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/measure.h"
#include "collector/series/chunk/chunk.h"
#include "collector/series/store.h"

enum { LABELS = 8, STEP_MS = 15000, KINDS = 5, CHUNK = 480, BUCKETS = 40 };
#define BASE_MS INT64_C(1763760000000)
#define GIB     (UINT64_C(1) << 30)

struct made { /* a series */
    struct label items[LABELS];
    struct labels labels;
    char text[160];
    double value;
};

static uint64_t seed = 1;

static uint64_t random_next(void)
{
    uint64_t x = seed += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static double random_unit(void)
{
    return (double)(random_next() >> 11) / 9007199254740992.0;
}

static void fail(const char *what)
{
    fprintf(stderr, "bench_series: %s\n", what);
    exit(1);
}

__attribute__((format(printf, 5, 6))) static void
put_label(struct made *m, int i, char **to, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(*to, (size_t)(m->text + sizeof m->text - *to), format, args);
    va_end(args);
    m->items[i].name = (struct batch_str){name, (uint32_t)strlen(name)};
    m->items[i].value = (struct batch_str){*to, (uint32_t)n};
    *to += n;
}

/* 100 series on each pod, 20 pods of a service on each node. */
static void make_series(struct made *m, unsigned i)
{
    static const char *const metrics[] = {"http_requests_total", "jobs_done_total",
                                          "temperature_celsius", "replicas", "load"};
    char *to = m->text;
    unsigned pod = i / 100;
    put_label(m, 0, &to, "__name__", "%s_%u", metrics[i % KINDS], i % 100 / KINDS);
    put_label(m, 1, &to, "cell", "cell-%u", pod / 1000);
    put_label(m, 2, &to, "code", "%u", 200 + i % 100 / 25);
    put_label(m, 3, &to, "instance", "10.0.0.%u:9100", pod);
    put_label(m, 4, &to, "job", "service-%u", pod % 50);
    put_label(m, 5, &to, "node", "node-%u", pod / 20);
    put_label(m, 6, &to, "pod", "pod-%08x", pod * 2654435761U);
    put_label(m, 7, &to, "version", "1.%u.0", pod % 3);
    m->labels = (struct labels){m->items, LABELS};
}

static double next_value(unsigned kind, double value)
{
    switch (kind) {
    case 0:
        return value + floor(1000 + 60 * (random_unit() + random_unit() - 1));
    case 1:
        return value + (double)(random_next() % 4);
    case 2:
        return round((20 + fmod(value * 0.9 + random_unit(), 5)) * 100) / 100;
    case 3:
        return random_next() % 100 ? value : (double)(random_next() % 10);
    default:
        return value * 0.99 + random_unit();
    }
}

/* ---- a store ----------------------------------------------------------------------------- */

static char directory[64];
static uint64_t batches;

static struct series_store *open_store(const char *in, uint64_t cut_after_ns)
{
    char why[300];
    if (!directory[0]) {
        snprintf(directory, sizeof directory, "%s/weft-bench-series-XXXXXX", in);
        if (!mkdtemp(directory))
            fail("no directory");
    }
    struct series_store_options o = {
        .directory = directory, .head_bytes = 8 * GIB, .cut_after_ns = cut_after_ns};
    struct series_store *s = series_store_open(&o, why, sizeof why);
    if (!s)
        fail(why);
    return s;
}

static void remove_store(struct series_store **s)
{
    series_store_close(s);
    DIR *d = opendir(directory);
    struct dirent *e;
    while (d && (e = readdir(d)) != NULL)
        unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    rmdir(directory);
    directory[0] = '\0';
}

static void begin(struct series_store *s)
{
    struct journal_position end = {1, ++batches};
    if (series_store_begin(s, end) != 0)
        fail("no memory");
}

static void rest(struct series_store *s, struct series_stats *stats)
{
    do {
        usleep(1000);
        series_store_stats(s, stats);
    } while (stats->head_samples > 0);
}

static double now_s(void)
{
    return measure_wall_ns() / 1e9;
}

/* ---- floats ------------------------------------------------------------------------------ */

static void append_all(struct series_store *s, struct made *list, unsigned count, int64_t unix_ms,
                       double *resolve_ns, double *append_ns)
{
    double *values = malloc(count * sizeof *values);
    series_ref *refs = malloc(count * sizeof *refs);
    for (unsigned i = 0; i < count; i++)
        values[i] = list[i].value = next_value(i % KINDS, list[i].value);
    begin(s);
    double t0 = measure_wall_ns();
    for (unsigned i = 0; i < count; i++)
        refs[i] = series_store_resolve(s, &list[i].labels, NULL);
    double t1 = measure_wall_ns();
    for (unsigned i = 0; i < count; i++) {
        struct series_sample sample = {.unix_ms = unix_ms, .value = values[i]};
        if (series_store_append(s, refs[i], &sample) != SERIES_TAKEN)
            fail("refused");
    }
    double t2 = measure_wall_ns();
    series_store_commit(s);
    *resolve_ns += t1 - t0;
    *append_ns += t2 - t1;
    free(values);
    free(refs);
}

static void ask(struct series_store *s, const char *name, struct matcher m, int64_t from_ms,
                int64_t to_ms)
{
    const struct series_source *source = series_store_source(s);
    struct series_selection selection;
    struct points p;
    uint64_t samples = 0;
    points_init(&p);
    double t0 = measure_wall_ns();
    if (source->select(source->context, &m, 1, from_ms, to_ms, &selection) != 0)
        fail("select");
    double t1 = measure_wall_ns();
    for (size_t i = 0; i < selection.count; i++) {
        if (source->read(source->context, &selection, i, from_ms, to_ms, &p) != 0)
            fail("read");
        samples += p.count;
    }
    double t2 = measure_wall_ns();
    printf("  %-34s %7zu series %9.2f ms select %9.2f ms read %6.1f ns/sample\n", name,
           selection.count, (t1 - t0) / 1e6, (t2 - t1) / 1e6,
           samples ? (t2 - t1) / (double)samples : 0);
    source->close(source->context, &selection);
    points_fini(&p);
}

static struct matcher equal(const char *name, const char *value)
{
    return (struct matcher){
        MATCH_EQUAL, {name, (uint32_t)strlen(name)}, {value, (uint32_t)strlen(value)}, NULL};
}

static void ask_all(struct series_store *s, const char *where, int64_t to_ms)
{
    char why[100];
    struct matcher regex = {MATCH_REGEX, {"pod", 3}, {"pod-.*7", 7}, NULL};
    regex.regex = regex_create(regex.value.bytes, regex.value.length, why, sizeof why);
    printf("questions, %s\n", where);
    ask(s, "one metric", equal("__name__", "http_requests_total_0"), BASE_MS, to_ms);
    ask(s, "one pod", equal("pod", "pod-00000000"), BASE_MS, to_ms);
    ask(s, "pod=~\"pod-.*7\", five minutes", regex, to_ms - 300000, to_ms);
    regex_destroy((struct regex **)&regex.regex);
}

/* ---- chunks ------------------------------------------------------------------------------ */

static void chunk_costs(const char *name, const struct points *p, size_t runs)
{
    struct column out = {0};
    struct points again;
    points_init(&again);
    double t0 = measure_wall_ns();
    for (size_t i = 0; i < runs; i++) {
        out.length = 0;
        chunk_put(p, 0, &out);
    }
    double t1 = measure_wall_ns();
    for (size_t i = 0; i < runs; i++) {
        points_clear(&again);
        if (chunk_get(out.bytes, out.length, INT64_MIN, INT64_MAX, &again) != CHUNK_OK)
            fail("chunk");
    }
    double t2 = measure_wall_ns(), samples = (double)(runs * p->count);
    printf("  %-34s %8.3f bytes/sample %8.1f ns to write %8.1f ns to read\n", name,
           (double)out.length / (double)p->count, (t1 - t0) / samples, (t2 - t1) / samples);
    points_fini(&again);
    column_fini(&out);
}

static void float_chunks(void)
{
    static const char *const names[KINDS] = {"counter, 1,000 a step, noise 60",
                                             "counter, 0 to 3 a step", "gauge, two decimals",
                                             "gauge, seldom changes", "gauge, all bits"};
    struct points p;
    points_init(&p);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        double value = 0;
        points_clear(&p);
        for (int i = 0; i < CHUNK; i++)
            points_add(&p, BASE_MS + (int64_t)i * STEP_MS, value = next_value(kind, value), NULL);
        chunk_costs(names[kind], &p, 2000);
    }
    points_fini(&p);
}

/* Log-normal durations, 200 a step. */
static void histogram_chunks(void)
{
    struct points p;
    double counts[BUCKETS] = {0}, sum = 0, total = 0;
    points_init(&p);
    for (int i = 0; i < CHUNK; i++) {
        struct histogram *h = arena_calloc(&p.histograms, 1, sizeof *h);
        for (int k = 0; k < 200; k++) {
            double x = 0;
            for (int n = 0; n < 12; n++)
                x += random_unit();
            int bucket = (int)(BUCKETS / 2 + (x - 6) * 5);
            counts[bucket < 0 ? 0 : bucket >= BUCKETS ? BUCKETS - 1 : bucket]++;
            sum += exp((x - 6) / 2);
            total++;
        }
        h->schema = 3;
        h->count = total;
        h->sum = sum;
        h->positive.index = arena_alloc(&p.histograms, BUCKETS * 4);
        h->positive.value = arena_alloc(&p.histograms, BUCKETS * 8);
        for (int b = 0; b < BUCKETS; b++) {
            h->positive.index[b] = b;
            h->positive.value[b] = counts[b];
        }
        h->positive.count = BUCKETS;
        points_add(&p, BASE_MS + (int64_t)i * STEP_MS, sum, h);
    }
    chunk_costs("histogram, 40 buckets, 200 a step", &p, 20);
    points_fini(&p);
}

/* ---- the whole --------------------------------------------------------------------------- */

static void report_head(struct series_store *s, unsigned count, unsigned steps, double resolve_ns,
                        double append_ns, double first_ns)
{
    struct series_stats stats;
    double samples = (double)count * steps;
    series_store_stats(s, &stats);
    printf("head: %u series, %u samples of each, eight labels\n", count, steps);
    printf("  %-34s %8.0f ns\n", "a new series", first_ns / count);
    printf("  %-34s %8.0f ns\n", "labels to series", resolve_ns / (samples - count));
    printf("  %-34s %8.0f ns\n", "a sample by reference", append_ns / samples);
    printf("  %-34s %8.2f M/s\n", "samples with their labels",
           1e3 / (resolve_ns / (samples - count) + append_ns / samples));
    printf("  %-34s %8.0f bytes\n", "index, per series", (double)stats.head_index_bytes / count);
    printf("  %-34s %8.0f bytes\n", "chunks, per series", (double)stats.head_chunk_bytes / count);
    printf("  %-34s %8.2f bytes\n", "chunks, per sample", (double)stats.head_chunk_bytes / samples);
}

static void report_blocks(const char *what, struct series_store *s, double seconds)
{
    struct series_stats stats;
    series_store_stats(s, &stats);
    printf("  %-34s %8.2f s %8.1f ns/sample %6.3f bytes/sample in %llu blocks\n", what, seconds,
           seconds * 1e9 / (double)stats.block_samples,
           (double)stats.block_bytes / (double)stats.block_samples,
           (unsigned long long)stats.blocks);
}

/* Twenty minutes become a block, and all are merged at the end: the two hours are over then. */
static void run(unsigned count, unsigned minutes)
{
    double resolve_ns = 0, append_ns = 0, first_ns = 0, cut_s = 0;
    struct series_stats stats;
    struct made *list = calloc(count, sizeof *list);
    struct series_store *s = open_store("/tmp", 0);
    if (!list)
        fail("no memory");
    for (unsigned i = 0; i < count; i++)
        make_series(&list[i], i);
    unsigned steps = minutes * 60000 / STEP_MS, cut_steps = 20 * 60000 / STEP_MS;
    for (unsigned t = 0; t < steps; t++) {
        append_all(s, list, count, BASE_MS + (int64_t)t * STEP_MS, t ? &resolve_ns : &first_ns,
                   &append_ns);
        if (t + 1 == cut_steps)
            report_head(s, count, cut_steps, resolve_ns, append_ns, first_ns);
        if ((t + 1) % cut_steps != 0)
            continue;
        double t0 = now_s();
        series_store_seal(s);
        rest(s, &stats);
        cut_s += now_s() - t0;
    }
    int64_t end_ms = BASE_MS + (int64_t)steps * STEP_MS;
    printf("blocks\n");
    report_blocks("cut", s, cut_s);
    ask_all(s, "blocks of twenty minutes", end_ms);
    double t0 = now_s();
    append_all(s, list, count, BASE_MS + 7200000 * 2, &resolve_ns, &append_ns);
    series_store_seal(s);
    do {
        rest(s, &stats);
    } while (stats.blocks > 2);
    report_blocks("merged", s, now_s() - t0);
    ask_all(s, "merged", end_ms);
    remove_store(&s);
    free(list);
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 100000;
    unsigned minutes = argc > 2 ? (unsigned)atoi(argv[2]) : 120;
    printf("chunks of %d samples\n", (int)CHUNK);
    float_chunks();
    histogram_chunks();
    run(count, minutes);
    return 0;
}
