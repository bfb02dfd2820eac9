// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/unit/directory.h"
#include "weft/weft.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN  "b7ad6b7169203331"
#define ZEROS "00000000000000000000000000000000"

static void good_traceparents_are_read(void **state)
{
    (void)state;
    const char *good[] = {
        "00-" TRACE "-" SPAN "-01",
        "00-" TRACE "-" SPAN "-00",
        "00-" TRACE "-" SPAN "-ff",
        "01-" TRACE "-" SPAN "-01", /* a later version, by 00's rules */
        "cc-" TRACE "-" SPAN "-01-what-the-future-brings",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct weft_context c;
        assert_int_equal(weft_extract_traceparent(&c, good[i], NULL), 0);
        assert_true(c.trace_hi == 0x0af7651916cd43dd && c.trace_lo == 0x8448eb211c80319c);
        assert_true(c.span_id == 0xb7ad6b7169203331);
        assert_int_equal(c.remote, 1);
    }
}

static void bad_traceparents_are_as_none(void **state)
{
    (void)state;
    const char *bad[] = {
        NULL,
        "",
        "00",
        "ff-" TRACE "-" SPAN "-01",
        "00-" ZEROS "-" SPAN "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
        "00-" TRACE "-" SPAN "-1",
        "00-" TRACE "-" SPAN "-0g",
        "00-" TRACE "-" SPAN "-01-more",
        "00-" TRACE "-" SPAN "-01 ",
        "01-" TRACE "-" SPAN "-01more",
        "00_" TRACE "_" SPAN "_01",
        "00-" TRACE "-" SPAN,
        " 00-" TRACE "-" SPAN "-01",
        "0x-" TRACE "-" SPAN "-01",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct weft_context c = {.trace_hi = 1};
        assert_int_equal(weft_extract_traceparent(&c, bad[i], "k=v"), -1);
        assert_true(c.trace_hi == 0 && c.tracestate_length == 0);
    }
}

static void tracestate_goes_along_where_it_is_sound(void **state)
{
    (void)state;
    struct weft_context c;
    char large[600];
    memset(large, 'a', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    weft_extract_traceparent(&c, "00-" TRACE "-" SPAN "-01", "rojo=1,congo=2");
    assert_string_equal(c.tracestate, "rojo=1,congo=2");
    assert_int_equal(weft_extract_traceparent(&c, "00-" TRACE "-" SPAN "-01", large), 0);
    assert_int_equal(c.tracestate_length, 0);
    assert_int_equal(weft_extract_traceparent(&c, "00-" TRACE "-" SPAN "-01", "a=\n"), 0);
    assert_int_equal(c.tracestate_length, 0);
}

static void b3_single_is_read_strictly(void **state)
{
    (void)state;
    struct weft_context c;
    const char *good[] = {TRACE "-" SPAN, TRACE "-" SPAN "-1", TRACE "-" SPAN "-0",
                          TRACE "-" SPAN "-d", TRACE "-" SPAN "-1-05e3ac9a4f6e3b90"};
    const char *bad[] = {"0",
                         "1",
                         "d",
                         "",
                         TRACE,
                         TRACE "-",
                         TRACE "-" SPAN "-",
                         TRACE "-" SPAN "-2",
                         TRACE "-" SPAN "-1-",
                         TRACE "-" SPAN "-1-05e3",
                         TRACE "-" SPAN "x",
                         ZEROS "-" SPAN,
                         TRACE "-0000000000000000",
                         "8448eb21-" SPAN,
                         TRACE "-" SPAN "-1-05e3ac9a4f6e3b90-"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(weft_extract_b3(&c, good[i]), 0);
        assert_true(c.trace_lo == 0x8448eb211c80319c && c.span_id == 0xb7ad6b7169203331);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(weft_extract_b3(&c, bad[i]), -1);
    assert_int_equal(weft_extract_b3(&c, "8448eb211c80319c-" SPAN "-1"), 0);
    assert_true(c.trace_hi == 0 && c.trace_lo == 0x8448eb211c80319c && c.flags == 1);
    assert_int_equal(weft_extract_b3(&c, NULL), -1);
}

struct headers {
    const char *name[8], *value[8];
    char copy[8][128];
    int count;
};

static const char *get(void *request, const char *name)
{
    struct headers *h = request;
    for (int i = 0; i < h->count; i++)
        if (strcasecmp(h->name[i], name) == 0)
            return h->value[i];
    return NULL;
}

static void set(void *request, const char *name, const char *value)
{
    struct headers *h = request;
    snprintf(h->copy[h->count], sizeof h->copy[0], "%s", value);
    h->name[h->count] = name;
    h->value[h->count] = h->copy[h->count];
    h->count++;
}

static void b3_multi_is_read_and_traceparent_wins(void **state)
{
    (void)state;
    struct weft_context c;
    struct headers h = {.name = {"X-B3-TraceId", "X-B3-SpanId", "X-B3-Sampled"},
                        .value = {TRACE, SPAN, "1"},
                        .count = 3};
    assert_int_equal(weft_extract(&c, get, &h), 0);
    assert_true(c.span_id == 0xb7ad6b7169203331 && c.flags == 1);
    set(&h, "traceparent", "00-" TRACE "-00f067aa0ba902b7-01");
    assert_int_equal(weft_extract(&c, get, &h), 0);
    assert_true(c.span_id == 0x00f067aa0ba902b7);
    h.value[3] = "nonsense";
    assert_int_equal(weft_extract(&c, get, &h), 0);
    assert_true(c.span_id == 0xb7ad6b7169203331);
    h.value[2] = "maybe";
    assert_int_equal(weft_extract(&c, get, &h), -1);
    h.value[2] = "0";
    h.value[1] = SPAN "0";
    assert_int_equal(weft_extract(&c, get, &h), -1);
    h.count = 0;
    assert_int_equal(weft_extract(&c, get, &h), -1);
}

static void what_is_injected_is_extracted(void **state)
{
    (void)state;
    char directory[] = "/dev/shm/weft-test-XXXXXX";
    assert_non_null(mkdtemp(directory));
    setenv("WEFT_DIR", directory, 1);
    setenv("WEFT_SERVICE", "cell", 1);
    struct weft_context parent, c;
    weft_extract_traceparent(&parent, "00-" TRACE "-" SPAN "-01", "weft=web,rojo=1");
    weft_span server = weft_begin_from(WEFT_NAME("server"), WEFT_SERVER, &parent);
    weft_span client = weft_begin(WEFT_NAME("client"), WEFT_CLIENT);
    for (unsigned format = 1; format <= 4; format *= 2) {
        struct headers h = {.count = 0};
        assert_int_equal(weft_inject((weft_span){0, 0}, format, set, &h), 0);
        assert_int_equal(weft_extract(&c, get, &h), 0);
        assert_true(c.trace_hi == parent.trace_hi && c.trace_lo == parent.trace_lo);
        assert_true(c.span_id == client.id && c.flags == 1);
        if (format == WEFT_W3C)
            assert_string_equal(c.tracestate, "weft=cell,rojo=1");
    }
    char text[WEFT_TRACEPARENT_SIZE];
    assert_int_equal(weft_traceparent(server, text), 0);
    assert_int_equal(strlen(text), WEFT_TRACEPARENT_SIZE - 1);
    weft_end(client);
    weft_end(server);
    assert_int_equal(weft_traceparent(server, text), -1);
    assert_int_equal(weft_inject((weft_span){0, 0}, WEFT_W3C, set, NULL), -1);
    assert_int_equal(directory_remove(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_traceparents_are_read),
        cmocka_unit_test(bad_traceparents_are_as_none),
        cmocka_unit_test(tracestate_goes_along_where_it_is_sound),
        cmocka_unit_test(b3_single_is_read_strictly),
        cmocka_unit_test(b3_multi_is_read_and_traceparent_wins),
        cmocka_unit_test(what_is_injected_is_extracted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
