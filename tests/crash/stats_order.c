// SPDX-License-Identifier: Apache-2.0
/* Statistics at every instruction: a child updates a counter, a gauge and a histogram, new cells,
 * chunks and scales on the way, while this process steps it with ptrace and, after each
 * instruction, takes what its file holds, as of a dead process. Every update that was done is
 * there; of the one under way all is there or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "tests/unit/stats_fixture.h"
#include "weft/weft.h"

enum { ROUNDS = 24, LATE_INSTRUMENTS = 4 };

/* How many updates of each kind the child has begun, and done. */
struct progress {
    volatile uint64_t begun, done;
};
static struct {
    struct progress counter, gauge, histogram, late;
} * progress;

#define STEP(which, update)                                                                        \
    do {                                                                                           \
        progress->which.begun++;                                                                   \
        update;                                                                                    \
        progress->which.done++;                                                                    \
    } while (0)

/* ---- the script -------------------------------------------------------------------------- */

/* The k-th update of the gauge; what it is after the first n. */
static void update_gauge(uint64_t k)
{
    if (k % 4 == 2)
        weft_gauge_set(WEFT_GAUGE("gauge"), 1000 * (double)k);
    else
        weft_gauge_add(WEFT_GAUGE("gauge"), (double)k + 1);
}

static double gauge_after(uint64_t n)
{
    double value = 0;
    for (uint64_t k = 0; k < n; k++)
        value = k % 4 == 2 ? 1000 * (double)k : value + (double)k + 1;
    return value;
}

/* Twice what runs may span: the scale is lowered on the way. */
static double value_of(uint64_t k)
{
    return k % 8 == 7 ? 0 : ldexp(k % 5 == 4 ? -1.1 : 1.3, (int)(k * 2));
}

static void run_script(void)
{
    for (uint64_t i = 0; i < ROUNDS; i++) {
        STEP(counter, weft_counter_add(WEFT_COUNTER("counted_total"), 3));
        STEP(gauge, update_gauge(i));
        STEP(histogram, weft_histogram_record(WEFT_HISTOGRAM("values"), value_of(i)));
        if (i % (ROUNDS / LATE_INSTRUMENTS) == 1) {
            char text[8] = {(char)('a' + i % 26), '\0'};
            struct weft_counter *late =
                weft_bind_counter((const char *const[]){"late_total", "k", text, NULL});
            STEP(late, weft_counter_add(late, 1));
        }
    }
}

static void stepped_child(void)
{
    /* The process file is made before: its order is another test's. */
    weft_end(weft_begin(WEFT_NAME("first"), WEFT_INTERNAL));
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    run_script();
    raise(SIGSTOP);
    _exit(0);
}

/* ---- what is seen ------------------------------------------------------------------------ */

static bool is_between(const struct progress *p, uint64_t n)
{
    return p->done <= n && n <= p->begun;
}

static uint64_t late_ones(const struct tallies *t)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < t->count; i++)
        if (strncmp(t->all[i].name, "late_total", 10) == 0)
            sum += t->all[i].count;
    return sum;
}

static const char *compare(struct tallies *t)
{
    uint64_t counted = tally_of(t, "counted_total")->count;
    if (counted % 3 || !is_between(&progress->counter, counted / 3))
        return "a counter that is not what was counted";
    const struct exphist *values = &tally_of(t, "values")->histogram;
    if (!is_between(&progress->histogram, values->count) || values->not_finite)
        return "a histogram that does not hold what was recorded";
    double gauge = tally_of(t, "gauge")->value;
    if (gauge != gauge_after(progress->gauge.done) && gauge != gauge_after(progress->gauge.begun))
        return "a gauge that is not what it was set to";
    if (!is_between(&progress->late, late_ones(t)))
        return "an instrument that came later and does not count";
    return NULL;
}

/* NULL, or what is wrong. */
static const char *take_as_of_dead(struct tallies *t)
{
    enum slab_error error;
    struct slab_reader *r = fixture_open(fixture_file(0), &error);
    if (!r)
        return "no file";
    tallies_clear(t);
    error = slab_stats_take(r, tally_visit, t);
    slab_reader_close(&r);
    return error == SLAB_OK ? compare(t) : slab_error_text(error);
}

static long step_through(pid_t pid, struct tallies *t, const char **wrong)
{
    int status;
    long steps = 0;
    for (*wrong = NULL; !*wrong; steps++) {
        if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) != 0 || waitpid(pid, &status, 0) != pid ||
            !WIFSTOPPED(status) || WSTOPSIG(status) == SIGSTOP)
            return steps;
        *wrong = take_as_of_dead(t);
    }
    return steps;
}

static void every_instruction_leaves_what_was_counted(void **state)
{
    (void)state;
    fixture_begin();
    setenv("WEFT_SLOTS", "4", 1);
    setenv("WEFT_RING_BYTES", "65536", 1);
    setenv("WEFT_STATS_BYTES", "65536", 1);
    setenv("WEFT_INSTRUMENTS", "16", 1);
    struct tallies *t = tallies_create();
    progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = fork();
    if (pid == 0)
        stepped_child();
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSTOPPED(status));
    const char *wrong;
    long steps = step_through(pid, t, &wrong);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    print_message("%ld instructions\n", steps);
    if (wrong)
        fail_msg("after instruction %ld: %s", steps, wrong);
    assert_true(steps > 5000);
    assert_null(take_as_of_dead(t));
    assert_int_equal(tally_of(t, "counted_total")->count, 3 * ROUNDS);
    assert_int_equal(late_ones(t), LATE_INSTRUMENTS);
    assert_true(tally_of(t, "values")->histogram.scale < 6);
    fixture_end();
    tallies_destroy(t);
}

int main(void)
{
    guard_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instruction_leaves_what_was_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
