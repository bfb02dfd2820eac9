// SPDX-License-Identifier: Apache-2.0
/* What the collector says of itself is kept or dropped, and counted either way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/own/teller.h"
#include "tests/unit/eventually.h"

struct writer {
    atomic_bool refuses, has_no_memory;
    atomic_int listed, asked;
};

static int on_list(void *context, struct own_metrics *m)
{
    struct writer *w = context;
    atomic_fetch_add(&w->listed, 1);
    own_gauge(m, "weft_x", "x", 1);
    own_gauge(m, "weft_y", "y", 2);
    return atomic_load(&w->has_no_memory) ? -1 : 0;
}

static int on_write(void *context, void *memory, size_t length, char *why, size_t why_size)
{
    struct writer *w = context;
    assert_true(length > 0);
    free(memory);
    atomic_fetch_add(&w->asked, 1);
    snprintf(why, why_size, "the disk is full");
    return atomic_load(&w->refuses) ? -1 : 0;
}

static struct own_teller_stats stats_of(struct own_teller *t)
{
    struct own_teller_stats s;
    own_teller_stats(t, &s);
    return s;
}

static void what_is_refused_is_dropped_counted_and_not_tried_again(void **state)
{
    struct writer w = {.refuses = true};
    const struct own_teller_options options = {
        .every_ns = 5000000, .list = on_list, .write = on_write, .context = &w};
    struct own_teller *t = own_teller_create(&options);
    (void)state;
    assert_non_null(t);
    assert_int_equal(own_teller_start(t), 0);
    EVENTUALLY(stats_of(t).dropped > 0);
    atomic_store(&w.refuses, false);
    EVENTUALLY(stats_of(t).kept > 0);
    own_teller_close(t);
    /* Moments that pass while the machine is elsewhere are dropped unasked. */
    EVENTUALLY(stats_of(t).kept + stats_of(t).dropped >= 2 * (uint64_t)atomic_load(&w.asked));
    own_teller_destroy(&t);
    assert_null(t);
}

static void without_memory_it_says_nothing_and_goes_on(void **state)
{
    struct writer w = {.has_no_memory = true};
    const struct own_teller_options options = {
        .every_ns = 5000000, .list = on_list, .write = on_write, .context = &w};
    struct own_teller *t = own_teller_create(&options);
    (void)state;
    assert_int_equal(own_teller_start(t), 0);
    EVENTUALLY(atomic_load(&w.listed) > 1);
    assert_int_equal(atomic_load(&w.asked), 0);
    atomic_store(&w.has_no_memory, false);
    EVENTUALLY(stats_of(t).kept > 0);
    own_teller_destroy(&t);
}

static void one_that_was_not_started_goes(void **state)
{
    const struct own_teller_options options = {
        .every_ns = 5000000, .list = on_list, .write = on_write};
    struct own_teller *t = own_teller_create(&options);
    (void)state;
    own_teller_destroy(&t);
    assert_null(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_refused_is_dropped_counted_and_not_tried_again),
        cmocka_unit_test(without_memory_it_says_nothing_and_goes_on),
        cmocka_unit_test(one_that_was_not_started_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
