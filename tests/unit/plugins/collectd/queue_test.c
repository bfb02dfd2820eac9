// SPDX-License-Identifier: Apache-2.0
#include "plugins/collectd/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "plugins/collectd/sums.h"

enum { LIMIT = 8, FOREVER_MS = 60000 };

static int setup(void **state)
{
    *state = queue_create(LIMIT);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct queue *q = *state;
    queue_destroy(&q);
    return 0;
}

static void put(struct queue *q, int number)
{
    struct series_name name = {.metric = "m"};
    queue_put(q, entry_sample(&name, false, 1, number));
}

static int take(struct queue *q)
{
    struct entry *e = queue_take(q);
    int number = e ? (int)e->value : -1;
    free(e);
    return number;
}

static struct queue_counts counts(struct queue *q)
{
    struct queue_counts c;
    queue_counts(q, &c);
    return c;
}

static int64_t deadline(void)
{
    return clock_monotonic_ms() + FOREVER_MS;
}

static void entries_leave_in_their_order(void **state)
{
    struct queue *q = *state;
    assert_int_equal(take(q), -1);
    for (int i = 0; i < LIMIT; i++)
        put(q, i);
    for (int i = 0; i < LIMIT; i++)
        assert_int_equal(take(q), i);
    assert_int_equal(take(q), -1);
    assert_int_equal(counts(q).waiting, LIMIT); /* not settled */
    queue_settle(q, LIMIT, false);
    assert_int_equal(counts(q).waiting, 0);
    assert_int_equal(counts(q).dropped, 0);
}

static void a_full_queue_drops_its_oldest_and_counts(void **state)
{
    struct queue *q = *state;
    for (int i = 0; i < 3 * LIMIT; i++)
        put(q, i);
    assert_int_equal(counts(q).waiting, LIMIT);
    assert_int_equal(counts(q).dropped, 2 * LIMIT);
    assert_int_equal(take(q), 2 * LIMIT);
}

static void what_is_under_way_counts_and_is_not_dropped(void **state)
{
    struct queue *q = *state;
    for (int i = 0; i < LIMIT; i++)
        put(q, i);
    for (int i = 0; i < LIMIT - 1; i++)
        take(q);
    put(q, 100); /* in place of the last one of before */
    put(q, 101);
    assert_int_equal(counts(q).dropped, 2);
    assert_int_equal(take(q), 101);
    put(q, 102); /* all are under way: it goes itself */
    assert_int_equal(counts(q).dropped, 3);
    assert_int_equal(take(q), -1);
    queue_settle(q, LIMIT, true);
    assert_int_equal(counts(q).dropped, 3 + LIMIT);
    put(q, 103);
    assert_int_equal(take(q), 103);
    queue_settle(q, 1, false);
}

static void what_found_no_memory_is_counted(void **state)
{
    struct queue *q = *state;
    queue_put(q, NULL);
    assert_int_equal(counts(q).dropped, 1);
    assert_int_equal(counts(q).waiting, 0);
}

static void after_the_end_nothing_is_put_and_nobody_waits(void **state)
{
    struct queue *q = *state;
    put(q, 1);
    queue_end(q);
    put(q, 2);
    assert_true(queue_has_ended(q));
    assert_int_equal(counts(q).dropped, 1);
    assert_int_equal(queue_wait(q, LIMIT, deadline()), 1);
    queue_sleep(q, deadline());
    assert_int_equal(take(q), 1);
}

static void a_flush_that_is_in_vain_says_how_many_wait(void **state)
{
    struct queue *q = *state;
    assert_int_equal(queue_flush(q, clock_monotonic_ms()), 0);
    put(q, 1);
    put(q, 2);
    take(q);
    assert_int_equal(queue_flush(q, clock_monotonic_ms()), 2);
    queue_settle(q, 1, false);
    assert_int_equal(queue_flush(q, clock_monotonic_ms()), 1);
}

struct flushing {
    struct queue *queue;
    uint64_t missing;
    atomic_bool done;
};

static void *flush(void *context)
{
    struct flushing *f = context;
    f->missing = queue_flush(f->queue, deadline());
    atomic_store(&f->done, true);
    return NULL;
}

/* Starts a flush, and waits until it waits: then one entry is as good as half a queue. */
static pthread_t begin_flush(struct flushing *f)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, flush, f), 0);
    assert_true(queue_wait(f->queue, LIMIT, deadline()) < LIMIT / 2);
    return thread;
}

static void what_is_pushed_out_of_the_queue_is_missing_from_a_flush(void **state)
{
    struct flushing f = {.queue = *state};
    put(f.queue, 0);
    put(f.queue, 1);
    pthread_t thread = begin_flush(&f);
    for (int i = 2; i < LIMIT + 2; i++)
        put(f.queue, i); /* 0 and 1 go: nobody settles anything */
    pthread_join(thread, NULL);
    assert_int_equal(f.missing, 2);
}

static void a_flush_waits_for_its_own_entries_alone(void **state)
{
    struct flushing f = {.queue = *state};
    put(f.queue, 0);
    put(f.queue, 1);
    assert_int_equal(take(f.queue), 0);
    pthread_t thread = begin_flush(&f);
    assert_int_equal(take(f.queue), 1);
    for (int i = 2; i < 3 * LIMIT; i++)
        put(f.queue, i); /* pushes later ones out */
    assert_false(atomic_load(&f.done));
    queue_settle(f.queue, 1, false);
    assert_false(atomic_load(&f.done));
    queue_settle(f.queue, 1, true);
    pthread_join(thread, NULL);
    assert_int_equal(f.missing, 1);
}

static void a_queue_that_is_half_full_is_enough(void **state)
{
    struct queue *q = *state;
    for (int i = 0; i <= LIMIT / 2; i++)
        put(q, i);
    assert_int_equal(queue_wait(q, 1000 * LIMIT, deadline()), LIMIT / 2 + 1);
}

/* ---- with threads -------------------------------------------------------------------------- */

enum { WRITERS = 4, EACH = 20000 };

static void *write_many(void *context)
{
    for (int i = 0; i < EACH; i++)
        put(context, i);
    return NULL;
}

static _Atomic uint64_t settled;

static void *settle_all(void *context)
{
    struct queue *q = context;
    uint32_t count;
    while ((count = queue_wait(q, LIMIT, deadline())) > 0) {
        uint32_t taken = 0;
        while (taken < count && take(q) >= 0)
            taken++;
        queue_settle(q, taken, false);
        atomic_fetch_add(&settled, taken);
    }
    return NULL;
}

static void each_entry_is_settled_or_dropped(void **state)
{
    struct queue *q = *state;
    pthread_t writers[WRITERS], reader;
    atomic_store(&settled, 0);
    assert_int_equal(pthread_create(&reader, NULL, settle_all, q), 0);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&writers[i], NULL, write_many, q), 0);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    assert_int_equal(queue_flush(q, deadline()), 0);
    queue_end(q);
    pthread_join(reader, NULL);
    assert_int_equal(counts(q).waiting, 0);
    assert_int_equal(atomic_load(&settled) + counts(q).dropped, WRITERS * EACH);
}

/* ---- sums ---------------------------------------------------------------------------------- */

static void sums_go_on_by_series(void **state)
{
    struct sums *s = sums_create();
    double sum;
    (void)state;
    assert_true(sums_add(s, "a", 1, 3, &sum) && sum == 3);
    assert_true(sums_add(s, "b", 1, 5, &sum) && sum == 5);
    assert_true(sums_add(s, "a", 1, 4, &sum) && sum == 7);
    for (uint32_t i = 0; i < SUMS_MAX - 2; i++)
        assert_true(sums_add(s, &i, sizeof i, 1, &sum));
    assert_false(sums_add(s, "one more", 8, 1, &sum));
    assert_true(sums_add(s, "b", 1, 1, &sum) && sum == 6);
    sums_destroy(&s);
    assert_null(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entries_leave_in_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_queue_drops_its_oldest_and_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_under_way_counts_and_is_not_dropped, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_found_no_memory_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(after_the_end_nothing_is_put_and_nobody_waits, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_flush_that_is_in_vain_says_how_many_wait, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_pushed_out_of_the_queue_is_missing_from_a_flush,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_flush_waits_for_its_own_entries_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_queue_that_is_half_full_is_enough, setup, teardown),
        cmocka_unit_test_setup_teardown(each_entry_is_settled_or_dropped, setup, teardown),
        cmocka_unit_test(sums_go_on_by_series),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
