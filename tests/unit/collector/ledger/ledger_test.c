// SPDX-License-Identifier: Apache-2.0
#include "collector/ledger/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/collector/spans.h"
#include "tests/unit/directory.h"

#define EVERYTHING ((struct journal_position){0})
#define NOTHING    ((struct journal_position){UINT64_MAX, 0}) /* but what no state contains */

struct fixture {
    char directory[64];
    struct ledger *ledger;
    struct journal_position appended_end;
    uint64_t limit_bytes, max_age_ns;
    char state[32]; /* what the caller must not forget */
    char read_state[32];
    uint64_t read[4096]; /* numbers of the batches read back */
    bool counted[4096], before[4096];
    struct journal_position end[4096];
    size_t read_count;
    unsigned durable_calls;
};

static void write_state(void *context, struct buffer *out)
{
    struct fixture *f = context;
    buffer_append(out, f->state, sizeof f->state);
}

static void on_durable(void *context)
{
    struct fixture *f = context;
    f->durable_calls++;
}

static int on_state(void *context, struct bytes_reader *in)
{
    struct fixture *f = context;
    const char *state = bytes_take(in, sizeof f->read_state);
    if (!state)
        return -1;
    memcpy(f->read_state, state, sizeof f->read_state);
    return 0;
}

static bool on_batch(void *context, const struct frame *frame, const struct ledger_told *told)
{
    struct fixture *f = context;
    assert_string_equal(frame->agent, "box1");
    assert_int_equal(frame->spans, 10);
    assert_true(f->read_count < 4096);
    f->counted[f->read_count] = told->counted;
    f->before[f->read_count] = told->before;
    f->end[f->read_count] = told->end;
    f->read[f->read_count++] = frame->sequence.number;
    return true;
}

static void open_it(struct fixture *f)
{
    char why[256] = "";
    f->ledger = ledger_open(&(struct ledger_options){.directory = f->directory,
                                                     .limit_bytes = f->limit_bytes,
                                                     .max_age_ns = f->max_age_ns,
                                                     .segment_bytes = 64 << 10,
                                                     .write_state = write_state,
                                                     .durable = on_durable,
                                                     .context = f},
                            why, sizeof why);
    if (!f->ledger)
        fail_msg("%s", why);
}

static struct ledger_read_stats read_back(struct fixture *f, struct journal_position from)
{
    struct ledger_read_stats stats;
    f->read_count = 0;
    *f->read_state = 0;
    assert_int_equal(
        ledger_read_back(f->ledger,
                         &(struct ledger_reading){
                             .from = from, .state = on_state, .batch = on_batch, .context = f},
                         &stats),
        0);
    return stats;
}

static void reopen(struct fixture *f)
{
    ledger_close(&f->ledger);
    open_it(f);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    strcpy(f->directory, "/tmp/weft-ledger-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    f->limit_bytes = 1 << 30;
    open_it(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ledger_close(&f->ledger);
    assert_int_equal(directory_remove(f->directory), 0);
    free(f);
    return 0;
}

static void append(struct fixture *f, uint64_t number)
{
    static char body[1000];
    struct frame frame = {.kind = FRAME_BATCH,
                          .agent = "box1",
                          .sequence = {7, number},
                          .accepted_unix_ns = EPOCH,
                          .spans = 10,
                          .body = body,
                          .length = sizeof body};
    snprintf(f->state, sizeof f->state, "before %llu", (unsigned long long)number);
    assert_int_equal(ledger_append(f->ledger, &frame, &f->appended_end), 0);
    snprintf(f->state, sizeof f->state, "with %llu", (unsigned long long)number);
}

static void append_many(struct fixture *f, uint64_t first, uint64_t last)
{
    for (uint64_t n = first; n <= last; n++)
        append(f, n);
    assert_int_equal(ledger_sync(f->ledger), 0);
}

static void what_was_appended_is_read_back_in_order(void **state)
{
    struct fixture *f = *state;
    append_many(f, 1, 300); /* several segments */
    reopen(f);
    struct ledger_read_stats stats = read_back(f, EVERYTHING);
    assert_int_equal(stats.frames, 300);
    assert_int_equal(stats.spans, 3000);
    for (uint64_t n = 0; n < 300; n++)
        assert_int_equal(f->read[n], n + 1);
    struct ledger_stats totals;
    ledger_stats(f->ledger, &totals);
    assert_int_equal(totals.totals.batches, 300);
    assert_int_equal(totals.totals.spans, 3000);
    assert_true(totals.segments > 3);
}

static void a_state_and_what_follows_it_make_the_whole(void **state)
{
    struct fixture *f = *state;
    append_many(f, 1, 300);
    reopen(f);
    read_back(f, NOTHING);
    unsigned long long before;
    assert_int_equal(sscanf(f->read_state, "before %llu", &before), 1);
    assert_int_equal(f->read[0], before);
    assert_int_equal(f->read[f->read_count - 1], 300);
    for (size_t i = 0; i < f->read_count; i++)
        assert_false(f->counted[i]);
}

static void the_last_state_is_the_one_told(void **state)
{
    struct fixture *f = *state;
    append_many(f, 1, 20);
    strcpy(f->state, "at the end");
    assert_int_equal(ledger_append_state(f->ledger, EPOCH), 0);
    append_many(f, 21, 22);
    reopen(f);
    read_back(f, EVERYTHING);
    assert_string_equal(f->read_state, "at the end");
    assert_int_equal(f->read_count, 22);
    assert_true(f->counted[19]);
    assert_false(f->counted[20]);
}

static void reading_goes_on_behind_a_batch(void **state)
{
    struct fixture *f = *state;
    append_many(f, 1, 150);
    struct journal_position behind = f->appended_end;
    append_many(f, 151, 300);
    strcpy(f->state, "at the end");
    assert_int_equal(ledger_append_state(f->ledger, EPOCH), 0);
    reopen(f);
    struct ledger_read_stats stats = read_back(f, behind);
    assert_int_equal(stats.frames, 150);
    size_t first = f->read_count - 150;
    assert_int_equal(f->read[first], 151);
    for (size_t i = 0; i < f->read_count; i++)
        assert_int_equal(f->before[i], i < first);
    assert_int_equal(f->end[f->read_count - 1].segment, f->appended_end.segment);
    assert_int_equal(f->end[f->read_count - 1].offset, f->appended_end.offset);
}

static void what_no_segment_of_traces_has_is_kept(void **state)
{
    struct fixture *f = *state;
    f->limit_bytes = 200 << 10;
    reopen(f);
    append_many(f, 1, 1000);
    struct ledger_stats stats;
    ledger_retain(f->ledger, 3, EPOCH);
    ledger_stats(f->ledger, &stats);
    assert_int_equal(stats.dropped_segments, 2);
}

static void dropped_segments_leave_their_state(void **state)
{
    struct fixture *f = *state;
    f->limit_bytes = 200 << 10;
    reopen(f);
    struct ledger_stats stats;
    for (uint64_t n = 0; n < 10; n++) {
        append_many(f, n * 100 + 1, n * 100 + 100);
        ledger_retain(f->ledger, UINT64_MAX, EPOCH);
        ledger_stats(f->ledger, &stats);
        assert_true(stats.bytes <= f->limit_bytes);
    }
    assert_true(stats.dropped_segments > 5);
    assert_int_equal(stats.totals.spans, 10000);
    reopen(f);
    read_back(f, EVERYTHING);
    assert_int_equal(f->read[0], 1000 - f->read_count + 1);
    assert_string_equal(f->read_state, "with 1000");
    ledger_stats(f->ledger, &stats);
    assert_int_equal(stats.totals.spans, 10000);
}

static void old_segments_go_even_when_there_is_room(void **state)
{
    struct fixture *f = *state;
    f->max_age_ns = UINT64_C(3600) * 1000000000;
    reopen(f);
    append_many(f, 1, 300);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000;
    struct ledger_stats stats;
    ledger_retain(f->ledger, UINT64_MAX, now_ns);
    ledger_stats(f->ledger, &stats);
    assert_int_equal(stats.dropped_segments, 0);
    ledger_retain(f->ledger, UINT64_MAX, now_ns + 2 * f->max_age_ns);
    ledger_stats(f->ledger, &stats);
    assert_int_equal(stats.segments, 1); /* the one being written stays */
}

/* The name of the newest segment file. */
static void newest_file(struct fixture *f, char path[128])
{
    char command[160];
    snprintf(command, sizeof command, "ls %s/*.ledger | tail -1", f->directory);
    FILE *pipe = popen(command, "r");
    assert_non_null(fgets(path, 128, pipe));
    pclose(pipe);
    path[strcspn(path, "\n")] = 0;
}

static void a_torn_tail_costs_only_what_was_torn(void **state)
{
    struct fixture *f = *state;
    char path[128];
    struct stat st;
    append_many(f, 1, 20);
    ledger_close(&f->ledger);
    newest_file(f, path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size - 100), 0);
    open_it(f);
    struct ledger_read_stats stats = read_back(f, EVERYTHING);
    assert_int_equal(f->read_count, 19);
    assert_true(stats.torn_bytes > 0);
    append_many(f, 21, 21);
    reopen(f);
    read_back(f, EVERYTHING);
    assert_int_equal(f->read[19], 21);
}

static void a_flipped_byte_costs_one_batch_and_is_told(void **state)
{
    struct fixture *f = *state;
    char path[128], byte;
    append_many(f, 1, 20);
    ledger_close(&f->ledger);
    newest_file(f, path);
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, 10000), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, 10000), 1);
    close(fd);
    open_it(f);
    struct ledger_read_stats stats = read_back(f, EVERYTHING);
    assert_int_equal(f->read_count, 19);
    assert_true(stats.damaged_bytes > 0);
}

static void a_second_opener_is_told_so(void **state)
{
    struct fixture *f = *state;
    char why[256];
    assert_null(ledger_open(&(struct ledger_options){.directory = f->directory,
                                                     .limit_bytes = 1 << 30,
                                                     .segment_bytes = 64 << 10,
                                                     .write_state = write_state,
                                                     .durable = on_durable,
                                                     .context = f},
                            why, sizeof why));
    assert_non_null(strstr(why, "another process"));
}

static void followers_are_told_what_is_durable(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ledger_durable(f->ledger).end.segment, 0); /* not read back yet */
    read_back(f, EVERYTHING);
    append(f, 1);
    assert_int_equal(f->durable_calls, 1);
    assert_int_equal(ledger_durable(f->ledger).spans, 0);
    assert_int_equal(ledger_sync(f->ledger), 0);
    assert_int_equal(f->durable_calls, 2);
    struct ledger_end durable = ledger_durable(f->ledger);
    assert_int_equal(durable.spans, 10);
    assert_int_equal(durable.end.segment, f->appended_end.segment);
    assert_int_equal(durable.end.offset, f->appended_end.offset);
    reopen(f);
    read_back(f, NOTHING);
    assert_int_equal(ledger_durable(f->ledger).spans, 10);
    assert_int_equal(ledger_durable(f->ledger).end.offset, durable.end.offset);
}

static void a_moment_is_found_by_the_segments_beginnings(void **state)
{
    struct fixture *f = *state;
    struct journal_position at, began;
    read_back(f, EVERYTHING);
    append_many(f, 1, 200);
    began = f->appended_end;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t moment = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    append_many(f, 201, 400);
    assert_int_equal(ledger_find(f->ledger, moment, &at), 0);
    assert_int_equal(at.segment, began.segment);
    assert_int_equal(ledger_find(f->ledger, 1, &at), 0);
    assert_int_equal(at.segment, 1);
    assert_int_equal(ledger_find(f->ledger, UINT64_MAX, &at), 0);
    assert_int_equal(at.segment, f->appended_end.segment);
    assert_true(ledger_has_segment(f->ledger, 1));
    assert_false(ledger_has_segment(f->ledger, at.segment + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(what_was_appended_is_read_back_in_order),
        TEST(a_state_and_what_follows_it_make_the_whole),
        TEST(the_last_state_is_the_one_told),
        TEST(reading_goes_on_behind_a_batch),
        TEST(what_no_segment_of_traces_has_is_kept),
        TEST(dropped_segments_leave_their_state),
        TEST(old_segments_go_even_when_there_is_room),
        TEST(a_torn_tail_costs_only_what_was_torn),
        TEST(a_flipped_byte_costs_one_batch_and_is_told),
        TEST(a_second_opener_is_told_so),
        TEST(followers_are_told_what_is_durable),
        TEST(a_moment_is_found_by_the_segments_beginnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
