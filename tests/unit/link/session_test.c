// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include "lib/link/session.h"

static void a_counter_passes_once(void **state)
{
    (void)state;
    struct replay_window w = {0};
    assert_false(replay_window_accept(&w, 0));
    assert_true(replay_window_accept(&w, 1));
    assert_false(replay_window_accept(&w, 1));
    assert_true(replay_window_accept(&w, 3));
    assert_true(replay_window_accept(&w, 2)); /* late, but not seen */
    assert_false(replay_window_accept(&w, 2));
    assert_true(replay_window_accept(&w, 66));
    assert_false(replay_window_accept(&w, 2)); /* too late to know */
    assert_false(replay_window_accept(&w, 3));
    assert_true(replay_window_accept(&w, 4));
    assert_true(replay_window_accept(&w, 1000000));
    assert_false(replay_window_accept(&w, 66));
    assert_true(replay_window_accept(&w, 1000000 - 63));
    assert_false(replay_window_accept(&w, 1000000 - 64));
    assert_true(replay_window_accept(&w, UINT64_MAX));
    assert_false(replay_window_accept(&w, UINT64_MAX));
}

static void a_session_must_have_been_offered(void **state)
{
    (void)state;
    struct link_sessions s = {0};
    assert_int_equal(link_sessions_check(&s, 0, 1), SESSION_UNKNOWN);
    assert_int_equal(link_sessions_check(&s, 77, 1), SESSION_UNKNOWN);
    uint64_t session = link_sessions_offer(&s, 5);
    assert_int_equal(link_sessions_check(&s, session, 1), SESSION_FINE);
    assert_int_equal(link_sessions_check(&s, session, 1), SESSION_REPLAYED);
    assert_int_equal(link_sessions_check(&s, session, 2), SESSION_FINE);
}

static void a_replayed_hello_does_not_end_the_session_of_the_living(void **state)
{
    (void)state;
    struct link_sessions s = {0};
    uint64_t session = link_sessions_offer(&s, 5);
    assert_int_equal(link_sessions_check(&s, session, 1), SESSION_FINE);
    uint64_t nobodys = link_sessions_offer(&s, 5);
    assert_true(nobodys != session);
    assert_true(link_sessions_offer(&s, 5) == nobodys); /* the same hello, the same offer */
    assert_int_equal(link_sessions_check(&s, session, 2), SESSION_FINE);
}

static void the_session_before_ends_when_the_next_is_used(void **state)
{
    (void)state;
    struct link_sessions s = {0};
    uint64_t first = link_sessions_offer(&s, 1), second = link_sessions_offer(&s, 2);
    assert_int_equal(link_sessions_check(&s, first, 9), SESSION_FINE);
    assert_int_equal(link_sessions_check(&s, second, 1), SESSION_FINE);
    assert_int_equal(link_sessions_check(&s, first, 10), SESSION_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_passes_once),
        cmocka_unit_test(a_session_must_have_been_offered),
        cmocka_unit_test(a_replayed_hello_does_not_end_the_session_of_the_living),
        cmocka_unit_test(the_session_before_ends_when_the_next_is_used),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
