// SPDX-License-Identifier: Apache-2.0
#include "collector/caches/caches.h"

#include <signal.h>
#include <sys/resource.h>

#include "collector/caches/sum.h"
#include "tests/unit/collector/caches/windows.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)
/* A whole day and hour. */
#define EPOCH_MS (INT64_C(20000) * DAY_MS)

enum { WINDOWS = 3000 };

struct fixture {
    char directory[64];
    struct caches *caches;
    struct caches_options options;
    struct told_window told;
    struct truth truth;
    uint64_t seed;
};

static void open_it(struct fixture *f)
{
    char why[256] = "";
    f->caches = caches_open(&f->options, why, sizeof why);
    if (!f->caches)
        fail_msg("%s", why);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    strcpy(f->directory, "/tmp/weft-caches-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    f->options = (struct caches_options){f->directory, 30 * UINT64_C(86400000000000), 1 << 30};
    f->seed = 1;
    open_it(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    caches_close(&f->caches);
    snprintf(command, sizeof command, "rm -r %s", f->directory);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

/* A window of new calls, stored when it ended. */
static void tell(struct fixture *f, const char *host, const char *cache, int64_t begin_ms)
{
    f->told.window = window_of(host, cache, begin_ms);
    tell_stream(&f->told, &f->truth, &f->seed, 500, 60, 20);
    assert_int_equal(caches_put(f->caches, &f->told.window, begin_ms + 10000), 0);
}

struct seen {
    struct window_sum sum;
    uint64_t ids[4096];
    uint32_t windows;
};

static bool see(void *context, uint64_t cache, const struct batch_window *w)
{
    struct seen *s = context;
    s->ids[s->windows++] = cache;
    window_sum_add(&s->sum, w);
    return true;
}

static struct seen *ask(struct fixture *f, struct caches_filter filter)
{
    static struct seen s;
    window_sum_fini(&s.sum);
    s.windows = 0;
    window_sum_init(&s.sum, SUM_ALL_KINDS);
    assert_int_equal(caches_windows(f->caches, &filter, see, &s), 0);
    return &s;
}

static const struct caches_filter all = {.to_unix_ms = INT64_MAX};

static void assert_true_of_all(struct fixture *f)
{
    struct arena arena;
    struct window_list list;
    struct seen *s = ask(f, all);
    arena_init(&arena, 4096);
    assert_int_equal(window_sum_list(&s->sum, WINDOW_KEYS_BY_CALLS, 100, &arena, &list), 0);
    assert_list_bounds(&list, &f->truth);
    arena_fini(&arena);
}

static void a_window_that_comes_twice_counts_once(void **state)
{
    struct fixture *f = *state;
    tell(f, "box1", "10.0.0.1:6379", EPOCH_MS);
    tell(f, "box1", "10.0.0.1:6379", EPOCH_MS + 10000);
    assert_int_equal(caches_put(f->caches, &f->told.window, EPOCH_MS + 30000), 0);
    assert_int_equal(ask(f, all)->windows, 2);
    assert_true_of_all(f);
    caches_close(&f->caches);
    open_it(f);
    assert_true_of_all(f);
}

static void caches_are_told_apart_and_found_by_host_protocol_and_time(void **state)
{
    struct fixture *f = *state;
    struct arena arena;
    struct cache_view *list;
    uint32_t count;
    tell(f, "box2", "10.0.0.2:6379", EPOCH_MS);
    tell(f, "box1", "10.0.0.1:6379", EPOCH_MS + 20000);
    tell(f, "box2", "10.0.0.2:6379", EPOCH_MS + 60000);
    arena_init(&arena, 64);
    assert_int_equal(caches_list(f->caches, &all, &arena, &list, &count), 0);
    assert_int_equal(count, 2);
    assert_string_equal(list[0].host, "box1");
    assert_string_equal(list[1].address, "10.0.0.2:6379");
    assert_true(list[1].seen_unix_ms == EPOCH_MS + 70000);
    assert_int_equal(
        ask(f, (struct caches_filter){.id = list[1].id, .to_unix_ms = INT64_MAX})->windows, 2);
    assert_int_equal(
        ask(f, (struct caches_filter){.host = "box1", .to_unix_ms = INT64_MAX})->windows, 1);
    assert_int_equal(
        ask(f, (struct caches_filter){.protocol = "memcached", .to_unix_ms = INT64_MAX})->windows,
        0);
    /* Those that touch the time. */
    assert_int_equal(ask(f, (struct caches_filter){.from_unix_ms = EPOCH_MS + 5000,
                                                   .to_unix_ms = EPOCH_MS + 20001})
                         ->windows,
                     2);
    assert_int_equal(ask(f, (struct caches_filter){.from_unix_ms = EPOCH_MS + 10000,
                                                   .to_unix_ms = EPOCH_MS + 20000})
                         ->windows,
                     0);
    arena_fini(&arena);
}

static void old_windows_become_minutes_and_hours_and_lose_nothing(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 360; i++)
        tell(f, i % 2 ? "box1" : "box2", "c", EPOCH_MS + 10000 * i);
    assert_int_equal(caches_age(f->caches, EPOCH_MS + HOUR_MS), 0);
    assert_int_equal(ask(f, all)->windows, 360);
    assert_int_equal(caches_age(f->caches, EPOCH_MS + HOUR_MS + HOUR_MS / 2), 0);
    assert_int_equal(ask(f, all)->windows, 180 + 2 * 30);
    assert_true_of_all(f);
    assert_int_equal(caches_age(f->caches, EPOCH_MS + 3 * HOUR_MS), 0);
    assert_int_equal(ask(f, all)->windows, 2 * 60);
    assert_true_of_all(f);
    assert_int_equal(caches_age(f->caches, EPOCH_MS + 25 * HOUR_MS), 0);
    assert_int_equal(ask(f, all)->windows, 2);
    assert_true_of_all(f);
    assert_int_equal(ask(f, all)->sum.commands, 360 * 500);
    assert_int_equal(caches_age(f->caches, EPOCH_MS + 32 * DAY_MS), 0);
    assert_int_equal(ask(f, all)->windows, 0);
    struct caches_stats stats;
    caches_read_stats(f->caches, &stats);
    assert_int_equal(stats.aged_windows, 2);
}

static void a_window_that_comes_late_joins_the_minute(void **state)
{
    struct fixture *f = *state;
    tell(f, "box1", "c", EPOCH_MS);
    assert_int_equal(caches_age(f->caches, EPOCH_MS + 2 * HOUR_MS), 0);
    f->told.window = window_of("box1", "c", EPOCH_MS + 10000);
    tell_stream(&f->told, &f->truth, &f->seed, 500, 60, 20);
    assert_int_equal(caches_put(f->caches, &f->told.window, EPOCH_MS + 2 * HOUR_MS), 0);
    /* It may come again for a while, as it was told a moment ago. */
    assert_int_equal(caches_age(f->caches, EPOCH_MS + 2 * HOUR_MS + 1000), 0);
    assert_int_equal(caches_put(f->caches, &f->told.window, EPOCH_MS + 2 * HOUR_MS), 0);
    assert_int_equal(ask(f, all)->windows, 2);
    assert_int_equal(caches_age(f->caches, EPOCH_MS + 3 * HOUR_MS), 0);
    assert_int_equal(ask(f, all)->windows, 1);
    assert_true_of_all(f);
}

static void beyond_the_limit_the_oldest_go(void **state)
{
    struct fixture *f = *state;
    struct caches_stats stats;
    caches_close(&f->caches);
    f->options.limit_bytes = 1 << 20;
    open_it(f);
    for (int i = 0; i < WINDOWS; i++)
        tell(f, "box1", "c", EPOCH_MS + 1000 * i);
    assert_int_equal(caches_age(f->caches, EPOCH_MS + 1000 * WINDOWS), 0);
    caches_read_stats(f->caches, &stats);
    assert_true(stats.bytes <= 1 << 20);
    assert_in_range(stats.aged_windows, 1, WINDOWS - 1);
    struct seen *s = ask(f, all);
    assert_int_equal(s->windows + stats.aged_windows, WINDOWS);
    assert_true(s->sum.begin_unix_ms == EPOCH_MS + 1000 * (int64_t)stats.aged_windows);
}

static void a_window_of_the_future_is_refused(void **state)
{
    struct fixture *f = *state;
    struct batch_window w = window_of("box1", "c", EPOCH_MS + HOUR_MS);
    assert_int_equal(caches_put(f->caches, &w, EPOCH_MS), CACHES_EREFUSED);
    assert_int_equal(ask(f, all)->windows, 0);
}

static void who_asks_for_too_long_is_told(void **state)
{
    struct fixture *f = *state;
    struct caches_filter late = all;
    struct seen *s = ask(f, all);
    late.deadline_ns = 1;
    tell(f, "box1", "c", EPOCH_MS);
    assert_int_equal(caches_windows(f->caches, &late, see, s), CACHES_ETIME);
}

static void a_full_disk_is_told_and_heals(void **state)
{
    struct fixture *f = *state;
    struct rlimit files, none;
    char why[128];
    struct batch_window w = window_of("box1", "c", EPOCH_MS);
    tell(f, "box1", "c", EPOCH_MS);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &files);
    none = files;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_FSIZE, &none);
    int result = caches_put(f->caches, &w, EPOCH_MS + 10000);
    int reached = caches_set_reached(f->caches, (struct journal_position){1, 2});
    setrlimit(RLIMIT_FSIZE, &files);
    assert_int_equal(result, CACHES_EDISK);
    assert_int_equal(reached, CACHES_EDISK);
    caches_error(f->caches, why, sizeof why);
    assert_true(why[0] != '\0');
    assert_int_equal(caches_put(f->caches, &w, EPOCH_MS + 10000), 0);
    assert_int_equal(caches_set_reached(f->caches, (struct journal_position){1, 2}), 0);
    struct journal_position at;
    assert_int_equal(caches_reached(f->caches, &at), 1);
    assert_true(at.segment == 1 && at.offset == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_window_that_comes_twice_counts_once, setup, teardown),
        cmocka_unit_test_setup_teardown(caches_are_told_apart_and_found_by_host_protocol_and_time,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(old_windows_become_minutes_and_hours_and_lose_nothing,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_window_that_comes_late_joins_the_minute, setup, teardown),
        cmocka_unit_test_setup_teardown(beyond_the_limit_the_oldest_go, setup, teardown),
        cmocka_unit_test_setup_teardown(a_window_of_the_future_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(who_asks_for_too_long_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_is_told_and_heals, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
