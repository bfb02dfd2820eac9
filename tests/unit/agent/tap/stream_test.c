// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include "tests/unit/agent/tap/chance.h"

#define MS UINT64_C(1000000)

/* What was sent, which of it the tap never saw, and how far the stream has given it on. */
struct sent {
    uint32_t first; /* sequence number */
    uint32_t length;
    uint8_t *bytes;
    bool *lost;
    uint32_t at;
    uint64_t now_ns, given_ns;
    struct tap_stream stream;
    struct tap_budget budget;
    struct tap_stream_counts counts;
    struct tap_stream_out out;
    uint64_t far_gaps;
};

static void on_bytes(void *context, const uint8_t *bytes, uint32_t length, uint64_t captured_ns)
{
    struct sent *s = context;
    assert_in_range(length, 1, s->length - s->at);
    assert_memory_equal(bytes, s->bytes + s->at, length);
    assert_true(captured_ns >= s->given_ns && captured_ns <= s->now_ns);
    for (uint32_t i = 0; i < length; i++)
        assert_false(s->lost[s->at + i]);
    s->at += length;
    s->given_ns = captured_ns;
}

static void on_gap(void *context, uint32_t length)
{
    struct sent *s = context;
    if (length == UINT32_MAX) {
        s->far_gaps++;
        return;
    }
    assert_in_range(length, 1, s->length - s->at);
    for (uint32_t i = 0; i < length; i++)
        assert_true(s->lost[s->at + i]);
    s->at += length;
}

static void begin(struct sent *s, uint32_t length, uint32_t first)
{
    *s = (struct sent){.first = first,
                       .length = length,
                       .bytes = malloc(length),
                       .lost = calloc(length, sizeof(bool)),
                       .now_ns = 1000 * MS,
                       .budget = {.limit_bytes = 64 << 20}};
    for (uint32_t i = 0; i < length; i++)
        s->bytes[i] = (uint8_t)(i * 31 ^ i >> 7);
    s->out = (struct tap_stream_out){on_bytes, on_gap, s, &s->budget, &s->counts};
    tap_stream_begin(&s->stream, first - 1);
}

static void end(struct sent *s)
{
    tap_stream_fini(&s->stream, &s->budget);
    assert_int_equal(s->budget.bytes, 0);
    free(s->bytes);
    free(s->lost);
}

static void add_cut(struct sent *s, uint32_t from, uint32_t length, uint32_t captured,
                    unsigned flags)
{
    uint8_t *copy = malloc(captured ? captured : 1);
    memcpy(copy, s->bytes + from, captured);
    tap_stream_add(&s->stream,
                   &(struct tap_segment){.sequence = s->first + from,
                                         .flags = (uint8_t)flags,
                                         .length = length,
                                         .captured = captured,
                                         .bytes = copy},
                   s->now_ns, &s->out);
    free(copy);
}

static void add(struct sent *s, uint32_t from, uint32_t to)
{
    add_cut(s, from, to - from, to - from, TAP_ACK);
}

static void acknowledge(struct sent *s, uint32_t to)
{
    tap_stream_acknowledge(&s->stream, s->first + to, s->now_ns, &s->out);
}

/* The other side has said twice that it has all up to here. */
static void insist(struct sent *s, uint32_t to)
{
    acknowledge(s, to);
    s->now_ns += (TAP_HOLE_PATIENCE_MS + 1) * MS;
    acknowledge(s, to);
}

static void segments_in_order_are_given_on(void **state)
{
    struct sent s;
    (void)state;
    begin(&s, 100, 0xffffffd0);
    add(&s, 0, 40);
    assert_int_equal(s.at, 40);
    add(&s, 40, 60); /* over the end of the numbers */
    add(&s, 60, 100);
    assert_int_equal(s.at, 100);
    assert_int_equal(s.counts.early_segments + s.counts.repeated_bytes + s.counts.gaps, 0);
    end(&s);
}

static void what_comes_again_is_dropped(void **state)
{
    struct sent s;
    (void)state;
    begin(&s, 100, 5);
    add(&s, 0, 40);
    add(&s, 0, 40);
    add(&s, 10, 70);
    add(&s, 39, 40);
    assert_int_equal(s.at, 70);
    assert_int_equal(s.counts.repeated_bytes, 40 + 30 + 1);
    add(&s, 80, 90);
    add(&s, 75, 95);
    add(&s, 80, 85);
    add(&s, 70, 100);
    assert_int_equal(s.at, 100);
    end(&s);
}

static void a_hole_is_a_gap_when_it_was_acknowledged_and_does_not_come(void **state)
{
    struct sent s;
    (void)state;
    begin(&s, 100, 5);
    memset(s.lost + 10, 1, 20);
    add(&s, 0, 10);
    add(&s, 30, 50);
    s.now_ns += 500 * MS;
    acknowledge(&s, 10); /* the sender will send it again, for all we know */
    assert_int_equal(s.at, 10);
    acknowledge(&s, 50);
    s.now_ns += (TAP_HOLE_PATIENCE_MS - 1) * MS;
    acknowledge(&s, 50);
    assert_int_equal(s.at, 10);
    s.now_ns += MS;
    acknowledge(&s, 50);
    assert_int_equal(s.at, 50);
    assert_int_equal(s.counts.gaps, 1);
    assert_int_equal(s.counts.gap_bytes, 20);
    end(&s);
}

static void only_what_was_acknowledged_is_given_up(void **state)
{
    struct sent s;
    (void)state;
    begin(&s, 100, 5);
    memset(s.lost, 1, 10);
    add(&s, 30, 50);
    insist(&s, 10);
    assert_int_equal(s.at, 10);
    add(&s, 10, 30); /* it comes still */
    assert_int_equal(s.at, 50);
    assert_int_equal(s.counts.gap_bytes, 10);
    end(&s);
}

static void what_the_capture_cut_off_is_a_gap(void **state)
{
    struct sent s;
    (void)state;
    begin(&s, 100, 5);
    memset(s.lost + 30, 1, 20);
    memset(s.lost + 70, 1, 10);
    add_cut(&s, 0, 50, 30, TAP_ACK);
    assert_int_equal(s.at, 50);
    add_cut(&s, 60, 20, 10, TAP_ACK); /* early */
    add(&s, 50, 60);
    assert_int_equal(s.at, 70);
    add(&s, 80, 100);
    insist(&s, 100);
    assert_int_equal(s.at, 100);
    assert_int_equal(s.counts.gap_bytes, 30);
    end(&s);
}

static void a_fin_is_no_byte_that_is_missing(void **state)
{
    struct sent s;
    (void)state;
    for (int order = 0; order < 4; order++) {
        begin(&s, 20, 0xfffffff8);
        if (order == 0) { /* with the last bytes */
            add(&s, 0, 10);
            add_cut(&s, 10, 10, 10, TAP_FIN | TAP_ACK);
        } else if (order == 1) { /* before those that come early */
            add_cut(&s, 10, 10, 10, TAP_FIN | TAP_ACK);
            add(&s, 0, 10);
        } else if (order == 2) { /* alone, and early */
            add_cut(&s, 20, 0, 0, TAP_FIN | TAP_ACK);
            add(&s, 0, 20);
        } else { /* alone, again and again */
            add(&s, 0, 20);
            add_cut(&s, 20, 0, 0, TAP_FIN | TAP_ACK);
            add_cut(&s, 20, 0, 0, TAP_FIN | TAP_ACK);
        }
        assert_int_equal(s.at, 20);
        assert_false(tap_stream_lacks(&s.stream, s.first + 21));
        insist(&s, 21);
        assert_int_equal(s.counts.gaps, 0);
        end(&s);
    }
    begin(&s, 20, 5);
    memset(s.lost + 10, 1, 10);
    add(&s, 0, 10);
    add_cut(&s, 20, 0, 0, TAP_FIN | TAP_ACK);
    insist(&s, 21);
    assert_int_equal(s.at, 20);
    assert_int_equal(s.counts.gap_bytes, 10);
    end(&s);
}

static void a_paused_stream_gives_nothing_until_it_goes_on(void **state)
{
    struct sent s;
    (void)state;
    begin(&s, 100, 5);
    tap_stream_pause(&s.stream);
    uint64_t captured_ns = s.now_ns;
    add(&s, 0, 50);
    add(&s, 60, 100);
    add(&s, 50, 60);
    assert_int_equal(s.at, 0);
    s.now_ns += MS;
    tap_stream_go_on(&s.stream, &s.out);
    assert_int_equal(s.at, 100);
    assert_int_equal(s.given_ns, captured_ns); /* not when it went on */
    end(&s);
}

static void what_is_held_is_bounded(void **state)
{
    enum { BYTES = TAP_HELD_BYTES_MOST + (256 << 10), PIECE = 8 << 10 };
    struct sent s;
    (void)state;
    begin(&s, BYTES, 5);
    s.lost[0] = true;
    for (uint32_t at = 1; at < BYTES; at += PIECE) {
        add(&s, at, at + PIECE < BYTES ? at + PIECE : BYTES);
        assert_true(s.budget.bytes <= TAP_HELD_BYTES_MOST + (64 << 10));
    }
    assert_int_equal(s.at, BYTES);
    assert_int_equal(s.counts.gap_bytes, 1);
    end(&s);
    begin(&s, 3000, 5);
    for (uint32_t i = 0; i < 3000; i += 2)
        s.lost[i] = true;
    for (uint32_t i = 1; i < 3000; i += 2) /* many small ones */
        add(&s, i, i + 1);
    assert_true(s.at > 500 && s.budget.bytes < 64 << 10);
    end(&s);
}

static void without_memory_nothing_is_held_and_nothing_is_wrong(void **state)
{
    struct sent s;
    (void)state;
    begin(&s, 100, 5);
    s.budget.limit_bytes = 0;
    memset(s.lost, 1, 10);
    add(&s, 10, 50);
    assert_int_equal(s.at, 50);
    add(&s, 5, 60);
    assert_int_equal(s.at, 60);
    assert_int_equal(s.counts.gap_bytes, 10);
    assert_true(s.budget.refused > 0);
    end(&s);
}

static void numbers_far_away_begin_anew(void **state)
{
    struct sent s;
    (void)state;
    begin(&s, 100, 5);
    add(&s, 0, 10);
    add(&s, 20, 30);
    s.first += UINT32_C(1) << 31;
    add_cut(&s, 30, 0, 0, TAP_ACK); /* a bare one says nothing */
    assert_int_equal(s.far_gaps, 0);
    s.at = 40;
    add(&s, 40, 50);
    assert_int_equal(s.at, 50);
    assert_int_equal(s.far_gaps, 1);
    assert_int_equal(s.counts.gap_bytes, 0);
    assert_int_equal(s.budget.bytes, 0);
    end(&s);
}

/* ---- any order, any cuts -------------------------------------------------------------------- */

struct piece {
    uint32_t from, to;
};

/* Pieces that together hold all that was sent, some of it several times with other boundaries; near
 * to their order. How many. */
static uint32_t cut_up(struct chance *c, struct sent *s, struct piece *pieces, uint32_t most)
{
    uint32_t count = 0, at = 0, longest = 1 + chance_below(c, 200);
    while (at < s->length) {
        uint32_t to = at + 1 + chance_below(c, longest);
        to = to < s->length && count < most - 4 ? to : s->length; /* two a round */
        pieces[count++] = (struct piece){at, to};
        if (chance_of_percent(c, 15)) { /* again, with other boundaries */
            uint32_t back = chance_below(c, at + 1 < 300 ? at + 1 : 300);
            uint32_t until = at - back + 1 + chance_below(c, back + (to - at));
            pieces[count++] = (struct piece){at - back, until};
        }
        at = to;
    }
    uint32_t reach = 1 + chance_below(c, 12);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t j = i + chance_below(c, reach);
        if (j < count) {
            struct piece other = pieces[i];
            pieces[i] = pieces[j];
            pieces[j] = other;
        }
    }
    return count;
}

static void lose_some(struct chance *c, struct sent *s, uint32_t times)
{
    for (uint32_t i = 0; i < times; i++) {
        uint32_t from = chance_below(c, s->length), length = 1 + chance_below(c, 150);
        for (uint32_t k = from; k < s->length && k < from + length; k++)
            s->lost[k] = true;
    }
}

/* Of a piece what was not lost, as the tap would see it. */
static void add_what_is_left(struct sent *s, struct piece p)
{
    for (uint32_t from = p.from; from < p.to;) {
        uint32_t to = from;
        while (to < p.to && !s->lost[to])
            to++;
        if (to > from)
            add(s, from, to);
        from = to + 1;
    }
}

static void converse(uint64_t seed, bool loses)
{
    enum { PIECES_MOST = 4000 };
    static struct piece pieces[PIECES_MOST];
    struct chance c = chance_of(seed);
    struct sent s;
    begin(&s, 1 + chance_below(&c, 6000),
          chance_of_percent(&c, 50) ? UINT32_MAX - chance_below(&c, 6000)
                                    : (uint32_t)chance_next(&c));
    if (loses)
        lose_some(&c, &s, chance_below(&c, 6));
    uint32_t count = cut_up(&c, &s, pieces, PIECES_MOST), highest = 0;
    for (uint32_t i = 0; i < count; i++) {
        s.now_ns += chance_below(&c, 1000);
        add_what_is_left(&s, pieces[i]);
        if (s.at > highest)
            highest = s.at;
        if (chance_of_percent(&c, 30)) /* what the receiver may have */
            acknowledge(&s, highest);
        if (chance_of_percent(&c, 3))
            tap_stream_pause(&s.stream);
        else if (chance_of_percent(&c, 10))
            tap_stream_go_on(&s.stream, &s.out);
    }
    tap_stream_go_on(&s.stream, &s.out);
    for (uint32_t i = 0; i < s.length && s.at < s.length; i++)
        insist(&s, s.length);
    assert_int_equal(s.at, s.length);
    assert_int_equal(s.budget.bytes, 0);
    uint64_t lost = 0;
    for (uint32_t i = 0; i < s.length; i++)
        lost += s.lost[i];
    assert_int_equal(s.counts.gap_bytes, lost);
    end(&s);
}

static void any_order_and_any_cuts_give_what_was_sent(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3000; seed++)
        converse(seed, false);
}

static void what_was_lost_is_a_gap_and_nothing_else_is(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3000; seed++)
        converse(seed, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_in_order_are_given_on),
        cmocka_unit_test(what_comes_again_is_dropped),
        cmocka_unit_test(a_hole_is_a_gap_when_it_was_acknowledged_and_does_not_come),
        cmocka_unit_test(only_what_was_acknowledged_is_given_up),
        cmocka_unit_test(what_the_capture_cut_off_is_a_gap),
        cmocka_unit_test(a_fin_is_no_byte_that_is_missing),
        cmocka_unit_test(a_paused_stream_gives_nothing_until_it_goes_on),
        cmocka_unit_test(what_is_held_is_bounded),
        cmocka_unit_test(without_memory_nothing_is_held_and_nothing_is_wrong),
        cmocka_unit_test(numbers_far_away_begin_anew),
        cmocka_unit_test(any_order_and_any_cuts_give_what_was_sent),
        cmocka_unit_test(what_was_lost_is_a_gap_and_nothing_else_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
