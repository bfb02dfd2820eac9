// SPDX-License-Identifier: Apache-2.0
/* Client spans that wait to be told: by connection, ripe after a while, kept for a while. */
#include "agent/observe/pending.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

struct visits {
    uint32_t connections, spans;
    uint64_t order[64]; /* of the spans' ids */
    bool tell;
};

static int setup(void **state)
{
    *state = pending_create();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct pending *p = *state;
    pending_destroy(&p);
    return 0;
}

static struct inquiry inquiry_of(uint64_t id, uint16_t port, uint64_t start_ns)
{
    struct inquiry i = {.client = {.ip = {1}, .port = port},
                        .cache = {.ip = {2}, .port = 6379},
                        .agent = "box",
                        .span_id = id,
                        .start_unix_ns = start_ns,
                        .duration_ns = 10};
    return i;
}

static void add(struct pending *p, uint64_t id, uint16_t port, uint64_t start_ns, int64_t now_ms)
{
    struct inquiry i = inquiry_of(id, port, start_ns);
    assert_true(pending_add(p, &i, now_ms));
}

static void visit(void *context, struct pending_connection *c)
{
    struct visits *v = context;
    v->connections++;
    for (uint32_t i = 0; i < c->count; i++) {
        v->order[v->spans++ % 64] = c->spans[i].span_id;
        c->spans[i].told |= v->tell;
    }
}

static struct visits round_at(struct pending *p, int64_t now_ms, bool tell)
{
    struct visits v = {.tell = tell};
    pending_round(p, now_ms, visit, &v);
    return v;
}

static void spans_ripen_together_in_the_order_of_their_begins(void **state)
{
    struct pending *p = *state;
    add(p, 3, 1000, 300, 0);
    add(p, 1, 1000, 100, 0);
    add(p, 2, 1000, 200, 0);
    add(p, 2, 1000, 200, 0); /* again */
    add(p, 9, 1001, 50, 500);
    assert_int_equal(pending_spans(p), 4);
    assert_int_equal(round_at(p, 999, true).connections, 0);
    struct visits v = round_at(p, PENDING_RIPE_MS, true);
    assert_int_equal(v.connections, 1);
    assert_int_equal(v.spans, 3);
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(v.order[i], i + 1);
    assert_int_equal(round_at(p, PENDING_RIPE_MS, true).connections, 0);
    assert_int_equal(round_at(p, PENDING_RIPE_MS + 500, true).connections, 1);
}

static void what_is_told_stays_for_a_while_and_what_is_not_until_it_is(void **state)
{
    struct pending *p = *state;
    add(p, 1, 1000, 100, 0);
    round_at(p, PENDING_RIPE_MS, true);
    add(p, 2, 1000, 200, 1500);
    assert_int_equal(pending_spans(p), 2);
    round_at(p, PENDING_KEPT_MS, true);
    assert_int_equal(pending_spans(p), 1);
    assert_int_equal(round_at(p, 100000, false).spans, 1);
    assert_int_equal(pending_spans(p), 1);
    round_at(p, 100001, true);
    assert_int_equal(pending_spans(p), 0);
    assert_int_equal(round_at(p, 200000, true).connections, 0);
}

static void connections_come_and_go_without_end(void **state)
{
    struct pending *p = *state;
    for (uint32_t n = 0; n < 10u * PENDING_CONNECTIONS_MOST; n++) {
        add(p, n + 1, (uint16_t)(n % 60000), n / 60000, n);
        if (n % 1000 == 0)
            round_at(p, n, true);
    }
    round_at(p, 1000000, true);
    round_at(p, 1000000, true);
    assert_int_equal(pending_spans(p), 0);
}

static void what_has_no_room_is_said(void **state)
{
    struct pending *p = *state;
    for (uint32_t n = 0; n < PENDING_CONNECTIONS_MOST; n++)
        add(p, n + 1, (uint16_t)n, 1, 0);
    struct inquiry beyond = inquiry_of(1, 60000, 1);
    assert_false(pending_add(p, &beyond, 0));
    for (uint32_t n = 0; n < PENDING_ON_ONE_MOST - 1; n++)
        add(p, 1000000 + n, 1, n + 2, 0);
    beyond = inquiry_of(1, 1, UINT64_MAX);
    assert_false(pending_add(p, &beyond, 0)); /* one connection does not take all room */
    for (uint32_t n = pending_spans(p); n < PENDING_SPANS_MOST; n++)
        add(p, n + 1, (uint16_t)(2 + n % (PENDING_CONNECTIONS_MOST - 2)), n, 0);
    beyond = inquiry_of(1, 5, UINT64_MAX);
    assert_false(pending_add(p, &beyond, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(spans_ripen_together_in_the_order_of_their_begins, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_told_stays_for_a_while_and_what_is_not_until_it_is,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(connections_come_and_go_without_end, setup, teardown),
        cmocka_unit_test_setup_teardown(what_has_no_room_is_said, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
