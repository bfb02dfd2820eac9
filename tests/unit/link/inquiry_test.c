// SPDX-License-Identifier: Apache-2.0
/* Inquiries and watches through their messages. */
#include "lib/link/inquiry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 100 };

struct taken {
    struct inquiry list[MOST];
    size_t count;
};

static void take(void *context, const struct inquiry *i)
{
    struct taken *t = context;
    if (t->count < MOST)
        t->list[t->count] = *i;
    t->count++;
}

static struct inquiry_end end_of(const char *ip, uint16_t port)
{
    struct inquiry_end end = {.port = port};
    assert_int_equal(inet_pton(AF_INET6, ip, end.ip), 1);
    return end;
}

static struct inquiry inquiry_number(unsigned n, uint16_t client_port)
{
    struct inquiry i = {.client = end_of("::ffff:10.0.0.9", client_port),
                        .cache = end_of("::ffff:10.0.0.5", 6379),
                        .trace_id = {n + 1, UINT64_MAX - n},
                        .span_id = 1000 + n,
                        .start_unix_ns = UINT64_C(1800000000000000000) + n,
                        .duration_ns = 5 * n,
                        .clock_offset_ns = -7000 - (int64_t)client_port};
    snprintf(i.agent, sizeof i.agent, "box%u", client_port);
    return i;
}

static void assert_same(const struct inquiry *a, const struct inquiry *b)
{
    assert_memory_equal(a->client.ip, b->client.ip, 16);
    assert_memory_equal(a->cache.ip, b->cache.ip, 16);
    assert_int_equal(a->client.port, b->client.port);
    assert_int_equal(a->cache.port, b->cache.port);
    assert_string_equal(a->agent, b->agent);
    assert_int_equal(a->trace_id.hi, b->trace_id.hi);
    assert_int_equal(a->trace_id.lo, b->trace_id.lo);
    assert_int_equal(a->span_id, b->span_id);
    assert_int_equal(a->start_unix_ns, b->start_unix_ns);
    assert_int_equal(a->duration_ns, b->duration_ns);
    assert_int_equal(a->clock_offset_ns, b->clock_offset_ns);
}

static void inquiries_come_as_they_were_in_their_order(void **state)
{
    struct inquiry sent[MOST];
    struct taken got = {.count = 0};
    struct buffer bytes = {0};
    uint64_t epoch, first;
    (void)state;
    for (unsigned n = 0; n < MOST; n++)
        sent[n] = inquiry_number(n, (uint16_t)(40000 + n / 7));
    assert_int_equal(inquiries_write(&bytes, 77, 1234, sent, MOST), 0);
    assert_int_equal(inquiries_read(bytes.data, bytes.length, &epoch, &first, take, &got), 0);
    assert_int_equal(epoch, 77);
    assert_int_equal(first, 1234);
    assert_int_equal(got.count, MOST);
    for (unsigned n = 0; n < MOST; n++)
        assert_same(&got.list[n], &sent[n]);
    buffer_fini(&bytes);
}

static void no_inquiries_are_a_message_too(void **state)
{
    struct taken got = {.count = 0};
    struct buffer bytes = {0};
    uint64_t epoch, first;
    (void)state;
    assert_int_equal(inquiries_write(&bytes, 5, 6, NULL, 0), 0);
    assert_int_equal(inquiries_read(bytes.data, bytes.length, &epoch, &first, take, &got), 0);
    assert_int_equal(got.count, 0);
    assert_int_equal(epoch, 5);
    assert_int_equal(first, 6);
    buffer_fini(&bytes);
}

static void a_message_that_is_cut_or_too_long_is_none(void **state)
{
    struct inquiry one = inquiry_number(1, 40000), *many = calloc(INQUIRIES_MOST + 1, sizeof one);
    struct taken got = {.count = 0};
    struct buffer bytes = {0};
    uint64_t epoch, first;
    (void)state;
    assert_int_equal(inquiries_write(&bytes, 1, 0, &one, 1), 0);
    for (size_t length = 10; length < bytes.length; length++)
        assert_int_equal(inquiries_read(bytes.data, length, &epoch, &first, take, &got), -1);
    for (size_t i = 0; i <= INQUIRIES_MOST; i++)
        many[i] = one;
    buffer_clear(&bytes);
    assert_int_equal(inquiries_write(&bytes, 1, 0, many, INQUIRIES_MOST + 1), 0);
    assert_int_equal(inquiries_read(bytes.data, bytes.length, &epoch, &first, take, &got), -1);
    assert_int_equal(got.count, 0);
    free(many);
    buffer_fini(&bytes);
}

static void a_watch_comes_as_it_was(void **state)
{
    struct inquiry_watch *sent = calloc(1, sizeof *sent), *got = calloc(1, sizeof *got);
    struct buffer bytes = {0};
    (void)state;
    *sent = (struct inquiry_watch){.epoch = 9, .received = 10, .cache_count = 3};
    sent->caches[0] = end_of("::ffff:127.0.0.1", 6379);
    sent->caches[1] = end_of("2001:db8::1", 11211);
    sent->caches[2] = end_of("::1", 1);
    assert_int_equal(inquiry_watch_write(&bytes, sent), 0);
    assert_int_equal(inquiry_watch_read(got, bytes.data, bytes.length), 0);
    assert_memory_equal(got, sent, sizeof *got);
    assert_int_equal(inquiry_watch_read(got, bytes.data, bytes.length - 3), -1);
    free(sent);
    free(got);
    buffer_fini(&bytes);
}

static void loopback_is_known_in_both_families(void **state)
{
    (void)state;
    struct inquiry_end ends[] = {end_of("::1", 1), end_of("::ffff:127.3.2.1", 1),
                                 end_of("::ffff:128.0.0.1", 1), end_of("::2", 1)};
    assert_true(inquiry_end_is_loopback(&ends[0]) && inquiry_end_is_loopback(&ends[1]));
    assert_false(inquiry_end_is_loopback(&ends[2]) || inquiry_end_is_loopback(&ends[3]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inquiries_come_as_they_were_in_their_order),
        cmocka_unit_test(no_inquiries_are_a_message_too),
        cmocka_unit_test(a_message_that_is_cut_or_too_long_is_none),
        cmocka_unit_test(a_watch_comes_as_it_was),
        cmocka_unit_test(loopback_is_known_in_both_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
