// SPDX-License-Identifier: Apache-2.0
/* Which connection a span says it used: real sockets, whose ends the kernel is asked for beside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tests/unit/client/recording.h"

static int begin_all(void **state)
{
    (void)state;
    fixture_begin();
    setenv("WEFT_SLOTS", "8", 1);
    setenv("WEFT_RING_BYTES", "65536", 1);
    return recording_begin();
}

/* ---- sockets ----------------------------------------------------------------------------- */

static int listening(int family)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_any};
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool four = family == AF_INET;
    assert_int_equal(bind(fd, four ? (struct sockaddr *)&in : (struct sockaddr *)&in6,
                          four ? sizeof in : sizeof in6),
                     0);
    assert_int_equal(listen(fd, 1024), 0);
    return fd;
}

static uint16_t port_of(int listener)
{
    struct sockaddr_in6 any; /* ports lie at the same place in both families */
    socklen_t bytes = sizeof any;
    assert_int_equal(getsockname(listener, (struct sockaddr *)&any, &bytes), 0);
    return ntohs(any.sin6_port);
}

static void connect_to(int fd, const char *ip, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool four = inet_pton(AF_INET, ip, &in.sin_addr) == 1;
    assert_true(four || inet_pton(AF_INET6, ip, &in6.sin6_addr) == 1);
    assert_int_equal(connect(fd, four ? (struct sockaddr *)&in : (struct sockaddr *)&in6,
                             four ? sizeof in : sizeof in6),
                     0);
}

static int connected(const char *ip, int listener)
{
    int fd = socket(strchr(ip, ':') ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect_to(fd, ip, port_of(listener));
    return fd;
}

static uint16_t local_port(int fd)
{
    return port_of(fd);
}

/* ---- spans ------------------------------------------------------------------------------- */

static bool last_peer(const struct seen *s, struct slab_peer *out)
{
    struct slab_item_view item;
    bool any = false;
    for (struct slab_walk w = slab_walk(s->payload, s->used); slab_item_next(&w, &item);)
        if (item.type == SLAB_ITEM_PEER) {
            assert_int_equal(item.length, sizeof *out);
            memcpy(out, item.value, sizeof *out);
            any = true;
        }
    assert_int_equal(any, (s->span.flags & SLAB_SPAN_MORE) != 0);
    return any;
}

/* What a span says that is told `fd`. False: nothing. */
static bool noted(int fd, struct slab_peer *out)
{
    found->count = 0;
    weft_span span = weft_begin(WEFT_NAME("GET"), WEFT_CLIENT);
    errno = 4711;
    weft_span_peer(span, fd);
    assert_int_equal(errno, 4711);
    weft_end(span);
    assert_int_equal(gather_rings(reader, found), SLAB_OK);
    assert_int_equal(slab_release(reader), SLAB_OK);
    assert_int_equal(found->count, 1);
    return last_peer(&found->all[0], out);
}

static void assert_ends(int fd, const char *ip, uint16_t peer_port)
{
    struct slab_peer peer;
    uint8_t expected[16];
    assert_int_equal(inet_pton(AF_INET6, ip, expected), 1);
    assert_true(noted(fd, &peer));
    assert_memory_equal(peer.local_ip, expected, 16);
    assert_memory_equal(peer.peer_ip, expected, 16);
    assert_int_equal(peer.local_port, local_port(fd));
    assert_int_equal(peer.peer_port, peer_port);
}

/* ---- tests ------------------------------------------------------------------------------- */

static void both_ends_of_a_connection_are_noted_over_and_over(void **state)
{
    (void)state;
    int four = listening(AF_INET), six = listening(AF_INET6);
    int fds[] = {connected("127.0.0.1", four), connected("::1", six),
                 connected("::ffff:127.0.0.1", six)};
    static const char *const ips[] = {"::ffff:127.0.0.1", "::1", "::ffff:127.0.0.1"};
    for (int again = 0; again < 3; again++)
        for (int i = 0; i < 3; i++)
            assert_ends(fds[i], ips[i], port_of(i == 0 ? four : six));
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    close(four);
    close(six);
}

static void what_is_no_tcp_connection_is_passed_over(void **state)
{
    (void)state;
    struct slab_peer peer;
    int listener = listening(AF_INET), pair[2], ends[2];
    int udp = socket(AF_INET, SOCK_DGRAM, 0), fresh = socket(AF_INET, SOCK_STREAM, 0);
    connect_to(udp, "127.0.0.1", 9);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(pipe(ends), 0);
    const int others[] = {pair[0], ends[0], udp, fresh, listener, 12345678, -1, INT32_MIN};
    for (int again = 0; again < 2; again++)
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
            assert_false(noted(others[i], &peer));
    /* One that is connected later is one then. */
    connect_to(fresh, "127.0.0.1", port_of(listener));
    assert_ends(fresh, "::ffff:127.0.0.1", port_of(listener));
    close(fresh);
    assert_false(noted(fresh, &peer));
    close(listener);
    close(udp);
    for (int i = 0; i < 2; i++) {
        close(pair[i]);
        close(ends[i]);
    }
}

static void a_descriptor_that_is_another_connection_is_not_taken_for_the_first(void **state)
{
    (void)state;
    int one = listening(AF_INET), two = listening(AF_INET), pair[2];
    int fd = connected("127.0.0.1", one), number = fd;
    struct slab_peer peer;
    for (int i = 0; i < 50; i++) {
        assert_ends(fd, "::ffff:127.0.0.1", port_of(one));
        close(fd);
        fd = connected("127.0.0.1", i % 2 ? one : two);
        assert_int_equal(fd, number);
        assert_ends(fd, "::ffff:127.0.0.1", port_of(i % 2 ? one : two));
        /* Put in its place, without a close. */
        int other = connected("127.0.0.1", one);
        assert_int_equal(dup2(other, fd), fd);
        close(other);
    }
    assert_ends(fd, "::ffff:127.0.0.1", port_of(one));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(dup2(pair[0], fd), fd);
    assert_false(noted(fd, &peer));
    close(fd);
    close(pair[0]);
    close(pair[1]);
    close(one);
    close(two);
}

/* They share a place among what is kept. */
static void descriptors_that_share_a_place_are_told_apart(void **state)
{
    (void)state;
    int one = listening(AF_INET), two = listening(AF_INET);
    int low = connected("127.0.0.1", one), other = connected("127.0.0.1", two);
    int high = fcntl(other, F_DUPFD, low + 1024);
    if (high < 0) {
        close(low);
        close(other);
        skip(); /* the limit of descriptors is lower */
    }
    while (high != low + 1024) /* something else has that number */
        high = fcntl(other, F_DUPFD, high + 1);
    for (int again = 0; again < 3; again++) {
        assert_ends(low, "::ffff:127.0.0.1", port_of(one));
        assert_ends(high, "::ffff:127.0.0.1", port_of(two));
    }
    close(low);
    close(other);
    close(high);
    close(one);
    close(two);
}

static void of_several_calls_the_last_one_counts(void **state)
{
    (void)state;
    int one = listening(AF_INET), two = listening(AF_INET);
    int first = connected("127.0.0.1", one), second = connected("127.0.0.1", two);
    struct slab_peer peer;
    found->count = 0;
    weft_span span = weft_begin(WEFT_NAME("GET"), WEFT_CLIENT);
    weft_span_peer(span, first);
    weft_span_peer(span, second);
    weft_span_peer(span, -1);
    weft_end(span);
    gather_rings(reader, found);
    assert_true(last_peer(&found->all[0], &peer));
    assert_int_equal(peer.peer_port, port_of(two));
    close(first);
    close(second);
    close(one);
    close(two);
}

static void spans_that_are_null_or_ended_note_nothing(void **state)
{
    (void)state;
    int listener = listening(AF_INET), fd = connected("127.0.0.1", listener);
    struct slab_peer peer;
    weft_span none = {0, 0};
    found->count = 0;
    weft_span_peer(none, fd);
    weft_span span = weft_begin(WEFT_NAME("GET"), WEFT_CLIENT);
    weft_end(span);
    weft_span_peer(span, fd);
    gather_rings(reader, found);
    assert_int_equal(found->count, 1);
    assert_false(last_peer(&found->all[0], &peer));
    close(fd);
    close(listener);
}

static void *note_here(void *context)
{
    weft_span span = weft_begin(WEFT_NAME("GET"), WEFT_CLIENT);
    for (int i = 0; i < 100; i++)
        weft_span_peer(span, *(int *)context);
    weft_end(span);
    return NULL;
}

static void threads_note_the_same_connection(void **state)
{
    (void)state;
    int listener = listening(AF_INET), fd = connected("127.0.0.1", listener);
    pthread_t threads[4];
    struct slab_peer peer;
    found->count = 0;
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, note_here, &fd);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    gather_rings(reader, found);
    assert_int_equal(found->count, 4);
    for (size_t i = 0; i < 4; i++) {
        found->all[i].used = SLAB_ROUND8(sizeof peer) + sizeof(struct slab_item);
        assert_true(last_peer(&found->all[i], &peer));
        assert_int_equal(peer.local_port, local_port(fd));
    }
    close(fd);
    close(listener);
}

/* Of another process, which is dead; `others`: what was there before. */
static struct slab_reader *open_new_file(void)
{
    enum slab_error error;
    for (int i = 0;; i++) {
        const char *name = fixture_file(i);
        assert_true(*name);
        struct slab_reader *r = fixture_open(name, &error);
        assert_non_null(r);
        if (slab_reader_file(r)->pid != (uint32_t)getpid())
            return r;
        slab_reader_close(&r);
    }
}

/* It has the parent's connection, a file of its own, and dies in the middle of a span. */
static void the_child_of_a_fork_notes_in_its_own_file_and_its_death_keeps_it(void **state)
{
    (void)state;
    int listener = listening(AF_INET), fd = connected("127.0.0.1", listener), status;
    struct slab_peer peer;
    assert_true(noted(fd, &peer));
    pid_t child = fork();
    if (child == 0) {
        weft_span span = weft_begin(WEFT_NAME("GET"), WEFT_CLIENT);
        weft_span_peer(span, fd);
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    struct slab_reader *of_child = open_new_file();
    found->count = 0;
    assert_int_equal(slab_look(of_child, true, gather_visit, found), SLAB_OK);
    assert_int_equal(found->count, 1);
    assert_true(found->all[0].open);
    assert_true(last_peer(&found->all[0], &peer));
    assert_int_equal(peer.local_port, local_port(fd));
    assert_int_equal(peer.peer_port, port_of(listener));
    slab_reader_close(&of_child);
    close(fd);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(both_ends_of_a_connection_are_noted_over_and_over, drain),
        cmocka_unit_test_setup(what_is_no_tcp_connection_is_passed_over, drain),
        cmocka_unit_test_setup(a_descriptor_that_is_another_connection_is_not_taken_for_the_first,
                               drain),
        cmocka_unit_test_setup(descriptors_that_share_a_place_are_told_apart, drain),
        cmocka_unit_test_setup(of_several_calls_the_last_one_counts, drain),
        cmocka_unit_test_setup(spans_that_are_null_or_ended_note_nothing, drain),
        cmocka_unit_test_setup(threads_note_the_same_connection, drain),
        cmocka_unit_test_setup(the_child_of_a_fork_notes_in_its_own_file_and_its_death_keeps_it,
                               drain),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
