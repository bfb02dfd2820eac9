// SPDX-License-Identifier: Apache-2.0
/* What statistics cost the service: nanoseconds per update, on one thread and on two at once,
 * beside what nothing of the kind can be cheaper than (a plain store; reading the clock), and
 * beside the usual ways: an atomic addition to a shared word, a mutex around a histogram of fixed
 * buckets.
 *
 * Each figure is the median of many runs; of two threads, each on a processor of its own, the mean
 * of both. */
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/slabs.h"
#include "lib/ring/slab_stats_reader.h"
#include "lib/ring/ticks.h"
#include "weft/weft.h"

enum { RUNS = 201, UPDATES = 10000, VALUES = 1024, FIXED = 64 };

static double values[VALUES]; /* latencies in milliseconds: log-normal, half of them below 20 */

/* ---- what is measured -------------------------------------------------------------------- */

static _Alignas(64) uint64_t words[2][8];
static __thread uint64_t *word = words[0];
static _Alignas(64) _Atomic uint64_t shared_word;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static double bounds[FIXED];
static uint64_t counts[FIXED + 1];
static double sum;

static inline void plain_store(int i)
{
    (void)i;
    uint64_t *own = word;
    __asm__ volatile("" : "+r"(own));
    __atomic_store_n(own, __atomic_load_n(own, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}

static inline void clock_twice(int i)
{
    (void)i;
    for (int k = 0; k < 2; k++) {
        uint64_t ticks = ticks_now(SLAB_CLOCK_TSC);
        __asm__ volatile("" : "+r"(ticks));
    }
}

static inline void atomic_add(int i)
{
    (void)i;
    atomic_fetch_add_explicit(&shared_word, 1, memory_order_relaxed);
}

static inline void mutex_histogram(int i)
{
    double value = values[i % VALUES];
    int low = 0, high = FIXED;
    while (low < high) {
        int middle = (low + high) / 2;
        if (value > bounds[middle])
            low = middle + 1;
        else
            high = middle;
    }
    pthread_mutex_lock(&mutex);
    counts[low]++;
    sum += value;
    pthread_mutex_unlock(&mutex);
}

static inline void counter_add(int i)
{
    (void)i;
    weft_counter_add(WEFT_COUNTER("requests_total", "route", "/dashboard"), 1);
}

static inline void gauge_set(int i)
{
    weft_gauge_set(WEFT_GAUGE("queue_length"), i);
}

static inline void gauge_add(int i)
{
    weft_gauge_add(WEFT_GAUGE("open_connections"), i & 1 ? 1 : -1);
}

static inline void histogram_record(int i)
{
    weft_histogram_record(WEFT_HISTOGRAM("latency_ms", "route", "/dashboard"), values[i % VALUES]);
}

static inline void timed_block(int i)
{
    (void)i;
    WEFT_TIME("timed_ms") {}
}

/* ---- how it is measured ------------------------------------------------------------------ */

/* Not a call for each update: the loop is a template. */
#define DEFINE_RUN(what)                                                                           \
    static double run_##what(void)                                                                 \
    {                                                                                              \
        double start_ns = measure_wall_ns();                                                       \
        for (int i = 0; i < UPDATES; i++)                                                          \
            what(i);                                                                               \
        return (measure_wall_ns() - start_ns) / UPDATES;                                           \
    }
DEFINE_RUN(plain_store)
DEFINE_RUN(clock_twice)
DEFINE_RUN(atomic_add)
DEFINE_RUN(mutex_histogram)
DEFINE_RUN(counter_add)
DEFINE_RUN(gauge_set)
DEFINE_RUN(gauge_add)
DEFINE_RUN(histogram_record)
DEFINE_RUN(timed_block)

static double median(double (*run)(void))
{
    double results[RUNS];
    run();
    for (int i = 0; i < RUNS; i++)
        results[i] = run();
    return measure_quantile(results, RUNS, 0.5);
}

struct beside {
    pthread_barrier_t *both;
    double (*run)(void);
    int index;
    double ns;
};

static void *run_beside(void *context)
{
    struct beside *b = context;
    cpu_set_t processor;
    CPU_ZERO(&processor);
    CPU_SET(b->index, &processor);
    pthread_setaffinity_np(pthread_self(), sizeof processor, &processor); /* as far as it goes */
    word = words[b->index];
    b->run();
    pthread_barrier_wait(b->both);
    b->ns = median(b->run);
    return NULL;
}

static double median_of_two_threads(double (*run)(void))
{
    pthread_barrier_t both;
    pthread_t threads[2];
    struct beside beside[2] = {{&both, run, 0, 0}, {&both, run, 1, 0}};
    pthread_barrier_init(&both, NULL, 2);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, run_beside, &beside[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&both);
    return (beside[0].ns + beside[1].ns) / 2;
}

static double floor_ns;

static void row(const char *what, double (*run)(void), const char *budget)
{
    double one = median(run), two = median_of_two_threads(run);
    printf("%-44s %7.1f ns  %7.1f ns  %7.1f x  %s\n", what, one, two, one / floor_ns, budget);
}

/* ---- set-up ------------------------------------------------------------------------------ */

static void make_values(void)
{
    uint64_t seed = 1;
    for (int i = 0; i < VALUES; i++) {
        double normal = -6;
        for (int k = 0; k < 12; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            normal += (double)(seed >> 11) * 0x1p-53;
        }
        values[i] = 20 * exp(normal);
    }
    for (int i = 0; i < FIXED; i++)
        bounds[i] = 0.1 * pow(1.25, i);
}

static void ignore(void *context, const struct slab_stat *stat)
{
    uint64_t *visits = context;
    *visits += stat->delta > 0;
}

int main(void)
{
    char directory[] = SLABS_DIRECTORY;
    slabs_make(directory);
    make_values();
    counter_add(0);
    struct slab_reader *reader = slabs_open(directory);

    floor_ns = median(run_plain_store);
    printf("%-44s %10s  %10s  %9s  %s\n", "an update", "one thread", "two", "of floor", "budget");
    row("a load, an addition, a store: the floor", run_plain_store, "");
    row("weft_counter_add", run_counter_add, "2 ns");
    row("weft_gauge_set", run_gauge_set, "");
    row("weft_gauge_add", run_gauge_add, "");
    row("weft_histogram_record", run_histogram_record, "4 ns");
    row("WEFT_TIME of an empty block", run_timed_block, "");
    row("two clock reads (rdtsc): its floor", run_clock_twice, "");
    row("atomic addition to a shared word", run_atomic_add, "");
    row("a mutex, a histogram of 64 fixed buckets", run_mutex_histogram, "");

    struct weft_losses losses;
    uint64_t visits = 0;
    weft_get_losses(&losses);
    double start_ns = measure_wall_ns();
    enum slab_error error = slab_stats_take(reader, ignore, &visits);
    printf("a take of all of it by the agent: %.0f us (%s); lost: %llu\n",
           (measure_wall_ns() - start_ns) / 1e3, slab_error_text(error),
           (unsigned long long)losses.stats_no_room);
    slab_reader_close(&reader);
    slabs_remove(directory);
    return 0;
}
