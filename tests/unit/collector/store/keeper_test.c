// SPDX-License-Identifier: Apache-2.0
/* A keeper of a store that has no head and no files, only counts of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "collector/store/keeper.h"
#include "lib/base/log.h"
#include "tests/unit/eventually.h"

struct counts {
    struct wakeup wakeup;
    struct keeper keeper;
    atomic_int ready, cut, refusals, refused_with; /* generations */
    atomic_int files, limit, stuck;
    atomic_int to_merge, merge_error, merge_asked, looks;
};

static void *next(void *store)
{
    struct counts *c = store;
    return atomic_load(&c->ready) > 0 ? c : NULL;
}

static int cut(void *store, void *generation)
{
    struct counts *c = store;
    assert_ptr_equal(generation, c);
    if (atomic_load(&c->refusals) > 0) {
        atomic_fetch_sub(&c->refusals, 1);
        return -atomic_load(&c->refused_with);
    }
    atomic_fetch_sub(&c->ready, 1);
    atomic_fetch_add(&c->files, 1);
    atomic_fetch_add(&c->cut, 1);
    return 0;
}

static bool is_too_much(void *store)
{
    struct counts *c = store;
    return atomic_load(&c->files) > atomic_load(&c->limit);
}

static int remove_oldest(void *store)
{
    struct counts *c = store;
    if (atomic_load(&c->stuck))
        return -EACCES;
    atomic_fetch_sub(&c->files, 1);
    return 0;
}

static void note_damage(void *store)
{
    struct counts *c = store;
    atomic_fetch_add(&c->looks, 1);
}

static int merge(void *store)
{
    struct counts *c = store;
    atomic_fetch_add(&c->merge_asked, 1);
    if (atomic_load(&c->merge_error))
        return -atomic_load(&c->merge_error);
    if (atomic_load(&c->to_merge) == 0)
        return 0;
    atomic_fetch_sub(&c->to_merge, 1);
    return 1;
}

static int setup(void **state)
{
    static const struct keeper_work work = {"counts",    "file",        "files",     next, cut,
                                            is_too_much, remove_oldest, note_damage, merge};
    struct counts *c = test_calloc(1, sizeof *c);
    log_set_level(LOG_LEVEL_ERROR);
    wakeup_init(&c->wakeup);
    atomic_store(&c->limit, 100);
    c->keeper = (struct keeper){
        .work = &work, .store = c, .directory = "nowhere", .wakeup = &c->wakeup, .look_ms = 10};
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    struct counts *c = *state;
    keeper_stop(&c->keeper);
    wakeup_fini(&c->wakeup);
    test_free(c);
    return 0;
}

static bool all_are_cut(struct counts *c)
{
    return atomic_load(&c->ready) == 0;
}

static void what_is_ready_is_cut(void **state)
{
    struct counts *c = *state;
    atomic_store(&c->ready, 3);
    assert_int_equal(keeper_start(&c->keeper), 0);
    EVENTUALLY(all_are_cut(c));
    atomic_store(&c->ready, 1);
    wakeup_all(&c->wakeup);
    EVENTUALLY(all_are_cut(c));
    EVENTUALLY(atomic_load(&c->looks) > 0);
    keeper_stop(&c->keeper);
    assert_int_equal(c->cut, 4);
}

static bool is_full(struct counts *c)
{
    return keeper_state(&c->keeper).health == KEEPER_FULL;
}

static bool is_failed(struct counts *c)
{
    return keeper_state(&c->keeper).health == KEEPER_FAILED;
}

static bool is_well(struct counts *c)
{
    return keeper_state(&c->keeper).health == KEEPER_OK && all_are_cut(c);
}

static void a_disk_that_refuses_is_told_and_tried_again(void **state)
{
    struct counts *c = *state;
    atomic_store(&c->refused_with, ENOSPC);
    atomic_store(&c->refusals, 1000);
    atomic_store(&c->ready, 1);
    assert_int_equal(keeper_start(&c->keeper), 0);
    EVENTUALLY(is_full(c));
    assert_int_equal(keeper_state(&c->keeper).error, ENOSPC);
    atomic_store(&c->refused_with, EIO);
    EVENTUALLY(is_failed(c));
    atomic_store(&c->refusals, 0);
    EVENTUALLY(is_well(c));
    assert_int_equal(keeper_state(&c->keeper).error, 0);
}

static bool all_are_merged(struct counts *c)
{
    return atomic_load(&c->to_merge) == 0 && atomic_load(&c->files) <= atomic_load(&c->limit) &&
           atomic_load(&c->merge_asked) > 5;
}

static void old_files_go_and_small_ones_are_merged(void **state)
{
    struct counts *c = *state;
    atomic_store(&c->files, 9);
    atomic_store(&c->limit, 4);
    atomic_store(&c->to_merge, 5);
    assert_int_equal(keeper_start(&c->keeper), 0);
    EVENTUALLY(all_are_merged(c));
    keeper_stop(&c->keeper);
    assert_int_equal(c->files, 4);
    assert_int_equal(c->keeper.state.merges, 5);
}

static bool was_asked(struct counts *c)
{
    return atomic_load(&c->merge_asked) > 0;
}

/* Neither a file that cannot go nor a merge that fails keeps the thread busy, or from stopping. */
static void what_fails_is_left_for_a_while(void **state)
{
    struct counts *c = *state;
    log_set_level(LOG_LEVEL_ERROR);
    atomic_store(&c->files, 101);
    atomic_store(&c->stuck, true);
    atomic_store(&c->merge_error, EIO);
    assert_int_equal(keeper_start(&c->keeper), 0);
    EVENTUALLY(was_asked(c));
    keeper_stop(&c->keeper);
    assert_int_equal(c->merge_asked, 1);
    assert_int_equal(c->files, 101);
    assert_int_equal(c->keeper.state.merges, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_ready_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(a_disk_that_refuses_is_told_and_tried_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(old_files_go_and_small_ones_are_merged, setup, teardown),
        cmocka_unit_test_setup_teardown(what_fails_is_left_for_a_while, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
