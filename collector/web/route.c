// SPDX-License-Identifier: Apache-2.0
#include <sodium.h>

#include "collector/web/api.h"
#include "collector/web/prom/prom.h"

enum { SMALL_BODY_BYTES = 4096, FORM_BODY_BYTES = 2 << 20 };

struct route {
    const char *path;
    bool prefix;            /* `path` begins the request's path, and something follows */
    enum web_method method; /* but for WEB_GET: of what changes something, and of that alone */
    bool open;              /* needs no token */
    api_route *answer;
    size_t body_max; /* 0: of a POST, SMALL_BODY_BYTES */
    bool form;       /* takes its parameters itself, of GET and POST alike: Prometheus' */
};

static const struct route routes[] = {
    {"/api/v1/services", false, WEB_GET, false, api_services, 0, false},
    {"/api/v1/traces", false, WEB_GET, false, api_traces, 0, false},
    {"/api/v1/traces/", true, WEB_GET, false, api_trace, 0, false},
    {"/api/v1/search", false, WEB_GET, false, api_search, 0, false},
    {"/api/v1/measure", false, WEB_GET, false, api_measure, 0, false},
    {"/api/v1/firehose", false, WEB_GET, false, api_firehose, 0, false},
    {"/api/v1/tags", false, WEB_GET, false, api_tags, 0, false},
    {"/api/v1/tags/", true, WEB_GET, false, api_tag_values, 0, false},
    {"/api/v1/analysis/phases", false, WEB_GET, false, api_phases, 0, false},
    {"/api/v1/analysis/diff", false, WEB_GET, false, api_diff, 0, false},
    {"/api/v1/graph", false, WEB_GET, false, api_graph, 0, false},
    {"/api/v1/analysis/traces/", true, WEB_GET, false, api_explain, 0, false},
    {"/api/v1/inflight", false, WEB_GET, false, api_inflight, 0, false},
    {"/api/v1/status", false, WEB_GET, false, api_status, 0, false},
    {"/api/v1/page", false, WEB_GET, false, api_page, 0, false},
    {"/api/v1/marks", false, WEB_GET, false, api_marks, 0, false},
    {"/api/v1/marks", false, WEB_POST, false, api_mark_add, 0, false},
    {"/api/v1/deploys/", true, WEB_GET, false, api_deploy, 0, false},
    {"/api/v1/marks/", true, WEB_GET, false, api_mark, 0, false},
    {"/api/v1/caches", false, WEB_GET, false, api_caches, 0, false},
    {"/api/v1/caches/", true, WEB_GET, false, api_cache_rest, 0, false},
    {"/api/v1/dashboards", false, WEB_GET, false, api_dashboards, 0, false},
    {"/api/v1/dashboards/", true, WEB_GET, false, api_dashboard, 0, false},
    {"/api/v1/dashboards/", true, WEB_PUT, false, api_dashboard_put, DASHBOARD_BYTES_MAX, false},
    {"/api/v1/dashboards/", true, WEB_DELETE, false, api_dashboard_delete, 0, false},
    {"/api/v1/recording", false, WEB_POST, false, api_recording, 0, false},
    {"/v1/traces", false, WEB_POST, false, api_import, 16 << 20, false},
    {"/api/v1/query", false, WEB_GET, false, prom_query, FORM_BODY_BYTES, true},
    {"/api/v1/query_range", false, WEB_GET, false, prom_query_range, FORM_BODY_BYTES, true},
    {"/api/v1/query_exemplars", false, WEB_GET, false, prom_exemplars, FORM_BODY_BYTES, true},
    {"/api/v1/format_query", false, WEB_GET, false, prom_format_query, FORM_BODY_BYTES, true},
    {"/api/v1/series", false, WEB_GET, false, prom_series, FORM_BODY_BYTES, true},
    {"/api/v1/labels", false, WEB_GET, false, prom_labels, FORM_BODY_BYTES, true},
    {"/api/v1/label/", true, WEB_GET, false, prom_label_values, FORM_BODY_BYTES, true},
    {"/api/v1/metadata", false, WEB_GET, false, prom_metadata, 0, true},
    {"/api/v1/rules", false, WEB_GET, false, prom_rules, 0, true},
    {"/api/v1/alerts", false, WEB_GET, false, prom_alerts, 0, true},
    {"/api/v1/status/buildinfo", false, WEB_GET, false, prom_buildinfo, 0, true},
    {"/api/v1/status/runtimeinfo", false, WEB_GET, false, prom_runtimeinfo, 0, true},
    {"/api/v1/status/tsdb", false, WEB_GET, false, prom_tsdb, 0, true},
    {"/api/v1/status/flags", false, WEB_GET, false, prom_flags, 0, true},
    {"/api/v1/write", false, WEB_POST, false, prom_write, 32 << 20, true},
    {"/api/v1/admin/tsdb/delete_series", false, WEB_POST, false, prom_delete_series,
     FORM_BODY_BYTES, true},
    {"/api/v1/admin/tsdb/clean_tombstones", false, WEB_POST, false, prom_clean_tombstones,
     FORM_BODY_BYTES, true},
    {"/graph.png", false, WEB_GET, false, prom_picture_png, FORM_BODY_BYTES, true},
    {"/graph.svg", false, WEB_GET, false, prom_picture_svg, FORM_BODY_BYTES, true},
    {"/federate", false, WEB_GET, false, prom_federate, 0, true},
    {"/metrics", false, WEB_GET, false, api_metrics, 0, false},
    {"/healthz", false, WEB_GET, true, api_healthz, 0, false},
    {"/readyz", false, WEB_GET, true, api_readyz, 0, false},
};

static bool is_at(const struct route *r, const char *path)
{
    size_t length = strlen(r->path);
    return r->prefix ? strncmp(path, r->path, length) == 0 && path[length]
                     : strcmp(path, r->path) == 0;
}

static bool method_allowed(const struct route *r, enum web_method method)
{
    return method == r->method ||
           (r->method == WEB_GET && (method == WEB_HEAD || (r->form && method == WEB_POST)));
}

/* What the path answers: its route for GET is before those that change something. */
static const char *allowed(const struct route *r)
{
    if (r->answer == api_dashboard)
        return "GET, HEAD, PUT, DELETE";
    if (r->method == WEB_POST)
        return "POST";
    return r->form ? "GET, HEAD, POST" : "GET, HEAD";
}

/* The one for this method; else one that answers another; NULL. */
static const struct route *find_route(const char *path, enum web_method method)
{
    const struct route *other = NULL;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const struct route *r = &routes[i];
        if (!is_at(r, path))
            continue;
        if (method_allowed(r, method))
            return r;
        other = other ? other : r;
    }
    return other;
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

/* One of the configuration's names. */
static bool is_listed(const struct web *w, const char *host, size_t length)
{
    for (const char *name = w->hosts; name && *name;) {
        size_t name_length = strcspn(name, ", ");
        if (name_length > 0 && host_is(host, length, name, name_length))
            return true;
        name += name_length;
        name += strspn(name, ", ");
    }
    return false;
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
    return is_listed(w, host, length);
}

/* A page of another site may send a form or plain text here without asking anybody first: it does
 * not see the answer, but what it wants is done. Its browser says where it comes from; curl, agents
 * and Prometheus say nothing. A proxy may ask under a Host of its own: then `hosts` has the name.
 */
static bool is_of_our_page(const struct web *w, const struct web_request *request)
{
    const char *origin = request->origin;
    if (request->fetch_site && strcasecmp(request->fetch_site, "cross-site") == 0)
        return false;
    if (!origin)
        return true;
    const char *scheme_end = strstr(origin, "://");
    if (!scheme_end) /* "null": of a sandbox, a file */
        return false;
    const char *host = scheme_end + 3;
    return (request->host && strcasecmp(host, request->host) == 0) ||
           is_listed(w, host, host_name_length(host));
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
        const char *allow = allowed(r);
        reply_error(reply, 405, "this path answers %s", allow);
        reply->allow = allow;
        return false;
    }
    if (r && r->method != WEB_GET && !is_of_our_page(w, request)) {
        reply_error(reply, 403,
                    "this changes something, and a page of another site (%.100s) asks for it: "
                    "only the collector's own page may, and programs, which send no Origin",
                    request->origin ? request->origin : "no Origin");
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
    const struct route *r = find_route(request->path, request->method);
    *reply = REPLY_EMPTY;
    *body_max = r && r->body_max ? r->body_max : SMALL_BODY_BYTES;
    return admits(w, r, request, reply);
}

static void answer_route(const struct web *w, const struct route *r,
                         const struct web_request *request, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    struct params params = {.count = 0};
    if (!r->form && params_parse(&params, request->query, why) != 0) {
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
    const struct route *r = find_route(request->path, request->method);
    if (!admits(w, r, request, reply))
        return;
    if (r)
        answer_route(w, r, request, reply);
    else
        page_answer(w, request, reply);
}
