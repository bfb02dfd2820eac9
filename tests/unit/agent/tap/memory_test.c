// SPDX-License-Identifier: Apache-2.0
/* What the tap tells of exchanges to who reads its file. */
#include "agent/tap/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/exchange/exchange_reader.h"
#include "lib/ring/guard.h"
#include "tests/unit/directory.h"

#define LOCAL                                                                                      \
    {                                                                                              \
        [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1                                             \
    }
#define ELSEWHERE                                                                                  \
    {                                                                                              \
        [10] = 0xff, [11] = 0xff, [12] = 203, [14] = 113, [15] = 9                                 \
    }

enum { MOST = 8 };

static const struct tap_port ports[] = {{6379, &tap_redis}, {11211, &tap_memcached}};
static char directory[64];
static struct tap_connections *connections;
static struct memory memory;
static struct exchange_reader *reader;
static struct exchange_record found[MOST];
static uint64_t now_ns;

static void ignore(void *context, uint32_t cache, const struct tap_client *client,
                   const struct tap_exchange *e)
{
    (void)context, (void)cache, (void)client, (void)e;
}

/* Makes the cache known to the tap. */
static void connect_to(const struct tap_address *cache)
{
    struct tap_segment syn = {.from = {LOCAL, 40000}, .to = *cache, .flags = TAP_SYN};
    tap_connections_add(connections, &syn, now_ns);
}

static int begin(void **state)
{
    (void)state;
    guard_install();
    now_ns = clock_unix_ns() + 1000000000;
    strcpy(directory, "/dev/shm/weft-memory-XXXXXX");
    connections =
        tap_connections_create(&(struct tap_connections_options){.ports = ports,
                                                                 .port_count = 2,
                                                                 .connections = 16,
                                                                 .memory_bytes = 1 << 20,
                                                                 .observer = {ignore, NULL}});
    return mkdtemp(directory) && connections ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    exchange_reader_close(&reader);
    memory_fini(&memory);
    tap_connections_destroy(&connections);
    return directory_remove(directory);
}

static void open_reader(void)
{
    char why[256];
    int fd = open(directory, O_RDONLY | O_DIRECTORY);
    exchange_reader_close(&reader);
    reader = exchange_reader_open(fd, why, sizeof why);
    close(fd);
}

static void begin_memory(uint64_t bytes, bool tell_patterns)
{
    memory_init(&memory, &(struct memory_options){.directory = directory,
                                                  .bytes = bytes,
                                                  .tell_patterns = tell_patterns,
                                                  .connections = connections,
                                                  .ports = ports,
                                                  .port_count = 2});
    open_reader();
}

static uint16_t command_of(const struct tap_protocol *protocol, const char *name)
{
    for (uint16_t i = 0; i < protocol->command_count(); i++)
        if (strcmp(protocol->command_name(i), name) == 0)
            return i;
    fail_msg("there is no command %s", name);
    return 0;
}

static void add_one(uint32_t cache, const struct tap_protocol *protocol, const char *command)
{
    static const struct tap_key keys[] = {
        {(const uint8_t *)"user:17", 7, 7, 0, TAP_HIT},
        {(const uint8_t *)"b", 1, 1, 0, TAP_MISS},
        {(const uint8_t *)"c", 1, 1, 0, TAP_MISS},
        {(const uint8_t *)"d", 1, 1, 0, TAP_NO_OUTCOME},
    };
    const struct tap_client client = {{LOCAL, 40000}, 1};
    memory_add(&memory, cache, &client,
               &(struct tap_exchange){.command = command_of(protocol, command),
                                      .ending = TAP_ANSWERED,
                                      .failed = true,
                                      .error = "WRONGTYPE",
                                      .order = 3,
                                      .asked_ns = now_ns,
                                      .answered_ns = now_ns + 1,
                                      .done_ns = now_ns + 2,
                                      .request_bytes = 10,
                                      .reply_bytes = 20,
                                      .keys = keys,
                                      .key_count = 4,
                                      .keys_not_kept = 5});
}

static size_t find(const struct tap_address *cache)
{
    struct exchange_connection c = {LOCAL, {0}, 40000, cache->port};
    bool complete;
    memcpy(c.cache_ip, cache->ip, sizeof c.cache_ip);
    return exchange_reader_find(reader, &c, now_ns, now_ns, found, MOST, &complete);
}

static void what_an_exchange_says_is_remembered(void **state)
{
    (void)state;
    const struct tap_address redis = {LOCAL, 6379}, memcached = {ELSEWHERE, 11211};
    begin_memory(1 << 20, true);
    connect_to(&redis);
    connect_to(&memcached);
    add_one(0, &tap_redis, "mget");
    add_one(1, &tap_memcached, "get");
    assert_int_equal(find(&redis), 1);
    assert_string_equal(found[0].protocol, "redis");
    assert_string_equal(found[0].command, "mget");
    assert_string_equal(found[0].error, "WRONGTYPE");
    assert_string_equal(found[0].pattern, "user:*");
    assert_true(found[0].failed);
    assert_int_equal(found[0].order, 3);
    assert_int_equal(found[0].keys, 9);
    assert_int_equal(found[0].hits, 1);
    assert_int_equal(found[0].misses, 2);
    assert_int_equal(found[0].answered_unix_ns - now_ns, 1);
    assert_int_equal(found[0].done_unix_ns - now_ns, 2);
    assert_int_equal(found[0].request_bytes, 10);
    assert_int_equal(found[0].reply_bytes, 20);
    assert_int_equal(find(&memcached), 1);
    assert_string_equal(found[0].protocol, "memcached");
    assert_string_equal(found[0].command, "get");
    memory_seen(&memory, 4711);
    assert_int_equal(exchange_reader_seen_unix_ns(reader), 4711);
}

static void every_command_has_its_whole_name(void **state)
{
    (void)state;
    const struct tap_address redis = {LOCAL, 6379};
    begin_memory(1 << 20, true);
    connect_to(&redis);
    for (uint16_t i = 0; i < tap_redis.command_count(); i++) {
        const struct tap_client client = {{LOCAL, 40000}, 1};
        now_ns++;
        memory_add(&memory, 0, &client, &(struct tap_exchange){.command = i, .asked_ns = now_ns});
        assert_int_equal(find(&redis), 1);
        assert_string_equal(found[0].command, tap_redis.command_name(i));
    }
}

static void where_keys_may_not_be_told_neither_are_patterns(void **state)
{
    (void)state;
    const struct tap_address redis = {LOCAL, 6379};
    begin_memory(1 << 20, false);
    connect_to(&redis);
    add_one(0, &tap_redis, "get");
    assert_int_equal(find(&redis), 1);
    assert_string_equal(found[0].pattern, "");
}

static bool is_told(const uint8_t ip[16], uint16_t port)
{
    struct exchange_address list[EXCHANGE_CACHES_MOST];
    size_t count = exchange_reader_caches(reader, list, EXCHANGE_CACHES_MOST);
    for (size_t i = 0; i < count; i++)
        if (list[i].port == port && memcmp(list[i].ip, ip, sizeof list[i].ip) == 0)
            return true;
    return false;
}

static void caches_of_this_host_are_told_and_no_others(void **state)
{
    (void)state;
    const struct tap_address own = {LOCAL, 6379}, other = {ELSEWHERE, 6379};
    begin_memory(1 << 20, true);
    connect_to(&other);
    connect_to(&own);
    memory_renew(&memory, now_ns);
    assert_true(is_told(own.ip, 6379));
    assert_false(is_told(other.ip, 6379));
    assert_true(is_told(own.ip, 11211)); /* before anybody asks there */
    assert_false(is_told(own.ip, 80));
}

static void nothing_is_remembered_where_that_is_off(void **state)
{
    (void)state;
    const struct tap_address redis = {LOCAL, 6379};
    begin_memory(0, true);
    assert_null(reader);
    connect_to(&redis);
    add_one(0, &tap_redis, "get");
    memory_seen(&memory, 1);
    memory_renew(&memory, now_ns);
}

static void a_file_that_is_gone_is_made_anew(void **state)
{
    (void)state;
    char path[128];
    const struct tap_address redis = {LOCAL, 6379};
    begin_memory(1 << 20, true);
    connect_to(&redis);
    snprintf(path, sizeof path, "%s/" EXCHANGE_FILE_NAME, directory);
    assert_int_equal(unlink(path), 0);
    add_one(0, &tap_redis, "get"); /* into what nobody sees */
    memory_renew(&memory, now_ns + UINT64_C(60000000000));
    open_reader();
    assert_non_null(reader);
    now_ns = clock_unix_ns() + 1000000000;
    add_one(0, &tap_redis, "get");
    assert_int_equal(find(&redis), 1);
    assert_string_equal(found[0].command, "get");
    /* The directory too: without it nothing is remembered, and that hurts nothing. */
    assert_int_equal(directory_remove(directory), 0);
    memory_renew(&memory, now_ns + UINT64_C(120000000000));
    add_one(0, &tap_redis, "get");
    assert_int_equal(mkdir(directory, 0700), 0);
    memory_renew(&memory, now_ns + UINT64_C(180000000000));
    open_reader();
    assert_non_null(reader);
}

static void own_addresses_are_those_of_interfaces_and_of_loopback(void **state)
{
    (void)state;
    static const uint8_t local[16] = LOCAL, elsewhere[16] = ELSEWHERE, six[16] = {[15] = 1},
                         none[16] = {0};
    static const uint8_t whole_net[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [13] = 9};
    struct own_addresses own = {0};
    for (int read = 0; read < 2; read++) {
        assert_true(own_addresses_has(&own, local));
        assert_true(own_addresses_has(&own, whole_net));
        assert_true(own_addresses_has(&own, six));
        assert_false(own_addresses_has(&own, elsewhere));
        assert_false(own_addresses_has(&own, none));
        assert_int_equal(own_addresses_read(&own), 0);
    }
    own.ips = realloc(own.ips, (own.count + 1) * sizeof *own.ips);
    memcpy(own.ips[own.count++], elsewhere, sizeof elsewhere);
    assert_true(own_addresses_has(&own, elsewhere));
    own_addresses_fini(&own);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(what_an_exchange_says_is_remembered),
        TEST(every_command_has_its_whole_name),
        TEST(where_keys_may_not_be_told_neither_are_patterns),
        TEST(caches_of_this_host_are_told_and_no_others),
        TEST(nothing_is_remembered_where_that_is_off),
        TEST(a_file_that_is_gone_is_made_anew),
        TEST(own_addresses_are_those_of_interfaces_and_of_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
