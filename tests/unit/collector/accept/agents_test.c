// SPDX-License-Identifier: Apache-2.0
#include "collector/accept/agents.h"

#include <weft.pb-c.h>

#include "tests/unit/collector/spans.h"

#define SECOND UINT64_C(1000000000)

static int setup(void **state)
{
    *state = agents_create();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct agents *a = *state;
    agents_destroy(&a);
    return 0;
}

static struct status_agent look(struct agents *a, size_t at, size_t expected, uint64_t now)
{
    size_t count;
    struct status_agent *list = agents_copy(a, now, &count);
    assert_int_equal(count, expected);
    struct status_agent found = list[at];
    free(list);
    return found;
}

static void an_agent_is_connected_while_it_is_heard_of(void **state)
{
    struct agents *a = *state;
    agents_seen(a, "box2", EPOCH, EPOCH);
    agents_seen(a, "box1", EPOCH, EPOCH);
    assert_string_equal(look(a, 0, 2, EPOCH).id, "box1");
    assert_true(look(a, 0, 2, EPOCH + 4 * SECOND).connected);
    assert_false(look(a, 0, 2, EPOCH + 6 * SECOND).connected);
    agents_seen(a, "box1", EPOCH + 6 * SECOND, EPOCH + 6 * SECOND);
    assert_int_equal(agents_connected(a, EPOCH + 6 * SECOND), 1);
}

static void the_skew_is_the_least_difference_of_late(void **state)
{
    struct agents *a = *state;
    uint64_t behind = 3 * SECOND; /* the agent's clock */
    const uint64_t on_the_way[] = {900, 200, 5000, 700};
    for (uint64_t i = 0; i < 4; i++) {
        uint64_t now = EPOCH + i * SECOND;
        agents_seen(a, "box1", now - behind - on_the_way[i], now);
    }
    assert_int_equal(look(a, 0, 1, EPOCH).clock_skew_ns, behind + 200);
    for (uint64_t i = 100; i < 102; i++) { /* it was set right; the window moves on */
        agents_seen(a, "box1", EPOCH + i * 60 * SECOND + 50, EPOCH + i * 60 * SECOND);
        agents_seen(a, "box1", EPOCH + i * 60 * SECOND, EPOCH + i * 60 * SECOND);
    }
    assert_int_equal(look(a, 0, 1, EPOCH).clock_skew_ns, -50);
}

static void a_report_is_shown_and_nonsense_is_not(void **state)
{
    struct agents *a = *state;
    uint8_t bytes[256];
    char host[] = "box1.example", problem[] = "no room";
    Weft__AgentReport r = WEFT__AGENT_REPORT__INIT;
    r.host = host;
    r.problem = problem;
    r.processes = 5;
    r.spans = UINT64_C(1) << 60;
    r.spool_bytes = 77;
    size_t length = weft__agent_report__pack(&r, bytes);
    agents_seen(a, "box1", EPOCH, EPOCH);
    assert_false(look(a, 0, 1, EPOCH).reported);
    assert_int_equal(agents_report(a, "box1", bytes, length), 0);
    assert_int_equal(agents_report(a, "box1", "\xff\xff\xff", 3), -1);
    struct status_agent s = look(a, 0, 1, EPOCH);
    assert_true(s.reported);
    assert_string_equal(s.host, "box1.example");
    assert_string_equal(s.problem, "no room");
    assert_int_equal(s.processes, 5);
    assert_true(s.spans == UINT64_C(1) << 60);
    assert_int_equal(s.spool_bytes, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(an_agent_is_connected_while_it_is_heard_of),
        TEST(the_skew_is_the_least_difference_of_late),
        TEST(a_report_is_shown_and_nonsense_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
