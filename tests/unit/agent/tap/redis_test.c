// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/redis.h"
#include "tests/unit/agent/tap/talk.h"

#define GET(k)    "*2\r\n$3\r\nGET\r\n$1\r\n" k "\r\n"
#define SET(k, v) "*3\r\n$3\r\nset\r\n$1\r\n" k "\r\n$3\r\n" v "\r\n"

static void commands_are_matched_with_their_replies(void **state)
{
    (void)state;
    assert_gives(
        &tap_redis,
        "set a 3\n"
        "get a hit 3\n"
        "get b miss\n"
        "get c hit\n"
        "get d failed WRONGTYPE\n"
        "ping\n",
        CLIENT(SET("a", "one")), CACHE("+OK\r\n"), CLIENT(GET("a")), CACHE("$3\r\none\r\n"),
        CLIENT(GET("b")), CACHE("$-1\r\n"), CLIENT(GET("c")), CACHE("$0\r\n\r\n"), CLIENT(GET("d")),
        CACHE("-WRONGTYPE Operation against a key\r\n"), CLIENT("PING\r\n"), CACHE("+PONG\r\n"));
}

static void pipelines_are_resolved_by_order(void **state)
{
    (void)state;
    assert_gives(&tap_redis, "get a hit 1\nset b 3\nget c miss\nget d hit 2\nget e not seen\n",
                 CLIENT(GET("a") SET("b", "xyz") GET("c")), CLIENT(GET("d") GET("e")),
                 CACHE("$1\r\n1\r\n+OK\r\n_\r\n$2\r\n\r\n\r\n"));
}

static void each_key_of_a_multi_get_has_its_outcome(void **state)
{
    (void)state;
    assert_gives(&tap_redis,
                 "mget a hit 1, b miss, a hit 1\n"
                 "mset a 1, b 2\n"
                 "exists a miss, b miss\n"
                 "exists a, b\n"
                 "exists a hit, b hit\n"
                 "hmget h miss\n"
                 "hmget h hit 1\n"
                 "lrange l miss\n"
                 "lrange l hit 3\n"
                 "llen l hit\n",
                 CLIENT("*4\r\n$4\r\nMGET\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\na\r\n"),
                 CACHE("*3\r\n$1\r\nx\r\n$-1\r\n$1\r\nx\r\n"),
                 CLIENT("*5\r\n$4\r\nMSET\r\n$1\r\na\r\n$1\r\nx\r\n$1\r\nb\r\n$2\r\nyy\r\n"),
                 CACHE("+OK\r\n"), CLIENT("*3\r\n$6\r\nEXISTS\r\n$1\r\na\r\n$1\r\nb\r\n"),
                 CACHE(":0\r\n"), CLIENT("*3\r\n$6\r\nEXISTS\r\n$1\r\na\r\n$1\r\nb\r\n"),
                 CACHE(":1\r\n"), CLIENT("*3\r\n$6\r\nEXISTS\r\n$1\r\na\r\n$1\r\nb\r\n"),
                 CACHE(":2\r\n"), CLIENT("*4\r\n$5\r\nHMGET\r\n$1\r\nh\r\n$1\r\nx\r\n$1\r\ny\r\n"),
                 CACHE("*2\r\n$-1\r\n$-1\r\n"),
                 CLIENT("*4\r\n$5\r\nHMGET\r\n$1\r\nh\r\n$1\r\nx\r\n$1\r\ny\r\n"),
                 CACHE("*2\r\n$-1\r\n$1\r\n1\r\n"),
                 CLIENT("*4\r\n$6\r\nLRANGE\r\n$1\r\nl\r\n$1\r\n0\r\n$2\r\n-1\r\n"),
                 CACHE("*0\r\n"),
                 CLIENT("*4\r\n$6\r\nLRANGE\r\n$1\r\nl\r\n$1\r\n0\r\n$2\r\n-1\r\n"),
                 CACHE("*2\r\n$1\r\na\r\n$2\r\nbb\r\n"), CLIENT("*2\r\n$4\r\nLLEN\r\n$1\r\nl\r\n"),
                 CACHE(":7\r\n"));
}

static void keys_stand_where_the_command_says(void **state)
{
    (void)state;
    assert_gives(
        &tap_redis,
        "evalsha k1, k2 failed NOSCRIPT\n"
        "xread s1 miss, s2 miss\n"
        "zunionstore d, a, b\n"
        "object|encoding k\n"
        "config|get\n"
        "other failed ERR\n"
        "hset h 6\n"
        "bitop d, a, b\n",
        CLIENT("*5\r\n$7\r\nEVALSHA\r\n$2\r\nff\r\n$1\r\n2\r\n$2\r\nk1\r\n$2\r\nk2\r\n"),
        CACHE("-NOSCRIPT No matching script.\r\n"),
        CLIENT("*8\r\n$5\r\nXREAD\r\n$5\r\nCOUNT\r\n$1\r\n2\r\n$7\r\nSTREAMS\r\n"
               "$2\r\ns1\r\n$2\r\ns2\r\n$1\r\n0\r\n$1\r\n0\r\n"),
        CACHE("*-1\r\n"),
        CLIENT("*5\r\n$11\r\nZUNIONSTORE\r\n$1\r\nd\r\n$1\r\n2\r\n$1\r\na\r\n$1\r\nb\r\n"),
        CACHE(":3\r\n"), CLIENT("*3\r\n$6\r\nOBJECT\r\n$8\r\nENCODING\r\n$1\r\nk\r\n"),
        CACHE("$3\r\nraw\r\n"), CLIENT("*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$1\r\n*\r\n"),
        CACHE("%1\r\n$4\r\nsave\r\n$0\r\n\r\n"), CLIENT("*2\r\n$9\r\nJSON.WHAT\r\n$1\r\na\r\n"),
        CACHE("-ERR unknown\r\n"),
        CLIENT("*6\r\n$4\r\nHSET\r\n$1\r\nh\r\n$1\r\na\r\n$1\r\n1\r\n$2\r\nbb\r\n$2\r\n22\r\n"),
        CACHE(":2\r\n"),
        CLIENT("*5\r\n$5\r\nBITOP\r\n$3\r\nAND\r\n$1\r\nd\r\n$1\r\na\r\n$1\r\nb\r\n"),
        CACHE(":1\r\n"));
}

static void a_transaction_is_resolved_by_exec(void **state)
{
    (void)state;
    assert_gives(&tap_redis,
                 "multi\n"
                 "get a hit 1\n"
                 "mget a hit 1, b miss\n"
                 "get c failed WRONGTYPE\n"
                 "exec\n"
                 "get a hit 2\n",
                 CLIENT("*1\r\n$5\r\nMULTI\r\n"), CACHE("+OK\r\n"), CLIENT(GET("a")),
                 CACHE("+QUEUED\r\n"),
                 CLIENT("*3\r\n$4\r\nMGET\r\n$1\r\na\r\n$1\r\nb\r\n" GET("c")),
                 CACHE("+QUEUED\r\n+QUEUED\r\n"), CLIENT("*1\r\n$4\r\nEXEC\r\n" GET("a")),
                 CACHE("*3\r\n$1\r\nx\r\n*2\r\n$1\r\nx\r\n$-1\r\n-WRONGTYPE no\r\n$2\r\nyy\r\n"));
    assert_gives(&tap_redis, "multi\nget a withdrawn\nexec\nping\n",
                 CLIENT("*1\r\n$5\r\nMULTI\r\n" GET("a") "*1\r\n$4\r\nEXEC\r\nPING\r\n"),
                 CACHE("+OK\r\n+QUEUED\r\n*-1\r\n+PONG\r\n"));
    assert_gives(&tap_redis,
                 "multi\nget a withdrawn\nget b withdrawn\nexec failed EXECABORT\n"
                 "multi\nget a withdrawn\ndiscard\n",
                 CLIENT("*1\r\n$5\r\nMULTI\r\n" GET("a") GET("b") "*1\r\n$4\r\nEXEC\r\n"),
                 CACHE("+OK\r\n+QUEUED\r\n-ERR wrong number\r\n-EXECABORT Transaction\r\n"),
                 CLIENT("*1\r\n$5\r\nMULTI\r\n" GET("a") "*1\r\n$7\r\nDISCARD\r\n"),
                 CACHE("+OK\r\n+QUEUED\r\n+OK\r\n"));
}

static void messages_answer_nobody(void **state)
{
    (void)state;
    assert_gives(&tap_redis, "subscribe\nping\nunsubscribe\nget a hit 1\n",
                 CLIENT("*3\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n$1\r\nb\r\n"),
                 CACHE("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
                       "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n"
                       "*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n"
                       "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n"),
                 CLIENT("*1\r\n$4\r\nPING\r\n"), CACHE("*2\r\n$4\r\npong\r\n$0\r\n\r\n"),
                 CLIENT("*1\r\n$11\r\nUNSUBSCRIBE\r\n"),
                 CACHE("*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n"
                       "*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:0\r\n"),
                 CLIENT(GET("a")), CACHE("$1\r\nx\r\n"));
    assert_gives(&tap_redis, "subscribe\nget a hit 1\n",
                 CLIENT("*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n"),
                 CACHE(">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
                       ">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n"),
                 CLIENT(GET("a")),
                 CACHE(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n"
                       "|1\r\n+ttl\r\n:3600\r\n$1\r\nx\r\n"));
}

static void commands_that_want_no_reply_get_none(void **state)
{
    (void)state;
    assert_gives(
        &tap_redis,
        "client|reply unanswered\nset a 3 unanswered\nget b unanswered\nclient|reply\n"
        "client|reply unanswered\nset c 3 unanswered\nget d miss\n",
        CLIENT("*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n" SET("a", "one")
                   GET("b") "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$2\r\nON\r\n"),
        CACHE("+OK\r\n"),
        CLIENT("*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$4\r\nSKIP\r\n" SET("c", "two") GET("d")),
        CACHE("$-1\r\n"));
}

static void replicas_and_monitors_are_left_alone(void **state)
{
    (void)state;
    assert_gives(&tap_redis, "psync\n", CLIENT("*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n"),
                 CACHE("+FULLRESYNC abc 1\r\n$100\r\nREDIS0010 and no line's end"),
                 CLIENT("*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n1\r\n"));
    assert_gives(&tap_redis, "monitor\n", CLIENT("MONITOR\r\n"), CACHE("+OK\r\n"),
                 CACHE("+1339518083.107412 [0 127.0.0.1:60866] \"keys\" \"*\"\r\n"));
}

static void long_keys_are_cut_and_say_so(void **state)
{
    char request[1100] = "*2\r\n$3\r\nGET\r\n$1000\r\n", expected[400];
    char *key = request + strlen(request);
    (void)state;
    memset(key, 'k', 1000);
    memcpy(key + 1000, "\r\n", 3);
    snprintf(expected, sizeof expected, "get %.256s~1000 hit 1\n", key);
    assert_gives(&tap_redis, expected, CLIENT(request), CACHE("$1\r\nx\r\n"));
}

static void nested_replies_are_passed_over(void **state)
{
    (void)state;
    assert_gives(&tap_redis, "hgetall h hit 3\ncommand\nget a hit 15\n",
                 CLIENT("*2\r\n$7\r\nHGETALL\r\n$1\r\nh\r\n"
                        "*1\r\n$7\r\nCOMMAND\r\n" GET("a")),
                 CACHE("%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n$1\r\nc\r\n"
                       "*2\r\n*3\r\n$3\r\nget\r\n~1\r\n+fast\r\n*0\r\n#t\r\n"
                       "=15\r\ntxt:Some string\r\n"));
    (void)0;
}

static void what_is_no_redis_is_lost(void **state)
{
    (void)state;
    assert_false(talk_understands(&tap_redis, "HELO there\r\n"));
    assert_false(talk_understands(&tap_redis, "\x16\x03\x01\x02"));
    assert_false(talk_understands(&tap_redis, "*x\r\n"));
    assert_false(talk_understands(&tap_redis, "*1\r\n$-1\r\n"));
    assert_false(talk_understands(&tap_redis, "*1\r\n$4\r\nPINGxx"));
    struct talk t;
    talk_begin(&t, &tap_redis, 0);
    assert_int_equal(talk_say(&t, false, "+OK\r\n", 5), TAP_LOST); /* nobody asked */
    talk_end(&t);
}

static void names_are_bytes_that_may_be_zero(void **state)
{
    static const char names[][8] = {"get", "get\0", "get\0et", "\0get", "\0"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *copy = malloc(8);
        memcpy(copy, names[i], 8);
        for (size_t length = 1; length <= 8; length++)
            assert_int_equal(redis_command_find(copy, length) != 0, i < 3 && length == 3);
        free(copy);
    }
    for (uint16_t i = 1; i < redis_command_count(); i++) {
        const char *name = redis_command_at(i)->name;
        assert_int_equal(redis_command_find(name, strlen(name)), i);
        assert_int_equal(redis_command_find(name, strlen(name) + 1), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_bytes_that_may_be_zero),
        cmocka_unit_test(commands_are_matched_with_their_replies),
        cmocka_unit_test(pipelines_are_resolved_by_order),
        cmocka_unit_test(each_key_of_a_multi_get_has_its_outcome),
        cmocka_unit_test(keys_stand_where_the_command_says),
        cmocka_unit_test(a_transaction_is_resolved_by_exec),
        cmocka_unit_test(messages_answer_nobody),
        cmocka_unit_test(commands_that_want_no_reply_get_none),
        cmocka_unit_test(replicas_and_monitors_are_left_alone),
        cmocka_unit_test(long_keys_are_cut_and_say_so),
        cmocka_unit_test(nested_replies_are_passed_over),
        cmocka_unit_test(what_is_no_redis_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
