// SPDX-License-Identifier: Apache-2.0
/* What Prometheus' API says beside the samples. */
#include "collector/web/api.h"
#include "collector/web/prom/prom.h"
#include "tests/unit/collector/series/stores.h"

static struct world world;
static struct web web;

static int setup(void **state)
{
    (void)state;
    world_init(&world, &(struct series_store_options){.head_bytes = 8 << 20});
    web = (struct web){.series = world.store};
    world_add(&world, "__name__=up job=a", SAMPLE_VALUE, BASE_MS, 1);
    world_add(&world, "__name__=up job=b", SAMPLE_VALUE, BASE_MS, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_fini(&world);
    return 0;
}

/* Of `up` at BASE_MS; whether the answer has the text. */
static bool query_tells(const char *more, const char *text)
{
    char query[200];
    struct reply reply = {.status = 200};
    snprintf(query, sizeof query, "query=up&time=%lld&%s", (long long)(BASE_MS / 1000), more);
    struct web_request request = {.path = "/api/v1/query", .query = query, .host = "localhost"};
    prom_query(&(struct api_call){.web = &web, .request = &request, .rest = ""}, &reply);
    assert_int_equal(reply.status, 200);
    bool told = strstr(buffer_cstring(&reply.body), text) != NULL;
    reply_fini(&reply);
    return told;
}

static void a_limit_that_cuts_the_answer_is_told(void **state)
{
    static const char warning[] = "\"warnings\":[\"results truncated due to limit\"]";
    (void)state;
    assert_true(query_tells("limit=1", warning));
    assert_true(query_tells("limit=1", "\"job\":\"a\""));
    assert_false(query_tells("limit=1", "\"job\":\"b\""));
    assert_false(query_tells("limit=2", "warnings"));
    assert_true(query_tells("limit=2", "\"job\":\"b\""));
    assert_false(query_tells("limit=0", "warnings"));
}

static void histograms_are_as_coarse_as_is_asked(void **state)
{
    int32_t index[] = {1, 2, 9};
    double value[] = {3, 4, 5};
    struct histogram h = {.schema = 3, .count = 12, .sum = 20, .positive = {3, index, value}};
    (void)state;
    world_begin(&world);
    world_append(&world, "__name__=up job=h", SAMPLE_HISTOGRAM, BASE_MS, 20, &h);
    series_store_commit(world.store);
    assert_true(query_tells("stats=", "[0,\"1\",\"1.0905077326652577\",\"3\"]"));
    assert_true(query_tells("histogram_schema=8", "[0,\"1\",\"1.0905077326652577\",\"3\"]"));
    assert_true(query_tells("histogram_schema=0", "[0,\"1\",\"2\",\"7\"],[0,\"2\",\"4\",\"5\"]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_limit_that_cuts_the_answer_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(histograms_are_as_coarse_as_is_asked, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
