// SPDX-License-Identifier: Apache-2.0
#include <sodium.h>

#include "collector/web/api.h"

enum { SMALL_BODY_BYTES = 4096 };

struct route {
    const char *path;
    bool prefix; /* `path` begins the request's path, and something follows */
    enum web_method method;
    bool open; /* needs no token */
    api_route *answer;
    size_t body_max; /* 0: of a POST, SMALL_BODY_BYTES */
};

static const struct route routes[] = {
    {"/api/v1/services", false, WEB_GET, false, api_services, 0},
    {"/api/v1/traces", false, WEB_GET, false, api_traces, 0},
    {"/api/v1/traces/", true, WEB_GET, false, api_trace, 0},
    {"/api/v1/search", false, WEB_GET, false, api_search, 0},
    {"/api/v1/measure", false, WEB_GET, false, api_measure, 0},
    {"/api/v1/firehose", false, WEB_GET, false, api_firehose, 0},
    {"/api/v1/tags", false, WEB_GET, false, api_tags, 0},
    {"/api/v1/tags/", true, WEB_GET, false, api_tag_values, 0},
    {"/api/v1/analysis/phases", false, WEB_GET, false, api_phases, 0},
    {"/api/v1/analysis/diff", false, WEB_GET, false, api_diff, 0},
    {"/api/v1/graph", false, WEB_GET, false, api_graph, 0},
    {"/api/v1/analysis/traces/", true, WEB_GET, false, api_explain, 0},
    {"/api/v1/inflight", false, WEB_GET, false, api_inflight, 0},
    {"/api/v1/status", false, WEB_GET, false, api_status, 0},
    {"/api/v1/recording", false, WEB_POST, false, api_recording, 0},
    {"/v1/traces", false, WEB_POST, false, api_import, 16 << 20},
    {"/metrics", false, WEB_GET, false, api_metrics, 0},
    {"/healthz", false, WEB_GET, true, api_healthz, 0},
    {"/readyz", false, WEB_GET, true, api_readyz, 0},
};

static const struct route *find_route(const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const struct route *r = &routes[i];
        size_t length = strlen(r->path);
        if (r->prefix ? strncmp(path, r->path, length) == 0 && path[length]
                      : strcmp(path, r->path) == 0)
            return r;
    }
    return NULL;
}

/* ---- who may ask ------------------------------------------------------------------------- */

/* The name in "name:port" is `name`. */
static bool host_is(const char *host, size_t length, const char *name, size_t name_length)
{
    return length == name_length && strncasecmp(host, name, length) == 0;
}

static size_t host_name_length(const char *host)
{
    if (*host == '[') {
        const char *end = strchr(host, ']');
        return end ? (size_t)(end - host) + 1 : strlen(host);
    }
    return strcspn(host, ":");
}

/* On loopback a page of another site could reach us under its own name (DNS rebinding). */
static bool host_allowed(const struct web *w, const char *host)
{
    static const char *const own[] = {"localhost", "127.0.0.1", "[::1]"};
    if (!w->loopback)
        return true;
    if (!host)
        return false;
    size_t length = host_name_length(host);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (host_is(host, length, own[i], strlen(own[i])))
            return true;
    }
    for (const char *name = w->hosts; name && *name;) {
        size_t name_length = strcspn(name, ", ");
        if (name_length > 0 && host_is(host, length, name, name_length))
            return true;
        name += name_length;
        name += strspn(name, ", ");
    }
    return false;
}

/* Takes the same time for every wrong token. */
static bool token_matches(const struct web *w, const char *authorization)
{
    char given[WEB_TOKEN_MAX] = "", expected[WEB_TOKEN_MAX] = "";
    static const char scheme[] = "Bearer ";
    if (!authorization || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
        return false;
    authorization += sizeof scheme - 1;
    if (strlen(authorization) >= sizeof given)
        return false;
    memcpy(given, authorization, strlen(authorization));
    strncpy(expected, w->token, sizeof expected - 1);
    return sodium_memcmp(given, expected, sizeof given) == 0;
}

static bool method_allowed(const struct route *r, enum web_method method)
{
    return method == r->method || (r->method == WEB_GET && method == WEB_HEAD);
}

/* ---- the answer -------------------------------------------------------------------------- */

/* Whether the route answers this request at all; else *reply says why not. */
static bool admits(const struct web *w, const struct route *r, const struct web_request *request,
                   struct reply *reply)
{
    if (!host_allowed(w, request->host)) {
        reply_error(reply, 421,
                    "asked for as \"%.100s\", expected localhost or 127.0.0.1: add other names to "
                    "the configuration's http-hosts",
                    request->host ? request->host : "");
        return false;
    }
    if (r && !method_allowed(r, request->method)) {
        const char *allow = r->method == WEB_POST ? "POST" : "GET, HEAD";
        reply_error(reply, 405, "this path answers %s", allow);
        reply->allow = allow;
        return false;
    }
    if (r && !r->open && w->token && !token_matches(w, request->authorization)) {
        reply_error(reply, 401,
                    "send the header Authorization: Bearer TOKEN with the collector's "
                    "token");
        reply->authenticate = "Bearer";
        return false;
    }
    if (!r && strncmp(request->path, "/api/", 5) == 0) {
        reply_error(reply, 404, "there is no such call: see docs/api.md");
        return false;
    }
    if (!r && request->method != WEB_GET && request->method != WEB_HEAD) {
        reply_error(reply, 405, "this path answers GET, HEAD");
        reply->allow = "GET, HEAD";
        return false;
    }
    return true;
}

bool web_admits(const struct web *w, const struct web_request *request, size_t *body_max,
                struct reply *reply)
{
    const struct route *r = find_route(request->path);
    *reply = REPLY_EMPTY;
    *body_max = r && r->body_max ? r->body_max : SMALL_BODY_BYTES;
    return admits(w, r, request, reply);
}

static void answer_route(const struct web *w, const struct route *r,
                         const struct web_request *request, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    struct params params;
    if (params_parse(&params, request->query, why) != 0) {
        reply_error(reply, 400, "%s", why);
    } else {
        struct api_call call = {w, request, &params, request->path + strlen(r->path)};
        r->answer(&call, reply);
    }
    if (reply->body.failed)
        reply_no_memory(reply);
}

void web_answer(const struct web *w, const struct web_request *request, struct reply *reply)
{
    *reply = REPLY_EMPTY;
    const struct route *r = find_route(request->path);
    if (!admits(w, r, request, reply))
        return;
    if (r)
        answer_route(w, r, request, reply);
    else
        page_answer(w, request, reply);
}
