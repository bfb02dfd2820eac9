// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/exchange/exchange_file.h"
#include "tests/unit/exchange/exchanges.h"

enum { MOST = 64 };
static struct exchange_record found[MOST];
static bool complete;

static int begin(void **state)
{
    (void)state;
    return exchanges_begin(1 << 20);
}

static int end(void **state)
{
    (void)state;
    return exchanges_end();
}

static size_t find_most(uint16_t client_port, uint64_t from, uint64_t to, size_t most)
{
    struct exchange_connection c = connection_of(client_port);
    return exchange_reader_find(reader, &c, begun_ns + from, begun_ns + to, found, most, &complete);
}

static size_t find(uint16_t client_port, uint64_t from, uint64_t to)
{
    return find_most(client_port, from, to, MOST);
}

/* ---- finding ----------------------------------------------------------------------------- */

static void what_was_added_is_found_as_it_was(void **state)
{
    (void)state;
    struct exchange_connection c = connection_of(1000);
    struct exchange e = exchange_of(7);
    e.command = exchange_writer_word(writer, "redis", "hgetall");
    e.error = exchange_writer_word(writer, "", "WRONGTYPE");
    exchange_writer_add(writer, &c, &e);
    assert_int_equal(find(1000, 0, 100), 1);
    assert_true(complete);
    assert_int_equal(number_of(&found[0]), 7);
    assert_string_equal(found[0].protocol, "redis");
    assert_string_equal(found[0].command, "hgetall");
    assert_string_equal(found[0].error, "WRONGTYPE");
}

static void connections_are_told_apart(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 30; n++)
        exchanges_add((uint16_t)(1000 + n % 3), n);
    for (uint16_t port = 0; port < 3; port++) {
        assert_int_equal(find((uint16_t)(1000 + port), 0, 100), 10);
        assert_true(complete);
        for (size_t i = 0; i < 10; i++)
            assert_int_equal(number_of(&found[i]), 3 * i + port);
    }
    assert_int_equal(find(999, 0, 100), 0);
    assert_true(complete);
}

static void a_connection_the_other_way_round_is_another(void **state)
{
    (void)state;
    exchanges_add(1000, 1);
    struct exchange_connection c = connection_of(1000), other = c;
    memcpy(other.client_ip, c.cache_ip, sizeof c.cache_ip);
    memcpy(other.cache_ip, c.client_ip, sizeof c.client_ip);
    assert_int_equal(
        exchange_reader_find(reader, &other, begun_ns, begun_ns + 9, found, MOST, &complete), 0);
}

static void the_time_of_asking_bounds_what_is_found(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 100; n++)
        exchanges_add(1000, n);
    assert_int_equal(find(1000, 20, 29), 10);
    assert_true(complete);
    assert_int_equal(number_of(&found[0]), 20);
    assert_int_equal(number_of(&found[9]), 29);
    assert_int_equal(find(1000, 200, 300), 0);
    assert_true(complete);
}

static void what_was_answered_late_stands_where_it_was_asked(void **state)
{
    (void)state;
    const uint64_t answered[] = {0, 4, 1, 2, 3, 7, 6, 5};
    for (size_t i = 0; i < 8; i++)
        exchanges_add(1000, answered[i]);
    assert_int_equal(find(1000, 0, 100), 8);
    assert_true(complete);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(number_of(&found[i]), i);
    /* 4 is behind 1, 2, 3 on the way back. */
    assert_int_equal(find(1000, 4, 4), 1);
    assert_true(complete);
}

static void more_than_there_is_room_for_is_said(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 10; n++)
        exchanges_add(1000, n);
    assert_int_equal(find_most(1000, 0, 100, 10), 10);
    assert_true(complete);
    assert_int_equal(find_most(1000, 0, 100, 9), 9);
    assert_false(complete);
    assert_int_equal(number_of(&found[0]), 1);
    assert_int_equal(find_most(1000, 0, 100, 0), 0);
    assert_false(complete);
}

/* Their orders begin anew. */
static void connections_with_the_same_ends_stay_apart(void **state)
{
    (void)state;
    struct exchange_connection c = connection_of(1000);
    for (uint64_t n = 0; n < 9; n++) {
        struct exchange e = exchange_of(n);
        e.connection = 5 + n / 3 * 256; /* the same low byte */
        e.order = (uint32_t)(2 - n % 3);
        exchange_writer_add(writer, &c, &e);
    }
    assert_int_equal(find(1000, 0, 100), 9);
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(found[i].order, i % 3);
        assert_int_equal(found[i].asked_unix_ns - begun_ns, i / 3 * 3 + 2 - i % 3);
        assert_int_equal(found[i].connection == found[0].connection, i < 3);
    }
}

static void counts_that_do_not_fit_say_or_more(void **state)
{
    (void)state;
    struct exchange_connection c = connection_of(1000);
    struct exchange e = exchange_of(0);
    e.request_bytes = e.reply_bytes = UINT64_C(1) << 32;
    e.keys = e.hits = e.misses = 1 << 16;
    exchange_writer_add(writer, &c, &e);
    assert_int_equal(find(1000, 0, 0), 1);
    assert_int_equal(found[0].request_bytes, UINT32_MAX);
    assert_int_equal(found[0].reply_bytes, UINT32_MAX);
    assert_int_equal(found[0].keys, UINT16_MAX);
    assert_int_equal(found[0].hits, UINT16_MAX);
    assert_int_equal(found[0].misses, UINT16_MAX);
}

/* ---- what was forgotten ------------------------------------------------------------------ */

static void nothing_from_before_the_file_is_told_to_be_complete(void **state)
{
    (void)state;
    struct exchange_connection c = connection_of(1000);
    assert_int_equal(exchange_reader_find(reader, &c, begun_ns - UINT64_C(1000000000), begun_ns,
                                          found, MOST, &complete),
                     0);
    assert_false(complete);
    exchanges_add(1000, 0);
    assert_int_equal(exchange_reader_find(reader, &c, begun_ns - UINT64_C(1000000000), begun_ns,
                                          found, MOST, &complete),
                     1);
    assert_false(complete);
}

/* A file of 1 MiB has room for some 7,000. */
static void what_is_overwritten_is_not_found_and_that_is_said(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 50; n++)
        exchanges_add(1000, n);
    for (uint64_t n = 50; n < 20000; n++)
        exchanges_add(1001, n);
    assert_int_equal(find(1000, 0, 100), 0);
    assert_false(complete);
    /* Later than all that it asked: nothing is missing. */
    assert_int_equal(find(1000, 50, 20000), 0);
    assert_true(complete);
    assert_int_equal(find(1001, 19990, 20000), 10);
    assert_true(complete);
    assert_int_equal(find(1001, 100, 110), 0);
    assert_false(complete);
    /* And it goes on. */
    exchanges_add(1000, 20000);
    assert_int_equal(find(1000, 50, 20000), 1);
    assert_true(complete);
    assert_int_equal(find(1000, 49, 20000), 1);
    assert_false(complete);
}

/* And one for some 1,000 connections. */
static void a_connection_that_lost_its_place_is_not_told_to_be_complete(void **state)
{
    (void)state;
    size_t lost = 0, there = 0;
    for (uint64_t n = 0; n < 4000; n++)
        exchanges_add((uint16_t)(1000 + n), n);
    for (uint64_t n = 0; n < 4000; n++) {
        size_t count = find((uint16_t)(1000 + n), n, n);
        assert_true(count == 1 || !complete);
        there += count;
        lost += count == 0;
    }
    assert_true(there > 800);
    assert_true(lost > 2000);
    /* Those that asked last are kept. */
    for (uint64_t n = 3950; n < 4000; n++)
        assert_int_equal(find((uint16_t)(1000 + n), n, n), 1);
    /* One that comes back knows nothing of its past. */
    exchanges_add(1000, 4000);
    assert_int_equal(find(1000, 0, 5000), 1);
    assert_false(complete);
    assert_int_equal(find(1000, 4000, 5000), 1);
    assert_true(complete);
}

/* ---- the rest ---------------------------------------------------------------------------- */

static void time_that_was_seen_is_told(void **state)
{
    (void)state;
    assert_int_equal(exchange_reader_seen_unix_ns(reader), 0);
    exchange_writer_seen(writer, 4711);
    assert_int_equal(exchange_reader_seen_unix_ns(reader), 4711);
}

static void caches_are_told_and_changes_of_their_list(void **state)
{
    (void)state;
    struct exchange_address list[3] = {{{1}, 6379}, {{2}, 6379}, {{2}, 11211}}, told[4];
    uint64_t before = exchange_reader_caches_generation(reader);
    assert_int_equal(exchange_reader_caches(reader, told, 4), 0);
    exchange_writer_caches(writer, list, 3);
    uint64_t generation = exchange_reader_caches_generation(reader);
    assert_true(generation != before);
    exchange_writer_caches(writer, list, 3);
    assert_int_equal(exchange_reader_caches_generation(reader), generation);
    assert_int_equal(exchange_reader_caches(reader, told, 4), 3);
    assert_memory_equal(told[2].ip, list[2].ip, 16);
    assert_int_equal(told[2].port, 11211);
    assert_int_equal(exchange_reader_caches(reader, told, 2), 2);
    list[1].port = 6380;
    exchange_writer_caches(writer, list, 3);
    assert_true(exchange_reader_caches_generation(reader) != generation);
    assert_int_equal(exchange_reader_caches(reader, told, 4), 3);
    assert_int_equal(told[1].port, 6380);
    exchange_writer_caches(writer, list, 1);
    assert_int_equal(exchange_reader_caches(reader, told, 4), 1);
}

static void words_have_one_number_each(void **state)
{
    (void)state;
    uint16_t get = exchange_writer_word(writer, "redis", "get");
    assert_true(get != 0);
    assert_int_equal(exchange_writer_word(writer, "redis", "get"), get);
    assert_int_not_equal(exchange_writer_word(writer, "memcached", "get"), get);
    char text[16];
    for (int i = 0; i < 2000; i++) {
        snprintf(text, sizeof text, "c%d", i);
        exchange_writer_word(writer, "redis", text);
    }
    assert_int_equal(exchange_writer_word(writer, "redis", "one more"), 0);
    assert_int_equal(exchange_writer_word(writer, "redis", "get"), get);
}

static void patterns_are_folded_printable_and_cut_off(void **state)
{
    (void)state;
    static const struct {
        const char *key, *pattern;
    } cases[] = {
        {"user:4711:inbox", "user:*:inbox"},
        {"", ""},
        {"0", "*"},
        {"a1b22", "a*b*"},
        {"a\nb\\c\x7f", "a\\x0ab\\\\c\\x7f"},
        {"\xc3\xa4", "\\xc3\\xa4"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        /* no half of an escape */
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct exchange_connection c = connection_of((uint16_t)(2000 + i));
        struct exchange e = exchange_of(0);
        e.key = (const uint8_t *)cases[i].key;
        e.key_length = strlen(cases[i].key);
        exchange_writer_add(writer, &c, &e);
        assert_int_equal(find((uint16_t)(2000 + i), 0, 0), 1);
        assert_string_equal(found[0].pattern, cases[i].pattern);
    }
}

/* ---- the file ---------------------------------------------------------------------------- */

static void a_file_is_current_while_its_tap_lives(void **state)
{
    (void)state;
    assert_true(exchange_reader_is_current(reader));
    assert_null(exchange_writer_create(exchanges_path, 1 << 20, why, sizeof why));
    assert_non_null(strstr(why, "another tap"));
    exchange_writer_destroy(&writer);
    assert_false(exchange_reader_is_current(reader));
    struct exchange_reader *none = exchange_reader_open(exchanges_fd, why, sizeof why);
    assert_null(none);
    assert_string_equal(why, "");
    writer = exchange_writer_create(exchanges_path, 1 << 20, why, sizeof why);
    assert_non_null(writer);
    assert_false(exchange_reader_is_current(reader));
    exchange_reader_close(&reader);
    reader = exchange_reader_open(exchanges_fd, why, sizeof why);
    assert_true(exchange_reader_is_current(reader));
}

static void a_tap_leaves_alone_what_is_not_its_own_any_more(void **state)
{
    (void)state;
    assert_int_equal(unlink(exchanges_path), 0);
    struct exchange_writer *other =
        exchange_writer_create(exchanges_path, 1 << 20, why, sizeof why);
    assert_non_null(other);
    exchange_writer_destroy(&writer);
    assert_int_equal(access(exchanges_path, F_OK), 0);
    writer = other;
}

static void a_file_that_cannot_be_made_is_said_to_be_so(void **state)
{
    (void)state;
    assert_null(exchange_writer_create("/nowhere/tap.exchanges", 1 << 20, why, sizeof why));
    assert_string_equal(why, "/nowhere/tap.exchanges: No such file or directory");
}

static void a_file_that_is_shrunk_tells_nothing_and_hurts_nobody(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* its runtime holds back the signal of a fault in an atomic load */
#endif
    struct exchange_address told[4];
    guard_install(); /* cmocka has taken the signal meanwhile */
    exchanges_add(1000, 0);
    assert_int_equal(truncate(exchanges_path, 4096), 0);
    assert_int_equal(find(1000, 0, 10), 0);
    assert_false(complete);
    assert_int_equal(exchange_reader_caches(reader, told, 4), 0);
    assert_false(exchange_reader_is_current(reader));
    assert_int_equal(truncate(exchanges_path, 0), 0);
    assert_int_equal(exchange_reader_seen_unix_ns(reader), 0);
    /* Its own writer would fault now: it is not used again. */
}

static void refuse(const char *sentence)
{
    exchange_reader_close(&reader);
    reader = exchange_reader_open(exchanges_fd, why, sizeof why);
    assert_null(reader);
    assert_non_null(strstr(why, sentence));
}

static void put_word(off_t offset, uint64_t word)
{
    int fd = open(exchanges_path, O_WRONLY);
    assert_int_equal(pwrite(fd, &word, sizeof word, offset), sizeof word);
    close(fd);
}

static void files_that_are_none_are_refused(void **state)
{
    (void)state;
    put_word(8, 2);
    refuse("newer than this agent");
    put_word(0, 4711);
    refuse("not a file of exchanges");
    assert_int_equal(truncate(exchanges_path, 100), 0);
    refuse("not a file of exchanges");
    assert_int_equal(unlink(exchanges_path), 0);
    assert_int_equal(mkfifo(exchanges_path, 0600), 0);
    refuse("not a regular file");
    assert_int_equal(unlink(exchanges_path), 0);
    assert_int_equal(symlink("/etc/passwd", exchanges_path), 0);
    refuse("Too many levels of symbolic links");
}

static void sizes_beyond_belief_are_refused(void **state)
{
    (void)state;
    static const size_t fields[] = {offsetof(struct exchange_file, words_offset),
                                    offsetof(struct exchange_file, word_capacity),
                                    offsetof(struct exchange_file, caches_offset),
                                    offsetof(struct exchange_file, cache_capacity),
                                    offsetof(struct exchange_file, sets_offset),
                                    offsetof(struct exchange_file, set_count),
                                    offsetof(struct exchange_file, records_offset),
                                    offsetof(struct exchange_file, record_count)};
    static const uint64_t values[] = {0, 7, 1 << 20, UINT64_C(1) << 63, UINT64_MAX};
    for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++) {
        uint64_t good;
        int fd = open(exchanges_path, O_RDONLY);
        assert_int_equal(pread(fd, &good, sizeof good, (off_t)fields[f]), sizeof good);
        close(fd);
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            bool small = values[v] == 7 && (f % 2 == 1) && f != 5; /* fewer are no contradiction */
            put_word((off_t)fields[f], values[v]);
            if (!small)
                refuse("contradict");
        }
        put_word((off_t)fields[f], good);
    }
    reader = exchange_reader_open(exchanges_fd, why, sizeof why);
    assert_non_null(reader);
}

static void files_of_other_users_are_refused(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* only root can give a file away */
    assert_int_equal(chown(exchanges_path, 65534, (gid_t)-1), 0);
    refuse("another user");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(what_was_added_is_found_as_it_was),
        TEST(connections_are_told_apart),
        TEST(a_connection_the_other_way_round_is_another),
        TEST(the_time_of_asking_bounds_what_is_found),
        TEST(what_was_answered_late_stands_where_it_was_asked),
        TEST(more_than_there_is_room_for_is_said),
        TEST(connections_with_the_same_ends_stay_apart),
        TEST(counts_that_do_not_fit_say_or_more),
        TEST(nothing_from_before_the_file_is_told_to_be_complete),
        TEST(what_is_overwritten_is_not_found_and_that_is_said),
        TEST(a_connection_that_lost_its_place_is_not_told_to_be_complete),
        TEST(time_that_was_seen_is_told),
        TEST(caches_are_told_and_changes_of_their_list),
        TEST(words_have_one_number_each),
        TEST(patterns_are_folded_printable_and_cut_off),
        TEST(a_file_is_current_while_its_tap_lives),
        TEST(a_tap_leaves_alone_what_is_not_its_own_any_more),
        TEST(a_file_that_cannot_be_made_is_said_to_be_so),
        TEST(a_file_that_is_shrunk_tells_nothing_and_hurts_nobody),
        TEST(files_that_are_none_are_refused),
        TEST(sizes_beyond_belief_are_refused),
        TEST(files_of_other_users_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
