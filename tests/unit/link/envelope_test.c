// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "lib/link/envelope.h"

static const uint8_t key[32] = {1, 2, 3}, other_key[32] = {1, 2, 4};

static struct envelope sample(void)
{
    return (struct envelope){
        .version = 1, .type = LINK_BATCH, .agent = "box7", .sequence = {0x1122334455667788u, 42}};
}

static void check_round_trip(const uint8_t *seal, const char *text)
{
    struct buffer bytes = {0};
    struct envelope e = sample(), back;
    uint8_t plain[64] = {0};
    assert_int_equal(envelope_write(&bytes, &e, seal, text, strlen(text)), 0);
    buffer_text(&bytes, "what follows");
    assert_true(envelope_parse(bytes.data, bytes.length, &back));
    assert_int_equal(envelope_length(&back), bytes.length - 12);
    assert_int_equal(back.type, LINK_BATCH);
    assert_int_equal(back.version, 1);
    assert_int_equal(back.sealed, seal != NULL);
    assert_string_equal(back.agent, "box7");
    assert_true(back.sequence.epoch == e.sequence.epoch && back.sequence.number == 42);
    assert_int_equal(envelope_plain_length(&back), strlen(text));
    assert_true(envelope_open(&back, seal, plain));
    assert_memory_equal(plain, text, strlen(text));
    buffer_fini(&bytes);
}

static void what_is_written_can_be_opened(void **state)
{
    (void)state;
    check_round_trip(key, "some body");
    check_round_trip(NULL, "some body");
    check_round_trip(key, "");
    check_round_trip(NULL, "");
}

static void a_sealed_body_cannot_be_read_without_the_key(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    struct envelope e = sample(), back;
    uint8_t plain[64];
    assert_int_equal(envelope_write(&bytes, &e, key, "secret text", 11), 0);
    assert_null(memmem(bytes.data, bytes.length, "secret", 6));
    assert_true(envelope_parse(bytes.data, bytes.length, &back));
    assert_false(envelope_open(&back, other_key, plain));
    assert_false(envelope_open(&back, NULL, plain));
    buffer_fini(&bytes);
}

static void an_open_one_is_refused_where_a_key_is_expected(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    struct envelope e = sample(), back;
    uint8_t plain[64];
    assert_int_equal(envelope_write(&bytes, &e, NULL, "text", 4), 0);
    assert_true(envelope_parse(bytes.data, bytes.length, &back));
    assert_false(envelope_open(&back, key, plain));
    buffer_fini(&bytes);
}

static void the_same_twice_is_sealed_differently(void **state)
{
    (void)state;
    struct buffer a = {0}, b = {0};
    struct envelope e = sample();
    envelope_write(&a, &e, key, "text", 4);
    envelope_write(&b, &e, key, "text", 4);
    assert_int_equal(a.length, b.length);
    assert_memory_not_equal(a.data + 32, b.data + 32, 24);
    assert_memory_not_equal(a.data + 60, b.data + 60, 4);
    buffer_fini(&a);
    buffer_fini(&b);
}

static void check_any_flip_is_noticed(const uint8_t *seal)
{
    struct buffer bytes = {0};
    struct envelope e = sample(), back;
    uint8_t plain[64];
    assert_int_equal(envelope_write(&bytes, &e, seal, "text", 4), 0);
    for (size_t bit = 0; bit < bytes.length * 8; bit++) {
        bytes.data[bit / 8] ^= (char)(1 << bit % 8);
        if (envelope_parse(bytes.data, bytes.length, &back) &&
            envelope_plain_length(&back) <= sizeof plain)
            assert_false(envelope_open(&back, seal, plain));
        bytes.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t length = 0; length < bytes.length; length++)
        assert_false(envelope_parse(bytes.data, length, &back));
    buffer_fini(&bytes);
}

static void any_flipped_bit_and_any_cut_is_noticed(void **state)
{
    (void)state;
    check_any_flip_is_noticed(key);
    check_any_flip_is_noticed(NULL);
}

static void an_agent_id_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "..", "a/b", "a b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buffer bytes = {0};
        struct envelope e = sample(), back;
        strcpy(e.agent, bad[i]);
        assert_int_equal(envelope_write(&bytes, &e, NULL, "text", 4), 0);
        assert_false(envelope_parse(bytes.data, bytes.length, &back));
        buffer_fini(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_can_be_opened),
        cmocka_unit_test(a_sealed_body_cannot_be_read_without_the_key),
        cmocka_unit_test(an_open_one_is_refused_where_a_key_is_expected),
        cmocka_unit_test(the_same_twice_is_sealed_differently),
        cmocka_unit_test(any_flipped_bit_and_any_cut_is_noticed),
        cmocka_unit_test(an_agent_id_that_is_none_is_refused),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
