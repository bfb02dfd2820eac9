// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/pending.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include "tests/unit/agent/tap/chance.h"

struct fixture {
    struct tap_budget budget;
    struct tap_pending *pending;
    struct tap_sink sink;
    uint64_t taken;    /* exchanges; their asked_ns counts from 0 */
    uint64_t expected; /* asked_ns of the next */
    unsigned keys_of_each;
    enum tap_ending ending;
};

static void key_of(char out[32], uint64_t n, unsigned i)
{
    snprintf(out, 32, "key:%llu:%u", (unsigned long long)n, i);
}

static void take(void *context, const struct tap_exchange *e)
{
    struct fixture *f = context;
    char key[32];
    assert_int_equal(e->asked_ns, f->expected);
    assert_int_equal(e->ending, f->ending);
    assert_int_equal(e->key_count, f->keys_of_each);
    for (unsigned i = 0; i < e->key_count; i++) {
        key_of(key, e->asked_ns, i);
        assert_int_equal(e->keys[i].length, strlen(key));
        assert_memory_equal(e->keys[i].bytes, key, strlen(key));
        assert_int_equal(e->keys[i].value_bytes, e->asked_ns + i);
    }
    f->expected++;
    f->taken++;
}

static void begin(struct fixture *f, size_t limit_bytes, unsigned keys)
{
    *f = (struct fixture){.budget = {.limit_bytes = limit_bytes}, .keys_of_each = keys};
    f->sink = (struct tap_sink){take, f};
    f->pending = tap_pending_create(&f->budget);
    assert_non_null(f->pending);
}

static void end(struct fixture *f)
{
    tap_pending_destroy(&f->pending);
    assert_null(f->pending);
    assert_int_equal(f->budget.bytes, 0);
}

/* Each key in two parts. */
static bool commit(struct fixture *f, uint64_t n)
{
    char key[32];
    tap_pending_begin(f->pending);
    for (unsigned i = 0; i < f->keys_of_each; i++) {
        key_of(key, n, i);
        tap_pending_key(f->pending, (const uint8_t *)key, 3, false);
        tap_pending_key(f->pending, (const uint8_t *)key + 3, strlen(key) - 3, true);
        tap_pending_value(f->pending, n + i);
    }
    return tap_pending_commit(f->pending, &(struct tap_command){.asked_ns = n});
}

static void answer(struct fixture *f)
{
    tap_pending_answer(f->pending, &(struct tap_reply){.answered_ns = 1}, &f->sink);
}

static void commands_come_out_as_they_went_in(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct chance c = chance_of(seed);
        struct fixture f;
        uint64_t asked = 0;
        begin(&f, 1 << 20, chance_below(&c, 4));
        uint32_t most = 1 + chance_below(&c, 200);
        for (int i = 0; i < 2000; i++) {
            if (tap_pending_count(f.pending) < most && chance_of_percent(&c, 52))
                assert_true(commit(&f, asked++));
            else if (tap_pending_count(f.pending) > 0)
                answer(&f);
            size_t ahead = tap_pending_count(f.pending);
            if (ahead > 0)
                assert_int_equal(tap_pending_at(f.pending, ahead - 1)->asked_ns, asked - 1);
            assert_null(tap_pending_at(f.pending, ahead));
        }
        f.ending = TAP_NOT_SEEN;
        tap_pending_give_up(f.pending, &f.sink);
        assert_int_equal(f.taken, asked);
        end(&f);
    }
}

static void a_command_is_in_the_making_while_older_ones_are_answered(void **state)
{
    struct fixture f;
    char key[32];
    (void)state;
    begin(&f, 1 << 20, 1);
    for (uint64_t n = 0; n < 1000; n++) {
        key_of(key, n, 0);
        tap_pending_begin(f.pending);
        tap_pending_key(f.pending, (const uint8_t *)key, 4, false);
        if (n > 0)
            answer(&f); /* which frees what lies before */
        tap_pending_key(f.pending, (const uint8_t *)key + 4, strlen(key) - 4, true);
        tap_pending_value(f.pending, n);
        assert_true(tap_pending_commit(f.pending, &(struct tap_command){.asked_ns = n}));
    }
    answer(&f);
    assert_int_equal(f.taken, 1000);
    end(&f);
}

static void what_was_begun_and_not_committed_is_forgotten(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, 1 << 20, 1);
    assert_true(commit(&f, 0));
    tap_pending_begin(f.pending);
    tap_pending_key(f.pending, (const uint8_t *)"nobody", 6, false);
    assert_true(commit(&f, 1));
    answer(&f);
    answer(&f);
    assert_int_equal(tap_pending_count(f.pending), 0);
    end(&f);
}

static void commands_are_bounded_in_number_and_bytes(void **state)
{
    struct fixture f;
    uint64_t n = 0;
    (void)state;
    begin(&f, 16 << 20, 0);
    while (commit(&f, n))
        assert_true(++n <= TAP_PENDING_MOST);
    assert_true(f.budget.bytes <= TAP_PENDING_BYTES_MOST + 1024);
    assert_int_equal(tap_pending_count(f.pending), n);
    answer(&f); /* what is there is right, and there is room again in the end */
    f.ending = TAP_NOT_SEEN;
    tap_pending_give_up(f.pending, &f.sink);
    assert_int_equal(f.taken, n);
    assert_true(f.budget.bytes < 64 << 10);
    assert_true(commit(&f, n));
    end(&f);
}

static void take_cut(void *context, const struct tap_exchange *e)
{
    uint64_t *seen = context;
    assert_int_equal((uint64_t)e->key_count + e->keys_not_kept, 10000);
    assert_in_range(e->key_count, 1, TAP_PENDING_KEYS_MOST);
    *seen = e->keys_not_kept;
}

static void keys_beyond_the_most_are_counted(void **state)
{
    struct tap_budget budget = {.limit_bytes = 16 << 20};
    struct tap_pending *p = tap_pending_create(&budget);
    uint64_t not_kept = 0;
    const struct tap_sink sink = {take_cut, &not_kept};
    (void)state;
    for (int unanswered = 0; unanswered < 2; unanswered++) {
        tap_pending_begin(p);
        for (int i = 0; i < 10000; i++) {
            tap_pending_key(p, (const uint8_t *)"k", 1, false);
            tap_pending_key(p, (const uint8_t *)"ey", 2, true);
            tap_pending_value(p, 1);
        }
        if (unanswered) {
            tap_pending_commit_unanswered(p, &(struct tap_command){0}, &sink);
        } else {
            assert_true(tap_pending_commit(p, &(struct tap_command){0}));
            tap_pending_answer(p, &(struct tap_reply){0}, &sink);
        }
        assert_true(not_kept >= 10000 - TAP_PENDING_KEYS_MOST);
    }
    tap_pending_destroy(&p);
    assert_int_equal(budget.bytes, 0);
}

struct orders {
    uint32_t all[8], count;
};

static void take_order(void *context, const struct tap_exchange *e)
{
    struct orders *o = context;
    o->all[o->count++] = e->order;
}

static void orders_count_commands_as_they_were_asked(void **state)
{
    struct tap_budget budget = {.limit_bytes = 1 << 20};
    struct tap_pending *p = tap_pending_create(&budget);
    struct orders o = {.count = 0};
    const struct tap_sink sink = {take_order, &o};
    const struct tap_command any = {0};
    (void)state;
    assert_true(tap_pending_commit(p, &any));
    tap_pending_commit_unanswered(p, &any, &sink);
    tap_pending_missed(p);
    assert_true(tap_pending_commit(p, &any));
    tap_pending_answer(p, &(struct tap_reply){0}, &sink);
    tap_pending_withdraw(p, &sink);
    tap_pending_clear(p);
    tap_pending_commit_unanswered(p, &any, &sink);
    assert_true(tap_pending_commit(p, &any));
    tap_pending_give_up(p, &sink);
    const uint32_t expected[] = {1, 0, 3, 4, 5};
    assert_int_equal(o.count, 5);
    assert_memory_equal(o.all, expected, sizeof expected);
    tap_pending_destroy(&p);
}

static void take_long(void *context, const struct tap_exchange *e)
{
    (void)context;
    assert_int_equal(e->keys[0].length, TAP_KEY_KEPT);
    assert_int_equal(e->keys[0].full_length, 1000);
    for (uint32_t i = 0; i < TAP_KEY_KEPT; i++)
        assert_int_equal(e->keys[0].bytes[i], 'x');
}

static void of_long_keys_the_beginning_is_kept(void **state)
{
    struct tap_budget budget = {.limit_bytes = 1 << 20};
    struct tap_pending *p = tap_pending_create(&budget);
    (void)state;
    tap_pending_begin(p);
    for (int i = 0; i < 1000; i++)
        tap_pending_key(p, (const uint8_t *)"x", 1, i > 0);
    assert_true(tap_pending_commit(p, &(struct tap_command){0}));
    tap_pending_answer(p, &(struct tap_reply){0}, &(struct tap_sink){take_long, NULL});
    tap_pending_destroy(&p);
}

static void a_used_up_budget_refuses_and_says_so(void **state)
{
    struct tap_budget none = {.limit_bytes = 16};
    struct fixture f;
    uint64_t n = 0;
    (void)state;
    assert_null(tap_pending_create(&none));
    assert_int_equal(none.refused, 1);
    begin(&f, 8 << 10, 0);
    while (commit(&f, n))
        n++;
    assert_in_range(n, 8, 1000);
    assert_true(f.budget.refused > 0 && f.budget.bytes <= f.budget.limit_bytes);
    f.ending = TAP_NOT_SEEN;
    tap_pending_give_up(f.pending, &f.sink);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_come_out_as_they_went_in),
        cmocka_unit_test(a_command_is_in_the_making_while_older_ones_are_answered),
        cmocka_unit_test(what_was_begun_and_not_committed_is_forgotten),
        cmocka_unit_test(commands_are_bounded_in_number_and_bytes),
        cmocka_unit_test(keys_beyond_the_most_are_counted),
        cmocka_unit_test(orders_count_commands_as_they_were_asked),
        cmocka_unit_test(of_long_keys_the_beginning_is_kept),
        cmocka_unit_test(a_used_up_budget_refuses_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
