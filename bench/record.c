// SPDX-License-Identifier: Apache-2.0
/* What recording costs the service: nanoseconds per span, begin to end.
 *
 *     tight   spans back to back, into a ring that a reader keeps empty
 *     paced   a span every 20 µs, the pause spent elsewhere in the cache
 *     cold    as paced, with the caches swept clean before each span
 *
 * The floor is two reads of the clock, which a span cannot do without. Each figure is the
 * median of many runs; the reader works between them, on the same core, outside the time.
 */
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/connection.h"
#include "bench/measure.h"
#include "bench/slabs.h"
#include "lib/ring/slab_reader.h"
#include "lib/ring/ticks.h"
#include "weft/weft.h"

enum { RUNS = 201, SPANS = 1000 };

static struct slab_reader *reader;
static volatile uint64_t sink;
static int connection;

static void ignore(void *context, const struct slab_record *record)
{
    (void)context;
    sink += record->used;
}

static void empty_rings(void)
{
    bool more;
    if (slab_sweep(reader, ignore, NULL, SIZE_MAX, &more) != SLAB_OK) {
        fprintf(stderr, "record: the slab is damaged\n");
        exit(1);
    }
    slab_release(reader);
}

/* ---- what is measured -------------------------------------------------------------------- */

static void two_clock_reads(int i)
{
    (void)i;
    uint64_t a = ticks_now(SLAB_CLOCK_TSC);
    __asm__ volatile("" : "+r"(a));
    a = ticks_now(SLAB_CLOCK_TSC);
    __asm__ volatile("" : "+r"(a));
}

static void two_clock_gettimes(int i)
{
    (void)i;
    sink += ticks_now(SLAB_CLOCK_MONOTONIC);
    sink += ticks_now(SLAB_CLOCK_MONOTONIC);
}

static void bare(int i)
{
    (void)i;
    weft_end(weft_begin(WEFT_NAME("bare"), WEFT_INTERNAL));
}

static void with_2(int i)
{
    weft_span span = weft_begin(WEFT_NAME("GET /dashboard"), WEFT_SERVER);
    weft_set_int(span, WEFT_NAME("user.id"), i);
    weft_set_string_n(span, WEFT_NAME("http.route"), "/dashboard", 10);
    weft_end(span);
}

static void with_10(int i)
{
    weft_span span = weft_begin(WEFT_NAME("GET /dashboard"), WEFT_SERVER);
    weft_set_int(span, WEFT_NAME("user.id"), i);
    weft_set_string_n(span, WEFT_NAME("http.route"), "/dashboard", 10);
    weft_set_int(span, WEFT_NAME("http.response.status_code"), 200);
    weft_set_string_n(span, WEFT_NAME("http.request.method"), "GET", 3);
    weft_set_bool(span, WEFT_NAME("cache.hit"), i & 1);
    weft_set_double(span, WEFT_NAME("score"), 0.5 * i);
    weft_set_int(span, WEFT_NAME("posts"), 20);
    weft_set_string_n(span, WEFT_NAME("client.region"), "us-east", 7);
    weft_set_int(span, WEFT_NAME("bytes"), 48123);
    weft_set_string_n(span, WEFT_NAME("db.system"), "memcached", 9);
    weft_end(span);
}

/* Four levels deep, as a request is: the figure is for each of the four spans. */
static void nested(int i)
{
    weft_span a = weft_begin(WEFT_NAME("a"), WEFT_SERVER);
    weft_span b = weft_begin(WEFT_NAME("b"), WEFT_INTERNAL);
    weft_span c = weft_begin(WEFT_NAME("c"), WEFT_CLIENT);
    weft_span d = weft_begin(WEFT_NAME("d"), WEFT_INTERNAL);
    weft_set_int(d, WEFT_NAME("user.id"), i);
    weft_end(d);
    weft_end(c);
    weft_end(b);
    weft_end(a);
}

static void one_cookie(int i)
{
    uint64_t cookie = 0;
    socklen_t bytes = sizeof cookie;
    (void)i;
    sink += (uint64_t)getsockopt(connection, SOL_SOCKET, SO_COOKIE, &cookie, &bytes) + cookie;
}

static void with_peer(int i)
{
    (void)i;
    weft_span span = weft_begin(WEFT_NAME("bare"), WEFT_CLIENT);
    weft_span_peer(span, connection);
    weft_end(span);
}

/* ---- how it is measured ------------------------------------------------------------------ */

/* Not inlined into the loop as a call: the loop is a template. */
#define DEFINE_TIGHT(what)                                                                         \
    static double tight_##what(void)                                                               \
    {                                                                                              \
        double start = measure_wall_ns();                                                          \
        for (int i = 0; i < SPANS; i++)                                                            \
            what(i);                                                                               \
        return (measure_wall_ns() - start) / SPANS;                                                \
    }
DEFINE_TIGHT(two_clock_reads)
DEFINE_TIGHT(two_clock_gettimes)
DEFINE_TIGHT(bare)
DEFINE_TIGHT(with_2)
DEFINE_TIGHT(with_10)
DEFINE_TIGHT(nested)
DEFINE_TIGHT(one_cookie)
DEFINE_TIGHT(with_peer)

static double median_tight(double (*run)(void))
{
    double values[RUNS];
    run();
    empty_rings();
    for (int i = 0; i < RUNS; i++) {
        values[i] = run();
        empty_rings();
    }
    return measure_quantile(values, RUNS, 0.5);
}

static char *elsewhere; /* 64 MiB: more than any cache level of one core */
enum { ELSEWHERE = 64 << 20 };

static void spend(double ns, size_t bytes, uint64_t *at)
{
    double until = measure_wall_ns() + ns;
    size_t done = 0;
    while (measure_wall_ns() < until || done < bytes)
        for (int i = 0; i < 64; i++, done += 64) {
            *at = (*at + 64) % ELSEWHERE;
            elsewhere[*at]++;
        }
}

/* Single spans with pauses between: timed by the clock of spans itself, less what that costs. */
static double median_paced(void (*what)(int), double pause_ns, size_t dirty_bytes, int count)
{
    double *values = malloc((size_t)count * sizeof *values);
    uint64_t at = 0;
    struct timespec t;
    double start_ns = measure_wall_ns();
    uint64_t start_ticks = ticks_now(SLAB_CLOCK_TSC);
    for (int i = 0; i < count; i++) {
        spend(pause_ns, dirty_bytes, &at);
        uint64_t before = ticks_now(SLAB_CLOCK_TSC);
        what(i);
        uint64_t after = ticks_now(SLAB_CLOCK_TSC);
        values[i] = (double)(after - before);
        if (i % 512 == 511)
            empty_rings();
    }
    clock_gettime(CLOCK_MONOTONIC, &t);
    double ns_per_tick =
        (measure_wall_ns() - start_ns) / (double)(ticks_now(SLAB_CLOCK_TSC) - start_ticks);
    double median = measure_quantile(values, (size_t)count, 0.5) * ns_per_tick;
    free(values);
    return median;
}

struct thread_run {
    double ns;
};

static pthread_barrier_t barrier;

static void *two_thread_body(void *context)
{
    struct thread_run *run = context;
    tight_with_2();
    for (int i = 0; i < RUNS; i++) {
        pthread_barrier_wait(&barrier);
        double ns = tight_with_2();
        if (i == 0 || ns < run->ns)
            run->ns = ns;
        pthread_barrier_wait(&barrier); /* the main thread empties the rings */
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

/* The best run of each thread, the mean of the two: on a shared machine the median of two
 * threads tells more of the neighbours than of us. */
static double from_two_threads(void)
{
    struct thread_run runs[2] = {{0}, {0}};
    pthread_t threads[2];
    pthread_barrier_init(&barrier, NULL, 3);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, two_thread_body, &runs[i]);
    for (int i = 0; i < RUNS; i++) {
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        empty_rings();
        pthread_barrier_wait(&barrier);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return (runs[0].ns + runs[1].ns) / 2;
}

/* ---- set-up and table -------------------------------------------------------------------- */

static void row(const char *what, double ns, double floor, const char *budget)
{
    printf("%-44s %8.1f ns  %6.2f x  %s\n", what, ns, ns / floor, budget);
}

int main(void)
{
    char directory[] = SLABS_DIRECTORY;
    slabs_make(directory);
    bare(0);
    reader = slabs_open(directory);
    elsewhere = calloc(1, ELSEWHERE);
    connection = connection_make();

    double floor = median_tight(tight_two_clock_reads);
    printf("%-44s %11s  %8s  %s\n", "a span, begin to end", "median", "of floor", "budget");
    row("two clock reads (rdtsc): the floor", floor, floor, "");
    row("two clock_gettime", median_tight(tight_two_clock_gettimes), floor, "");
    row("no attributes, tight", median_tight(tight_bare), floor, "");
    row("2 attributes, tight", median_tight(tight_with_2), floor, "40 ns");
    row("10 attributes, tight", median_tight(tight_with_10), floor, "70 ns");
    row("no attributes, its connection, tight", median_tight(tight_with_peer), floor, "");
    row("getsockopt, SO_COOKIE: what that adds least", median_tight(tight_one_cookie), floor, "");
    row("nested four deep, tight, each", median_tight(tight_nested) / 4, floor, "");
    row("2 attributes, tight, two threads (best)", from_two_threads(), floor, "40 ns");
    row("clock reads, paced 20 us: its floor", median_paced(two_clock_reads, 20e3, 0, 4000), floor,
        "");
    row("2 attributes, paced 20 us", median_paced(with_2, 20e3, 0, 4000), floor, "");
    row("2 attributes, cold caches", median_paced(with_2, 0, ELSEWHERE / 16, 400), floor, "");
    slab_set_recording(reader, SLAB_RECORDING_OFF);
    row("recording off, 2 attributes", median_tight(tight_with_2), floor, "2 ns");
    row("recording off, 10 attributes", median_tight(tight_with_10), floor, "");

    struct weft_losses losses;
    weft_get_losses(&losses);
    printf("lost: %llu ring full, %llu no slot\n", (unsigned long long)losses.ring_full,
           (unsigned long long)losses.no_slot);
    slab_reader_close(&reader);
    slabs_remove(directory);
    free(elsewhere);
    return 0;
}
