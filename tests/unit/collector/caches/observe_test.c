// SPDX-License-Identifier: Apache-2.0
/* Windows in accepted batches are stored once each, whatever their database's disk does meanwhile.
 * It is locked by somebody else for real. */
#include "collector/caches/observe.h"

#include <sqlite3.h>
#include <time.h>

#include "lib/base/clock.h"
#include "tests/unit/collector/caches/windows.h"
#include "tests/unit/eventually.h"

struct world {
    char directory[64], caches_directory[80];
    struct caches_watch watch;
    struct ledger *ledger;
    struct observer *observer;
    struct arena arena;
    uint64_t number;
    int64_t begin_ms;
};

static void write_no_state(void *context, struct buffer *out)
{
    (void)context;
    (void)out;
}

static int pass_state(void *context, struct bytes_reader *in)
{
    (void)context;
    (void)in;
    return 0;
}

static bool pass(void *context, const struct frame *frame, const struct ledger_told *told)
{
    (void)context;
    (void)frame;
    (void)told;
    return true;
}

static void open_all(struct world *w)
{
    char why[256] = "";
    struct ledger_read_stats stats;
    struct ledger_reading reading = {.state = pass_state, .batch = pass};
    const struct caches_options caches = {w->caches_directory, 0, 1 << 30};
    const struct ledger_options ledger = {.directory = w->directory,
                                          .limit_bytes = 1 << 30,
                                          .segment_bytes = 64 << 10,
                                          .write_state = write_no_state};
    w->watch = (struct caches_watch){.caches = caches_open(&caches, why, sizeof why)};
    w->ledger = w->watch.caches ? ledger_open(&ledger, why, sizeof why) : NULL;
    if (!w->ledger)
        fail_msg("%s", why);
    w->observer = caches_observer_create(&w->watch, w->ledger);
    assert_non_null(w->observer);
    assert_int_equal(ledger_read_back(w->ledger, &reading, &stats), 0);
}

static void close_all(struct world *w)
{
    observer_destroy(&w->observer);
    ledger_close(&w->ledger);
    caches_close(&w->watch.caches);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    strcpy(w->directory, "/tmp/weft-observe-caches-XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    snprintf(w->caches_directory, sizeof w->caches_directory, "%s/caches", w->directory);
    w->begin_ms = (int64_t)(clock_unix_ns() / 1000000) - 1800000;
    arena_init(&w->arena, 4096);
    open_all(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    char command[128];
    close_all(w);
    arena_fini(&w->arena);
    snprintf(command, sizeof command, "rm -r %s", w->directory);
    assert_int_equal(system(command), 0);
    free(w);
    return 0;
}

/* A batch of two windows of one command each, accepted and shown so many times. */
static struct journal_position accept(struct world *w, int times)
{
    struct journal_position end;
    struct buffer bytes = {0};
    struct batch_builder *b = batch_builder_create();
    struct frame frame = {.kind = FRAME_BATCH, .agent = "box1", .accepted_unix_ns = 1};
    int error;
    for (int i = 0; i < 2; i++) {
        struct batch_window window =
            window_of("box1", i ? "a" : "b", w->begin_ms + (int64_t)w->number);
        window.commands = 1;
        batch_window_add(b, &window);
    }
    assert_int_equal(batch_encode(b, &bytes), 0);
    batch_builder_destroy(&b);
    frame.sequence = (struct link_sequence){7, ++w->number};
    frame.body = bytes.data;
    frame.length = (uint32_t)bytes.length;
    assert_int_equal(ledger_append(w->ledger, &frame, &end), 0);
    assert_int_equal(ledger_sync(w->ledger), 0);
    for (int i = 0; i < times; i++) {
        struct batch *batch = batch_decode(&w->arena, bytes.data, bytes.length, 1 << 20, &error);
        assert_non_null(batch);
        observer_see(w->observer, batch, end);
        arena_reset(&w->arena);
    }
    buffer_fini(&bytes);
    return end;
}

static bool count(void *context, uint64_t cache, const struct batch_window *window)
{
    (void)cache;
    *(uint64_t *)context += window->commands;
    return true;
}

static uint64_t stored(struct world *w)
{
    uint64_t commands = 0;
    const struct caches_filter all = {.to_unix_ms = INT64_MAX};
    assert_int_equal(caches_windows(w->watch.caches, &all, count, &commands), 0);
    return commands;
}

static bool is_behind(struct world *w)
{
    struct observer_stats s;
    observer_stats(w->observer, &s);
    return s.reads_ledger;
}

static void windows_are_stored_once_however_often_they_are_shown(void **state)
{
    struct world *w = *state;
    struct journal_position at, end = {0};
    for (int i = 0; i < 20; i++)
        end = accept(w, 2);
    EVENTUALLY(stored(w) == 2 * w->number);
    close_all(w);
    open_all(w);
    at = observer_ledger_needed(w->observer);
    assert_true(at.segment == end.segment && at.offset == end.offset);
    assert_int_equal(stored(w), 2 * w->number);
}

static void what_the_queue_does_not_hold_is_read_from_the_ledger(void **state)
{
    struct world *w = *state;
    char path[100];
    sqlite3 *other;
    snprintf(path, sizeof path, "%s/caches.db", w->caches_directory);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    for (int i = 0; i < 300; i++)
        accept(w, 1);
    assert_true(is_behind(w));
    assert_int_equal(stored(w), 0); /* who asks does not wait */
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    EVENTUALLY(stored(w) == 2 * w->number && !is_behind(w));
    accept(w, 1); /* and the queue is used again */
    EVENTUALLY(stored(w) == 2 * w->number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(windows_are_stored_once_however_often_they_are_shown, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_the_queue_does_not_hold_is_read_from_the_ledger, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
