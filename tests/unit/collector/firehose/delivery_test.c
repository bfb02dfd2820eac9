// SPDX-License-Identifier: Apache-2.0
/* Streams over real connections: what comes twice, what is missing, when either side goes. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/collector/firehose/stream.h"
#include "tests/unit/eventually.h"

struct connection {
    struct stream_fixture *fixture;
    struct firehose_client *client;
    int ours, theirs;
    pthread_t serving;
};

static void connect_both(int *ours, int *theirs)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    *theirs = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(connect(*theirs, (struct sockaddr *)&address, length), 0);
    *ours = accept(listening, NULL, NULL);
    assert_true(*ours >= 0);
    close(listening);
}

static bool send_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

/* What the HTTP server does: asks for more when all was written, detaches, closes. */
static void *serve(void *context)
{
    struct connection *c = context;
    struct buffer out = {0};
    while (firehose_next(c->client, &out) && send_all(c->ours, out.data, out.length))
        buffer_clear(&out);
    buffer_fini(&out);
    firehose_detach(c->client);
    close(c->ours);
    return NULL;
}

static struct connection *open_stream(struct stream_fixture *f)
{
    struct connection *c = calloc(1, sizeof *c);
    char why[256] = "";
    struct firehose_request request = {
        .app = "a", .start = FIREHOSE_OLDEST, .format = &firehose_json};
    connect_both(&c->ours, &c->theirs);
    c->fixture = f;
    if (firehose_attach(f->firehose, &request, &c->client, why, sizeof why) != FIREHOSE_OK)
        fail_msg("%s", why);
    assert_int_equal(firehose_client_socket(c->client, c->ours), 0);
    assert_int_equal(pthread_create(&c->serving, NULL, serve, c), 0);
    return c;
}

/* Once the other side has closed. */
static void end_stream(struct connection *c, unsigned left)
{
    pthread_join(c->serving, NULL);
    wait_for_clients(c->fixture, left);
    free(c);
}

/* Until so many spans are there, or the end: then false. */
static bool receive_from(int fd, struct received *r, uint64_t spans)
{
    static char bytes[1 << 16];
    while (r->spans < spans) {
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);
        if (n <= 0)
            return false;
        receive(r, bytes, (size_t)n);
    }
    return true;
}

/* What of this arrives is all read: nothing more follows for a moment. */
static void receive_rest(int fd, struct received *r)
{
    static char bytes[1 << 16];
    struct pollfd ready = {fd, POLLIN, 0};
    while (poll(&ready, 1, 50) == 1) {
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);
        if (n <= 0)
            return;
        receive(r, bytes, (size_t)n);
    }
}

static void who_leaves_having_read_all_misses_nothing_and_gets_nothing_twice(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    f->keep_alive_ms = 60000; /* so that it is quiet in between */
    stream_close(f);
    stream_open(f);
    for (int i = 0; i < 10; i++) {
        stream_append(f, 333);
        struct connection *c = open_stream(f);
        assert_true(receive_from(c->theirs, &r, f->spans - 100));
        stream_append(f, 50);
        assert_true(receive_from(c->theirs, &r, f->spans));
        close(c->theirs);
        end_stream(c, 0);
        if (i % 3 == 0) {
            stream_close(f);
            stream_open(f);
        }
    }
    assert_each_once(&r, 1, f->spans);
    assert_int_equal(r.spans, f->spans);
    received_fini(&r);
}

static void who_is_killed_with_something_unread_gets_it_again(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    for (int i = 0; i < 10; i++)
        stream_append(f, 1000);
    for (int i = 0; i < 5; i++) {
        struct connection *c = open_stream(f);
        uint64_t before = r.spans;
        receive_from(c->theirs, &r, before + 200); /* and no more of much */
        assert_int_equal(poll(&(struct pollfd){c->theirs, POLLIN, 0}, 1, 10000), 1);
        close(c->theirs);
        end_stream(c, 0);
        buffer_clear(&r.line); /* of a line that was cut */
    }
    struct connection *c = open_stream(f);
    while (r.times[f->spans] == 0)
        assert_true(receive_from(c->theirs, &r, r.spans + 1));
    for (uint64_t i = 1; i <= f->spans; i++)
        assert_true(r.times[i] >= 1);
    struct firehose_counts counts;
    firehose_counts(f->firehose, &counts);
    assert_int_equal(counts.broken, 5);
    close(c->theirs);
    end_stream(c, 0);
    received_fini(&r);
}

static void a_stop_of_the_collector_goes_on_exactly_there(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    for (int i = 0; i < 20; i++)
        stream_append(f, 500);
    for (int i = 0; i < 4; i++) {
        struct connection *c = open_stream(f);
        /* Whoever is fast has the rest already. */
        uint64_t enough = r.spans + 1200 < f->spans ? r.spans + 1200 : f->spans;
        assert_true(receive_from(c->theirs, &r, enough));
        firehose_stop(f->firehose, 0);
        assert_false(receive_from(c->theirs, &r, UINT64_MAX)); /* all that was sent, and the end */
        assert_int_equal(r.line.length, 0);
        close(c->theirs);
        end_stream(c, 0);
        stream_close(f);
        stream_open(f);
    }
    struct connection *c = open_stream(f);
    assert_true(receive_from(c->theirs, &r, f->spans));
    assert_each_once(&r, 1, f->spans);
    assert_int_equal(r.spans, f->spans);
    close(c->theirs);
    end_stream(c, 0);
    received_fini(&r);
}

/* Until nothing more is sent. */
static void wait_for_standstill(struct stream_fixture *f)
{
    struct firehose_counts before, after = {0};
    struct pollfd nobody = {-1, 0, 0};
    do {
        firehose_counts(f->firehose, &before);
        poll(&nobody, 1, 100);
        firehose_counts(f->firehose, &after);
    } while (after.bytes != before.bytes || after.bytes == 0);
    assert_true(after.spans < f->spans);
}

static void a_slow_reader_costs_no_memory_and_misses_nothing(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    for (int i = 0; i < 40; i++)
        stream_append(f, 1000);
    struct connection *c = open_stream(f);
    wait_for_standstill(f);
    stream_append(f, 10); /* what comes meanwhile stays in the ledger */
    assert_true(receive_from(c->theirs, &r, f->spans));
    assert_each_once(&r, 1, f->spans);
    close(c->theirs);
    end_stream(c, 0);
    received_fini(&r);
}

static void who_takes_nothing_while_others_wait_is_cut_off(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    f->stuck_ms = 200;
    stream_close(f);
    stream_open(f);
    for (int i = 0; i < 40; i++)
        stream_append(f, 1000);
    struct connection *stuck = open_stream(f);
    wait_for_standstill(f);
    struct connection *other = open_stream(f);
    while (r.spans < f->spans) /* it gets all of it, as the other has read nothing */
        assert_true(receive_from(other->theirs, &r, r.spans + 1));
    assert_each_once(&r, 1, f->spans);
    end_stream(stuck, 1); /* it was told so */
    close(other->theirs);
    end_stream(other, 0);
    received_fini(&r);
}

static void a_span_wakes_its_streams(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    f->keep_alive_ms = 3600 * 1000; /* nothing else would wake it in time */
    stream_close(f);
    stream_open(f);
    struct connection *c = open_stream(f);
    for (int i = 0; i < 200; i++) {
        stream_append(f, 1);
        assert_true(receive_from(c->theirs, &r, f->spans));
    }
    close(c->theirs);
    end_stream(c, 0);
    received_fini(&r);
}

/* ---- kill -9 ----------------------------------------------------------------------------- */

/* A collector in a process of its own: appends, and streams to `fd`, until it is killed. */
static void be_a_collector(struct stream_fixture *f, int fd, unsigned batches)
{
    struct connection c = {.fixture = f, .ours = fd};
    char why[256] = "";
    struct firehose_request request = {
        .app = "a", .start = FIREHOSE_OLDEST, .format = &firehose_json};
    stream_open(f);
    if (firehose_attach(f->firehose, &request, &c.client, why, sizeof why) != FIREHOSE_OK ||
        firehose_client_socket(c.client, fd) != 0 ||
        pthread_create(&c.serving, NULL, serve, &c) != 0)
        _exit(1);
    for (unsigned i = 0; batches == 0 || i < batches; i++) {
        stream_append(f, 200);
        look_away(); /* batches come one by one, and the reader keeps up */
    }
    for (;;)
        pause();
}

static pid_t start_collector(struct stream_fixture *f, int *theirs, unsigned batches)
{
    int ours;
    stream_close(f);
    connect_both(&ours, theirs);
    pid_t child = fork();
    if (child == 0) {
        close(*theirs);
        be_a_collector(f, ours, batches);
        _exit(1);
    }
    close(ours);
    return child;
}

static void kill_collector(struct stream_fixture *f, pid_t child, int theirs, struct received *r)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    receive_from(theirs, r, UINT64_MAX); /* what its kernel still sends */
    buffer_clear(&r->line);
    close(theirs);
    stream_open(f);
    f->spans = ledger_durable(f->ledger).spans;
}

static void a_killed_collector_loses_nothing_and_a_cursor_makes_it_exact(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    int theirs;
    pid_t child = start_collector(f, &theirs, 0);
    assert_true(receive_from(theirs, &r, 3000));
    kill_collector(f, child, theirs, &r);
    for (uint64_t i = 1; i <= r.last; i++) /* one client, so all came in order */
        assert_int_equal(r.times[i], 1);
    struct received exact = received_begin();
    struct firehose_request after = {.start = FIREHOSE_AFTER};
    assert_true(position_parse(r.cursor, &after.after));
    struct firehose_client *c = stream_attach(f, after);
    read_all(c, &exact);
    assert_each_once(&exact, r.last + 1, f->spans);
    assert_int_equal(exact.spans, f->spans - r.last);
    leave(f, c, 0);
    c = stream_attach(f, (struct firehose_request){.app = "a", .start = FIREHOSE_OLDEST});
    read_all(c, &r);
    for (uint64_t i = 1; i <= f->spans; i++)
        assert_in_range(r.times[i], 1, 2);
    leave(f, c, 0);
    received_fini(&exact);
    received_fini(&r);
}

/* How far the app's slowest partition is, as the database says. */
static uint64_t recorded_spans(struct stream_fixture *f)
{
    char path[128];
    sqlite3 *db;
    sqlite3_stmt *s = NULL;
    int64_t spans = 0;
    snprintf(path, sizeof path, "%s/firehose/firehose.db", f->directory);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    if (sqlite3_prepare_v2(db, "SELECT min(spans) FROM firehose_checkpoint", -1, &s, NULL) ==
            SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW)
        spans = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return (uint64_t)spans;
}

static void a_collector_killed_at_rest_repeats_nothing(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    int theirs;
    pid_t child = start_collector(f, &theirs, 10);
    assert_true(receive_from(theirs, &r, 2000));
    EVENTUALLY(recorded_spans(f) >= 2000);
    kill_collector(f, child, theirs, &r);
    stream_append(f, 100);
    struct firehose_client *c =
        stream_attach(f, (struct firehose_request){.app = "a", .start = FIREHOSE_OLDEST});
    read_all(c, &r);
    assert_each_once(&r, 1, 2100);
    assert_int_equal(r.spans, 2100);
    leave(f, c, 0);
    received_fini(&r);
}

/* Two clients, of which one leaves and comes back: partitions go there and back. */
static void hand_overs_between_connections_are_exact(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    f->keep_alive_ms = 60000;
    stream_close(f);
    stream_open(f);
    struct connection *stays = open_stream(f);
    for (int i = 0; i < 20; i++) {
        stream_append(f, 100);
        struct connection *comes = open_stream(f);
        stream_append(f, 100);
        int64_t until_ms = clock_monotonic_ms() + 10000;
        while (r.spans < f->spans && clock_monotonic_ms() < until_ms) {
            receive_rest(stays->theirs, &r);
            receive_rest(comes->theirs, &r);
        }
        close(comes->theirs);
        end_stream(comes, 1);
    }
    assert_int_equal(r.spans, f->spans);
    assert_each_once(&r, 1, f->spans);
    close(stays->theirs);
    end_stream(stays, 0);
    received_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stream_setup, stream_teardown)
        TEST(who_leaves_having_read_all_misses_nothing_and_gets_nothing_twice),
        TEST(who_is_killed_with_something_unread_gets_it_again),
        TEST(a_stop_of_the_collector_goes_on_exactly_there),
        TEST(a_slow_reader_costs_no_memory_and_misses_nothing),
        TEST(who_takes_nothing_while_others_wait_is_cut_off),
        TEST(a_span_wakes_its_streams),
        TEST(a_killed_collector_loses_nothing_and_a_cursor_makes_it_exact),
        TEST(a_collector_killed_at_rest_repeats_nothing),
        TEST(hand_overs_between_connections_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
