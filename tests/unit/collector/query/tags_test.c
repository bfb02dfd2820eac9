// SPDX-License-Identifier: Apache-2.0
#include "collector/query/tags.h"

#include "tests/unit/collector/spans.h"

struct fixture {
    struct store *store;
    struct inflight *inflight;
    char directory[64];
    struct scan *scan;
    struct tags tags;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct spans s;
    f->store = spans_store(f->directory, &(struct store_options){.head_bytes = 64 << 20});
    f->inflight = inflight_create(1 << 20);
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web");
    batch_process_attribute(s.builder, batch_string(s.builder, "zone", 4), VALUE_STRING,
                            batch_string(s.builder, "b", 1));
    for (uint64_t i = 0; i < 10; i++) {
        spans_add(&s,
                  (struct span_by_hand){web, i < 7 ? "read" : "write", .trace = i, .id = i + 1});
        batch_attribute(s.builder, batch_string(s.builder, "hits", 4), VALUE_INT, i % 3);
        if (i == 4)
            batch_attribute(s.builder, batch_string(s.builder, "hits", 4), VALUE_STRING,
                            batch_string(s.builder, "many", 4));
    }
    spans_insert(&s, f->store);
    struct query query = {.store = f->store, .inflight = f->inflight};
    f->scan = scan_create(&query, 0, UINT64_MAX, EPOCH);
    assert_non_null(f->scan);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    tags_fini(&f->tags);
    scan_destroy(&f->scan);
    inflight_destroy(&f->inflight);
    spans_store_remove(&f->store, f->directory);
    free(f);
    return 0;
}

static const struct tag_limits all = {.names = 100, .deadline_monotonic_ns = UINT64_MAX};

static void keys_are_told_by_scope_and_sorted(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(tags_list(f->scan, &all, &f->tags), 0);
    assert_true(f->tags.all);
    assert_int_equal(f->tags.key_count[TAG_SPAN], 1);
    assert_true(batch_str_is(f->tags.keys[TAG_SPAN][0], "hits"));
    uint32_t count = f->tags.key_count[TAG_RESOURCE];
    assert_true(batch_str_is(f->tags.keys[TAG_RESOURCE][count - 1], "zone"));
    assert_int_equal(f->tags.key_count[TAG_EVENT], 0);
}

static void values_come_with_their_types_the_most_frequent_first(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(tags_values(f->scan, TAG_SPAN, "hits", &all, &f->tags), 0);
    assert_int_equal(f->tags.value_count, 4);
    assert_int_equal(f->tags.values[0].bits, 0);
    assert_int_equal(f->tags.values[0].count, 4);
    assert_int_equal(f->tags.values[3].type, VALUE_STRING);
    assert_true(batch_str_is(f->tags.values[3].text, "many"));
}

static void fields_of_processes_are_resource_attributes(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(tags_values(f->scan, TAG_RESOURCE, "service.name", &all, &f->tags), 0);
    assert_int_equal(f->tags.value_count, 1);
    assert_true(batch_str_is(f->tags.values[0].text, "web"));
}

static void names_of_spans_are_counted(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(tags_intrinsic(f->scan, "name", &all, &f->tags), 0);
    assert_int_equal(f->tags.value_count, 2);
    assert_true(batch_str_is(f->tags.values[0].text, "read"));
    assert_int_equal(f->tags.values[0].count, 7);
}

static void a_limit_and_a_deadline_are_told(void **state)
{
    struct fixture *f = *state;
    struct tag_limits few = all, late = all;
    few.names = 2;
    late.deadline_monotonic_ns = 0;
    assert_int_equal(tags_values(f->scan, TAG_SPAN, "hits", &few, &f->tags), 0);
    assert_int_equal(f->tags.value_count, 2);
    assert_false(f->tags.all);
    tags_fini(&f->tags);
    assert_int_equal(tags_values(f->scan, TAG_SPAN, "hits", &late, &f->tags), 0);
    assert_int_equal(f->tags.value_count, 0);
    assert_false(f->tags.all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(keys_are_told_by_scope_and_sorted),
        TEST(values_come_with_their_types_the_most_frequent_first),
        TEST(fields_of_processes_are_resource_attributes),
        TEST(names_of_spans_are_counted),
        TEST(a_limit_and_a_deadline_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
