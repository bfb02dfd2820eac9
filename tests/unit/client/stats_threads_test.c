// SPDX-License-Identifier: Apache-2.0
/* Cells of threads that come and go, and that count while a reader takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "tests/unit/client/counting.h"

static void *count_some(void *context)
{
    (void)context;
    weft_counter_add(WEFT_COUNTER("threads_total"), 5);
    weft_histogram_record(WEFT_HISTOGRAM("threads_values"), 3);
    weft_gauge_add(WEFT_GAUGE("threads_gauge"), 1);
    return NULL;
}

static uint64_t chunks(void)
{
    struct slab_stats header;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", fixture_directory, fixture_file(0));
    int fd = open(path, O_RDONLY);
    ssize_t n = pread(fd, &header, sizeof header, (off_t)slab_reader_file(reader)->stats_offset);
    close(fd);
    assert_int_equal(n, sizeof header);
    return atomic_load(&header.chunk_count);
}

static void cells_outlive_their_thread_and_the_next_one_goes_on_with_them(void **state)
{
    (void)state;
    in_another_thread(count_some, NULL);
    uint64_t before = chunks();
    for (int i = 0; i < 20; i++)
        in_another_thread(count_some, NULL);
    assert_int_equal(chunks(), before);
    assert_int_equal(take("threads_total")->count, 105);
    assert_int_equal(take("threads_values")->histogram.count, 21);
    assert_true(take("threads_gauge")->value == 21);
}

static pthread_key_t late_key;

static void count_late(void *value)
{
    (void)value;
    weft_counter_add(WEFT_COUNTER("late_total"), 1);
}

static void *leave_late(void *context)
{
    (void)context;
    pthread_setspecific(late_key, "late");
    weft_counter_add(WEFT_COUNTER("late_total"), 1);
    return NULL;
}

static void counting_in_a_threads_last_moments_is_counted(void **state)
{
    (void)state;
    pthread_key_create(&late_key, count_late);
    for (int i = 0; i < 5; i++)
        in_another_thread(leave_late, NULL);
    assert_int_equal(take("late_total")->count, 10);
}

enum { THREADS = 3, UPDATES = 60000 };
static _Atomic int running, takes;

/* Until one has begun and ended. */
static void await_a_take(void)
{
    int before = atomic_load(&takes);
    while (atomic_load(&takes) < before + 2)
        sched_yield();
}

static void *update_much(void *context)
{
    uint64_t seed = (uint64_t)(uintptr_t)context;
    for (int i = 0; i < UPDATES; i++) {
        weft_counter_add(WEFT_COUNTER("much_total"), 1);
        weft_gauge_add(WEFT_GAUGE("much_gauge"), i % 2 ? 1 : 2);
        weft_histogram_record(WEFT_HISTOGRAM("much"), random_value(&seed, 1 + i / 1000));
        weft_gauge_set(WEFT_GAUGE("much_set"), i);
        if (i == UPDATES / 2)
            await_a_take();
    }
    atomic_fetch_sub(&running, 1);
    return NULL;
}

/* Histograms are downscaled on the way, and taken while they are. */
static void everything_is_taken_once_while_threads_count(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    atomic_store(&running, THREADS);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, update_much, (void *)(i + 1));
    while (atomic_load(&running)) {
        assert_int_equal(tallies_take(reader, tallies), SLAB_OK);
        atomic_fetch_add(&takes, 1);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(take("much_total")->count, THREADS * UPDATES);
    assert_int_equal(take("much")->histogram.count, THREADS * UPDATES);
    assert_true(take("much_gauge")->value == THREADS * UPDATES * 1.5);
    assert_true(take("much_set")->value == UPDATES - 1);
    assert_true(take("much_total")->visits > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, forget)
        TEST(cells_outlive_their_thread_and_the_next_one_goes_on_with_them),
        TEST(counting_in_a_threads_last_moments_is_counted),
        TEST(everything_is_taken_once_while_threads_count),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
