// SPDX-License-Identifier: Apache-2.0
/* Statistics over the life of a process and its file: each test in a child of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/unit/client/child.h"
#include "tests/unit/stats_fixture.h"
#include "weft/weft.h"

static struct weft_losses losses(void)
{
    struct weft_losses l;
    weft_get_losses(&l);
    return l;
}

static void count_one(void)
{
    weft_counter_add(WEFT_COUNTER("counted_total"), 1);
}

/* Sums of all files of the directory, or of that of one pid. */
static struct tallies *take_files(uint32_t pid)
{
    struct tallies *t = tallies_create();
    for (int i = 0; fixture_file(i)[0]; i++) {
        enum slab_error error;
        struct slab_reader *r = fixture_open(fixture_file(i), &error);
        if (!r || ((pid == 0 || slab_reader_file(r)->pid == pid) &&
                   slab_stats_take(r, tally_visit, t) != SLAB_OK))
            abort();
        slab_reader_close(&r);
    }
    return t;
}

static uint64_t counted(uint32_t pid)
{
    struct tallies *t = take_files(pid);
    uint64_t count = tally_of(t, "counted_total")->count;
    tallies_destroy(t);
    return count;
}

/* ---- forks ------------------------------------------------------------------------------- */

static void *count_in_thread(void *context)
{
    (void)context;
    count_one();
    return NULL;
}

static int a_forked_child_begins_at_zero_in_a_file_of_its_own(void)
{
    struct weft_counter *bound =
        weft_bind_counter((const char *const[]){"bound_total", "k", "v", NULL});
    pthread_t thread;
    pthread_create(&thread, NULL, count_in_thread, NULL);
    pthread_join(thread, NULL);
    for (int i = 0; i < 10; i++)
        count_one();
    weft_counter_add(bound, 1);
    weft_gauge_set(WEFT_GAUGE("gauge"), 5);
    weft_histogram_record(WEFT_HISTOGRAM("values"), 5);
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 3; i++)
            count_one();
        weft_counter_add(bound, 2);
        weft_gauge_add(WEFT_GAUGE("gauge"), 1);
        weft_histogram_record(WEFT_HISTOGRAM("values"), 6);
        pthread_create(&thread, NULL, count_in_thread, NULL);
        pthread_join(thread, NULL);
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    count_one();
    CHECK(counted((uint32_t)pid) == 4);
    CHECK(counted((uint32_t)getpid()) == 12);
    struct tallies *t = take_files((uint32_t)pid);
    CHECK(tally_of(t, "bound_total{k=v}")->count == 2);
    CHECK(tally_of(t, "gauge")->value == 1);
    CHECK(tally_of(t, "values")->histogram.count == 1);
    tallies_destroy(t);
    return 0;
}

static void count_at_fork(void)
{
    count_one();
    weft_histogram_record(WEFT_HISTOGRAM("values"), 1);
}

static int fork_handlers_of_the_service_may_count(void)
{
    pthread_atfork(count_at_fork, count_at_fork, count_at_fork);
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    int status;
    waitpid(pid, &status, 0);
    CHECK(counted((uint32_t)pid) == 1);
    CHECK(counted((uint32_t)getpid()) == 2);
    return 0;
}

/* ---- files ------------------------------------------------------------------------------- */

static int a_retired_file_is_left_and_every_count_stands_in_one_of_both(void)
{
    count_one();
    weft_histogram_record(WEFT_HISTOGRAM("values"), 1);
    enum slab_error error;
    struct slab_reader *old = fixture_open(fixture_file(0), &error);
    CHECK(old);
    CHECK(slab_set_recording(old, SLAB_RECORDING_RETIRED) == SLAB_OK);
    uint64_t n = 1, until = soon_ns();
    for (; clock_monotonic_ns() < until && fixture_file(1)[0] == '\0'; n++)
        count_one();
    CHECK(fixture_file(1)[0] != '\0');
    for (; n < 1000; n++)
        count_one();
    weft_histogram_record(WEFT_HISTOGRAM("values"), 1);
    CHECK(counted(0) + losses().no_file == n);
    struct tallies *t = take_files(0);
    CHECK(tally_of(t, "values")->histogram.count == 2);
    tallies_destroy(t);
    slab_reader_close(&old);
    return 0;
}

static int recording_that_is_off_counts_all_the_same(void)
{
    count_one();
    enum slab_error error;
    struct slab_reader *r = fixture_open(fixture_file(0), &error);
    CHECK(r && slab_set_recording(r, SLAB_RECORDING_OFF) == SLAB_OK);
    CHECK(weft_begin(WEFT_NAME("a"), WEFT_INTERNAL).slot == NULL);
    count_one();
    weft_counter_add(WEFT_COUNTER("another_total"), 1);
    CHECK(counted(0) == 2);
    slab_reader_close(&r);
    return 0;
}

static int without_a_directory_updates_are_counted_as_lost(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/absent", fixture_directory);
    setenv("WEFT_DIR", path, 1);
    for (int i = 0; i < 5; i++)
        count_one();
    WEFT_TIME("left_ms") {}
    CHECK(losses().no_file == 6);
    CHECK(losses().stats_no_room == 0);
    return 0;
}

static int switched_off_it_counts_nothing_and_loses_nothing(void)
{
    setenv("WEFT_OFF", "1", 1);
    for (int i = 0; i < 5; i++)
        count_one();
    CHECK(fixture_file(0)[0] == '\0');
    CHECK(losses().no_file == 0 && losses().stats_no_room == 0);
    return 0;
}

static int without_room_for_statistics_spans_are_recorded(void)
{
    setenv("WEFT_STATS_BYTES", "0", 1);
    for (int i = 0; i < 5; i++)
        count_one();
    CHECK(losses().no_file == 0 && losses().stats_no_room == 0);
    weft_span span = weft_begin(WEFT_NAME("a"), WEFT_INTERNAL);
    CHECK(span.slot);
    weft_end(span);
    CHECK(counted(0) == 0);
    return 0;
}

/* Two chunks: one for the counter and the histogram's first runs. */
static int what_has_no_room_is_counted_and_costs_no_others(void)
{
    setenv("WEFT_STATS_BYTES", "8192", 1);
    count_one();
    double value = 1;
    for (int i = 0; i < 19; i++, value *= 2)
        weft_histogram_record(WEFT_HISTOGRAM("values"), value * 1.5);
    struct tallies *t = take_files(0);
    uint64_t found = tally_of(t, "values")->histogram.count;
    CHECK(found > 5 && found < 19);
    CHECK(losses().stats_no_room == 19 - found);
    weft_histogram_record(WEFT_HISTOGRAM("values"), 1.5);
    count_one();
    CHECK(losses().stats_no_room == 19 - found);
    tallies_destroy(t);
    CHECK(counted(0) == 2);
    return 0;
}

/* One that is refused again and again takes nothing from those that have their place. */
static int an_instrument_without_room_keeps_no_others_from_theirs(void)
{
    setenv("WEFT_INSTRUMENTS", "16", 1); /* a page of texts */
    char text[961];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct weft_counter *c[5];
    for (int i = 0; i < 5; i++) {
        text[0] = (char)('a' + i);
        c[i] = weft_bind_counter((const char *const[]){"long_total", "k", text, NULL});
        CHECK(c[i]);
        weft_counter_add(c[i], 1);
    }
    CHECK(losses().stats_no_room == 1); /* the fifth */
    weft_counter_add(WEFT_COUNTER("short_total"), 1);
    for (int i = 0; i < 100; i++) {
        weft_counter_add(c[4], 1);
        weft_histogram_record(WEFT_HISTOGRAM("short"), i + 1);
    }
    CHECK(losses().stats_no_room == 101);
    struct tallies *t = take_files(0);
    CHECK(tally_of(t, "short_total")->count == 1);
    CHECK(tally_of(t, "short")->histogram.count == 100);
    tallies_destroy(t);
    return 0;
}

/* A tmpfs of our own, with room for the file and little more: in a mount namespace, as root. */
static int a_full_tmpfs_kills_nobody_and_is_counted(void)
{
    if (!on_small_tmpfs("size=400k"))
        return 0;
    count_one();
    int n = 0;
    for (; n < 4000 && losses().stats_no_room == 0; n++) {
        char text[16];
        snprintf(text, sizeof text, "%d", n);
        struct weft_histogram *h =
            weft_bind_histogram((const char *const[]){"values", "n", text, NULL});
        weft_histogram_record(h, n + 1);
        weft_histogram_record(h, -n - 1);
    }
    CHECK(n > 5 && n < 4000);
    count_one();
    CHECK(counted(0) == 2);
    CHECK(mount("tmpfs", fixture_directory, "tmpfs", MS_REMOUNT, "size=16M") == 0);
    uint64_t before = losses().stats_no_room, until = soon_ns();
    struct weft_counter *late = WEFT_COUNTER("late_total");
    uint64_t tries = 0;
    struct tally *found = NULL;
    struct tallies *t = NULL;
    do {
        weft_counter_add(late, 1);
        tries++;
        if (losses().stats_no_room - before < tries) {
            t = take_files(0);
            found = tally_of(t, "late_total");
        }
    } while (!found && clock_monotonic_ns() < until);
    CHECK(found && found->count + (losses().stats_no_room - before) == tries);
    tallies_destroy(t);
    return 0;
}

/* Spans come first where files may not be long. */
static int a_limit_of_file_sizes_kills_nobody(void)
{
    struct rlimit limit = {4 << 20, 4 << 20};
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    weft_span span = weft_begin(WEFT_NAME("a"), WEFT_INTERNAL);
    CHECK(span.slot);
    weft_end(span);
    count_one();
    CHECK(losses().stats_no_room == 1);
    return 0;
}

/* ---- deaths ------------------------------------------------------------------------------ */

/* What a child that is killed has surely done, and what it may have. */
struct progress {
    _Atomic uint64_t begun[2], done[2];
};

static void count_for_ever(struct progress *p, int thread)
{
    for (uint64_t i = 0;; i++) {
        atomic_store(&p->begun[thread], i + 1);
        count_one();
        weft_histogram_record(WEFT_HISTOGRAM("values"), (double)(i % 5000 + 1));
        weft_gauge_add(WEFT_GAUGE("gauge"), 1);
        atomic_store(&p->done[thread], i + 1);
    }
}

static void *count_beside(void *progress)
{
    count_for_ever(progress, 1);
    return NULL;
}

static bool is_between(uint64_t done, uint64_t n, uint64_t begun)
{
    return done <= n && n <= begun;
}

static int a_killed_process_has_counted_what_it_did(void)
{
    struct progress *p =
        mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int kills = 0; kills < 60; kills++) {
        memset(p, 0, sizeof *p);
        pid_t pid = fork();
        if (pid == 0) {
            pthread_t thread;
            pthread_create(&thread, NULL, count_beside, p);
            count_for_ever(p, 0);
        }
        uint64_t enough = (uint64_t)(kills * kills * 7);
        int status;
        while (atomic_load(&p->done[0]) < enough || atomic_load(&p->done[1]) < enough) {
            CHECK(waitpid(pid, &status, WNOHANG) == 0);
            sched_yield();
        }
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        uint64_t done = p->done[0] + p->done[1], begun = p->begun[0] + p->begun[1];
        struct tallies *t = take_files((uint32_t)pid);
        CHECK(is_between(done, tally_of(t, "counted_total")->count, begun));
        CHECK(is_between(done, tally_of(t, "values")->histogram.count, begun));
        CHECK(is_between(done, (uint64_t)tally_of(t, "gauge")->value, begun));
        tallies_destroy(t);
        char path[512];
        snprintf(path, sizeof path, "%s/%s", fixture_directory, fixture_file(0));
        unlink(path);
    }
    return 0;
}

IN_CHILD(a_forked_child_begins_at_zero_in_a_file_of_its_own)
IN_CHILD(fork_handlers_of_the_service_may_count)
IN_CHILD(a_retired_file_is_left_and_every_count_stands_in_one_of_both)
IN_CHILD(recording_that_is_off_counts_all_the_same)
IN_CHILD(without_a_directory_updates_are_counted_as_lost)
IN_CHILD(switched_off_it_counts_nothing_and_loses_nothing)
IN_CHILD(without_room_for_statistics_spans_are_recorded)
IN_CHILD(what_has_no_room_is_counted_and_costs_no_others)
IN_CHILD(an_instrument_without_room_keeps_no_others_from_theirs)
IN_CHILD(a_full_tmpfs_kills_nobody_and_is_counted)
IN_CHILD(a_limit_of_file_sizes_kills_nobody)
IN_CHILD(a_killed_process_has_counted_what_it_did)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forked_child_begins_at_zero_in_a_file_of_its_own_test),
        cmocka_unit_test(fork_handlers_of_the_service_may_count_test),
        cmocka_unit_test(a_retired_file_is_left_and_every_count_stands_in_one_of_both_test),
        cmocka_unit_test(recording_that_is_off_counts_all_the_same_test),
        cmocka_unit_test(without_a_directory_updates_are_counted_as_lost_test),
        cmocka_unit_test(switched_off_it_counts_nothing_and_loses_nothing_test),
        cmocka_unit_test(without_room_for_statistics_spans_are_recorded_test),
        cmocka_unit_test(what_has_no_room_is_counted_and_costs_no_others_test),
        cmocka_unit_test(an_instrument_without_room_keeps_no_others_from_theirs_test),
        cmocka_unit_test(a_full_tmpfs_kills_nobody_and_is_counted_test),
        cmocka_unit_test(a_limit_of_file_sizes_kills_nobody_test),
        cmocka_unit_test(a_killed_process_has_counted_what_it_did_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
