// SPDX-License-Identifier: Apache-2.0
/* What the feed takes and what it answers, with a real spool behind it. */
#include "agent/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/cursors.h"
#include "lib/codec/batch.h"
#include "lib/feed/frame.h"
#include "tests/unit/directory.h"
#include "weft.pb-c.h"

/* The loop's thread is the test's: it runs until an answer is there. */
struct fixture {
    char directory[64], spool[80];
    struct agent_config config;
    struct counters counters;
    struct cursors *cursors;
    struct outbox *outbox;
    struct feed *feed;
    struct shown *shown;
    uv_loop_t loop;
    int socket;
    struct batch_builder *builder;
    struct buffer out, in;
    struct feed_frame answer;
};

static void no_switches(void *context, const char *service, bool on)
{
    (void)context;
    (void)service;
    (void)on;
}

static void open_agent(struct fixture *f)
{
    char why[256];
    f->config = (struct agent_config){
        .directory = f->directory,
        .agent = (char *)(uintptr_t) "t",
        .collector = (char *)(uintptr_t) "tcp://127.0.0.1:9",
        .control = (char *)(uintptr_t) "tcp://127.0.0.1:9",
        .spool = f->spool,
        .spool_limit = 1 << 24,
        .in_flight = 4,
    };
    f->cursors = cursors_create();
    f->outbox = outbox_create(&f->config, &f->counters, f->cursors,
                              &(struct outbox_listener){.recording = no_switches});
    assert_non_null(f->outbox);
    uv_loop_init(&f->loop);
    f->shown = shown_create();
    const struct feed_parts parts = {f->outbox, &f->counters, NULL, f->shown};
    f->feed = feed_create(&f->loop, f->directory, &parts, why, sizeof why);
    assert_non_null(f->feed);
}

static int open_socket(struct fixture *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.60s/%s", f->directory, FEED_SOCKET_NAME);
    f->socket = socket(AF_UNIX, SOCK_STREAM, 0);
    return connect(f->socket, (struct sockaddr *)&address, sizeof address);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    strcpy(f->directory, "/tmp/weft-feed-XXXXXX");
    if (!mkdtemp(f->directory))
        return -1;
    snprintf(f->spool, sizeof f->spool, "%s/spool", f->directory);
    open_agent(f);
    f->builder = batch_builder_create();
    *state = f;
    return open_socket(f);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    close(f->socket);
    feed_stop(f->feed);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    feed_destroy(&f->feed);
    shown_destroy(&f->shown);
    outbox_destroy(&f->outbox, 0);
    cursors_destroy(&f->cursors);
    batch_builder_destroy(&f->builder);
    buffer_fini(&f->out);
    buffer_fini(&f->in);
    int left = uv_loop_close(&f->loop);
    directory_remove(f->directory);
    free(f);
    return left;
}

/* What is in `out` is said; false: the agent lets go. */
static bool hear(struct fixture *f)
{
    size_t taken;
    int found;
    buffer_clear(&f->in);
    assert_int_equal(send(f->socket, f->out.data, f->out.length, MSG_NOSIGNAL), f->out.length);
    while ((found = feed_frame_read(f->in.data, f->in.length, &f->answer, &taken)) == 0) {
        uv_run(&f->loop, UV_RUN_ONCE);
        ssize_t n = recv(f->socket, buffer_reserve(&f->in, 4096), 4096, MSG_DONTWAIT);
        if (n == 0)
            return false;
        f->in.length += n > 0 ? (size_t)n : 0;
    }
    assert_int_equal(found, 1);
    return true;
}

static void say(struct fixture *f, enum feed_type type, uint64_t number, const void *body,
                size_t length)
{
    buffer_clear(&f->out);
    assert_true(feed_frame_write(&f->out, type, number, body, length));
}

static uint32_t text(struct fixture *f, const char *s)
{
    return batch_string(f->builder, s, strlen(s));
}

static void add_sample(struct fixture *f, enum sample_kind kind)
{
    uint32_t metric = batch_metric(f->builder, text(f, "m"), METRIC_COUNTER, 0, 0);
    batch_sample(f->builder, batch_series(f->builder, metric, BATCH_NONE, NULL, 0), 1000, kind, 1);
}

static enum feed_type tell_batch(struct fixture *f, uint64_t number)
{
    struct buffer body = {0};
    assert_int_equal(batch_encode(f->builder, &body), 0);
    say(f, FEED_BATCH, number, body.data, body.length);
    buffer_fini(&body);
    assert_true(hear(f));
    assert_int_equal(f->answer.number, number);
    return f->answer.type;
}

static uint64_t spooled(struct fixture *f)
{
    struct outbox_stats stats;
    outbox_stats(f->outbox, &stats);
    return stats.spool_batches;
}

static void samples_marks_and_windows_are_spooled_and_answered(void **state)
{
    struct fixture *f = *state;
    add_sample(f, SAMPLE_VALUE);
    assert_int_equal(tell_batch(f, 5), FEED_STORED);
    assert_int_equal(spooled(f), 1);
    batch_builder_reset(f->builder);
    batch_mark_add(f->builder, &(struct batch_mark){.kind = BATCH_MARK_NOTIFICATION});
    assert_int_equal(tell_batch(f, 6), FEED_STORED);
    assert_int_equal(spooled(f), 2);
    const uint8_t registers[DISTINCT_REGISTERS] = {0};
    batch_builder_reset(f->builder);
    batch_window_add(f->builder, &(struct batch_window){.length_ms = 10, .registers = registers});
    assert_int_equal(tell_batch(f, 7), FEED_STORED);
    assert_int_equal(spooled(f), 3);
    assert_int_equal(counters_get(&f->counters.feed_batches), 3);
    assert_int_equal(counters_get(&f->counters.feed_refused), 0);
}

static void assert_refused(struct fixture *f, const char *sentence)
{
    char said[512] = "";
    assert_int_equal(tell_batch(f, 9), FEED_REFUSED);
    memcpy(said, f->answer.body, f->answer.length);
    assert_non_null(strstr(said, sentence));
    assert_int_equal(spooled(f), 0);
    batch_builder_reset(f->builder);
}

static void what_would_not_bear_to_come_twice_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_refused(f, "expected samples, marks and windows alone");
    add_sample(f, SAMPLE_VALUE);
    add_sample(f, SAMPLE_DELTA);
    assert_refused(f, "found deltas");
    add_sample(f, SAMPLE_VALUE);
    batch_process(f->builder, &(struct batch_process_info){.service = "web"});
    assert_refused(f, "expected samples, marks and windows alone");
    assert_int_equal(counters_get(&f->counters.feed_refused), 3);
    add_sample(f, SAMPLE_STALE);
    assert_int_equal(tell_batch(f, 10), FEED_STORED);
}

static void summaries_are_told_to_who_asks(void **state)
{
    struct fixture *f = *state;
    counters_set(&f->counters.processes, 3);
    counters_add(&f->counters.lost[LOSS_SPOOL_FULL], 7);
    say(f, FEED_ASK, 77, NULL, 0);
    assert_true(hear(f));
    assert_int_equal(f->answer.type, FEED_SUMMARIES);
    assert_int_equal(f->answer.number, 77);
    Weft__Summaries *m = weft__summaries__unpack(NULL, f->answer.length, f->answer.body);
    uint64_t lost = 0;
    assert_non_null(m);
    assert_int_equal(m->processes, 3);
    for (size_t i = 0; i < m->n_losses; i++)
        if (strcmp(m->losses[i]->reason, "spool_full") == 0)
            lost = m->losses[i]->count;
    assert_int_equal(lost, 7);
    weft__summaries__free_unpacked(m, NULL);
}

static struct batch_window window_of(const char *cache, int64_t begin_ms)
{
    static const uint8_t registers[DISTINCT_REGISTERS];
    return (struct batch_window){.cache = {cache, (uint32_t)strlen(cache)},
                                 .begin_unix_ms = begin_ms,
                                 .length_ms = 10,
                                 .registers = registers};
}

static enum feed_type tell_window(struct fixture *f, enum feed_type type, const char *cache,
                                  int64_t begin_ms)
{
    const struct batch_window window = window_of(cache, begin_ms);
    struct buffer body = {0};
    batch_builder_reset(f->builder);
    batch_window_add(f->builder, &window);
    assert_int_equal(batch_encode(f->builder, &body), 0);
    say(f, type, 1, body.data, body.length);
    buffer_fini(&body);
    assert_true(hear(f));
    return f->answer.type;
}

/* Asks for what is shown; the beginning of its window, 0: there is no more. */
static int64_t ask_shown(struct fixture *f, uint64_t number)
{
    struct arena arena;
    int error;
    say(f, FEED_ASK_SHOWN, number, NULL, 0);
    assert_true(hear(f));
    assert_int_equal(f->answer.type, FEED_SHOWN);
    assert_int_equal(f->answer.number, number);
    if (f->answer.length == 0)
        return 0;
    arena_init(&arena, 1 << 16);
    const struct batch *b =
        batch_decode(&arena, f->answer.body, f->answer.length, FEED_PLAIN_BYTES_MAX, &error);
    assert_non_null(b);
    assert_int_equal(b->window_count, 1);
    int64_t begin_ms = b->windows[0].begin_unix_ms;
    arena_fini(&arena);
    return begin_ms;
}

static void what_taps_told_last_is_shown_and_what_is_to_be_shown_is_not_spooled(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ask_shown(f, 0), 0);
    assert_int_equal(tell_window(f, FEED_BATCH, "a", 100), FEED_STORED);
    assert_int_equal(tell_window(f, FEED_SHOW, "a", 110), FEED_STORED);
    assert_int_equal(tell_window(f, FEED_SHOW, "b", 111), FEED_STORED);
    assert_int_equal(tell_window(f, FEED_SHOW, "a", 112), FEED_STORED);
    assert_int_equal(spooled(f), 1);
    assert_int_equal(ask_shown(f, 0), 100);
    assert_int_equal(ask_shown(f, 1), 111);
    assert_int_equal(ask_shown(f, 2), 112);
    assert_int_equal(ask_shown(f, 3), 0);
    assert_int_equal(ask_shown(f, UINT64_MAX), 0);
    say(f, FEED_SHOW, 1, "no batch", 8);
    assert_true(hear(f));
    assert_int_equal(f->answer.type, FEED_REFUSED);
}

static void who_says_what_is_no_question_is_let_go(void **state)
{
    struct fixture *f = *state;
    say(f, FEED_STORED, 1, NULL, 0);
    assert_false(hear(f));
}

static void a_directory_that_is_too_long_for_a_socket_is_said(void **state)
{
    struct fixture *f = *state;
    char directory[200], why[512];
    const struct feed_parts parts = {f->outbox, &f->counters, NULL, NULL};
    memset(directory, 'd', sizeof directory);
    directory[0] = '/';
    directory[sizeof directory - 1] = '\0';
    assert_null(feed_create(&f->loop, directory, &parts, why, sizeof why));
    assert_non_null(strstr(why, "too long for the path of a socket"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(samples_marks_and_windows_are_spooled_and_answered, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_would_not_bear_to_come_twice_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(summaries_are_told_to_who_asks, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_taps_told_last_is_shown_and_what_is_to_be_shown_is_not_spooled, setup, teardown),
        cmocka_unit_test_setup_teardown(who_says_what_is_no_question_is_let_go, setup, teardown),
        cmocka_unit_test_setup_teardown(a_directory_that_is_too_long_for_a_socket_is_said, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
