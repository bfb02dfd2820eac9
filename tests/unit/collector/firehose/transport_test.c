// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "collector/firehose/transport.h"
#include "lib/base/clock.h"
#include "tests/unit/eventually.h"

static char bytes[8 << 20];

struct both {
    int ours, theirs;
    struct transport transport;
};

static struct both connection(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    struct both b = {.theirs = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(bind(listening, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(connect(b.theirs, (struct sockaddr *)&address, length), 0);
    b.ours = accept(listening, NULL, NULL);
    close(listening);
    /* A request was read before the stream begins. */
    assert_int_equal(send(b.theirs, "GET /", 5, 0), 5);
    assert_int_equal(recv(b.ours, bytes, 5, MSG_WAITALL), 5);
    assert_int_equal(transport_of_socket(&b.transport, b.ours), 0);
    return b;
}

static void done(struct both *b)
{
    b->transport.release(b->transport.context);
    close(b->ours);
}

static struct transport_state state_of(const struct both *b)
{
    struct transport_state state;
    b->transport.look(b->transport.context, &state);
    return state;
}

static uint64_t unacknowledged(const struct both *b)
{
    return state_of(b).unacknowledged;
}

static enum transport_peer peer(const struct both *b)
{
    return state_of(b).peer;
}

static void wait_until(const struct both *b, enum transport_peer wanted)
{
    EVENTUALLY(peer(b) == wanted);
}

static void wait_acknowledged(const struct both *b)
{
    EVENTUALLY(unacknowledged(b) == 0);
}

static void who_has_read_all_and_closes_has_left(void **state)
{
    (void)state;
    struct both b = connection();
    uint64_t before = state_of(&b).acknowledged;
    assert_int_equal(send(b.ours, bytes, 5000, 0), 5000);
    assert_int_equal(recv(b.theirs, bytes, 5000, MSG_WAITALL), 5000);
    wait_acknowledged(&b);
    assert_int_equal(state_of(&b).acknowledged, before + 5000);
    assert_int_equal(peer(&b), PEER_THERE);
    close(b.theirs);
    wait_until(&b, PEER_LEFT);
    /* What is written then is lost, and does not make it look otherwise. */
    ssize_t sent = send(b.ours, bytes, 50000, MSG_NOSIGNAL);
    for (int64_t until_ms = clock_monotonic_ms() + 10000;
         send(b.ours, bytes, 1, MSG_NOSIGNAL) == 1 && clock_monotonic_ms() < until_ms;)
        sent++;
    assert_int_equal(peer(&b), PEER_LEFT);
    assert_true(unacknowledged(&b) >= (uint64_t)sent);
    assert_int_equal(state_of(&b).acknowledged, before + 5000);
    done(&b);
}

static void who_closes_with_something_unread_broke_off(void **state)
{
    (void)state;
    struct both b = connection();
    assert_int_equal(send(b.ours, bytes, 5000, 0), 5000);
    assert_int_equal(recv(b.theirs, bytes, 4000, MSG_WAITALL), 4000);
    wait_acknowledged(&b);
    close(b.theirs);
    wait_until(&b, PEER_BROKE);
    send(b.ours, bytes, 1, MSG_NOSIGNAL); /* takes the socket's error away */
    assert_int_equal(peer(&b), PEER_BROKE);
    done(&b);
}

static void what_is_stuck_is_counted_and_bounded(void **state)
{
    (void)state;
    struct both b = connection();
    assert_int_equal(fcntl(b.ours, F_SETFL, O_NONBLOCK), 0);
    uint64_t sent = 0;
    ssize_t n;
    int64_t until_ms = clock_monotonic_ms() + 300; /* until nothing more is taken for a while */
    while (clock_monotonic_ms() < until_ms) {
        if ((n = send(b.ours, bytes, sizeof bytes, MSG_NOSIGNAL)) > 0) {
            sent += (uint64_t)n;
            until_ms = clock_monotonic_ms() + 300;
        }
    }
    uint64_t stuck = unacknowledged(&b);
    assert_true(stuck > 0);
    assert_true(stuck < 2 << 20);
    assert_true(stuck < sent);
    assert_true(state_of(&b).unread_most >= sent - stuck); /* all of that is unread */
    b.transport.cut(b.transport.context);
    assert_int_equal(send(b.ours, bytes, 1, MSG_NOSIGNAL), -1);
    close(b.theirs);
    done(&b);
}

static void a_duplicate_is_asked_after_the_server_closed_its_own(void **state)
{
    (void)state;
    struct both b = connection();
    assert_int_equal(send(b.ours, bytes, 5000, 0), 5000);
    close(b.ours);
    b.ours = open("/dev/null", O_RDONLY);
    wait_acknowledged(&b);
    assert_int_equal(peer(&b), PEER_THERE);
    assert_int_equal(recv(b.theirs, bytes, 5000, MSG_WAITALL), 5000);
    close(b.theirs);
    wait_until(&b, PEER_LEFT);
    done(&b);
}

/* However fast it reads: what it may have left unread is never more than is told. */
static void what_may_be_unread_is_bounded_by_the_windows_offered(void **state)
{
    (void)state;
    struct both b = connection();
    assert_int_equal(fcntl(b.ours, F_SETFL, O_NONBLOCK), 0);
    uint64_t sent = 0, received = 0, random = 1;
    for (int i = 0; i < 20000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        ssize_t n = send(b.ours, bytes, 1 + (random >> 33) % 16384, MSG_NOSIGNAL);
        sent += n > 0 ? (uint64_t)n : 0;
        if (i % 1000 < 700) { /* then it pauses */
            n = recv(b.theirs, bytes, (random >> 40) % 65536, MSG_DONTWAIT);
            received += n > 0 ? (uint64_t)n : 0;
        }
        struct transport_state s = state_of(&b);
        /* Below 0: read, and not acknowledged yet. */
        int64_t unread = (int64_t)(sent - s.unacknowledged - received);
        if (unread > (int64_t)s.unread_most)
            fail_msg("%lld unread, told %llu", (long long)unread,
                     (unsigned long long)s.unread_most);
    }
    close(b.theirs);
    done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_read_all_and_closes_has_left),
        cmocka_unit_test(who_closes_with_something_unread_broke_off),
        cmocka_unit_test(what_is_stuck_is_counted_and_bounded),
        cmocka_unit_test(what_may_be_unread_is_bounded_by_the_windows_offered),
        cmocka_unit_test(a_duplicate_is_asked_after_the_server_closed_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
