// SPDX-License-Identifier: Apache-2.0
/* GET /api/v1/tags and /api/v1/tags/{name}/values: what a TraceQL query can ask for, for
 * completion. Names are as in TraceQL: span.http.method, resource.service.name, name, status. */
#include <stdlib.h>
#include <time.h>

#include "collector/query/tags.h"
#include "collector/web/api.h"
#include "lib/base/clock.h"

enum { NAMES_DEFAULT = 500, NAMES_MOST = 10000, TIME_MS = 500, NAME_MAX_BYTES = 1024 };

static const char *const scope_names[TAG_SCOPES] = {"resource", "span", "event", "link"};

static const char *const intrinsics[] = {"name",
                                         "status",
                                         "statusMessage",
                                         "kind",
                                         "duration",
                                         "traceDuration",
                                         "rootName",
                                         "rootServiceName",
                                         "childCount",
                                         "nestedSetLeft",
                                         "nestedSetRight",
                                         "nestedSetParent",
                                         "span:id",
                                         "span:parentID",
                                         "trace:id",
                                         "event:name",
                                         "event:timeSinceStart",
                                         "link:traceID",
                                         "link:spanID",
                                         "instrumentation:name",
                                         "instrumentation:version"};

struct asking {
    struct scan *scan;
    struct tag_limits limits;
};

static bool open_scan(const struct api_call *call, const char *known, struct asking *a,
                      struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    uint32_t limit;
    uint64_t start, end;
    if (params_only(call->params, known, why) != 0 ||
        params_number(call->params, "limit", 1, NAMES_MOST, NAMES_DEFAULT, &limit, why) != 0 ||
        params_window(call->params, &start, &end, why) != 0) {
        reply_error(reply, 400, "%s", why);
        return false;
    }
    a->limits = (struct tag_limits){
        .names = limit,
        .deadline_monotonic_ns = clock_monotonic_ns() + TIME_MS * UINT64_C(1000000),
    };
    a->scan = scan_create(&call->web->query, start, end, clock_unix_ns());
    if (!a->scan)
        reply_no_memory(reply);
    return a->scan != NULL;
}

static void put_intrinsics(struct json_writer *w)
{
    json_field_array(w, "intrinsic");
    for (size_t i = 0; i < sizeof intrinsics / sizeof *intrinsics; i++)
        json_put_text(w, intrinsics[i]);
    json_close_array(w);
}

void api_tags(const struct api_call *call, struct reply *reply)
{
    struct asking a;
    struct tags tags;
    const char *scope = params_get(call->params, "scope");
    bool known = !scope || strcmp(scope, "intrinsic") == 0;
    for (int i = 0; i < TAG_SCOPES; i++)
        known = known || strcmp(scope, scope_names[i]) == 0;
    if (!known) {
        reply_error(reply, 400,
                    "scope: found \"%.20s\", expected resource, span, event, link or intrinsic",
                    scope);
        return;
    }
    if (!open_scan(call, "scope start end limit", &a, reply))
        return;
    if (tags_list(a.scan, &a.limits, &tags) == 0) {
        struct json_writer w = json_writer_to(&reply->body);
        json_open_object(&w);
        json_field_object(&w, "tags");
        for (int i = 0; i < TAG_SCOPES; i++) {
            if (scope && strcmp(scope, scope_names[i]) != 0)
                continue;
            json_field_array(&w, scope_names[i]);
            for (uint32_t n = 0; n < tags.key_count[i]; n++)
                json_put_string(&w, tags.keys[i][n].bytes, tags.keys[i][n].length);
            json_close_array(&w);
        }
        if (!scope || strcmp(scope, "intrinsic") == 0)
            put_intrinsics(&w);
        json_close_object(&w);
        json_field_bool(&w, "all", tags.all);
        json_close_object(&w);
        buffer_byte(&reply->body, '\n');
        tags_fini(&tags);
    } else {
        reply_no_memory(reply);
    }
    scan_destroy(&a.scan);
}

/* ---- values ------------------------------------------------------------------------------ */

static void put_value(struct json_writer *w, const struct tag_value *v)
{
    static const char *const types[VALUE_TYPES] = {"string", "int", "double", "bool", "bytes"};
    double number;
    json_open_object(w);
    json_field_text(w, "type", types[v->type]);
    json_key(w, "value");
    memcpy(&number, &v->bits, sizeof number);
    switch (v->type) {
    case VALUE_INT:
        json_put_int(w, (int64_t)v->bits);
        break;
    case VALUE_DOUBLE:
        json_put_double(w, number);
        break;
    case VALUE_BOOL:
        json_put_bool(w, v->bits != 0);
        break;
    case VALUE_BYTES:
        json_put_base64(w, v->text.bytes, v->text.length);
        break;
    default:
        json_put_string(w, v->text.bytes, v->text.length);
    }
    json_field_uint(w, "count", v->count);
    json_close_object(w);
}

static void put_values(struct json_writer *w, const struct tags *tags)
{
    json_open_object(w);
    json_field_array(w, "values");
    for (uint32_t i = 0; i < tags->value_count; i++)
        put_value(w, &tags->values[i]);
    json_close_array(w);
    json_field_bool(w, "all", tags->all);
    json_close_object(w);
}

/* What has but few values, always the same. */
static bool put_fixed(const char *name, struct reply *reply)
{
    static const struct {
        const char *name;
        unsigned count;
        const char *(*text)(unsigned);
    } fixed[] = {{"status", SPAN_STATUSES, span_status_name}, {"kind", SPAN_KINDS, span_kind_name}};
    struct json_writer w = json_writer_to(&reply->body);
    for (size_t f = 0; f < sizeof fixed / sizeof *fixed; f++) {
        if (strcmp(name, fixed[f].name) != 0)
            continue;
        json_open_object(&w);
        json_field_array(&w, "values");
        for (unsigned i = 0; i < fixed[f].count; i++) {
            json_open_object(&w);
            json_field_text(&w, "type", "keyword");
            json_field_text(&w, "value", fixed[f].text(i));
            json_close_object(&w);
        }
        json_close_array(&w);
        json_field_bool(&w, "all", true);
        json_close_object(&w);
        buffer_byte(&reply->body, '\n');
        return true;
    }
    return false;
}

/* -2: there is no such name. */
static int find_values(const struct asking *a, const char *name, struct tags *tags)
{
    for (int scope = 0; scope < TAG_SCOPES; scope++) {
        size_t length = strlen(scope_names[scope]);
        if (strncmp(name, scope_names[scope], length) == 0 && name[length] == '.' &&
            name[length + 1])
            return tags_values(a->scan, (enum tag_scope)scope, name + length + 1, &a->limits, tags);
    }
    if (strcmp(name, "name") == 0 || strcmp(name, "rootName") == 0)
        return tags_intrinsic(a->scan, "name", &a->limits, tags);
    if (strcmp(name, "rootServiceName") == 0)
        return tags_intrinsic(a->scan, "service", &a->limits, tags);
    if (strcmp(name, "statusMessage") == 0)
        return tags_intrinsic(a->scan, "statusMessage", &a->limits, tags);
    return -2;
}

void api_tag_values(const struct api_call *call, struct reply *reply)
{
    static const char suffix[] = "/values";
    char name[NAME_MAX_BYTES];
    struct asking a;
    struct tags tags;
    size_t length = strlen(call->rest), most = sizeof suffix - 1 + sizeof name;
    if (length <= sizeof suffix - 1 || length >= most ||
        strcmp(call->rest + length - (sizeof suffix - 1), suffix) != 0) {
        reply_error(reply, 404, "expected /api/v1/tags/NAME/values");
        return;
    }
    length -= sizeof suffix - 1;
    memcpy(name, call->rest, length);
    name[length] = 0;
    if (put_fixed(name, reply) || !open_scan(call, "start end limit", &a, reply))
        return;
    int result = find_values(&a, name, &tags);
    if (result == 0) {
        struct json_writer w = json_writer_to(&reply->body);
        put_values(&w, &tags);
        buffer_byte(&reply->body, '\n');
        tags_fini(&tags);
    } else if (result == -2) {
        reply_error(reply, 404,
                    "no values are listed for \"%.100s\": expected name, status, kind, "
                    "statusMessage, rootName, rootServiceName, or an attribute with its scope "
                    "such as span.http.method",
                    name);
    } else {
        reply_no_memory(reply);
    }
    scan_destroy(&a.scan);
}
