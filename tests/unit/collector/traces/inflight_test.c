// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/inflight.h"

#include "tests/unit/collector/spans.h"

static int setup(void **state)
{
    *state = inflight_create(1 << 20);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct inflight *t = *state;
    inflight_destroy(&t);
    return 0;
}

static int put(struct inflight *t, const char *agent, unsigned spans, uint64_t now)
{
    struct spans s;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web");
    for (unsigned i = 0; i < spans; i++)
        spans_add(&s, (struct span_by_hand){web, "x", .id = i + 1, .status = SPAN_IN_FLIGHT});
    struct buffer bytes = spans_encode(&s);
    int result = inflight_put(t, agent, bytes.data, bytes.length, now);
    buffer_fini(&bytes);
    return result;
}

static void the_last_look_of_each_agent_counts(void **state)
{
    struct inflight *t = *state;
    struct inflight_hold before, after;
    assert_int_equal(put(t, "box1", 3, EPOCH), BATCH_OK);
    assert_int_equal(put(t, "box2", 2, EPOCH), BATCH_OK);
    assert_int_equal(inflight_hold(t, EPOCH, &before), 0);
    assert_int_equal(put(t, "box1", 1, EPOCH), BATCH_OK);
    assert_int_equal(inflight_hold(t, EPOCH, &after), 0);
    uint32_t spans = 0;
    for (size_t i = 0; i < after.count; i++)
        spans += after.snapshots[i]->batch->span_count;
    assert_int_equal(spans, 3);
    spans = 0; /* what was replaced lives while it is held */
    for (size_t i = 0; i < before.count; i++)
        spans += before.snapshots[i]->batch->span_count;
    assert_int_equal(spans, 5);
    inflight_release(&before);
    inflight_release(&after);
}

static void a_look_is_forgotten_after_its_life(void **state)
{
    struct inflight *t = *state;
    struct inflight_hold hold;
    assert_int_equal(put(t, "box1", 3, EPOCH), BATCH_OK);
    assert_int_equal(inflight_hold(t, EPOCH + INFLIGHT_LIFE_NS, &hold), 0);
    assert_int_equal(hold.count, 1);
    inflight_release(&hold);
    assert_int_equal(inflight_hold(t, EPOCH + INFLIGHT_LIFE_NS + 1, &hold), 0);
    assert_int_equal(hold.count, 0);
    inflight_release(&hold);
}

static void the_bound_holds(void **state)
{
    struct inflight *t = *state;
    assert_int_equal(put(t, "box1", 3000, EPOCH), BATCH_OK);
    assert_int_equal(put(t, "box2", 20000, EPOCH), BATCH_ENOMEM);
    assert_int_equal(put(t, "box1", 3000, EPOCH), BATCH_OK);
    assert_int_equal(inflight_put(t, "box3", "?", 1, EPOCH), BATCH_ECOMPRESSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(the_last_look_of_each_agent_counts),
        TEST(a_look_is_forgotten_after_its_life),
        TEST(the_bound_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
