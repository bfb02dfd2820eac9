// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/spool.h"
#include "lib/base/log.h"
#include "tests/unit/directory.h"

enum { LIMIT = 1 << 20, BATCH_BYTES = 20000 };

struct fixture {
    char directory[64];
    struct spool_options options;
    struct spool *spool;
    uint64_t lost[LOSS_REASONS];
    char cursors[4096]; /* what spool_open told, one after the other */
};

static void on_lost(void *context, enum loss_reason reason, uint64_t count)
{
    struct fixture *f = context;
    f->lost[reason] += count;
}

static void on_cursors(void *context, const void *bytes, size_t length)
{
    struct fixture *f = context;
    size_t used = strlen(f->cursors);
    snprintf(f->cursors + used, sizeof f->cursors - used, "%.*s;", (int)length,
             (const char *)bytes);
}

static void open_spool(struct fixture *f)
{
    char why[256] = "";
    f->cursors[0] = '\0';
    f->spool = spool_open(&f->options, why, sizeof why);
    if (!f->spool)
        fail_msg("%s", why);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->directory, sizeof f->directory, "/tmp/weft-spool-XXXXXX");
    if (!mkdtemp(f->directory))
        return -1;
    f->options = (struct spool_options){f->directory, LIMIT, on_lost, on_cursors, f};
    open_spool(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    spool_close(&f->spool);
    directory_remove(f->directory);
    free(f);
    return 0;
}

static int put(struct fixture *f, uint32_t spans)
{
    static char sealed[BATCH_BYTES];
    char cursors[32];
    struct link_sequence sequence = spool_sequence(f->spool);
    snprintf(sealed, sizeof sealed, "batch %llu", (unsigned long long)sequence.number);
    snprintf(cursors, sizeof cursors, "c%llu", (unsigned long long)sequence.number);
    return spool_put(f->spool, spans, cursors, strlen(cursors), sealed, sizeof sealed);
}

/* The number of the next batch, which must be what was put; 0: none. */
static uint64_t fetch(struct fixture *f)
{
    struct spool_batch batch;
    char expected[32];
    int result = spool_next(f->spool, &batch);
    assert_true(result >= 0);
    if (result == 0)
        return 0;
    snprintf(expected, sizeof expected, "batch %llu", (unsigned long long)batch.sequence.number);
    assert_string_equal(batch.sealed, expected);
    assert_int_equal(batch.length, BATCH_BYTES);
    spool_sent(f->spool);
    return batch.sequence.number;
}

static uint32_t acknowledge(struct fixture *f, uint64_t epoch, uint64_t number)
{
    return spool_acknowledge(f->spool, (struct link_sequence){epoch, number});
}

/* ---- the good way ------------------------------------------------------------------------ */

static void batches_come_back_in_order_and_once(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fetch(f), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(put(f, 10), 0);
    assert_int_equal(spool_waiting(f->spool), 5);
    for (uint64_t i = 1; i <= 5; i++)
        assert_int_equal(fetch(f), i);
    assert_int_equal(fetch(f), 0);
    assert_int_equal(put(f, 10), 0);
    assert_int_equal(fetch(f), 6);
}

static void a_batch_stays_the_next_until_it_is_sent(void **state)
{
    struct fixture *f = *state;
    struct spool_batch batch;
    put(f, 1);
    put(f, 1);
    assert_int_equal(spool_next(f->spool, &batch), 1);
    assert_int_equal(batch.sequence.number, 1);
    assert_int_equal(spool_next(f->spool, &batch), 1);
    assert_int_equal(batch.sequence.number, 1);
    spool_sent(f->spool);
    assert_int_equal(spool_next(f->spool, &batch), 1);
    assert_int_equal(batch.sequence.number, 2);
}

static void acknowledgements_may_come_in_any_order(void **state)
{
    struct fixture *f = *state;
    uint64_t epoch = spool_sequence(f->spool).epoch;
    for (uint32_t i = 1; i <= 4; i++)
        put(f, i);
    assert_int_equal(acknowledge(f, epoch, 3), 3);
    assert_int_equal(spool_oldest(f->spool).number, 1);
    assert_int_equal(acknowledge(f, epoch, 1), 1);
    assert_int_equal(spool_oldest(f->spool).number, 2);
    assert_int_equal(acknowledge(f, epoch, 2), 2);
    assert_int_equal(spool_oldest(f->spool).number, 4);
    assert_int_equal(acknowledge(f, epoch, 2), 0); /* twice */
    assert_int_equal(acknowledge(f, epoch, 9), 0); /* never put */
    assert_int_equal(acknowledge(f, epoch + 1, 4), 0);
    assert_int_equal(acknowledge(f, epoch, 4), 4);
    assert_int_equal(spool_waiting(f->spool), 0);
    assert_int_equal(spool_oldest(f->spool).number, 5); /* the next to be put */
}

static void space_comes_back_with_acknowledgements(void **state)
{
    struct fixture *f = *state;
    uint64_t epoch = spool_sequence(f->spool).epoch;
    for (uint64_t i = 1; i <= 1000; i++) {
        assert_int_equal(put(f, 1), 0);
        assert_int_equal(fetch(f), i);
        assert_int_equal(acknowledge(f, epoch, i), 1);
        assert_true(spool_bytes(f->spool) <= LIMIT);
    }
    assert_int_equal(f->lost[LOSS_SPOOL_FULL], 0);
}

/* ---- restarts ---------------------------------------------------------------------------- */

static void what_was_not_acknowledged_is_sent_again_after_a_restart(void **state)
{
    struct fixture *f = *state;
    struct spool_batch batch;
    struct link_sequence before = spool_sequence(f->spool);
    for (uint32_t i = 1; i <= 3; i++)
        put(f, i);
    assert_int_equal(fetch(f), 1);
    spool_close(&f->spool);
    open_spool(f);
    assert_string_equal(f->cursors, "c1;c2;c3;");
    assert_int_equal(spool_waiting(f->spool), 3);
    assert_true(spool_sequence(f->spool).epoch > before.epoch);
    assert_int_equal(spool_sequence(f->spool).number, 1);
    put(f, 9);
    for (uint64_t i = 1; i <= 3; i++) {
        assert_int_equal(spool_next(f->spool, &batch), 1);
        assert_int_equal(batch.sequence.epoch, before.epoch);
        assert_int_equal(batch.sequence.number, i);
        assert_int_equal(batch.spans, i);
        spool_sent(f->spool);
    }
    assert_int_equal(spool_next(f->spool, &batch), 1);
    assert_true(batch.sequence.epoch > before.epoch);
    assert_int_equal(acknowledge(f, before.epoch, 2), 2);
    assert_int_equal(f->lost[LOSS_SPOOL_TORN], 0);
}

static void a_spool_closed_with_nothing_waiting_sends_nothing_again(void **state)
{
    struct fixture *f = *state;
    uint64_t epoch = spool_sequence(f->spool).epoch;
    put(f, 1);
    acknowledge(f, epoch, 1);
    spool_close(&f->spool);
    open_spool(f);
    assert_string_equal(f->cursors, "");
    assert_int_equal(fetch(f), 0);
    assert_int_equal(spool_bytes(f->spool), 0);
}

static void an_epoch_is_later_than_all_before_though_the_clock_was_set_back(void **state)
{
    struct fixture *f = *state;
    char path[128];
    spool_close(&f->spool);
    snprintf(path, sizeof path, "%s/epoch", f->directory);
    FILE *file = fopen(path, "w");
    fputs("9000000000000000000\n", file);
    fclose(file);
    open_spool(f);
    assert_true(spool_sequence(f->spool).epoch == 9000000000000000001u);
    put(f, 1);
    spool_close(&f->spool);
    unlink(path);
    open_spool(f);
    assert_true(spool_sequence(f->spool).epoch > 9000000000000000001u);
}

static void a_second_agent_is_refused_with_a_sentence(void **state)
{
    struct fixture *f = *state;
    char why[256] = "";
    assert_null(spool_open(&f->options, why, sizeof why));
    assert_non_null(strstr(why, "another agent has it"));
}

static void put_until_killed(struct fixture *f, int pipe_fd)
{
    char why[256];
    f->spool = spool_open(&f->options, why, sizeof why);
    while (f->spool && put(f, 1) == 0) {
        uint64_t number = spool_sequence(f->spool).number - 1;
        if (number == 40 || write(pipe_fd, &number, sizeof number) != sizeof number)
            break;
    }
    pause();
    _exit(1);
}

static void what_was_put_outlives_a_kill(void **state)
{
    struct fixture *f = *state;
    int ends[2], status;
    uint64_t told = 0;
    spool_close(&f->spool);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0)
        put_until_killed(f, ends[1]);
    close(ends[1]);
    while (told < 30)
        assert_int_equal(read(ends[0], &told, sizeof told), sizeof told);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    while (read(ends[0], &told, sizeof told) == sizeof told)
        ;
    close(ends[0]);
    open_spool(f);
    assert_true(spool_waiting(f->spool) >= told);
    for (uint64_t i = 1; i <= told; i++)
        assert_int_equal(fetch(f), i);
}

/* ---- limits and damage ------------------------------------------------------------------- */

static void beyond_the_limit_the_oldest_go_and_are_counted(void **state)
{
    struct fixture *f = *state;
    uint64_t put_spans = 0, waiting_spans = 0, number, first;
    for (uint32_t i = 1; i <= 200; i++) {
        assert_int_equal(put(f, i), 0);
        put_spans += i;
        assert_true(spool_bytes(f->spool) <= LIMIT);
    }
    assert_true(spool_waiting(f->spool) > 20);
    first = spool_oldest(f->spool).number;
    assert_true(first > 100);
    for (uint64_t expected = first; (number = fetch(f)) != 0; expected++) {
        assert_int_equal(number, expected);
        waiting_spans += number;
    }
    assert_int_equal(put_spans, waiting_spans + f->lost[LOSS_SPOOL_FULL]);
}

static void what_was_acknowledged_is_not_counted_as_lost(void **state)
{
    struct fixture *f = *state;
    uint64_t epoch = spool_sequence(f->spool).epoch;
    for (uint32_t i = 1; i <= 10; i++)
        put(f, 1);
    for (uint64_t i = 2; i <= 10; i++)
        acknowledge(f, epoch, i);
    while (spool_oldest(f->spool).number == 1)
        put(f, 0);
    assert_int_equal(f->lost[LOSS_SPOOL_FULL], 1);
}

static void a_full_disk_is_an_error_and_the_sequence_stays_free(void **state)
{
    struct fixture *f = *state;
    struct rlimit limit, saved;
    assert_int_equal(put(f, 1), 0);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &saved);
    limit = saved;
    limit.rlim_cur = BATCH_BYTES + 1000;
    setrlimit(RLIMIT_FSIZE, &limit);
    int error = put(f, 1);
    setrlimit(RLIMIT_FSIZE, &saved);
    assert_int_equal(error, -EFBIG);
    assert_int_equal(spool_sequence(f->spool).number, 2);
    assert_int_equal(spool_waiting(f->spool), 1);
    assert_int_equal(put(f, 1), 0);
    assert_int_equal(fetch(f), 1);
    assert_int_equal(fetch(f), 2);
}

static void flip_byte(const struct fixture *f, long offset)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%020d.spool", f->directory, 1);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, offset, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, offset, SEEK_SET);
    fputc(byte ^ 0x20, file);
    fclose(file);
}

static void a_batch_damaged_on_disk_is_counted_and_the_others_come(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++)
        put(f, 1);
    spool_close(&f->spool);
    flip_byte(f, BATCH_BYTES + 5000); /* in the second */
    open_spool(f);
    assert_int_equal(f->lost[LOSS_SPOOL_TORN], 1);
    assert_string_equal(f->cursors, "c1;c3;c4;");
    assert_int_equal(fetch(f), 1);
    assert_int_equal(fetch(f), 3);
    assert_int_equal(fetch(f), 4);
    assert_int_equal(f->lost[LOSS_SPOOL_TORN], 1);
}

static void damage_after_opening_is_counted_when_it_is_met_and_does_not_stick(void **state)
{
    struct fixture *f = *state;
    uint64_t epoch = spool_sequence(f->spool).epoch;
    for (int i = 0; i < 4; i++)
        put(f, 1);
    assert_int_equal(spool_waiting(f->spool), 4);
    flip_byte(f, BATCH_BYTES + 5000);
    assert_int_equal(fetch(f), 1);
    assert_int_equal(fetch(f), 3);
    assert_int_equal(f->lost[LOSS_SPOOL_TORN], 1);
    assert_int_equal(spool_waiting(f->spool), 3);
    acknowledge(f, epoch, 1);
    assert_int_equal(spool_oldest(f->spool).number, 3);
}

static void a_torn_last_batch_is_cut_off_and_counted(void **state)
{
    struct fixture *f = *state;
    char path[128];
    for (int i = 0; i < 3; i++)
        put(f, 1);
    uint64_t bytes = spool_bytes(f->spool);
    spool_close(&f->spool);
    snprintf(path, sizeof path, "%s/%020d.spool", f->directory, 1);
    assert_int_equal(truncate(path, (off_t)bytes - 7), 0);
    open_spool(f);
    assert_int_equal(f->lost[LOSS_SPOOL_TORN], 1);
    assert_int_equal(spool_waiting(f->spool), 2);
    put(f, 1);
    assert_int_equal(fetch(f), 1);
    assert_int_equal(fetch(f), 2);
    assert_int_equal(fetch(f), 1); /* of the new epoch */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(batches_come_back_in_order_and_once),
        TEST(a_batch_stays_the_next_until_it_is_sent),
        TEST(acknowledgements_may_come_in_any_order),
        TEST(space_comes_back_with_acknowledgements),
        TEST(what_was_not_acknowledged_is_sent_again_after_a_restart),
        TEST(a_spool_closed_with_nothing_waiting_sends_nothing_again),
        TEST(an_epoch_is_later_than_all_before_though_the_clock_was_set_back),
        TEST(a_second_agent_is_refused_with_a_sentence),
        TEST(what_was_put_outlives_a_kill),
        TEST(beyond_the_limit_the_oldest_go_and_are_counted),
        TEST(what_was_acknowledged_is_not_counted_as_lost),
        TEST(a_full_disk_is_an_error_and_the_sequence_stays_free),
        TEST(a_batch_damaged_on_disk_is_counted_and_the_others_come),
        TEST(damage_after_opening_is_counted_when_it_is_met_and_does_not_stick),
        TEST(a_torn_last_batch_is_cut_off_and_counted),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
