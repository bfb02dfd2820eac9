// SPDX-License-Identifier: Apache-2.0
/* The courier with an agent that is played by the test: slow, busy, refusing, disappearing. */
#include "agent/tap/courier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// clang-format off
#include <cmocka.h>
// clang-format on
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/feed/frame.h"
#include "tests/unit/directory.h"
#include "tests/unit/eventually.h"

struct agent {
    char directory[64], path[96];
    int listener, fd;
    enum feed_type type; /* of the frames that it is told */
    struct buffer in;
    struct courier *courier;
};

static void make_directory(struct agent *a)
{
    *a = (struct agent){.listener = -1, .fd = -1, .type = FEED_BATCH};
    strcpy(a->directory, "/tmp/weft-courier-XXXXXX");
    assert_non_null(mkdtemp(a->directory));
    snprintf(a->path, sizeof a->path, "%s/" FEED_SOCKET_NAME, a->directory);
    a->courier = courier_create(a->path);
    assert_non_null(a->courier);
}

static void appear(struct agent *a)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", a->path);
    unlink(a->path);
    a->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(a->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(a->listener, 4), 0);
}

static void hang_up(struct agent *a)
{
    close(a->fd);
    a->fd = -1;
    buffer_clear(&a->in);
}

static void end(struct agent *a)
{
    courier_destroy(&a->courier, 0);
    assert_null(a->courier);
    hang_up(a);
    close(a->listener);
    buffer_fini(&a->in);
    directory_remove(a->directory);
}

static void wait_for(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
}

/* The next frame, over a new connection where there is none; its number, and its body as text. */
static uint64_t receive_text(struct agent *a, char *text, size_t size)
{
    struct feed_frame frame;
    size_t taken;
    char bytes[4096];
    if (a->fd < 0) {
        wait_for(a->listener);
        a->fd = accept(a->listener, NULL, NULL);
        assert_true(a->fd >= 0);
    }
    while (feed_frame_read(a->in.data, a->in.length, &frame, &taken) == 0) {
        wait_for(a->fd);
        ssize_t n = read(a->fd, bytes, sizeof bytes);
        assert_true(n > 0);
        buffer_append(&a->in, bytes, (size_t)n);
    }
    assert_int_equal(frame.type, a->type);
    snprintf(text, size, "%.*s", (int)frame.length, (const char *)frame.body);
    uint64_t number = frame.number;
    assert_int_equal(taken, a->in.length); /* one at a time */
    buffer_clear(&a->in);
    return number;
}

static uint64_t receive(struct agent *a, const char *body)
{
    char text[64];
    uint64_t number = receive_text(a, text, sizeof text);
    assert_string_equal(text, body);
    return number;
}

static void answer(struct agent *a, enum feed_type type, uint64_t number)
{
    struct buffer out = {0};
    assert_true(feed_frame_write(&out, type, number, "why", type == FEED_REFUSED ? 3 : 0));
    assert_int_equal(write(a->fd, out.data, out.length), out.length);
    buffer_fini(&out);
}

static void tell(struct agent *a, const char *text)
{
    struct buffer batch = {0};
    buffer_append(&batch, text, strlen(text));
    courier_send(a->courier, &batch);
    assert_int_equal(batch.length, 0);
    buffer_fini(&batch);
}

static struct courier_stats stats_of(const struct agent *a)
{
    struct courier_stats stats;
    courier_stats(a->courier, &stats);
    return stats;
}

static void of_what_is_to_be_shown_only_the_latest_wait(void **state)
{
    struct agent a;
    char text[16];
    (void)state;
    make_directory(&a);
    courier_destroy(&a.courier, 0);
    a.courier = courier_create_to_show(a.path);
    a.type = FEED_SHOW;
    for (int i = 0; i < 30; i++) {
        snprintf(text, sizeof text, "%d", i);
        tell(&a, text);
    }
    assert_true(stats_of(&a).waiting < 10);
    appear(&a);
    for (bool more = true; more;) {
        uint64_t number = receive_text(&a, text, sizeof text);
        more = strcmp(text, "29") != 0;
        answer(&a, FEED_STORED, number);
    }
    EVENTUALLY(stats_of(&a).waiting == 0);
    end(&a);
}

static void batches_are_handed_over_in_their_order(void **state)
{
    struct agent a;
    (void)state;
    make_directory(&a);
    appear(&a);
    tell(&a, "one");
    tell(&a, "two");
    uint64_t one = receive(&a, "one");
    answer(&a, FEED_STORED, one);
    uint64_t two = receive(&a, "two");
    assert_true(two > one);
    answer(&a, FEED_STORED, two);
    EVENTUALLY(stats_of(&a).stored == 2);
    assert_int_equal(stats_of(&a).waiting, 0);
    end(&a);
}

static void a_busy_agent_is_told_the_same_again(void **state)
{
    struct agent a;
    (void)state;
    make_directory(&a);
    appear(&a);
    tell(&a, "one");
    uint64_t number = receive(&a, "one");
    answer(&a, FEED_BUSY, number);
    assert_int_equal(receive(&a, "one"), number);
    assert_int_equal(stats_of(&a).stored, 0);
    answer(&a, FEED_STORED, number);
    EVENTUALLY(stats_of(&a).stored == 1);
    end(&a);
}

static void what_is_refused_is_counted_and_the_next_goes_on(void **state)
{
    struct agent a;
    (void)state;
    make_directory(&a);
    appear(&a);
    tell(&a, "one");
    tell(&a, "two");
    answer(&a, FEED_REFUSED, receive(&a, "one"));
    answer(&a, FEED_STORED, receive(&a, "two"));
    EVENTUALLY(stats_of(&a).stored == 1);
    assert_int_equal(stats_of(&a).refused, 1);
    end(&a);
}

static void an_agent_that_disappears_is_told_again(void **state)
{
    struct agent a;
    (void)state;
    make_directory(&a);
    appear(&a);
    tell(&a, "one");
    uint64_t number = receive(&a, "one");
    hang_up(&a); /* without an answer: who knows whether it is stored */
    close(a.listener);
    appear(&a);
    assert_int_equal(receive(&a, "one"), number);
    answer(&a, FEED_STORED, number + 7); /* of something else */
    char byte;
    wait_for(a.fd);
    assert_int_equal(read(a.fd, &byte, 1), 0);
    hang_up(&a);
    answer(&a, FEED_STORED, (receive(&a, "one"), number));
    EVENTUALLY(stats_of(&a).stored == 1);
    assert_int_equal(stats_of(&a).dropped, 0);
    end(&a);
}

static void without_an_agent_the_oldest_go(void **state)
{
    enum { WAITING = 64, SENT = WAITING + 10 };
    struct agent a;
    char text[32];
    (void)state;
    make_directory(&a);
    for (int i = 0; i < SENT; i++) {
        snprintf(text, sizeof text, "batch %d", i);
        tell(&a, text); /* never waits */
    }
    assert_int_equal(stats_of(&a).waiting, WAITING);
    assert_int_equal(stats_of(&a).dropped, SENT - WAITING);
    appear(&a);
    /* It may have had one in its hands that was dropped meanwhile. */
    answer(&a, FEED_STORED, receive_text(&a, text, sizeof text));
    int first = (int)strtol(text + strlen("batch "), NULL, 10);
    assert_in_range(first, 0, SENT - WAITING);
    for (int i = first < SENT - WAITING ? SENT - WAITING : first + 1; i < SENT; i++) {
        snprintf(text, sizeof text, "batch %d", i);
        answer(&a, FEED_STORED, receive(&a, text));
    }
    EVENTUALLY(stats_of(&a).waiting == 0);
    end(&a);
}

static void what_is_larger_than_the_agent_takes_is_dropped_alone(void **state)
{
    struct agent a;
    struct buffer large = {0};
    static char kilobyte[1024];
    (void)state;
    make_directory(&a);
    appear(&a);
    for (int i = 0; i <= FEED_BATCH_BYTES_MAX / 1024; i++)
        buffer_append(&large, kilobyte, sizeof kilobyte);
    tell(&a, "one");
    courier_send(a.courier, &large);
    assert_int_equal(large.length, 0);
    buffer_fini(&large);
    tell(&a, "two");
    answer(&a, FEED_STORED, receive(&a, "one"));
    answer(&a, FEED_STORED, receive(&a, "two"));
    EVENTUALLY(stats_of(&a).stored == 2);
    assert_int_equal(stats_of(&a).dropped, 1);
    end(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_are_handed_over_in_their_order),
        cmocka_unit_test(of_what_is_to_be_shown_only_the_latest_wait),
        cmocka_unit_test(a_busy_agent_is_told_the_same_again),
        cmocka_unit_test(what_is_refused_is_counted_and_the_next_goes_on),
        cmocka_unit_test(an_agent_that_disappears_is_told_again),
        cmocka_unit_test(without_an_agent_the_oldest_go),
        cmocka_unit_test(what_is_larger_than_the_agent_takes_is_dropped_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
