// SPDX-License-Identifier: Apache-2.0
/* What metrics answer, over three small traces in three steps of a second. Series are written one
 * after the other as "{label=value …} step step step", a missing point as "-". */
#include <math.h>

#include "collector/query/traceql/print.h"
#include "tests/unit/collector/query/traceql/three_traces.h"

static struct traceql_options three_seconds(void)
{
    return (struct traceql_options){
        .start_unix_ns = EPOCH, .end_unix_ns = EPOCH + 3000 * MS, .threads = 1};
}

static void write_series(const struct traceql_metrics_answer *a, struct buffer *out)
{
    for (uint32_t i = 0; i < a->count; i++) {
        const struct traceql_timeseries *s = &a->series[i];
        buffer_text(out, i ? "; {" : "{");
        for (uint32_t j = 0; j < s->label_count; j++) {
            buffer_printf(out, "%s%.*s=", j ? " " : "", (int)s->labels[j].name.length,
                          s->labels[j].name.bytes);
            traceql_print_value(out, &s->labels[j].value);
        }
        buffer_byte(out, '}');
        for (uint32_t step = 0; step < a->steps; step++) {
            if (isnan(s->values[step]))
                buffer_text(out, " -");
            else
                buffer_printf(out, " %.4g", s->values[step]);
        }
    }
    buffer_cstring(out);
}

static bool expect(struct block *block, const char *text, const char *expected)
{
    struct arena arena;
    struct buffer out = {0};
    struct traceql_metrics_answer answer;
    struct traceql_blocks blocks = {&block, NULL, 1};
    struct traceql_source source = traceql_source_of_blocks(&blocks);
    struct traceql_options options = three_seconds();
    arena_init(&arena, 4096);
    assert_true(traceql_measure(parsed(&arena, text), &source, &options, 1000 * MS, 0, &answer));
    assert_int_equal(answer.end, TRACEQL_END_ALL);
    write_series(&answer, &out);
    bool right = strcmp(buffer_cstring(&out), expected) == 0;
    if (!right)
        print_error("%s\ngives    %s\nnot      %s\n", text, buffer_cstring(&out), expected);
    buffer_fini(&out);
    traceql_metrics_fini(&answer);
    arena_fini(&arena);
    return right;
}

struct question {
    const char *query, *gives;
};

static void expect_all(const struct question *questions, size_t count)
{
    struct block_by_hand h = three_traces();
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong += !expect(h.block, questions[i].query, questions[i].gives);
    block_by_hand_fini(&h);
    assert_int_equal(wrong, 0);
}
#define EXPECT_ALL(questions) expect_all(questions, sizeof(questions) / sizeof *(questions))

static void spans_are_counted_and_measured(void **state)
{
    (void)state;
    static const struct question questions[] = {
        {"{ } | count_over_time()", "{} 6 2 4"},
        {"{ } | rate()", "{} 6 2 4"},
        {"{ kind = client } | rate() by (resource.service.name)",
         "{resource.service.name=\"db\"} 0 1 0; {resource.service.name=\"web\"} 2 0 0"},
        {"{ kind = client } | count_over_time() by (span.user, name)",
         "{span.user=\"bob\" name=\"auth\"} 1 1 0; {span.user=\"eve\" name=\"db\"} 1 0 0"},
        {"{ kind = server } | count_over_time() by (span.user)", "{span.user=nil} 1 1 0"},
        {"{ name = \"nobody\" } | rate()", ""},
        {"{ } | min_over_time(duration)", "{} 0.005 0.01 0.001"},
        {"{ } | max_over_time(duration) by (rootName)",
         "{rootName=nil} - - 0.01; {rootName=\"api\"} - 0.03 -; {rootName=\"web\"} 0.1 - -"},
        {"{ kind = client } | avg_over_time(duration)", "{} 0.035 0.01 -"},
        {"{ } | sum_over_time(span.rows)", "{} 60 - -"},
        {"{ } | avg_over_time(span.rows) by (kind)",
         "{kind=internal} 25 - -; {kind=client} 10 - -"},
        {"{ } | max_over_time(span.http.status_code)", "{} 500 200 -"},
        {"{ } | sum_over_time(event:timeSinceStart)", "{} 0.005 - -"},
        {"{ } | sum_over_time(parent.duration) by (parent.name)",
         "{parent.name=\"api\"} - 0.03 -; {parent.name=\"db\"} 0.12 - -; "
         "{parent.name=\"dead\"} - - 0.003; {parent.name=\"late\"} - - 0.01; "
         "{parent.name=\"web\"} 0.3 - -"},
    };
    EXPECT_ALL(questions);
}

static void pipelines_choose_the_spans(void **state)
{
    (void)state;
    static const struct question questions[] = {
        {"{ kind = server } >> { kind = internal } | count_over_time()", "{} 3 0 0"},
        {"{ } | count() > 4 | count_over_time()", "{} 6 0 0"},
        {"{ } | by(kind) | count() > 2 | count_over_time() by (kind)", "{kind=internal} 3 0 4"},
        {"{ } &> { name = \"auth\" } | count_over_time()", "{} 2 2 0"},
    };
    EXPECT_ALL(questions);
}

static void distributions_are_told(void **state)
{
    (void)state;
    struct block_by_hand h = three_traces();
    assert_true(expect(h.block, "{ kind = client } | histogram_over_time(duration)",
                       "{__bucket=0.015625} 1 1 0; {__bucket=0.0625} 1 0 0"));
    assert_true(expect(h.block, "{ } | histogram_over_time(span.rows) by (kind)",
                       "{kind=internal __bucket=32.0} 2 0 0; {kind=client __bucket=16.0} 1 0 0"));
    block_by_hand_fini(&h);
}

/* Quantiles are exact to a bucket, 1.1 %. */
static void quantiles_are_near(void **state)
{
    (void)state;
    struct block_by_hand h = three_traces();
    struct arena arena;
    struct traceql_metrics_answer a;
    struct traceql_blocks blocks = {&h.block, NULL, 1};
    struct traceql_source source = traceql_source_of_blocks(&blocks);
    struct traceql_options options = three_seconds();
    arena_init(&arena, 4096);
    const char *text = "{ } | quantile_over_time(duration, 0, .5, 1) by (kind)";
    assert_true(traceql_measure(parsed(&arena, text), &source, &options, 1000 * MS, 0, &a));
    assert_int_equal(a.count, 9);
    static const double wanted[] = {0.005, 0.02, 0.05}; /* internal, in the first second */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(a.series[i].label_count, 2);
        assert_float_equal(a.series[i].labels[1].value.number, i * 0.5, 1e-9);
        assert_float_equal(a.series[i].values[0] / wanted[i], 1, 0.012);
        assert_true(isnan(a.series[i].values[1]));
    }
    traceql_metrics_fini(&a);
    arena_fini(&arena);
    block_by_hand_fini(&h);
}

static void series_are_joined_and_chosen(void **state)
{
    (void)state;
    static const struct question questions[] = {
        {"({ kind = client } | rate()) / ({ } | rate())", "{} 0.3333 0.5 0"},
        {"({ } | count_over_time()) - ({ kind = client } | count_over_time()) * ({ } | rate())",
         "{} -6 0 4"},
        {"({ } | count_over_time() by (kind)) / ({ } | count_over_time())",
         "{kind=internal} 0.5 0 1; {kind=server} 0.1667 0.5 0; {kind=client} 0.3333 0.5 0"},
        {"({ } | count_over_time()) / ({ kind = client } | count_over_time() by (name))",
         "{name=\"auth\"} 6 2 -; {name=\"db\"} 6 - -"},
        {"({ } | rate() by (name)) + ({ } | rate() by (kind))", ""},
        {"{ } | count_over_time() by (kind) > 1", "{kind=internal} 3 - 4; {kind=client} 2 - -"},
        {"{ } | count_over_time() by (kind) > 3 < 4", ""},
        {"{ } | max_over_time(duration) > 20ms", "{} 0.1 0.03 -"},
        {"{ } | count_over_time() by (kind) != 0 | topk(1)",
         "{kind=internal} 3 - 4; {kind=server} - 1 -"},
        {"{ } | count_over_time() by (kind) | bottomk(1)",
         "{kind=internal} - 0 -; {kind=server} 1 - 0"},
        {"{ } | count_over_time() by (kind) | topk(2) > 2 | bottomk(1)", "{kind=internal} 3 - 4"},
        {"(({ } | count_over_time() by (kind)) / ({ } | count_over_time()) | topk(1)) > 0.5",
         "{kind=internal} - - 1"},
    };
    EXPECT_ALL(questions);
}

static void groups_are_compared(void **state)
{
    (void)state;
    struct block_by_hand h = three_traces();
    struct arena arena;
    struct traceql_metrics_answer a;
    struct buffer out = {0};
    struct traceql_blocks blocks = {&h.block, NULL, 1};
    struct traceql_source source = traceql_source_of_blocks(&blocks);
    struct traceql_options options = three_seconds();
    arena_init(&arena, 4096);
    assert_true(traceql_measure(parsed(&arena, "{ kind = client } | compare({ status = error })"),
                                &source, &options, 0, 0, &a));
    assert_int_equal(a.steps, 1);
    write_series(&a, &out);
    static const char *const parts[] = {
        "{__meta_type=\"baseline\" name=\"auth\"} 2;",
        "{__meta_type=\"selection\" name=\"db\"} 1;",
        "{__meta_type=\"baseline\" status=unset} 1; {__meta_type=\"baseline\" status=ok} 1;",
        "{__meta_type=\"selection\" span.user=\"eve\"} 1;",
        "{__meta_type=\"baseline\" span.user=\"bob\"} 2;",
        "{__meta_type=\"selection\" span.rows=10} 1",
        "{__meta_type=\"baseline\" resource.cores=8} 1;",
        "{__meta_type=\"baseline\" resource.service.name=\"db\"} 1;",
        "{__meta_type=\"baseline\" rootName=\"api\"} 1;",
        "{__meta_type=\"baseline_total\" span.user=nil} 2;",
        "{__meta_type=\"selection_total\" kind=nil} 1;",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(buffer_cstring(&out), parts[i]))
            fail_msg("%s is not in %s", parts[i], buffer_cstring(&out));
    assert_null(strstr(buffer_cstring(&out), "__meta_error"));
    assert_null(strstr(buffer_cstring(&out), "duration"));
    buffer_fini(&out);
    traceql_metrics_fini(&a);
    arena_fini(&arena);
    block_by_hand_fini(&h);
}

static void compare_heeds_its_limits(void **state)
{
    (void)state;
    struct block_by_hand h = three_traces();
    char text[200];
    struct arena arena;
    struct traceql_metrics_answer a;
    struct buffer out = {0};
    struct traceql_blocks blocks = {&h.block, NULL, 1};
    struct traceql_source source = traceql_source_of_blocks(&blocks);
    struct traceql_options options = three_seconds();
    arena_init(&arena, 4096);
    /* the selection is the first second only; the most frequent name of each side */
    snprintf(text, sizeof text, "{ } | compare({ kind = client }, 1, %llu, %llu)",
             (unsigned long long)EPOCH, (unsigned long long)(EPOCH + 1000 * MS));
    assert_true(traceql_measure(parsed(&arena, text), &source, &options, 0, 0, &a));
    write_series(&a, &out);
    static const char *const parts[] = {
        "{__meta_type=\"selection\" kind=client} 2;",
        "{__meta_type=\"baseline\" kind=internal} 7;",
        "{__meta_type=\"baseline_total\" kind=nil} 10;",
        "{__meta_error=\"__too_many_values__\" kind=nil} 0",
        "{__meta_error=\"__too_many_values__\" name=nil} 0",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(buffer_cstring(&out), parts[i]))
            fail_msg("%s is not in %s", parts[i], buffer_cstring(&out));
    buffer_fini(&out);
    traceql_metrics_fini(&a);
    arena_fini(&arena);
    block_by_hand_fini(&h);
}

static void exemplars_are_the_slowest_of_their_time(void **state)
{
    (void)state;
    struct block_by_hand h = three_traces();
    struct arena arena;
    struct traceql_metrics_answer a;
    struct traceql_blocks blocks = {&h.block, NULL, 1};
    struct traceql_source source = traceql_source_of_blocks(&blocks);
    struct traceql_options options = three_seconds();
    arena_init(&arena, 4096);
    assert_true(traceql_measure(parsed(&arena, "{ } | rate() with (exemplars = true)"), &source,
                                &options, 1000 * MS, 0, &a));
    assert_int_equal(a.series[0].exemplar_count, 3);
    assert_int_equal(a.series[0].exemplars[0].span_id, 1);
    assert_int_equal(a.series[0].exemplars[0].trace_id.lo, 1);
    assert_float_equal(a.series[0].exemplars[0].value, 0.1, 1e-9);
    assert_int_equal(a.series[0].exemplars[1].span_id, 11);
    traceql_metrics_fini(&a);
    assert_true(
        traceql_measure(parsed(&arena, "{ } | rate()"), &source, &options, 1000 * MS, 1, &a));
    assert_int_equal(a.series[0].exemplar_count, 1);
    assert_int_equal(a.series[0].exemplars[0].span_id, 1);
    traceql_metrics_fini(&a);
    arena_fini(&arena);
    block_by_hand_fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_counted_and_measured),
        cmocka_unit_test(pipelines_choose_the_spans),
        cmocka_unit_test(distributions_are_told),
        cmocka_unit_test(quantiles_are_near),
        cmocka_unit_test(series_are_joined_and_chosen),
        cmocka_unit_test(groups_are_compared),
        cmocka_unit_test(compare_heeds_its_limits),
        cmocka_unit_test(exemplars_are_the_slowest_of_their_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
