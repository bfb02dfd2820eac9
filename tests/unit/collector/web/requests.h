// SPDX-License-Identifier: Apache-2.0
/* A web over a store of traces, requests to it without a socket, and looks into the answers. */
#ifndef WEFT_TESTS_COLLECTOR_WEB_REQUESTS_H
#define WEFT_TESTS_COLLECTOR_WEB_REQUESTS_H

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/web/web.h"
#include "lib/base/clock.h"
#include "lib/model/loss.h"
#include "tests/unit/collector/spans.h"
#include "tests/unit/directory.h"

struct fixture {
    struct web web;
    char directory[64], traces[64];
    char switched[64];
    const char *not_ready;
};

static inline int fill_status(void *context, struct pipeline_status *s)
{
    struct fixture *f = context;
    *s = (struct pipeline_status){
        .version = "0.1.0", .start_unix_ns = EPOCH, .now_unix_ns = EPOCH + 1, .batches = 3};
    store_stats(f->web.query.store, &s->store);
    s->agents = calloc(1, sizeof *s->agents);
    s->losses = calloc(1, sizeof *s->losses);
    s->agent_count = s->loss_count = 1;
    strcpy(s->agents[0].id, "box\"7");
    s->agents[0].reported = true;
    s->losses[0] = (struct loss_row){
        .reason = LOSS_RING_FULL, .agent = "box7", .service = "cell", .count = 17};
    s->ledger.health = LEDGER_FULL;
    s->ledger.error = ENOSPC;
    return 0;
}

static inline const char *say_not_ready(void *context)
{
    return ((struct fixture *)context)->not_ready;
}

static inline int switch_it(void *context, const char *service, bool on)
{
    struct fixture *f = context;
    snprintf(f->switched, sizeof f->switched, "%s %s", service, on ? "on" : "off");
    return 3;
}

static inline void write_file(struct fixture *f, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", f->directory, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char assets[80], saved[80];
    strcpy(f->directory, "/tmp/weft-page-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(assets, sizeof assets, "%s/assets", f->directory);
    assert_int_equal(mkdir(assets, 0700), 0);
    snprintf(saved, sizeof saved, "%s/saved", f->directory);
    write_file(f, "index.html", "<!doctype html>");
    write_file(f, "assets/app-1a2b.js", "1;");
    f->web = (struct web){
        .query = {.store = spans_store(f->traces, &(struct store_options){.head_bytes = 64 << 20}),
                  .inflight = inflight_create(16 << 20)},
        .status = fill_status,
        .not_ready = say_not_ready,
        .recording = switch_it,
        .context = f,
        .page_directory = f->directory,
        .dashboards = dashboards_create(saved),
        .loopback = true,
    };
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(directory_remove(f->directory), 0);
    spans_store_remove(&f->web.query.store, f->traces);
    inflight_destroy(&f->web.query.inflight);
    dashboards_destroy(&f->web.dashboards);
    free(f);
    return 0;
}

static inline struct reply get(struct fixture *f, const char *path, const char *query)
{
    struct reply reply;
    struct web_request request = {.path = path, .query = query, .host = "localhost:4040"};
    web_answer(&f->web, &request, &reply);
    return reply;
}

static inline void drain(struct reply *reply)
{
    while (reply->stream.next && reply->stream.next(reply->stream.context, &reply->body))
        ;
}

static inline json_t *get_json(struct fixture *f, const char *path, const char *query,
                               unsigned status)
{
    struct reply reply = get(f, path, query);
    json_error_t error;
    drain(&reply);
    if (reply.status != status)
        fail_msg("%s?%s: %u %.*s", path, query ? query : "", reply.status, (int)reply.body.length,
                 reply.body.data);
    assert_string_equal(reply.content_type, "application/json; charset=utf-8");
    json_t *json = json_loadb(reply.body.data, reply.body.length, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        fail_msg("%s: %s in %.*s", path, error.text, (int)reply.body.length, reply.body.data);
    reply_fini(&reply);
    return json;
}

/* "spans.0.name" */
static inline const json_t *at(const json_t *json, const char *path)
{
    char copy[128], *rest = copy, *part;
    snprintf(copy, sizeof copy, "%s", path);
    while ((part = strsep(&rest, ".")) && json) {
        if (json_is_array(json))
            json = json_array_get(json, (size_t)atoi(part));
        else
            json = json_object_get(json, part);
    }
    return json;
}

static inline void assert_text(const json_t *json, const char *path, const char *expected)
{
    const json_t *found = at(json, path);
    if (!json_is_string(found))
        fail_msg("%s is no string", path);
    assert_string_equal(json_string_value(found), expected);
}

static inline void assert_number(const json_t *json, const char *path, long long expected)
{
    const json_t *found = at(json, path);
    if (!json_is_integer(found))
        fail_msg("%s is no number", path);
    assert_int_equal(json_integer_value(found), expected);
}

#define TRACE_PATH "/api/v1/traces/018f0000000000000000000000000001"

/* web → cell, which died; an attribute of each type, an event, a link, a loss. */
static inline void insert_rich_trace(struct fixture *f)
{
    struct spans s;
    spans_begin(&s);
    struct batch_builder *b = s.builder;
    double half = 0.5, nan = __builtin_nan("");
    uint64_t half_bits, nan_bits;
    memcpy(&half_bits, &half, 8);
    memcpy(&nan_bits, &nan, 8);
    uint32_t web = spans_process(&s, 1, "web");
    batch_process_attribute(b, batch_string(b, "zone", 4), VALUE_STRING, batch_string(b, "b", 1));
    uint32_t cell = spans_process_in(&s, 2, "cell", PROCESS_DIED);
    spans_add(&s, (struct span_by_hand){web, "GET /dashboard", 0, 1, .for_ms = 20,
                                        .kind = SPAN_SERVER, .status = SPAN_ERROR});
    batch_attribute(b, batch_string(b, "s", 1), VALUE_STRING, batch_string(b, "\xff<", 2));
    batch_attribute(b, batch_string(b, "i", 1), VALUE_INT, 502);
    batch_attribute(b, batch_string(b, "big", 3), VALUE_INT, (uint64_t)INT64_MIN);
    batch_attribute(b, batch_string(b, "d", 1), VALUE_DOUBLE, half_bits);
    batch_attribute(b, batch_string(b, "nan", 3), VALUE_DOUBLE, nan_bits);
    batch_attribute(b, batch_string(b, "y", 1), VALUE_BOOL, 1);
    batch_attribute(b, batch_string(b, "x", 1), VALUE_BYTES, batch_string(b, "\0\1\2", 3));
    batch_event(b, batch_string(b, "retry", 5), EPOCH - 5000);
    batch_attribute(b, batch_string(b, "n", 1), VALUE_INT, 1);
    batch_link(b, trace_by_hand(9), 77);
    spans_add(&s, (struct span_by_hand){cell, "deliver", 0, 2, 1, 5, 10, SPAN_CONSUMER, SPAN_DIED});
    batch_loss(b, web, LOSS_RING_FULL, 17, EPOCH, EPOCH + MS);
    spans_insert(&s, f->web.query.store);
}

#endif
