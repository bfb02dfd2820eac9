// SPDX-License-Identifier: Apache-2.0
#include "lib/feed/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/feed/peer.h"

#include <sys/socket.h>
#include <unistd.h>

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct buffer));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    buffer_fini(*state);
    free(*state);
    return 0;
}

static void frames_come_back_one_after_the_other(void **state)
{
    struct buffer *b = *state;
    struct feed_frame frame;
    size_t taken;
    assert_true(feed_frame_write(b, FEED_BATCH, 7, "bytes", 5));
    assert_true(feed_frame_write(b, FEED_STORED, UINT64_MAX, NULL, 0));
    assert_int_equal(feed_frame_read(b->data, b->length, &frame, &taken), 1);
    assert_int_equal(frame.type, FEED_BATCH);
    assert_int_equal(frame.number, 7);
    assert_int_equal(frame.length, 5);
    assert_memory_equal(frame.body, "bytes", 5);
    assert_int_equal(taken, FEED_HEAD_BYTES + 5);
    assert_int_equal(feed_frame_read(b->data + taken, b->length - taken, &frame, &taken), 1);
    assert_int_equal(frame.type, FEED_STORED);
    assert_true(frame.number == UINT64_MAX);
    assert_int_equal(taken, FEED_HEAD_BYTES);
}

static void the_bytes_are_as_the_format_says(void **state)
{
    static const uint8_t expected[] = {'W', 'F', 1, 4, 2, 0, 0, 0,   3,
                                       1,   0,   0, 0, 0, 0, 0, 'n', 'o'};
    struct buffer *b = *state;
    assert_true(feed_frame_write(b, FEED_REFUSED, 259, "no", 2));
    assert_int_equal(b->length, sizeof expected);
    assert_memory_equal(b->data, expected, sizeof expected);
}

static void a_part_of_a_frame_waits_for_more(void **state)
{
    struct buffer *b = *state;
    struct feed_frame frame;
    size_t taken;
    assert_true(feed_frame_write(b, FEED_BATCH, 7, "bytes", 5));
    for (size_t n = 0; n < b->length; n++)
        assert_int_equal(feed_frame_read(b->data, n, &frame, &taken), 0);
}

/* One byte of the head changed to what it may not be. */
static void what_is_no_frame_is_seen_at_its_head(void **state)
{
    static const struct {
        size_t at;
        char byte;
    } damages[] = {{0, 'w'}, {1, 'E'}, {2, 2}, {3, 0}, {3, FEED_TYPES}, {3, (char)255}, {7, 1}};
    struct buffer *b = *state;
    struct feed_frame frame;
    size_t taken;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        buffer_clear(b);
        assert_true(feed_frame_write(b, FEED_BATCH, 7, "bytes", 5));
        b->data[damages[i].at] = damages[i].byte;
        assert_int_equal(feed_frame_read(b->data, FEED_HEAD_BYTES, &frame, &taken), -1);
    }
}

static void bodies_are_bounded_by_their_type(void **state)
{
    struct buffer *b = *state;
    char *body = calloc(1, FEED_BATCH_BYTES_MAX + 1);
    struct feed_frame frame;
    size_t taken;
    assert_true(feed_frame_write(b, FEED_BATCH, 1, body, FEED_BATCH_BYTES_MAX));
    assert_int_equal(feed_frame_read(b->data, b->length, &frame, &taken), 1);
    buffer_clear(b);
    assert_false(feed_frame_write(b, FEED_BATCH, 1, body, FEED_BATCH_BYTES_MAX + 1));
    assert_false(feed_frame_write(b, FEED_STORED, 1, body, 1));
    assert_int_equal(b->length, 0);
    free(body);
}

static void the_peer_is_who_made_the_socket(void **state)
{
    int pair[2];
    uid_t uid = (uid_t)-1;
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_true(feed_peer_uid(pair[0], &uid));
    assert_int_equal(uid, geteuid());
    close(pair[0]);
    close(pair[1]);
    assert_false(feed_peer_uid(-1, &uid));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(frames_come_back_one_after_the_other, setup, teardown),
        cmocka_unit_test_setup_teardown(the_bytes_are_as_the_format_says, setup, teardown),
        cmocka_unit_test_setup_teardown(a_part_of_a_frame_waits_for_more, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_frame_is_seen_at_its_head, setup, teardown),
        cmocka_unit_test_setup_teardown(bodies_are_bounded_by_their_type, setup, teardown),
        cmocka_unit_test(the_peer_is_who_made_the_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
