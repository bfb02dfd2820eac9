// SPDX-License-Identifier: Apache-2.0
/* From batches to what the agents of caches are asked: whose cache it is, what is given again, and
 * what is forgotten. */
#include "collector/inquire/inquire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
    struct watchers *watchers;
    struct batch_builder *builder;
    struct arena arena;
    struct buffer answer;
    /* The last answer. */
    uint64_t epoch, first;
    struct inquiry last;
    size_t count;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->watchers = watchers_create();
    f->builder = batch_builder_create();
    arena_init(&f->arena, 1 << 16);
    *state = f;
    return f->watchers && f->builder ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    watchers_destroy(&f->watchers);
    batch_builder_destroy(&f->builder);
    arena_fini(&f->arena);
    buffer_fini(&f->answer);
    free(f);
    return 0;
}

static struct inquiry_end end_of(const char *ip, uint16_t port)
{
    struct inquiry_end end = {.port = port};
    assert_int_equal(inet_pton(AF_INET6, ip, end.ip), 1);
    return end;
}

static void take(void *context, const struct inquiry *i)
{
    struct fixture *f = context;
    f->last = *i;
    f->count++;
}

/* `agent` watches one cache and has come to `received`. */
static void watch(struct fixture *f, const char *agent, struct inquiry_end cache, uint64_t received)
{
    struct buffer body = {0};
    static struct inquiry_watch w;
    w = (struct inquiry_watch){.epoch = f->epoch, .received = received, .cache_count = 1};
    w.caches[0] = cache;
    assert_int_equal(inquiry_watch_write(&body, &w), 0);
    buffer_clear(&f->answer);
    f->count = 0;
    assert_int_equal(watchers_watch(f->watchers, agent, 0, body.data, body.length, &f->answer), 0);
    assert_int_equal(
        inquiries_read(f->answer.data, f->answer.length, &f->epoch, &f->first, take, f), 0);
    buffer_fini(&body);
}

static void put_text(struct fixture *f, const char *key, const char *value)
{
    batch_attribute(f->builder, batch_string(f->builder, key, strlen(key)), VALUE_STRING,
                    batch_string(f->builder, value, strlen(value)));
}

static void put_number(struct fixture *f, const char *key, uint64_t value)
{
    batch_attribute(f->builder, batch_string(f->builder, key, strlen(key)), VALUE_INT, value);
}

static void put_span(struct fixture *f, enum span_kind kind, uint64_t id, const char *local,
                     const char *peer, uint64_t peer_port)
{
    struct batch_process_info info = {.uuid = {1}, .service = "cell"};
    struct batch_span span = {.process = batch_process(f->builder, &info),
                              .trace_id = {7, id},
                              .span_id = id,
                              .start_unix_ns = 1000 + id,
                              .duration_ns = 50,
                              .kind = (uint8_t)kind};
    batch_span_add(f->builder, &span);
    put_text(f, "db.system", "redis");
    if (local)
        put_text(f, "network.local.address", local);
    put_number(f, "network.local.port", 40000 + id);
    put_text(f, "network.peer.address", peer);
    put_number(f, "network.peer.port", peer_port);
}

/* What was put comes from `agent`. */
static void tell(struct fixture *f, const char *agent)
{
    struct buffer bytes = {0};
    int error;
    assert_int_equal(batch_encode(f->builder, &bytes), 0);
    struct batch *b = batch_decode(&f->arena, bytes.data, bytes.length, 1 << 20, &error);
    assert_non_null(b);
    inquire_about(f->watchers, b, agent, 4000);
    buffer_fini(&bytes);
    batch_builder_reset(f->builder);
}

static struct watchers_stats stats_of(const struct fixture *f)
{
    struct watchers_stats stats;
    watchers_stats(f->watchers, &stats);
    return stats;
}

static void the_agent_of_the_cache_is_asked_about_the_span(void **state)
{
    struct fixture *f = *state;
    struct inquiry_end cache = end_of("::ffff:10.0.0.5", 6379);
    watch(f, "boxc", cache, 0);
    put_span(f, SPAN_CLIENT, 3, "10.0.0.9", "10.0.0.5", 6379);
    tell(f, "boxs");
    watch(f, "boxc", cache, 0);
    assert_int_equal(f->count, 1);
    assert_int_equal(f->last.span_id, 3);
    assert_int_equal(f->last.trace_id.lo, 3);
    assert_int_equal(f->last.start_unix_ns, 1003);
    assert_int_equal(f->last.duration_ns, 50);
    assert_int_equal(f->last.client.port, 40003);
    assert_int_equal(f->last.clock_offset_ns, 4000);
    assert_string_equal(f->last.agent, "boxs");
}

static void spans_that_say_no_connection_or_another_kind_are_passed_over(void **state)
{
    struct fixture *f = *state;
    struct inquiry_end cache = end_of("::ffff:10.0.0.5", 6379);
    watch(f, "boxc", cache, 0);
    put_span(f, SPAN_SERVER, 1, "10.0.0.9", "10.0.0.5", 6379);
    put_span(f, SPAN_CLIENT, 2, NULL, "10.0.0.5", 6379);
    put_span(f, SPAN_CLIENT, 3, "nonsense", "10.0.0.5", 6379);
    put_span(f, SPAN_CLIENT, 4, "10.0.0.9", "10.0.0.5", 6379 + 65536);
    tell(f, "boxs");
    assert_int_equal(stats_of(f).asked, 0);
    put_span(f, SPAN_CLIENT, 5, "10.0.0.9", "10.0.0.6", 6379);
    tell(f, "boxs");
    assert_int_equal(stats_of(f).unwatched, 1);
}

static void a_loopback_address_is_the_senders_own(void **state)
{
    struct fixture *f = *state;
    struct inquiry_end cache = end_of("::ffff:127.0.0.1", 6379);
    watch(f, "one", cache, 0);
    watch(f, "two", cache, 0);
    put_span(f, SPAN_CLIENT, 3, "127.0.0.1", "127.0.0.1", 6379);
    tell(f, "two");
    put_span(f, SPAN_CLIENT, 4, "127.0.0.1", "127.0.0.1", 6379);
    tell(f, "three");
    watch(f, "one", cache, 0);
    assert_int_equal(f->count, 0);
    watch(f, "two", cache, 0);
    assert_int_equal(f->count, 1);
    assert_true(watchers_watched(f->watchers, "two", &cache));
    assert_false(watchers_watched(f->watchers, "three", &cache));
}

static void what_was_not_received_is_given_again_and_what_was_is_forgotten(void **state)
{
    struct fixture *f = *state;
    struct inquiry_end cache = end_of("::1", 6379);
    watch(f, "box", cache, 0);
    for (uint64_t id = 1; id <= 5; id++)
        put_span(f, SPAN_CLIENT, id, "::1", "::1", 6379);
    tell(f, "box");
    watch(f, "box", cache, 0);
    assert_int_equal(f->count, 5);
    watch(f, "box", cache, 2);
    assert_int_equal(f->first, 2);
    assert_int_equal(f->count, 3);
    f->epoch += 2; /* of a collector before this one */
    watch(f, "box", cache, 5);
    assert_int_equal(f->count, 3);
    watch(f, "box", cache, 5);
    assert_int_equal(f->count, 0);
    assert_int_equal(stats_of(f).given, 5);
    assert_int_equal(stats_of(f).waiting, 0);
}

/* Of two agents with one bridge's address each is asked about its own host's clients. */
static void an_address_of_many_hosts_is_ones_own_first(void **state)
{
    struct fixture *f = *state;
    struct inquiry_end bridge = end_of("::ffff:172.17.0.1", 6379);
    watch(f, "one", bridge, 0);
    watch(f, "two", bridge, 0);
    put_span(f, SPAN_CLIENT, 3, "172.17.0.2", "172.17.0.1", 6379);
    tell(f, "two");
    put_span(f, SPAN_CLIENT, 4, "172.17.0.2", "172.17.0.1", 6379);
    tell(f, "three");
    watch(f, "two", bridge, 0);
    assert_int_equal(f->count, 1);
    assert_int_equal(f->last.span_id, 3);
    watch(f, "one", bridge, 0);
    assert_int_equal(f->count, 1);
    assert_int_equal(f->last.span_id, 4);
}

/* An agent that the collector has forgotten knows how far it had come in this epoch. */
static void who_comes_back_goes_on_where_he_was(void **state)
{
    struct fixture *f = *state;
    struct inquiry_end cache = end_of("::1", 6379);
    watch(f, "other", end_of("::1", 1), 0);
    watch(f, "box", cache, 1000);
    put_span(f, SPAN_CLIENT, 3, "::1", "::1", 6379);
    tell(f, "box");
    watch(f, "box", cache, 1000);
    assert_int_equal(f->first, 1000);
    assert_int_equal(f->count, 1);
    watch(f, "box", cache, 1001);
    assert_int_equal(f->count, 0);
    assert_int_equal(stats_of(f).given, 1);
}

static void of_a_full_queue_the_oldest_go(void **state)
{
    struct fixture *f = *state;
    struct inquiry i = {.client = end_of("::1", 1), .cache = end_of("::1", 2), .agent = "box"};
    watch(f, "box", i.cache, 0);
    for (uint64_t n = 0; n < (1 << 16) + 1000; n++) {
        i.span_id = n;
        assert_true(watchers_ask(f->watchers, &i));
    }
    watch(f, "box", i.cache, 0);
    assert_int_equal(f->first, 1000);
    assert_int_equal(f->count, INQUIRIES_MOST);
    assert_int_equal(stats_of(f).dropped, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_agent_of_the_cache_is_asked_about_the_span, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            spans_that_say_no_connection_or_another_kind_are_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(a_loopback_address_is_the_senders_own, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_was_not_received_is_given_again_and_what_was_is_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(an_address_of_many_hosts_is_ones_own_first, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_comes_back_goes_on_where_he_was, setup, teardown),
        cmocka_unit_test_setup_teardown(of_a_full_queue_the_oldest_go, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
