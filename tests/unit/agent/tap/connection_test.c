// SPDX-License-Identifier: Apache-2.0
/* Conversations made up by chance, as a capture has them that loses, repeats and disorders their
 * packets, or begins in their middle: what the tap tells of them is compared, command by command,
 * with the truth. */
#include "agent/tap/connections.h"
#include "tests/unit/agent/tap/conversation.h"

enum { COMMANDS_MOST = 5000, CLIENT_PORT = 40000, CACHE_PORT = 6379 };
#define MS UINT64_C(1000000)

enum seen { NOT_TOLD, TOLD, ANSWERED };

struct check {
    const struct conversation *conversation;
    struct tap_connections *tap;
    struct tap_port port;
    uint8_t seen[COMMANDS_MOST]; /* enum seen */
    uint32_t told, answered, last, last_order;
    uint64_t now_ns;
    uint8_t *copy;
};

static uint32_t number_of(const struct check *k, const struct tap_exchange *e)
{
    char key[32];
    assert_in_range(e->key_count, 1, TRUTH_KEYS_MOST);
    assert_in_range(e->keys[0].length, 5, sizeof key - 1);
    memcpy(key, e->keys[0].bytes, e->keys[0].length);
    key[e->keys[0].length] = '\0';
    uint32_t n = (uint32_t)strtoul(key + 4, NULL, 10);
    assert_in_range(n, 0, k->conversation->commands - 1);
    return n;
}

static void assert_keys(const struct tap_exchange *e, uint32_t n, const struct truth *truth)
{
    char key[32];
    assert_int_equal(e->key_count, truth->keys);
    assert_int_equal(e->keys_not_kept, 0);
    for (unsigned i = 0; i < truth->keys; i++) {
        const struct tap_key *k = &e->keys[i];
        text_key(key, n, i);
        assert_int_equal(k->length, strlen(key));
        assert_memory_equal(k->bytes, key, k->length);
        if (e->ending != TAP_ANSWERED) {
            assert_int_equal(k->outcome, TAP_NO_OUTCOME);
            continue;
        }
        assert_int_equal(k->outcome, truth->outcome[i]);
        assert_int_equal(k->value_bytes, truth->value_bytes[i]);
    }
}

/* Numbers that follow each other are of commands that do. */
static void assert_order(struct check *k, const struct tap_exchange *e, uint32_t n)
{
    assert_true(e->order != 0 || n == 0);
    if (k->told++ > 0) {
        assert_true(n > k->last && e->order > k->last_order);
        if (e->order == k->last_order + 1)
            assert_int_equal(n, k->last + 1);
    }
    k->last = n;
    k->last_order = e->order;
}

/* Whatever happened to packets: what is told is true. */
static void on_exchange(void *context, uint32_t cache, const struct tap_client *client,
                        const struct tap_exchange *e)
{
    struct check *k = context;
    const struct conversation *v = k->conversation;
    uint32_t n = number_of(k, e);
    struct truth truth = truth_of(v->dialect, n);
    const char *name = k->port.protocol->command_name(e->command);
    assert_int_equal(cache, 0);
    assert_int_equal(client->address.port, CLIENT_PORT);
    assert_int_equal(client->connection, 1);
    assert_string_equal(name, truth.command);
    assert_int_equal(k->seen[n], NOT_TOLD);
    assert_order(k, e, n);
    assert_keys(e, n, &truth);
    assert_int_equal(e->request_bytes, v->asked_ends[n] - (n ? v->asked_ends[n - 1] : 0));
    k->seen[n] = e->ending == TAP_ANSWERED ? ANSWERED : TOLD;
    if (e->ending != TAP_ANSWERED) {
        assert_int_equal(e->ending, TAP_NOT_SEEN);
        return;
    }
    k->answered++;
    assert_int_equal(e->failed, truth.failed);
    assert_int_equal(e->reply_bytes, v->answered_ends[n] - (n ? v->answered_ends[n - 1] : 0));
    if (e->asked_ns > e->answered_ns || e->answered_ns > e->done_ns)
        fail_msg("command %u: asked %llu, answered %llu, done %llu", n,
                 (unsigned long long)e->asked_ns, (unsigned long long)e->answered_ns,
                 (unsigned long long)e->done_ns);
}

static void begin(struct check *k, const struct conversation *v)
{
    *k = (struct check){.conversation = v};
    k->port = (struct tap_port){CACHE_PORT, protocol_of_dialect(v->dialect)};
    k->tap = tap_connections_create(&(struct tap_connections_options){
        .ports = &k->port,
        .port_count = 1,
        .connections = 16,
        .memory_bytes = 16 << 20,
        .observer = {on_exchange, k},
    });
    k->copy = malloc(4096);
}

static struct tap_connections_stats stats_of(const struct check *k)
{
    struct tap_connections_stats stats;
    tap_connections_stats(k->tap, &stats);
    return stats;
}

static void end(struct check *k)
{
    tap_connections_destroy(&k->tap);
    free(k->copy);
}

static void add(struct check *k, const struct said *s)
{
    struct tap_segment segment =
        conversation_segment(k->conversation, s, CLIENT_PORT, CACHE_PORT, k->copy);
    /* In memory that ends where its bytes end. */
    uint8_t *exact = malloc(segment.length ? segment.length : 1);
    memcpy(exact, k->copy, segment.length);
    segment.bytes = exact;
    tap_connections_add(k->tap, &segment, s->at_ns);
    free(exact);
}

/* ---- what captures do to conversations --------------------------------------------------------
 */

struct damage {
    uint32_t lost_percent, lost_until_percent; /* of the segments up to there */
    uint32_t joined_percent;                   /* how much was over before */
    uint32_t again_percent, swapped_percent, recut_percent;
};

/* Other boundaries: the same bytes in two, the second of which begins earlier. */
static uint32_t recut(struct chance *c, const struct said *s, struct said *out)
{
    uint32_t length = s->to - s->from;
    out[0] = out[1] = *s;
    if (length < 2 || s->flags != TAP_ACK)
        return 1;
    out[0].to = s->from + 1 + chance_below(c, length - 1);
    out[1].from = out[0].to - chance_below(c, out[0].to - s->from + 1);
    return 2;
}

static void play(struct check *k, uint64_t seed, const struct damage *d)
{
    const struct conversation *v = k->conversation;
    struct chance c = chance_of(seed ^ 0x5eed);
    uint32_t first = v->said_count * d->joined_percent / 100, count = 0;
    struct said *said = malloc((size_t)v->said_count * 4 * sizeof *said);
    for (uint32_t i = first; i < v->said_count; i++) {
        bool may_be_lost = i * 100 / v->said_count < d->lost_until_percent;
        if (may_be_lost && chance_of_percent(&c, d->lost_percent))
            continue;
        uint32_t pieces = 1;
        said[count] = v->said[i];
        if (chance_of_percent(&c, d->recut_percent))
            pieces = recut(&c, &v->said[i], &said[count]);
        count += pieces;
        if (chance_of_percent(&c, d->again_percent))
            said[count++] = v->said[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t j = i + 1 + chance_below(&c, 3);
        if (j >= count || said[i].flags & TAP_SYN || !chance_of_percent(&c, d->swapped_percent) ||
            said[j].at_ns > said[i].at_ns + 10 * MS) /* nobody hands packets over so late */
            continue;
        struct said other = said[i];
        said[i] = said[j];
        said[j] = other;
    }
    for (uint32_t i = 0; i < count; i++)
        add(k, &said[i]);
    free(said);
}

static const enum dialect dialects[] = {REDIS_SPEECH, MEMCACHED_TEXT, MEMCACHED_PACKETS};

/* How many commands were answered; all, and nothing is left of the connection, if it is `exact`. */
static uint32_t converse(enum dialect dialect, enum manner manner, uint32_t commands, uint64_t seed,
                         const struct damage *d, bool exact)
{
    struct conversation v;
    struct check k;
    conversation_make(&v, dialect, manner, commands, seed);
    begin(&k, &v);
    play(&k, seed, d);
    uint32_t answered = k.answered;
    for (uint32_t n = 0; exact && n < commands; n++)
        if (k.seen[n] != ANSWERED)
            fail_msg("dialect %d, manner %d, seed %llu: command %u is not answered", (int)dialect,
                     (int)manner, (unsigned long long)seed, n);
    if (exact) {
        assert_int_equal(stats_of(&k).open, 0);
        assert_int_equal(stats_of(&k).memory_bytes, 0);
        assert_int_equal(stats_of(&k).met, 1);
        assert_int_equal(stats_of(&k).counts.streams.gaps, 0);
    }
    end(&k);
    conversation_free(&v);
    return answered;
}

static void for_all(uint32_t seeds, uint32_t commands, const struct damage *d, bool exact)
{
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++)
        for (int manner = ASKS_AND_WAITS; manner <= ASKS_MUCH_AND_RESTS; manner++)
            for (uint64_t seed = 1; seed <= seeds; seed++)
                converse(dialects[i], (enum manner)manner, commands, seed, d, exact);
}

static void every_command_has_its_reply(void **state)
{
    (void)state;
    for_all(60, 100, &(struct damage){0}, true);
}

static void packets_may_come_again_or_with_other_boundaries(void **state)
{
    (void)state;
    for_all(60, 100, &(struct damage){.again_percent = 20, .recut_percent = 40}, true);
}

static void packets_may_come_in_another_order(void **state)
{
    (void)state;
    for_all(60, 100,
            &(struct damage){.again_percent = 10, .recut_percent = 20, .swapped_percent = 15},
            true);
}

/* on_exchange judges. */
static void what_is_told_is_true_when_packets_are_lost(void **state)
{
    (void)state;
    for (uint32_t percent = 1; percent <= 25; percent += 6)
        for_all(60, 300,
                &(struct damage){.lost_percent = percent,
                                 .lost_until_percent = 100,
                                 .again_percent = 3,
                                 .recut_percent = 10,
                                 .swapped_percent = 5},
                false);
}

static void what_is_told_is_true_of_a_connection_joined_in_its_middle(void **state)
{
    (void)state;
    for (uint32_t percent = 1; percent < 60; percent += 9)
        for_all(60, 300, &(struct damage){.joined_percent = percent, .again_percent = 3}, false);
}

/* ---- and is found again -------------------------------------------------------------------- */

static void who_asks_and_waits_is_found_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++)
        for (uint64_t seed = 1; seed <= 100; seed++) {
            struct damage joined = {.joined_percent = 30};
            struct damage lossy = {.lost_percent = 5, .lost_until_percent = 30};
            assert_in_range(converse(dialects[i], ASKS_AND_WAITS, 200, seed, &joined, false), 100,
                            140);
            assert_in_range(converse(dialects[i], ASKS_AND_WAITS, 200, seed, &lossy, false), 80,
                            200);
        }
}

static void who_asks_in_small_batches_is_found_again(void **state)
{
    uint64_t answered = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++)
        answered += converse(REDIS_SPEECH, ASKS_IN_BATCHES, 500, seed,
                             &(struct damage){.joined_percent = 30}, false);
    assert_true(answered > 50 * 100);
}

static void who_asks_much_and_rests_is_found_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++)
        for (uint64_t seed = 1; seed <= 3; seed++)
            assert_true(converse(dialects[i], ASKS_MUCH_AND_RESTS, 5000, seed,
                                 &(struct damage){.joined_percent = 20}, false) > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_has_its_reply),
        cmocka_unit_test(packets_may_come_again_or_with_other_boundaries),
        cmocka_unit_test(packets_may_come_in_another_order),
        cmocka_unit_test(what_is_told_is_true_when_packets_are_lost),
        cmocka_unit_test(what_is_told_is_true_of_a_connection_joined_in_its_middle),
        cmocka_unit_test(who_asks_and_waits_is_found_again),
        cmocka_unit_test(who_asks_in_small_batches_is_found_again),
        cmocka_unit_test(who_asks_much_and_rests_is_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
