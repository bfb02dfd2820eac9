// SPDX-License-Identifier: Apache-2.0
#include "lib/otlp/otlp_split.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct sent {
    unsigned requests;
    uint32_t spans, most_spans;
    char order[4096]; /* "resource/scope/name " of each span */
};

static const char *first_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "-";
}

static void note_spans(struct sent *sent, const json_t *resource)
{
    size_t i, j;
    json_t *scope, *span;
    json_array_foreach(json_object_get(resource, "scopeSpans"), i, scope)
    {
        json_array_foreach(json_object_get(scope, "spans"), j, span)
        {
            size_t at = strlen(sent->order);
            snprintf(sent->order + at, sizeof sent->order - at, "%s/%s/%s ",
                     first_text(json_object_get(resource, "resource"), "r"),
                     first_text(json_object_get(scope, "scope"), "name"), first_text(span, "name"));
        }
    }
}

static int note(void *context, const char *json, size_t length, uint32_t spans)
{
    struct sent *sent = context;
    json_error_t error;
    json_t *root = json_loadb(json, length, 0, &error);
    if (!root)
        fail_msg("%s: %.*s", error.text, (int)length, json);
    sent->requests++;
    sent->spans += spans;
    if (spans > sent->most_spans)
        sent->most_spans = spans;
    size_t i;
    json_t *resource;
    json_array_foreach(json_object_get(root, "resourceSpans"), i, resource)
        note_spans(sent, resource);
    json_decref(root);
    return 0;
}

static int split(const char *text, uint32_t request_spans, struct sent *sent,
                 char why[OTLP_WHY_MAX])
{
    *sent = (struct sent){0};
    FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(in);
    int result = otlp_split(in,
                            &(struct otlp_split_options){.request_bytes = 1 << 20,
                                                         .request_spans = request_spans,
                                                         .send = note,
                                                         .context = sent},
                            why);
    fclose(in);
    return result;
}

static const char two[] =
    "{\"resourceSpans\": [{\"resource\": {\"r\": \"A\"}, \"scopeSpans\": ["
    "{\"scope\": {\"name\": \"x\"}, \"spans\": [{\"name\": \"1\"}, {\"name\": \"2\", \"a\": "
    "\"]}\\\"\"},"
    "{\"name\": \"3\"}]}, {\"spans\": [{\"name\": \"4\"}]}]},"
    "{\"scopeSpans\": [{\"spans\": [{\"name\": \"5\"}], \"scope\": {\"name\": \"y\"}}],"
    "\"resource\": {\"r\": \"B\"}, \"schemaUrl\": \"u\"}]}\n"
    "{\"other\": [1, 2], \"resourceSpans\": [{\"scopeSpans\": [{\"spans\": [{\"name\": "
    "\"6\"}]}]}]}";
static const char order[] = "A/x/1 A/x/2 A/x/3 A/-/4 B/y/5 -/-/6 ";

static void every_span_keeps_its_resource_and_scope(void **state)
{
    char why[OTLP_WHY_MAX];
    struct sent sent;
    (void)state;
    for (uint32_t at_once = 1; at_once < 8; at_once++) {
        assert_int_equal(split(two, at_once, &sent, why), 0);
        assert_int_equal(sent.spans, 6);
        assert_int_equal(sent.requests, (6 + at_once - 1) / at_once);
        assert_true(sent.most_spans <= at_once);
        assert_string_equal(sent.order, order);
    }
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    char why[OTLP_WHY_MAX];
    struct sent sent;
    (void)state;
    assert_int_equal(split("{\"resourceSpans\": [{]}", 10, &sent, why), -1);
    assert_non_null(strstr(why, "byte 20"));
    assert_int_equal(split("{\"spans\": []}", 10, &sent, why), -1);
    assert_non_null(strstr(why, "resourceSpans"));
    for (size_t length = 1; length + 1 < sizeof two; length++) {
        char cut[sizeof two];
        memcpy(cut, two, length);
        cut[length] = 0;
        if (strcmp(cut + strcspn(cut, "\n"), "\n") && two[length - 1] != '\n')
            split(cut, 2, &sent, why); /* any end is an error or whole documents, never a crash */
    }
}

static int refuse(void *context, const char *json, size_t length, uint32_t spans)
{
    (void)context;
    (void)json;
    (void)length;
    (void)spans;
    return 7;
}

static void what_send_answers_ends_it(void **state)
{
    char why[OTLP_WHY_MAX];
    (void)state;
    FILE *in = fmemopen((void *)(uintptr_t)two, strlen(two), "r");
    assert_int_equal(otlp_split(in,
                                &(struct otlp_split_options){
                                    .request_bytes = 1, .request_spans = 1, .send = refuse},
                                why),
                     7);
    fclose(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_span_keeps_its_resource_and_scope),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(what_send_answers_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
