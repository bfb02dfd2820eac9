// SPDX-License-Identifier: Apache-2.0
/* One parsed query, one source, many threads: each gets the same answer. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collector/query/promql/promql.h"
#include "tests/promqltest/memory_source.h"

enum { THREADS = 8, ROUNDS = 20 };

static struct memory_source memory;
static struct promql_query *query;

static struct batch_str text_of(const char *s)
{
    return (struct batch_str){s, (uint32_t)strlen(s)};
}

static void *ask(void *last)
{
    struct promql_options options = {.start_ms = 0, .end_ms = 600000, .step_ms = 60000};
    for (int i = 0; i < ROUNDS; i++) {
        struct promql_result r;
        if (promql_evaluate(query, &memory.source, &options, &r) == PROMQL_OK &&
            r.series_count == 2)
            *(double *)last += r.series[1].value[r.series[1].count - 1];
        promql_result_fini(&r);
    }
    return NULL;
}

static void threads_share_a_query_and_a_source(void **state)
{
    (void)state;
    static const char text[] =
        "sum by (to) (label_replace(rate(requests{instance=~\"[a-h]\"}[2m]), \"to\", \"$1\", "
        "\"job\", \"(.).*\")) * 2";
    struct arena arena;
    struct language_error error;
    arena_init(&arena, 4096);
    memory_source_init(&memory);
    for (int s = 0; s < 8; s++) {
        char instance[2] = {(char)('a' + s), 0};
        struct label l[] = {{text_of(LABEL_METRIC), text_of("requests")},
                            {text_of("instance"), text_of(instance)},
                            {text_of("job"), text_of(s % 2 ? "one" : "two")}};
        for (int i = 0; i <= 40; i++)
            memory_source_add(&memory, &(struct labels){l, 3}, i * INT64_C(15000), i * 15.0, NULL,
                              0);
    }
    assert_int_equal(promql_parse(&arena, text, sizeof text - 1, &query, &error), LANGUAGE_SOUND);
    pthread_t threads[THREADS];
    double last[THREADS] = {0};
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &last[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(fabs(last[i] - 8.0 * ROUNDS) < 1e-9); /* four series of 1/s, twice */
    }
    memory_source_fini(&memory);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_a_query_and_a_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
