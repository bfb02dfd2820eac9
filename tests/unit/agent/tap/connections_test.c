// SPDX-License-Identifier: Apache-2.0
/* Which connections are followed, which are given up, and whose ports are left alone. */
#include "agent/tap/connections.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#define MS  UINT64_C(1000000)
#define GET "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"

enum { REDIS = 6379, MEMCACHED = 11211 };

struct side {
    uint16_t port;
    uint32_t next;
};

struct fixture {
    struct tap_connections *tap;
    uint64_t now_ns;
    uint64_t endings[4];
};

/* A connection of one client port to one cache port. */
struct peer {
    struct side client, cache;
};

static void on_exchange(void *context, uint32_t cache, const struct tap_client *client,
                        const struct tap_exchange *e)
{
    struct fixture *f = context;
    (void)cache;
    (void)client;
    f->endings[e->ending]++;
}

static void begin(struct fixture *f, uint32_t connections, size_t memory_bytes)
{
    static const struct tap_port ports[] = {{REDIS, &tap_redis}, {MEMCACHED, &tap_memcached}};
    *f = (struct fixture){.now_ns = 1000 * MS};
    f->tap =
        tap_connections_create(&(struct tap_connections_options){.ports = ports,
                                                                 .port_count = 2,
                                                                 .connections = connections,
                                                                 .memory_bytes = memory_bytes,
                                                                 .observer = {on_exchange, f}});
    assert_non_null(f->tap);
}

static struct tap_connections_stats stats_of(const struct fixture *f)
{
    struct tap_connections_stats stats;
    tap_connections_stats(f->tap, &stats);
    return stats;
}

static void end(struct fixture *f)
{
    tap_connections_destroy(&f->tap);
    assert_null(f->tap);
}

static void say(struct fixture *f, struct peer *p, bool client, uint8_t flags, const char *text)
{
    struct side *from = client ? &p->client : &p->cache, *to = client ? &p->cache : &p->client;
    uint32_t length = (uint32_t)strlen(text);
    struct tap_segment s = {
        .from = {{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = client ? 1 : 2}, from->port},
        .to = {{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = client ? 2 : 1}, to->port},
        .sequence = from->next,
        .acknowledged = to->next,
        .flags = flags,
        .length = length,
        .captured = length,
        .bytes = (const uint8_t *)text,
    };
    f->now_ns += 1000;
    tap_connections_add(f->tap, &s, f->now_ns);
    from->next += length + ((flags & (TAP_SYN | TAP_FIN)) != 0);
}

static struct peer connected(struct fixture *f, uint16_t client, uint16_t cache)
{
    struct peer p = {{client, 100}, {cache, 500}};
    say(f, &p, true, TAP_SYN, "");
    say(f, &p, false, TAP_SYN | TAP_ACK, "");
    say(f, &p, true, TAP_ACK, "");
    return p;
}

static void ask(struct fixture *f, struct peer *p)
{
    say(f, p, true, TAP_ACK, GET);
    say(f, p, false, TAP_ACK, "$1\r\nv\r\n");
}

static void hang_up(struct fixture *f, struct peer *p)
{
    say(f, p, true, TAP_FIN | TAP_ACK, "");
    say(f, p, false, TAP_FIN | TAP_ACK, "");
    say(f, p, true, TAP_ACK, "");
}

static void a_connection_goes_when_both_sides_have_ended(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, 16, 1 << 20);
    struct peer p = connected(&f, 40000, REDIS);
    ask(&f, &p);
    assert_int_equal(stats_of(&f).open, 1);
    say(&f, &p, true, TAP_ACK | TAP_FIN, GET); /* the half that is open still answers */
    assert_int_equal(stats_of(&f).open, 1);
    say(&f, &p, false, TAP_ACK | TAP_FIN, "$-1\r\n");
    assert_int_equal(stats_of(&f).open, 0);
    assert_int_equal(stats_of(&f).memory_bytes, 0);
    assert_int_equal(f.endings[TAP_ANSWERED], 2);
    end(&f);
}

static void a_reset_ends_what_waits(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, 16, 1 << 20);
    struct peer p = connected(&f, 40000, REDIS);
    say(&f, &p, true, TAP_ACK, GET GET);
    say(&f, &p, false, TAP_RST | TAP_ACK, "");
    assert_int_equal(stats_of(&f).open, 0);
    assert_int_equal(f.endings[TAP_NOT_SEEN], 2);
    end(&f);
}

static void what_comes_late_of_a_connection_begins_none(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, 16, 1 << 20);
    struct peer p = connected(&f, 40000, REDIS), old;
    old = p;
    ask(&f, &p);
    hang_up(&f, &p);
    say(&f, &old, true, TAP_ACK, GET); /* captured again */
    assert_int_equal(stats_of(&f).met, 1);
    assert_int_equal(f.endings[TAP_ANSWERED], 1);
    assert_int_equal(f.endings[TAP_NOT_SEEN], 0);
    f.now_ns += 2000 * MS; /* another one, whose SYN was not seen */
    old = (struct peer){{40000, 9000}, {REDIS, 9000}};
    ask(&f, &old);
    assert_int_equal(stats_of(&f).met, 2);
    assert_int_equal(stats_of(&f).counts.joined, 1);
    end(&f);
}

static void ports_that_are_used_anew_begin_another_connection(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, 16, 1 << 20);
    struct peer p = connected(&f, 40000, REDIS);
    say(&f, &p, true, TAP_ACK, GET);
    struct peer again = {{40000, 7000}, {REDIS, 8000}};
    say(&f, &again, true, TAP_SYN, "");
    assert_int_equal(f.endings[TAP_NOT_SEEN], 1);
    assert_int_equal(stats_of(&f).open, 1);
    again.client.next = 7000; /* the same SYN, seen twice, is no third one */
    say(&f, &again, true, TAP_SYN, "");
    say(&f, &again, false, TAP_SYN | TAP_ACK, "");
    ask(&f, &again);
    again.client.next = 7000;
    say(&f, &again, true, TAP_SYN, "");
    assert_int_equal(stats_of(&f).met, 2);
    assert_int_equal(f.endings[TAP_ANSWERED], 1);
    hang_up(&f, &again);
    again = connected(&f, 40000, REDIS); /* at once */
    ask(&f, &again);
    assert_int_equal(f.endings[TAP_ANSWERED], 2);
    end(&f);
}

static void the_one_silent_for_longest_is_given_up(void **state)
{
    enum { MOST = 16 };
    struct fixture f;
    struct peer peers[MOST + 1];
    (void)state;
    begin(&f, MOST, 1 << 20);
    for (uint16_t i = 0; i < MOST; i++) {
        peers[i] = connected(&f, (uint16_t)(40000 + i), REDIS);
        ask(&f, &peers[i]);
    }
    ask(&f, &peers[0]);
    peers[MOST] = connected(&f, 50000, REDIS);
    ask(&f, &peers[MOST]);
    assert_int_equal(stats_of(&f).open, MOST);
    assert_int_equal(stats_of(&f).evicted, 1);
    ask(&f, &peers[0]); /* is known still */
    assert_int_equal(stats_of(&f).counts.joined, 0);
    ask(&f, &peers[1]); /* is joined in its middle */
    assert_int_equal(stats_of(&f).counts.joined, 1);
    assert_int_equal(f.endings[TAP_ANSWERED], MOST + 1 + 1 + 1);
    end(&f);
}

static void many_connections_take_no_more_than_they_may(void **state)
{
    enum { MEMORY = 256 << 10 };
    struct fixture f;
    (void)state;
    begin(&f, 4096, MEMORY);
    for (uint32_t i = 0; i < 20000; i++) {
        struct peer p = connected(&f, (uint16_t)(20000 + i % 40000), i % 2 ? REDIS : MEMCACHED);
        if (i % 2)
            say(&f, &p, true, TAP_ACK, GET GET GET);
        else
            say(&f, &p, true, TAP_ACK, "get a b c d e f g\r\nget a\r\n");
        assert_true(stats_of(&f).memory_bytes <= MEMORY);
        if (i % 5 == 0)
            hang_up(&f, &p);
    }
    assert_true(stats_of(&f).evicted > 1000 && stats_of(&f).open > 10);
    assert_int_equal(stats_of(&f).met, 20000);
    assert_int_equal(stats_of(&f).foreign_segments, 0); /* want of memory is nobody's fault */
    end(&f);
}

static void whose_port_it_is_is_told_by_who_connects(void **state)
{
    struct fixture f;
    uint32_t count;
    (void)state;
    begin(&f, 16, 1 << 20);
    struct peer p = connected(&f, MEMCACHED, REDIS); /* a client's port may be any */
    ask(&f, &p);
    assert_int_equal(f.endings[TAP_ANSWERED], 1);
    const struct tap_cache *caches = tap_connections_caches(f.tap, &count);
    assert_int_equal(count, 1);
    assert_int_equal(caches[0].address.port, REDIS);
    assert_ptr_equal(caches[0].protocol, &tap_redis);
    struct peer other = {{40000, 1}, {80, 1}};
    say(&f, &other, true, TAP_SYN, "");
    assert_int_equal(stats_of(&f).other_segments, 1);
    end(&f);
}

static void web(struct fixture *f, uint16_t port)
{
    struct peer p = connected(f, port, REDIS);
    say(f, &p, true, TAP_ACK, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    say(f, &p, false, TAP_ACK, "HTTP/1.1 200 OK\r\n\r\n");
    hang_up(f, &p);
}

static void a_port_that_speaks_something_else_is_left_alone(void **state)
{
    struct fixture f;
    uint32_t count;
    (void)state;
    begin(&f, 16, 1 << 20);
    for (uint16_t i = 0; i < 3; i++) {
        assert_false(i > 0 && tap_connections_caches(f.tap, &count)[0].foreign);
        web(&f, (uint16_t)(40000 + i));
    }
    assert_true(tap_connections_caches(f.tap, &count)[0].foreign);
    uint64_t met = stats_of(&f).met;
    web(&f, 41000);
    assert_int_equal(stats_of(&f).met, met);
    assert_true(stats_of(&f).foreign_segments > 0);
    end(&f);
}

static void a_cache_that_has_answered_is_none_of_these(void **state)
{
    struct fixture f;
    uint32_t count;
    (void)state;
    begin(&f, 16, 1 << 20);
    struct peer p = connected(&f, 40000, REDIS);
    ask(&f, &p);
    for (uint16_t i = 0; i < 10; i++)
        web(&f, (uint16_t)(41000 + i));
    assert_false(tap_connections_caches(f.tap, &count)[0].foreign);
    end(&f);
}

static void bytes_lost_at_the_beginning_make_nobody_foreign(void **state)
{
    struct fixture f;
    uint32_t count;
    (void)state;
    begin(&f, 64, 1 << 20);
    for (uint16_t i = 0; i < 10; i++) {
        struct peer p = connected(&f, (uint16_t)(40000 + i), REDIS);
        bool of_client = i % 2;
        if (of_client)
            p.client.next += 11; /* a part of its first command */
        say(&f, &p, true, TAP_ACK, GET);
        if (!of_client)
            p.cache.next += 7; /* of the first reply */
        say(&f, &p, false, TAP_ACK, "est of a value\r\n");
        f.now_ns += 30 * MS;
        say(&f, &p, true, TAP_ACK, GET);
        f.now_ns += 30 * MS;
        say(&f, &p, false, TAP_ACK, "$-1\r\n");
        say(&f, &p, true, TAP_ACK, GET);
    }
    assert_false(tap_connections_caches(f.tap, &count)[0].foreign);
    assert_int_equal(f.endings[TAP_ANSWERED], 0);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_goes_when_both_sides_have_ended),
        cmocka_unit_test(a_reset_ends_what_waits),
        cmocka_unit_test(what_comes_late_of_a_connection_begins_none),
        cmocka_unit_test(ports_that_are_used_anew_begin_another_connection),
        cmocka_unit_test(the_one_silent_for_longest_is_given_up),
        cmocka_unit_test(many_connections_take_no_more_than_they_may),
        cmocka_unit_test(whose_port_it_is_is_told_by_who_connects),
        cmocka_unit_test(a_port_that_speaks_something_else_is_left_alone),
        cmocka_unit_test(a_cache_that_has_answered_is_none_of_these),
        cmocka_unit_test(bytes_lost_at_the_beginning_make_nobody_foreign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
