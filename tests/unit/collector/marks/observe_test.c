// SPDX-License-Identifier: Apache-2.0
/* What batches tell becomes marks, whatever the database's disk does meanwhile and wherever the
 * collector is killed. The disk fails for real: the process may write no byte to any file. */
#include "collector/marks/observe.h"

#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include <sqlite3.h>

#include "lib/base/clock.h"
#include "lib/codec/batch_marks.h"
#include "tests/unit/collector/spans.h"

struct world {
    char directory[64], marks_directory[80];
    struct marks *marks;
    struct ledger *ledger;
    struct observer *observer;
    struct arena arena;
    uint64_t number, limit_bytes;
    struct rlimit files;
};

static void write_no_state(void *context, struct buffer *out)
{
    (void)context;
    (void)out;
}

static bool pass(void *context, const struct frame *frame, const struct ledger_told *told)
{
    (void)frame;
    if (context)
        *(uint64_t *)context += !told->before;
    return true;
}

static int pass_state(void *context, struct bytes_reader *in)
{
    (void)context;
    (void)in;
    return 0;
}

static void open_all(struct world *w)
{
    char why[256] = "";
    struct ledger_read_stats stats;
    w->marks = marks_open(w->marks_directory, 0, why, sizeof why);
    w->ledger = w->marks ? ledger_open(&(struct ledger_options){.directory = w->directory,
                                                                .limit_bytes = w->limit_bytes,
                                                                .segment_bytes = 64 << 10,
                                                                .write_state = write_no_state},
                                       why, sizeof why)
                         : NULL;
    if (!w->ledger)
        fail_msg("%s", why);
    w->observer = marks_observer_create(w->marks, w->ledger);
    assert_non_null(w->observer);
    struct ledger_reading reading = {.state = pass_state, .batch = pass};
    assert_int_equal(ledger_read_back(w->ledger, &reading, &stats), 0);
}

static void close_all(struct world *w)
{
    observer_destroy(&w->observer);
    ledger_close(&w->ledger);
    marks_close(&w->marks);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    strcpy(w->directory, "/tmp/weft-observe-XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    snprintf(w->marks_directory, sizeof w->marks_directory, "%s/marks", w->directory);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &w->files);
    arena_init(&w->arena, 4096);
    w->limit_bytes = 1 << 30;
    open_all(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    char command[128];
    setrlimit(RLIMIT_FSIZE, &w->files);
    close_all(w);
    arena_fini(&w->arena);
    snprintf(command, sizeof command, "rm -r %s", w->directory);
    assert_int_equal(system(command), 0);
    free(w);
    return 0;
}

static void let_disk_fail(struct world *w, bool fails)
{
    struct rlimit limit = w->files;
    if (fails)
        limit.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static struct buffer batch_bytes(uint64_t first, unsigned count)
{
    struct spans s;
    spans_begin(&s);
    for (uint64_t i = first; i < first + count; i++) {
        char title[32];
        uint32_t length =
            (uint32_t)snprintf(title, sizeof title, "moment %llu", (unsigned long long)i);
        batch_mark_add(s.builder, &(struct batch_mark){
                                      .kind = BATCH_MARK_NOTIFICATION,
                                      .unix_ns = EPOCH + i * MS,
                                      .title = batch_string(s.builder, title, length),
                                      .text = batch_string(s.builder, "", 0),
                                      .host = batch_string(s.builder, "box1", 4),
                                      .service = batch_string(s.builder, "", 0),
                                  });
    }
    return spans_encode(&s);
}

static void show(struct world *w, const void *bytes, size_t length, struct journal_position end)
{
    int error;
    struct batch *b = batch_decode(&w->arena, bytes, length, 16 << 20, &error);
    assert_non_null(b);
    observer_see(w->observer, b, end);
    arena_reset(&w->arena);
}

/* Accepts a batch that tells of so many moments; where it ends in the ledger. */
static struct journal_position accept(struct world *w, unsigned count)
{
    struct journal_position end;
    struct buffer bytes = batch_bytes(w->number, count);
    struct frame frame = {.kind = FRAME_BATCH,
                          .agent = "box1",
                          .sequence = {7, w->number + 1},
                          .accepted_unix_ns = EPOCH,
                          .body = bytes.data,
                          .length = bytes.length};
    w->number += count;
    assert_int_equal(ledger_append(w->ledger, &frame, &end), 0);
    assert_int_equal(ledger_sync(w->ledger), 0);
    show(w, bytes.data, bytes.length, end);
    buffer_fini(&bytes);
    return end;
}

/* The same, while no byte can be written: it is told alone. */
static void tell(struct world *w, unsigned count, struct journal_position end)
{
    struct buffer bytes = batch_bytes(w->number, count);
    w->number += count;
    show(w, bytes.data, bytes.length, end);
    buffer_fini(&bytes);
}

static struct observer_stats
stats_when(struct world *w, bool (*holds)(const struct observer_stats *s), const char *what)
{
    struct observer_stats s;
    for (int i = 0; i < 24000; i++) {
        observer_stats(w->observer, &s);
        if (holds(&s))
            return s;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    fail_msg("not after two minutes: %s", what);
    return s;
}

static bool failed_often(const struct observer_stats *s)
{
    return s->failed >= 3;
}

static bool all_is_written(const struct observer_stats *s)
{
    return s->waiting == 0 && !s->reads_ledger && !s->is_failing;
}

static bool is_behind(const struct observer_stats *s)
{
    return s->reads_ledger;
}

/* Each moment is a mark, and only one. */
static void assert_all_marked(struct world *w)
{
    struct marks_filter all = {0, UINT64_MAX, MARK_NOTIFICATION, NULL, 20000};
    struct mark *list;
    uint32_t count;
    bool more;
    assert_int_equal(marks_find(w->marks, &all, &w->arena, &list, &count, &more), 0);
    assert_int_equal(count, w->number);
    for (uint32_t i = 0; i < count; i++)
        assert_true(list[i].from_unix_ns == EPOCH + (count - 1 - i) * MS);
    arena_reset(&w->arena);
}

static struct journal_position reached(struct world *w)
{
    struct journal_position at = {0};
    assert_int_equal(marks_reached(w->marks, &at), 1);
    return at;
}

/* By somebody else: the ledger can be written meanwhile. */
static sqlite3 *lock_database(struct world *w)
{
    char path[100];
    sqlite3 *other;
    snprintf(path, sizeof path, "%s/marks.db", w->marks_directory);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return other;
}

static void unlock_database(sqlite3 *other)
{
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
}

/* ---- tests ------------------------------------------------------------------------------- */

static void what_cannot_be_written_is_written_when_the_disk_is_well(void **state)
{
    struct world *w = *state;
    let_disk_fail(w, true);
    tell(w, 10, (struct journal_position){1, 1000});
    struct observer_stats s = stats_when(w, failed_often, "it is tried again");
    assert_true(s.is_failing && s.waiting == 10 && s.written == 0);
    assert_true(s.error[0] != '\0');
    let_disk_fail(w, false);
    s = stats_when(w, all_is_written, "all is written");
    assert_int_equal(s.written, 10);
    assert_int_equal(s.refused, 0);
    assert_string_equal(s.error, "");
    assert_all_marked(w);
}

static void what_was_not_written_is_asked_of_the_ledger_again(void **state)
{
    struct world *w = *state;
    struct journal_position first = accept(w, 5);
    stats_when(w, all_is_written, "all is written");
    close_all(w);
    open_all(w); /* it told how far all is written */
    struct journal_position at = reached(w);
    assert_true(at.segment == first.segment && at.offset == first.offset);

    let_disk_fail(w, true);
    tell(w, 3, (struct journal_position){first.segment, first.offset + 500});
    stats_when(w, failed_often, "it is tried again");
    at = observer_ledger_needed(w->observer);
    assert_true(at.segment == first.segment && at.offset == first.offset);
    observer_destroy(&w->observer); /* as if killed: three moments are written nowhere */
    let_disk_fail(w, false);
    at = reached(w);
    assert_true(at.segment == first.segment && at.offset == first.offset);
    w->observer = marks_observer_create(w->marks, w->ledger);
    assert_non_null(w->observer);
    at = observer_ledger_needed(w->observer);
    assert_true(at.segment == first.segment && at.offset == first.offset);
    w->number = 0;
    tell(w, 8, (struct journal_position){first.segment, first.offset + 500}); /* by the ledger */
    stats_when(w, all_is_written, "all is written");
    assert_all_marked(w);
}

static void what_the_queue_does_not_hold_is_read_from_the_ledger(void **state)
{
    struct world *w = *state;
    struct journal_position end = {0};
    sqlite3 *other = lock_database(w);
    for (int i = 0; i < 12; i++)
        end = accept(w, 500);
    stats_when(w, is_behind, "the queue is full");
    unlock_database(other);
    struct observer_stats s = stats_when(w, all_is_written, "all is written");
    assert_int_equal(s.gaps, 0);
    assert_all_marked(w);
    end = accept(w, 5); /* and the queue is used again */
    stats_when(w, all_is_written, "all is written");
    assert_all_marked(w);
    observer_destroy(&w->observer);
    struct journal_position at = reached(w);
    assert_true(at.segment == end.segment && at.offset == end.offset);
}

static void what_the_ledger_had_dropped_is_told_as_a_gap(void **state)
{
    struct world *w = *state;
    struct ledger_stats ledger;
    close_all(w);
    w->limit_bytes = 64 << 10;
    open_all(w);
    sqlite3 *other = lock_database(w);
    do {
        accept(w, 500);
        ledger_stats(w->ledger, &ledger);
    } while (ledger.segments < 6);
    stats_when(w, is_behind, "the queue is full");
    ledger_retain(w->ledger, UINT64_MAX, clock_unix_ns());
    unlock_database(other);
    struct observer_stats s = stats_when(w, all_is_written, "all is written");
    assert_int_equal(s.gaps, 1);
    assert_in_range(s.written, 4096, w->number - 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_written_when_the_disk_is_well,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_not_written_is_asked_of_the_ledger_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_the_queue_does_not_hold_is_read_from_the_ledger, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_the_ledger_had_dropped_is_told_as_a_gap, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
