// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/memcached.h"
#include "tests/unit/agent/tap/talk.h"

static void commands_are_matched_with_their_replies(void **state)
{
    (void)state;
    assert_gives(
        &tap_memcached,
        "set a 3\n"
        "get a hit 3\n"
        "get b miss\n"
        "add a 2\n"
        "cas a hit 1\n"
        "cas a 1\n"
        "cas b miss 1\n"
        "incr n hit\n"
        "decr b miss\n"
        "touch a hit\n"
        "delete a hit\n"
        "delete a miss\n"
        "version\n"
        "flush_all\n",
        CLIENT("set a 0 0 3\r\none\r\n"), CACHE("STORED\r\n"), CLIENT("get a\r\n"),
        CACHE("VALUE a 0 3\r\none\r\nEND\r\n"), CLIENT("get b\r\n"), CACHE("END\r\n"),
        CLIENT("add a 0 0 2\r\nno\r\n"), CACHE("NOT_STORED\r\n"), CLIENT("cas a 0 0 1 7\r\nx\r\n"),
        CACHE("STORED\r\n"), CLIENT("cas a 0 0 1 7\r\nx\r\n"), CACHE("EXISTS\r\n"),
        CLIENT("cas b 0 0 1 7\r\nx\r\n"), CACHE("NOT_FOUND\r\n"), CLIENT("incr n 1\r\n"),
        CACHE("42\r\n"), CLIENT("decr b 1\r\n"), CACHE("NOT_FOUND\r\n"), CLIENT("touch a 10\r\n"),
        CACHE("TOUCHED\r\n"), CLIENT("delete a\r\n"), CACHE("DELETED\r\n"),
        CLIENT("delete a 0\r\n"), CACHE("NOT_FOUND\r\n"), CLIENT("version\r\n"),
        CACHE("VERSION 1.6.18\r\n"), CLIENT("flush_all\r\n"), CACHE("OK\r\n"));
}

static void each_key_of_a_multi_get_has_its_outcome(void **state)
{
    (void)state;
    assert_gives(
        &tap_memcached,
        "get a miss, b hit 2, c miss, b hit 2, d miss\n"
        "gats x hit 1, y miss\n"
        "get a miss, b miss\n",
        CLIENT("get a b c b d\r\n"), CACHE("VALUE b 0 2\r\n\r\n\r\nVALUE b 5 2\r\nEN\r\nEND\r\n"),
        CLIENT("gats 100 x y\r\nget  a b \r\n"), CACHE("VALUE x 0 1 99\r\n1\r\nEND\r\nEND\r\n"));
}

static void without_a_reply_none_is_waited_for(void **state)
{
    (void)state;
    assert_gives(&tap_memcached,
                 "set a 1 unanswered\nincr a unanswered\ndelete a unanswered\nget noreply miss\n"
                 "version\nquit unanswered\n",
                 CLIENT("set a 0 0 1 noreply\r\nx\r\nincr a 5 noreply\r\ndelete a noreply\r\n"
                        "get noreply\r\n"),
                 CACHE("END\r\n"), CLIENT("version noreply\r\n"), CACHE("VERSION 1\r\n"),
                 CLIENT("quit\r\n"));
}

static void errors_are_answers(void **state)
{
    (void)state;
    assert_gives(&tap_memcached,
                 "get failed ERROR\n"
                 "incr a failed CLIENT_ERROR\n"
                 "set a 2 failed SERVER_ERROR\n"
                 "set a failed ERROR\n"
                 "mg a failed CLIENT_ERROR\n",
                 CLIENT("get\r\n"), CACHE("ERROR\r\n"), CLIENT("incr a x\r\n"),
                 CACHE("CLIENT_ERROR invalid numeric delta argument\r\n"),
                 CLIENT("set a 0 0 2\r\nxx\r\n"), CACHE("SERVER_ERROR out of memory\r\n"),
                 CLIENT("set a 0 0\r\n"), CACHE("ERROR\r\n"), CLIENT("mg a !\r\n"),
                 CACHE("CLIENT_ERROR invalid flag\r\n"));
}

static void meta_commands_are_understood(void **state)
{
    (void)state;
    assert_gives(&tap_memcached,
                 "mg a hit 3\nmg b miss\nmg c hit\nms d 2\nms d 2\nmd d hit\nmd d miss\n"
                 "ma n hit 1\nme n hit\nmn\n",
                 CLIENT("mg a v t\r\nmg b v\r\nmg c\r\n"), CACHE("VA 3 t-1\r\nabc\r\nEN\r\nHD\r\n"),
                 CLIENT("ms d 2 T0\r\nxy\r\nms d 2 ME\r\nxy\r\n"), CACHE("HD\r\nNS\r\n"),
                 CLIENT("md d\r\nmd d\r\n"), CACHE("HD\r\nNF\r\n"), CLIENT("ma n v\r\nme n\r\n"),
                 CACHE("VA 1\r\n7\r\nME n exp=-1 la=0\r\n"), CLIENT("mn\r\n"), CACHE("MN\r\n"));
}

static void quiet_commands_are_found_by_opaque_key_or_order(void **state)
{
    (void)state;
    assert_gives(&tap_memcached, "mg a miss\nmg b hit 1\nmg c miss\nmg d hit 2\nmn\n",
                 CLIENT("mg a q v O1\r\nmg b q v O2\r\nmg c q v k\r\nmg d v q k\r\nmn\r\n"),
                 CACHE("VA 1 O2\r\nx\r\nVA 2 kd\r\nyy\r\nMN\r\n"));
    assert_gives(&tap_memcached, "ms a 1\nms b 1\nmn\nms a 1\nmn\n",
                 CLIENT("ms a 1 q\r\nx\r\nms b 1 q\r\nx\r\nmn\r\n"), CACHE("MN\r\n"),
                 CLIENT("ms a 1 q\r\nx\r\nmn\r\n"), CACHE("NS\r\nMN\r\n"));
    /* Whose answer this is cannot be told. */
    struct talk t;
    const char asked[] = "mg a q v\r\nmg b q v\r\nmn\r\n", answer[] = "VA 1\r\nx\r\n";
    talk_begin(&t, &tap_memcached, 0);
    assert_int_equal(talk_say(&t, true, asked, sizeof asked - 1), TAP_GOES_ON);
    assert_int_equal(talk_say(&t, false, answer, sizeof answer - 1), TAP_LOST);
    talk_end(&t);
}

static void statistics_and_watchers_do_no_harm(void **state)
{
    (void)state;
    assert_gives(&tap_memcached, "stats\nstats\nget a miss\nwatch\n",
                 CLIENT("stats items\r\nstats reset\r\nget a\r\n"),
                 CACHE("STAT pid 1\r\nSTAT uptime 2\r\nEND\r\nRESET\r\nEND\r\n"),
                 CLIENT("watch fetchers\r\n"), CACHE("OK\r\nts=1 gid=1 type=item_get key=a\r\n"));
}

/* ---- binary ------------------------------------------------------------------------------- */

struct packet {
    uint8_t magic, opcode;
    uint16_t status;
    uint32_t opaque;
    const char *extras, *key, *value;
};

static size_t put_packet(char *to, const struct packet *p)
{
    size_t extras = p->extras ? strlen(p->extras) : 0, key = p->key ? strlen(p->key) : 0,
           value = p->value ? strlen(p->value) : 0, body = extras + key + value;
    uint8_t header[MEMCACHED_HEADER] = {p->magic,
                                        p->opcode,
                                        (uint8_t)(key >> 8),
                                        (uint8_t)key,
                                        (uint8_t)extras,
                                        0,
                                        (uint8_t)(p->status >> 8),
                                        (uint8_t)p->status,
                                        0,
                                        0,
                                        (uint8_t)(body >> 8),
                                        (uint8_t)body,
                                        (uint8_t)(p->opaque >> 24),
                                        (uint8_t)(p->opaque >> 16),
                                        (uint8_t)(p->opaque >> 8),
                                        (uint8_t)p->opaque};
    memcpy(to, header, sizeof header);
    int n = snprintf(to + sizeof header, 256, "%s%s%s", p->extras ? p->extras : "",
                     p->key ? p->key : "", p->value ? p->value : "");
    return sizeof header + (size_t)n;
}

static void assert_packets(const struct packet *packets, size_t count, const char *exchanges)
{
    for (size_t piece = 0; piece < 40; piece++) {
        struct talk t;
        talk_begin(&t, &tap_memcached, piece);
        for (size_t i = 0; i < count; i++) {
            char bytes[512];
            size_t length = put_packet(bytes, &packets[i]);
            bool client = packets[i].magic == MEMCACHED_REQUEST_MAGIC;
            if (talk_say(&t, client, bytes, length) != TAP_GOES_ON)
                fail_msg("piece %zu: packet %zu is not understood", piece, i);
        }
        tap_pending_give_up(t.pending, &t.sink);
        assert_string_equal(t.text, exchanges);
        talk_end(&t);
    }
}

static void binary_packets_are_understood(void **state)
{
    static const struct packet packets[] = {
        {.magic = 0x80, .opcode = 1, .extras = "eeeeffff", .key = "a", .value = "one"},
        {.magic = 0x81, .opcode = 1},
        {.magic = 0x80, .opcode = 0, .key = "a"},
        {.magic = 0x81, .opcode = 0, .extras = "ffff", .value = "one"},
        {.magic = 0x80, .opcode = 0, .key = "b"},
        {.magic = 0x81, .opcode = 0, .status = 1, .value = "Not found"},
        {.magic = 0x80, .opcode = 2, .extras = "eeeeffff", .key = "a", .value = "x"},
        {.magic = 0x81, .opcode = 2, .status = 2},
        {.magic = 0x80, .opcode = 5, .extras = "12345678901234567890", .key = "a"},
        {.magic = 0x81, .opcode = 5, .status = 6, .value = "no number"},
        {.magic = 0x80, .opcode = 0x10},
        {.magic = 0x81, .opcode = 0x10, .key = "pid", .value = "1"},
        {.magic = 0x81, .opcode = 0x10, .key = "uptime", .value = "2"},
        {.magic = 0x81, .opcode = 0x10},
    };
    (void)state;
    assert_packets(packets, sizeof packets / sizeof packets[0],
                   "set a 3\nget a hit 3\nget b miss\nadd a 1\nincr a failed NON_NUMERIC\nstats\n");
}

static void quiet_binary_gets_are_found_by_opaque_or_key(void **state)
{
    static const struct packet packets[] = {
        {.magic = 0x80, .opcode = 0x0d, .key = "a"},
        {.magic = 0x80, .opcode = 0x0d, .key = "b"},
        {.magic = 0x80, .opcode = 0x0d, .key = "c"},
        {.magic = 0x80, .opcode = 0x0a},
        {.magic = 0x81, .opcode = 0x0d, .extras = "ffff", .key = "b", .value = "22"},
        {.magic = 0x81, .opcode = 0x0a},
        {.magic = 0x80, .opcode = 0x09, .opaque = 7, .key = "a"},
        {.magic = 0x80, .opcode = 0x09, .opaque = 8, .key = "b"},
        {.magic = 0x80,
         .opcode = 0x11,
         .opaque = 9,
         .extras = "eeeeffff",
         .key = "c",
         .value = "3"},
        {.magic = 0x80, .opcode = 0x0a, .opaque = 10},
        {.magic = 0x81, .opcode = 0x09, .opaque = 8, .extras = "ffff", .value = "22"},
        {.magic = 0x81, .opcode = 0x0a, .opaque = 10},
    };
    (void)state;
    assert_packets(packets, sizeof packets / sizeof packets[0],
                   "get a miss\nget b hit 2\nget c miss\nnoop\n"
                   "get a miss\nget b hit 2\nset c 1\nnoop\n");
}

static void what_is_no_memcached_is_lost(void **state)
{
    (void)state;
    assert_false(talk_understands(&tap_memcached, "GET / HTTP/1.1\r\n"));
    assert_false(talk_understands(&tap_memcached, "hello there\r\n"));
    assert_false(talk_understands(&tap_memcached, "set a 0 0 99999999999\r\n"));
    assert_false(talk_understands(&tap_memcached, "\x80\xff"
                                                  "2345678901234567890123"));
    struct talk t;
    const char unasked[] = "STORED\r\n", wrong[] = "STORED\r\n";
    talk_begin(&t, &tap_memcached, 0);
    assert_int_equal(talk_say(&t, false, unasked, sizeof unasked - 1), TAP_LOST);
    talk_end(&t);
    talk_begin(&t, &tap_memcached, 0);
    assert_int_equal(talk_say(&t, true, "get a\r\n", 7), TAP_GOES_ON);
    assert_int_equal(talk_say(&t, false, wrong, sizeof wrong - 1), TAP_LOST);
    talk_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_matched_with_their_replies),
        cmocka_unit_test(each_key_of_a_multi_get_has_its_outcome),
        cmocka_unit_test(without_a_reply_none_is_waited_for),
        cmocka_unit_test(errors_are_answers),
        cmocka_unit_test(meta_commands_are_understood),
        cmocka_unit_test(quiet_commands_are_found_by_opaque_key_or_order),
        cmocka_unit_test(statistics_and_watchers_do_no_harm),
        cmocka_unit_test(binary_packets_are_understood),
        cmocka_unit_test(quiet_binary_gets_are_found_by_opaque_or_key),
        cmocka_unit_test(what_is_no_memcached_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
