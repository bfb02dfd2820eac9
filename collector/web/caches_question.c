// SPDX-License-Identifier: Apache-2.0
#include "collector/web/caches_question.h"

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/codec/key_text.h"

#define RANGE_NS    UINT64_C(300000000000)
#define DEADLINE_NS UINT64_C(20000000000)
#define MS_NS       UINT64_C(1000000)

bool caches_question(const struct api_call *call, const char *others, struct caches_filter *filter,
                     struct reply *reply)
{
    char why[PARAMS_WHY_MAX], known[128];
    uint64_t range_ns = RANGE_NS, start_ns, end_ns;
    if (!call->web->caches) {
        reply_error(reply, 404, "no windows of caches are kept here");
        return false;
    }
    snprintf(known, sizeof known, "host protocol range start end %s", others);
    if (params_only(call->params, known, why) != 0 ||
        params_duration(call->params, "range", &range_ns, why) != 0 ||
        params_window(call->params, &start_ns, &end_ns, why) != 0) {
        reply_error(reply, 400, "%s", why);
        return false;
    }
    if (params_get(call->params, "start") && params_get(call->params, "range")) {
        reply_error(reply, 400, "say either range or start");
        return false;
    }
    if (!params_get(call->params, "end"))
        end_ns = clock_unix_ns();
    if (!params_get(call->params, "start"))
        start_ns = end_ns > range_ns ? end_ns - range_ns : 0;
    *filter = (struct caches_filter){.host = params_get(call->params, "host"),
                                     .protocol = params_get(call->params, "protocol"),
                                     .from_unix_ms = (int64_t)(start_ns / MS_NS),
                                     .to_unix_ms = (int64_t)(end_ns / MS_NS),
                                     .deadline_ns = clock_monotonic_ns() + DEADLINE_NS};
    if (start_ns < end_ns)
        return true;
    reply_error(reply, 400, "the end is not after the start");
    return false;
}

void caches_put_time(struct json_writer *w, const struct caches_filter *filter)
{
    json_field_unix_ns(w, "start_unix_ns", (uint64_t)filter->from_unix_ms * MS_NS);
    json_field_unix_ns(w, "end_unix_ns", (uint64_t)filter->to_unix_ms * MS_NS);
}

void caches_put_key(struct json_writer *w, const struct window_entry *e)
{
    struct buffer text = {0};
    bool escaped = key_text(&text, e->key);
    json_field_string(w, "key", text.data, text.length);
    if (escaped)
        json_field_bool(w, "escaped", true);
    if (e->full_length > e->key.length)
        json_field_uint(w, "length", e->full_length);
    w->out->failed |= text.failed;
    buffer_fini(&text);
}

void caches_unreadable(struct reply *reply, int error)
{
    reply_error(reply, 503,
                error == CACHES_ETIME
                    ? "that takes too long: ask for less time, or for one cache"
                    : "windows of caches cannot be read: see the collector's log");
}
