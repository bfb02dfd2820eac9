// SPDX-License-Identifier: Apache-2.0
/* The sender, the batches that it makes and the summaries, against an agent that does as it is
 * told. */
#include "plugins/collectd/sender.h"

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

#include "lib/base/clock.h"
#include "lib/codec/batch.h"
#include "lib/feed/channel.h"
#include "plugins/collectd/summaries.h"
#include "weft.pb-c.h"

enum { LIMIT = 20000, PATIENCE_MS = 60000 };

/* The agent is the test's own thread: it waits for the sender to come. */
struct fixture {
    char directory[64], socket[100];
    int listener;
    struct channel peer;
    struct queue *queue;
    struct sender *sender;
    struct arena arena;
    const struct batch *batch; /* of the frame that came last */
    uint64_t number;
};

static void say(enum sender_tone tone, const char *sentence)
{
    print_message("%s: %s\n", tone == SENDER_WARNING ? "warning" : "info", sentence);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(f->directory, "/tmp/weft-sender-XXXXXX");
    if (!mkdtemp(f->directory))
        return -1;
    snprintf(f->socket, sizeof f->socket, "%s/feed.sock", f->directory);
    strcpy(address.sun_path, f->socket);
    f->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    channel_init(&f->peer);
    arena_init(&f->arena, 65536);
    f->queue = queue_create(LIMIT);
    *state = f;
    return bind(f->listener, (struct sockaddr *)&address, sizeof address) == 0 &&
                   listen(f->listener, 4) == 0
               ? 0
               : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    close(f->listener);
    unlink(f->socket);
    rmdir(f->directory);
    channel_close(&f->peer);
    arena_fini(&f->arena);
    queue_destroy(&f->queue);
    free(f);
    return 0;
}

static void begin(struct fixture *f, int64_t timeout_ms)
{
    const struct sender_options options = {f->socket, "box7", timeout_ms, say};
    f->sender = sender_create(f->queue, &options);
    assert_non_null(f->sender);
}

static void meet(struct fixture *f)
{
    channel_close(&f->peer);
    f->peer.fd = accept4(f->listener, NULL, NULL, SOCK_NONBLOCK);
    assert_true(f->peer.fd >= 0);
}

/* The next batch. */
static void hear(struct fixture *f)
{
    struct feed_frame frame;
    char why[256];
    int error;
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    assert_int_equal(channel_receive(&f->peer, &frame, until_ms, why, sizeof why), 0);
    assert_int_equal(frame.type, FEED_BATCH);
    f->number = frame.number;
    f->batch = batch_decode(&f->arena, frame.body, frame.length, FEED_PLAIN_BYTES_MAX, &error);
    assert_non_null(f->batch);
    assert_true(batch_is_samples(f->batch));
}

static void answer(struct fixture *f, enum feed_type type, uint64_t number)
{
    struct buffer b = {0};
    char why[256];
    assert_true(feed_frame_write(&b, type, number, NULL, 0));
    assert_int_equal(channel_send(&f->peer, b.data, b.length, clock_monotonic_ms() + PATIENCE_MS,
                                  why, sizeof why),
                     0);
    buffer_fini(&b);
}

static void put(struct fixture *f, const char *metric, double value)
{
    struct series_name name = {.label_count = 1};
    snprintf(name.metric, sizeof name.metric, "%s", metric);
    strcpy(name.labels[0].name, "host");
    name.labels[0].value = "box7";
    queue_put(f->queue, entry_sample(&name, true, 1700000000123456789u, value));
}

static uint64_t waiting(struct fixture *f)
{
    struct queue_counts counts;
    queue_counts(f->queue, &counts);
    return counts.waiting;
}

static uint64_t dropped(struct fixture *f)
{
    struct queue_counts counts;
    queue_counts(f->queue, &counts);
    return counts.dropped;
}

/* The row of the last batch that has this metric. */
static uint32_t row_of(struct fixture *f, const char *metric)
{
    const struct batch_samples *s = &f->batch->samples;
    for (uint32_t i = 0; i < s->count; i++)
        if (batch_str_is(s->metrics[s->series[s->series_of[i]].metric].name, metric))
            return i;
    fail_msg("no %s", metric);
    return 0;
}

static void a_batch_has_the_samples_and_marks(void **state)
{
    struct fixture *f = *state;
    put(f, "collectd_cpu_total", 42);
    put(f, "collectd_cpu_total", 43);
    queue_put(f->queue, entry_mark(BATCH_MARK_WARNING, 1700000000000000005u, "df", "full", "box7"));
    begin(f, PATIENCE_MS);
    meet(f);
    hear(f);
    const struct batch_samples *s = &f->batch->samples;
    uint32_t row = row_of(f, "collectd_cpu_total");
    struct label room[LABELS_MAX];
    struct labels labels;
    assert_int_equal(s->count, 3); /* and how many were dropped */
    assert_int_equal(s->metric_count, 2);
    assert_int_equal(s->metrics[0].type, METRIC_COUNTER);
    assert_true(s->value[row] == 42);
    assert_int_equal(s->kind[row], SAMPLE_VALUE);
    assert_true(s->unix_ms[row] == 1700000000123);
    assert_true(batch_series_labels(f->batch, s->series_of[row], room, &labels));
    assert_true(batch_str_is(labels_get_text(&labels, "host"), "box7"));
    assert_true(s->value[row_of(f, "weft_collectd_dropped_total")] == 0);
    assert_int_equal(f->batch->mark_count, 1);
    assert_int_equal(f->batch->marks[0].severity, BATCH_MARK_WARNING);
    assert_true(f->batch->marks[0].unix_ns == 1700000000000000005u);
    assert_true(batch_str_is(f->batch->marks[0].title, "df"));
    assert_true(batch_str_is(f->batch->marks[0].text, "full"));
    assert_true(batch_str_is(f->batch->marks[0].host, "box7"));
    assert_int_equal(waiting(f), 3);
    answer(f, FEED_STORED, f->number);
    assert_int_equal(sender_stop(&f->sender), 0);
    assert_int_equal(dropped(f), 0);
}

static void what_is_not_answered_is_told_again_as_it_was(void **state)
{
    struct fixture *f = *state;
    put(f, "collectd_load", 1);
    begin(f, PATIENCE_MS);
    meet(f);
    hear(f);
    uint64_t number = f->number;
    meet(f); /* having closed: as an agent that was killed */
    hear(f);
    assert_int_equal(f->number, number);
    assert_true(f->batch->samples.value[row_of(f, "collectd_load")] == 1);
    answer(f, FEED_BUSY, number);
    hear(f);
    assert_int_equal(f->number, number);
    answer(f, FEED_STORED, number + 7); /* an answer to nothing: it comes again, elsewhere */
    meet(f);
    hear(f);
    answer(f, FEED_STORED, number);
    assert_int_equal(queue_flush(f->queue, clock_monotonic_ms() + PATIENCE_MS), 0);
    assert_int_equal(sender_stop(&f->sender), 0);
    assert_int_equal(dropped(f), 0);
}

static void what_is_refused_is_dropped_and_told(void **state)
{
    struct fixture *f = *state;
    put(f, "collectd_load", 1);
    begin(f, PATIENCE_MS);
    meet(f);
    hear(f);
    answer(f, FEED_REFUSED, f->number);
    /* Refused before the flush began, or while it waited. */
    assert_in_range(queue_flush(f->queue, clock_monotonic_ms() + PATIENCE_MS), 0, 1);
    assert_int_equal(dropped(f), 1);
    put(f, "collectd_load", 2);
    queue_end(f->queue);
    hear(f);
    assert_true(f->batch->samples.value[row_of(f, "weft_collectd_dropped_total")] == 1);
    answer(f, FEED_STORED, f->number);
    assert_int_equal(sender_stop(&f->sender), 0);
}

static void many_values_go_in_several_batches(void **state)
{
    struct fixture *f = *state;
    char metric[32];
    uint32_t samples = 0;
    for (int i = 0; i < LIMIT; i++) {
        snprintf(metric, sizeof metric, "collectd_m%d", i);
        put(f, metric, i);
    }
    begin(f, PATIENCE_MS);
    meet(f);
    while (waiting(f) > 0 && samples < LIMIT) {
        hear(f);
        for (uint32_t i = 0; i < f->batch->samples.metric_count; i++)
            samples +=
                !batch_str_is(f->batch->samples.metrics[i].name, "weft_collectd_dropped_total");
        answer(f, FEED_STORED, f->number);
    }
    assert_int_equal(samples, LIMIT);
    assert_true(f->number > 1);
    assert_int_equal(sender_stop(&f->sender), 0);
}

static void a_stop_without_answer_gives_up_and_counts(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 5; i++)
        put(f, "collectd_load", i);
    begin(f, 100);
    assert_int_equal(sender_stop(&f->sender), 5); /* nobody accepts */
    put(f, "collectd_load", 5);
    assert_int_equal(waiting(f), 5);
}

/* ---- summaries ----------------------------------------------------------------------------- */

struct seen {
    unsigned count;
    char text[1024];
};

static void note(void *context, const struct summary *s)
{
    struct seen *seen = context;
    size_t at = strlen(seen->text);
    seen->count++;
    snprintf(seen->text + at, sizeof seen->text - at, "%s|%s|%s|%g;", s->instance, s->type,
             s->type_instance, s->counts ? (double)s->count : s->value);
}

static void summaries_are_values_of_stock_types(void **state)
{
    Weft__ServiceSummary web = WEFT__SERVICE_SUMMARY__INIT, idle = WEFT__SERVICE_SUMMARY__INIT;
    Weft__ServiceSummary *services[] = {&web, &idle};
    Weft__LossSummary loss = WEFT__LOSS_SUMMARY__INIT, *losses[] = {&loss};
    Weft__Summaries m = WEFT__SUMMARIES__INIT;
    uint8_t body[512];
    struct seen seen = {0};
    (void)state;
    web.service = (char *)(uintptr_t) "web";
    web.requests = 10;
    web.errors = 2;
    web.measured = true;
    web.p50_seconds = 0.5;
    web.p99_seconds = 2;
    idle.service = (char *)(uintptr_t) "idle";
    loss.reason = (char *)(uintptr_t) "spool_full";
    loss.count = 3;
    m.services = services;
    m.n_services = 2;
    m.losses = losses;
    m.n_losses = 1;
    m.processes = 4;
    m.spool_batches = 5;
    size_t length = weft__summaries__pack(&m, body);
    assert_true(summaries_read(body, length, note, &seen));
    assert_string_equal(seen.text,
                        "web|total_requests||10;web|errors||2;web|latency|p50|0.5;"
                        "web|latency|p99|2;idle|total_requests||0;idle|errors||0;"
                        "|derive|lost_spool_full|3;|count|processes|4;|queue_length|spool|5;");
    seen = (struct seen){0};
    assert_false(summaries_read("\xff\xff\xff", 3, note, &seen));
    assert_int_equal(seen.count, 0);
}

static void a_question_to_nobody_ends(void **state)
{
    struct fixture *f = *state;
    struct seen seen = {0};
    char why[256] = "";
    assert_int_equal(summaries_ask(f->socket, 50, note, &seen, why, sizeof why), -1);
    assert_string_equal(why, "it does not answer");
    assert_int_equal(summaries_ask("/nonexistent/feed.sock", 50, note, &seen, why, sizeof why), -1);
    assert_string_equal(why, "No such file or directory");
    assert_int_equal(seen.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_batch_has_the_samples_and_marks, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_answered_is_told_again_as_it_was, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_refused_is_dropped_and_told, setup, teardown),
        cmocka_unit_test_setup_teardown(many_values_go_in_several_batches, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stop_without_answer_gives_up_and_counts, setup, teardown),
        cmocka_unit_test(summaries_are_values_of_stock_types),
        cmocka_unit_test_setup_teardown(a_question_to_nobody_ends, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
