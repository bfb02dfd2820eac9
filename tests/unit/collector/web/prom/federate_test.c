// SPDX-License-Identifier: Apache-2.0
/* What another Prometheus scrapes at /federate. */
#include "collector/web/api.h"
#include "collector/web/prom/prom.h"
#include "lib/base/clock.h"
#include "tests/unit/collector/series/stores.h"

static struct world world;
static struct web web;

static int setup(void **state)
{
    (void)state;
    world_init(&world, &(struct series_store_options){.head_bytes = 8 << 20});
    web = (struct web){.series = world.store};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_fini(&world);
    return 0;
}

static int64_t now_ms(void)
{
    return (int64_t)(clock_unix_ns() / 1000000);
}

static struct reply federate(const char *query)
{
    struct reply reply = {.status = 200};
    struct web_request request = {.path = "/federate", .query = query, .host = "localhost"};
    prom_federate(&(struct api_call){.web = &web, .request = &request, .rest = ""}, &reply);
    return reply;
}

static void assert_federates(const char *query, const char *expected)
{
    struct reply reply = federate(query);
    assert_int_equal(reply.status, 200);
    assert_string_equal(buffer_cstring(&reply.body), expected);
    reply_fini(&reply);
}

static void each_series_comes_once_those_of_a_metric_together(void **state)
{
    int64_t at_ms = now_ms() - 1000;
    char expected[512];
    (void)state;
    /* A label in capitals stands before the metric's name. */
    world_add(&world, "__name__=up job=a", SAMPLE_VALUE, at_ms, 1);
    world_add(&world, "A=x __name__=down job=a", SAMPLE_VALUE, at_ms, 2);
    world_add(&world, "__name__=down job=b", SAMPLE_VALUE, at_ms, 3);
    world_add(&world, "A=y __name__=up job=a", SAMPLE_VALUE, at_ms, 4);
    snprintf(expected, sizeof expected,
             "# TYPE down untyped\ndown{A=\"x\",job=\"a\"} 2 %lld\n"
             "# TYPE up untyped\nup{A=\"y\",job=\"a\"} 4 %lld\nup{job=\"a\"} 1 %lld\n",
             (long long)at_ms, (long long)at_ms, (long long)at_ms);
    assert_federates("match[]={job=\"a\"}&match[]=up&match[]={job=\"a\",A!=\"x\"}", expected);
    assert_federates("match[]=none", "");
}

/* The text format knows no other escapes than three. */
static void values_are_written_as_the_format_has_them(void **state)
{
    int64_t at_ms = now_ms() - 1000;
    char expected[512];
    (void)state;
    world_add(&world, "__name__=up a=t\tt b=n\nn c=\"\\ d=\xc3\xa4 e=\xff", SAMPLE_VALUE, at_ms, 1);
    snprintf(expected, sizeof expected,
             "# TYPE up untyped\n"
             "up{a=\"t\tt\",b=\"n\\nn\",c=\"\\\"\\\\\",d=\"\xc3\xa4\",e=\"\\xff\"} 1 %lld\n",
             (long long)at_ms);
    assert_federates("match[]=up", expected);
}

static void what_is_no_selector_is_refused(void **state)
{
    (void)state;
    world_add(&world, "__name__=up job=a", SAMPLE_VALUE, now_ms() - 1000, 1);
    struct reply reply = federate("match[]=up&match[]={");
    assert_int_equal(reply.status, 400);
    reply_fini(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_series_comes_once_those_of_a_metric_together, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(values_are_written_as_the_format_has_them, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_selector_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
