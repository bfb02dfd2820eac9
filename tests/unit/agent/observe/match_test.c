// SPDX-License-Identifier: Apache-2.0
/* Matching of client spans with exchanges, by generated traffic whose truth is known: what is found
 * is right, whatever the clocks say, and most is found. */
#include "agent/observe/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096 };

struct traffic {
    struct match_span spans[MOST];
    uint32_t truth[MOST]; /* of each span: its exchange; MOST: none was seen */
    struct match_exchange exchanges[MOST];
    uint32_t span_count, exchange_count;
    struct match found[MOST];
    uint64_t now_ns;
    int64_t offset_ns;
    uint32_t random;
};

static uint32_t chance(struct traffic *t, uint32_t below)
{
    t->random ^= t->random << 13;
    t->random ^= t->random >> 17;
    t->random ^= t->random << 5;
    return t->random % below;
}

static void begin(struct traffic *t, uint32_t seed, int64_t offset_ns)
{
    memset(t, 0, sizeof *t);
    t->random = seed * 2654435761u + 1;
    t->now_ns = UINT64_C(1800000000000000000);
    t->offset_ns = offset_ns;
}

static uint32_t see(struct traffic *t, uint64_t asked_ns, uint64_t answered_ns)
{
    t->exchanges[t->exchange_count] = (struct match_exchange){asked_ns + (uint64_t)t->offset_ns,
                                                              answered_ns + (uint64_t)t->offset_ns};
    return t->exchange_count++;
}

/* A command, and a pause behind it. `seen`: by the tap. */
static void command(struct traffic *t, bool traced, bool seen)
{
    uint64_t begun = t->now_ns;
    uint64_t asked = begun + 5000 + chance(t, 20000), answered = asked + 20000 + chance(t, 80000);
    uint64_t ended = answered + 5000 + chance(t, 20000);
    uint32_t exchange = seen ? see(t, asked, answered) : MOST;
    if (traced) {
        t->spans[t->span_count] = (struct match_span){begun, ended};
        t->truth[t->span_count++] = exchange;
    }
    t->now_ns = ended + 10000 + chance(t, 300000);
}

/* What is found is right; how many were. */
static uint32_t count_right(struct traffic *t, struct clock_offset *offset)
{
    uint32_t right = 0;
    assert_int_equal(
        match_find(t->spans, t->span_count, t->exchanges, t->exchange_count, offset, t->found), 0);
    assert_true(offset->least_ns <= offset->most_ns);
    for (uint32_t i = 0; i < t->span_count; i++) {
        if (t->found[i].result != MATCH_FOUND)
            continue;
        assert_int_equal(t->found[i].count, 1);
        assert_int_equal(t->found[i].first, t->truth[i]);
        right++;
    }
    return right;
}

static const int64_t clock_offsets[] = {0, 3000000, -4900000};

static void a_busy_connection_is_told_apart_whatever_the_clocks_say(void **state)
{
    struct traffic *t = malloc(sizeof *t);
    (void)state;
    for (uint32_t seed = 1; seed <= 30; seed++) {
        for (int n = 0; n < 3; n++) {
            struct clock_offset offset = {-5000000, 5000000};
            begin(t, seed, clock_offsets[n]);
            for (int i = 0; i < 500; i++)
                command(t, true, true);
            assert_int_equal(count_right(t, &offset), 500);
            assert_true(offset.least_ns <= t->offset_ns && offset.most_ns >= t->offset_ns);
            assert_true(offset.most_ns - offset.least_ns < 40000);
        }
    }
    free(t);
}

/* As it is from a round's point of view: exchanges go on before and behind. */
static void exchanges_of_others_before_and_behind_do_not_mislead(void **state)
{
    struct traffic *t = malloc(sizeof *t);
    uint32_t right = 0;
    (void)state;
    for (uint32_t seed = 1; seed <= 30; seed++) {
        struct clock_offset offset = {-5000000, 5000000};
        begin(t, seed, 1000000);
        for (int i = 0; i < 300; i++)
            command(t, i >= 40 && i < 260, true);
        right += count_right(t, &offset);
    }
    assert_int_equal(right, 30 * 220);
    free(t);
}

static void exchanges_that_were_missed_mislead_nobody(void **state)
{
    struct traffic *t = malloc(sizeof *t);
    uint32_t right = 0, spans = 0;
    (void)state;
    for (uint32_t seed = 1; seed <= 100; seed++) {
        struct clock_offset offset = {-20000, 20000}; /* learned before */
        begin(t, seed, 0);
        for (int i = 0; i < 300; i++)
            command(t, chance(t, 20) > 0, chance(t, 20) > 0);
        right += count_right(t, &offset);
        spans += t->span_count;
    }
    assert_true(right > spans * 8 / 10);
    free(t);
}

/* Twenty commands are sent before the first answer comes, each by a span of its own. */
static void a_pipeline_of_spans_is_told_apart_by_order(void **state)
{
    struct traffic *t = malloc(sizeof *t);
    struct clock_offset offset = {-5000000, 5000000};
    (void)state;
    begin(t, 1, 2000000);
    for (int burst = 0; burst < 10; burst++) {
        uint64_t sent = t->now_ns;
        for (uint32_t i = 0; i < 20; i++) {
            uint64_t begun = sent + i * 300, answered = sent + 50000 + i * 7000;
            t->spans[t->span_count] = (struct match_span){begun, answered + 12000};
            t->truth[t->span_count++] = see(t, sent + 20000, answered);
        }
        t->now_ns += 400000 + chance(t, 700000);
    }
    assert_int_equal(count_right(t, &offset), 200);
    free(t);
}

static void a_span_with_a_pipeline_in_it_has_all_of_it(void **state)
{
    struct clock_offset offset = {-1000, 1000};
    const struct match_span span = {10000, 100000};
    const struct match_exchange exchanges[] = {
        {5000, 8000}, {20000, 30000}, {20000, 40000}, {20000, 50000}, {130000, 140000}};
    struct match found;
    (void)state;
    assert_int_equal(match_find(&span, 1, exchanges, 5, &offset, &found), 0);
    assert_int_equal(found.result, MATCH_FOUND);
    assert_int_equal(found.first, 1);
    assert_int_equal(found.count, 3);
}

static void a_pipeline_in_a_span_that_is_alone_tells_of_the_clocks(void **state)
{
    struct clock_offset offset = {-1000000, 1000000};
    const struct match_span span = {2000000, 2100000};
    const struct match_exchange exchanges[] = {{2220000, 2230000}, {2220000, 2250000}};
    const struct match_exchange too_far[] = {{2220000, 2230000}, {2330000, 2340000}};
    struct match found;
    (void)state;
    assert_int_equal(match_find(&span, 1, too_far, 2, &offset, &found), 0);
    assert_int_equal(found.result, MATCH_AMBIGUOUS);
    assert_int_equal(offset.most_ns, 1000000);
    assert_int_equal(match_find(&span, 1, exchanges, 2, &offset, &found), 0);
    assert_int_equal(found.result, MATCH_FOUND);
    assert_int_equal(found.count, 2);
    assert_int_equal(offset.least_ns, 150000);
    assert_int_equal(offset.most_ns, 220000);
}

static void what_is_alike_is_ambiguous(void **state)
{
    struct clock_offset offset = {-5000000, 5000000};
    struct match_span spans[5];
    struct match_exchange exchanges[7];
    struct match found[5];
    (void)state;
    for (uint32_t i = 0; i < 7; i++)
        exchanges[i] = (struct match_exchange){1000000 * i + 50000, 1000000 * i + 70000};
    for (uint32_t i = 0; i < 5; i++)
        spans[i] = (struct match_span){1000000 * (i + 1), 1000000 * (i + 1) + 100000};
    assert_int_equal(match_find(spans, 5, exchanges, 7, &offset, found), 0);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(found[i].result, MATCH_AMBIGUOUS);
    assert_true(offset.least_ns == -5000000 && offset.most_ns == 5000000);
}

static void nothing_seen_is_nothing_found(void **state)
{
    struct clock_offset offset = {-1000, 1000};
    const struct match_span spans[] = {{10000, 20000}, {30000, 40000}};
    const struct match_exchange exchange = {31000, 39000};
    struct match found[2];
    (void)state;
    assert_int_equal(match_find(spans, 2, NULL, 0, &offset, found), 0);
    assert_int_equal(found[0].result, MATCH_NONE);
    assert_int_equal(match_find(spans, 2, &exchange, 1, &offset, found), 0);
    assert_int_equal(found[0].result, MATCH_NONE);
    assert_int_equal(found[1].result, MATCH_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_busy_connection_is_told_apart_whatever_the_clocks_say),
        cmocka_unit_test(exchanges_of_others_before_and_behind_do_not_mislead),
        cmocka_unit_test(exchanges_that_were_missed_mislead_nobody),
        cmocka_unit_test(a_pipeline_of_spans_is_told_apart_by_order),
        cmocka_unit_test(a_span_with_a_pipeline_in_it_has_all_of_it),
        cmocka_unit_test(a_pipeline_in_a_span_that_is_alone_tells_of_the_clocks),
        cmocka_unit_test(what_is_alike_is_ambiguous),
        cmocka_unit_test(nothing_seen_is_nothing_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
