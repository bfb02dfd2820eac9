// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "tests/unit/client/recording.h"

static int begin_all(void **state)
{
    (void)state;
    fixture_begin();
    setenv("WEFT_SLOTS", "4", 1);
    setenv("WEFT_THREADS", "4", 1);
    setenv("WEFT_RING_BYTES", "262144", 1);
    return recording_begin();
}

static void *end_it(void *context)
{
    weft_end(*(weft_span *)context);
    return NULL;
}

static void in_another_thread(void *(*body)(void *), void *context)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, body, context), 0);
    pthread_join(thread, NULL);
}

static void span_may_end_on_another_thread_and_its_slot_comes_back(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) { /* five times as many as there are slots */
        weft_span span = weft_begin(WEFT_NAME("handed over"), WEFT_INTERNAL);
        assert_non_null(span.slot);
        weft_activate((weft_span){0, 0});
        in_another_thread(end_it, &span);
    }
    gather_rings(reader, found);
    assert_int_equal(found->count, 20);
    for (int i = 0; i < 20; i++)
        assert_true(name_is(reader, found->all[i].span.name, "handed over"));
}

static void *begin_and_leave(void *context)
{
    *(weft_span *)context = weft_begin(WEFT_NAME("left open"), WEFT_INTERNAL);
    return NULL;
}

static void open_span_outlives_its_thread_and_the_slab_is_taken_over(void **state)
{
    (void)state;
    weft_span spans[3];
    uint32_t threads = slab_threads(reader);
    for (int i = 0; i < 3; i++)
        in_another_thread(begin_and_leave, &spans[i]);
    assert_int_equal(slab_look(reader, false, gather_visit, found), SLAB_OK);
    assert_int_equal(found->count, 3);
    assert_true(slab_threads(reader) <= threads + 1);
    for (int i = 0; i < 3; i++)
        weft_end(spans[i]);
    found->count = 0;
    gather_rings(reader, found);
    assert_int_equal(found->count, 3);
}

struct child_work {
    struct weft_context context;
    weft_span span;
};

static void *work_under(void *context)
{
    struct child_work *work = context;
    work->span = weft_begin_from(WEFT_NAME("child"), WEFT_INTERNAL, &work->context);
    weft_end(work->span);
    return NULL;
}

static void context_is_handed_to_another_thread(void **state)
{
    (void)state;
    struct child_work work;
    weft_span parent = weft_begin(WEFT_NAME("parent"), WEFT_SERVER);
    assert_int_equal(weft_context_of(parent, &work.context), 0);
    in_another_thread(work_under, &work);
    weft_end(parent);
    gather_rings(reader, found);
    assert_int_equal(found->count, 2);
    for (int i = 0; i < 2; i++)
        if (found->all[i].span.span_id == work.span.id) {
            assert_true(found->all[i].span.parent_id == parent.id);
            assert_int_equal(found->all[i].span.flags & 0x10, 0); /* not from a header */
        }
}

static pthread_barrier_t barrier;

static void *hold_a_slab(void *context)
{
    weft_span span = weft_begin(WEFT_NAME("held"), WEFT_INTERNAL);
    pthread_barrier_wait(&barrier);
    weft_end(span);
    *(int *)context = span.slot != NULL;
    return NULL;
}

static void more_threads_than_slabs_are_counted(void **state)
{
    (void)state;
    struct weft_losses before, after;
    pthread_t threads[6];
    int recorded[6], sum = 0;
    weft_get_losses(&before);
    pthread_barrier_init(&barrier, NULL, 6);
    for (int i = 0; i < 6; i++)
        pthread_create(&threads[i], NULL, hold_a_slab, &recorded[i]);
    for (int i = 0; i < 6; i++) {
        pthread_join(threads[i], NULL);
        sum += recorded[i];
    }
    weft_get_losses(&after);
    assert_int_equal(sum, 3); /* four slabs, one is this thread's */
    assert_true(after.no_thread_slab == before.no_thread_slab + 3);
}

enum { THREADS = 3, SPANS = 20000 };
static _Atomic int running;

static void *record_many(void *context)
{
    (void)context;
    for (int i = 0; i < SPANS; i++) {
        weft_span span = weft_begin(WEFT_NAME("many"), WEFT_INTERNAL);
        weft_set_int(span, WEFT_NAME("i"), i);
        weft_end(span);
    }
    atomic_fetch_sub(&running, 1);
    return NULL;
}

static void nothing_is_lost_uncounted_between_threads_and_a_reader(void **state)
{
    (void)state;
    struct weft_losses before, after;
    pthread_t threads[THREADS];
    uint64_t swept = 0;
    weft_get_losses(&before);
    atomic_store(&running, THREADS);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, record_many, NULL);
    bool last = false;
    while (!last) {
        last = atomic_load(&running) == 0;
        found->count = 0;
        bool more = true;
        while (more) {
            assert_int_equal(slab_sweep(reader, gather_visit, found, 65536, &more), SLAB_OK);
            swept += found->count;
            found->count = 0;
            slab_look(reader, false, gather_visit, found);
            found->count = 0;
        }
        slab_release(reader);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    weft_get_losses(&after);
    assert_true(swept + (after.ring_full - before.ring_full) == THREADS * SPANS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(span_may_end_on_another_thread_and_its_slot_comes_back, drain),
        cmocka_unit_test_setup(open_span_outlives_its_thread_and_the_slab_is_taken_over, drain),
        cmocka_unit_test_setup(context_is_handed_to_another_thread, drain),
        cmocka_unit_test_setup(more_threads_than_slabs_are_counted, drain),
        cmocka_unit_test_setup(nothing_is_lost_uncounted_between_threads_and_a_reader, drain),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
