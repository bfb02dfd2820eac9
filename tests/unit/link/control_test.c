// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "lib/link/control.h"

static struct link_switches a, b;

static int clear(void **state)
{
    (void)state;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    return 0;
}

static void the_later_switch_counts(void **state)
{
    (void)state;
    assert_true(link_switches_on(&a, "cell"));
    assert_true(link_switches_set(&a, "cell", false));
    assert_true(link_switches_set(&a, "cell", false));
    assert_int_equal(a.count, 1);
    assert_false(link_switches_on(&a, "cell"));
    assert_true(link_switches_on(&a, "web"));
    assert_true(link_switches_set(&a, "*", false));
    assert_false(link_switches_on(&a, "web"));
    assert_true(link_switches_set(&a, "cell", true));
    assert_true(link_switches_on(&a, "cell"));
    assert_false(link_switches_on(&a, "web"));
    assert_true(link_switches_set(&a, "*", true));
    assert_int_equal(a.count, 0);
    assert_true(link_switches_on(&a, "web"));
}

static void switches_beyond_the_limits_are_refused(void **state)
{
    (void)state;
    char name[200];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_false(link_switches_set(&a, name, false));
    for (int i = 0; i < LINK_SWITCHES_MAX; i++) {
        snprintf(name, sizeof name, "service-%d", i);
        assert_true(link_switches_set(&a, name, false));
    }
    assert_false(link_switches_set(&a, "one-more", false));
    assert_true(link_switches_set(&a, "service-3", true));
    assert_true(link_switches_set(&a, "one-more", false));
}

static void follow(void *context, const char *service, bool on)
{
    assert_true(link_switches_set(context, service, on));
}

static void check_difference(void)
{
    static const char *const services[] = {"web", "cell", "firehose", "other"};
    static struct link_switches followed;
    followed = a;
    link_switches_difference(&a, &b, follow, &followed);
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        assert_int_equal(link_switches_on(&followed, services[i]),
                         link_switches_on(&b, services[i]));
}

static void who_follows_the_difference_gets_there(void **state)
{
    (void)state;
    static const char *const services[] = {"web", "cell", "firehose", "*"};
    uint64_t random = 88172645463325252u;
    for (int round = 0; round < 2000; round++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        struct link_switches *s = random & 1 ? &a : &b;
        link_switches_set(s, services[random >> 8 & 3], random >> 16 & 1);
        check_difference();
    }
}

static void no_difference_no_call(void **state)
{
    (void)state;
    struct link_switches *none = NULL;
    link_switches_set(&a, "web", false);
    link_switches_set(&b, "web", false);
    link_switches_difference(&a, &b, follow, none);
}

static void only_what_the_key_signed_is_read(void **state)
{
    (void)state;
    uint8_t public_key[LINK_CONTROL_KEY_BYTES], secret[LINK_CONTROL_SECRET_BYTES];
    uint8_t other_key[LINK_CONTROL_KEY_BYTES], other_secret[LINK_CONTROL_SECRET_BYTES];
    struct buffer bytes = {0};
    uint64_t counter = 0;
    crypto_sign_keypair(public_key, secret);
    crypto_sign_keypair(other_key, other_secret);
    link_switches_set(&a, "*", false);
    link_switches_set(&a, "web", true);
    assert_int_equal(link_control_write(&bytes, &a, 7, secret), 0);
    assert_true(link_control_read(bytes.data, bytes.length, public_key, &counter, &b));
    assert_int_equal(counter, 7);
    assert_true(b.all_off);
    assert_int_equal(b.count, 1);
    assert_true(link_switches_on(&b, "web"));
    assert_false(link_control_read(bytes.data, bytes.length, other_key, &counter, &b));
    for (size_t i = 0; i < bytes.length; i++) {
        bytes.data[i] ^= 1;
        assert_false(link_control_read(bytes.data, bytes.length, public_key, &counter, &b));
        bytes.data[i] ^= 1;
        assert_false(link_control_read(bytes.data, i, public_key, &counter, &b));
    }
    buffer_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_later_switch_counts, clear),
        cmocka_unit_test_setup(switches_beyond_the_limits_are_refused, clear),
        cmocka_unit_test_setup(who_follows_the_difference_gets_there, clear),
        cmocka_unit_test_setup(no_difference_no_call, clear),
        cmocka_unit_test_setup(only_what_the_key_signed_is_read, clear),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
