// SPDX-License-Identifier: Apache-2.0
/* GET and POST /api/v1/marks, GET /api/v1/marks/ID. */
#include <jansson.h>

#include "collector/web/api.h"
#include "lib/base/clock.h"

enum { ARENA_BLOCK_BYTES = 16 << 10, LIMIT_DEFAULT = 100, LIMIT_MOST = 10000 };

void api_put_mark(struct json_writer *w, const struct mark *m)
{
    const struct {
        const char *key, *text;
    } texts[] = {{"title", m->title},     {"text", m->text},         {"service", m->service},
                 {"version", m->version}, {"previous", m->previous}, {"cell", m->cell}};
    json_field_uint(w, "id", m->id);
    json_field_text(w, "kind", mark_kind_name(m->kind));
    json_field_unix_ns(w, "from_unix_ns", m->from_unix_ns);
    json_field_unix_ns(w, "to_unix_ns", m->to_unix_ns);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (*texts[i].text)
            json_field_text(w, texts[i].key, texts[i].text);
    json_field_uint(w, "count", m->count);
}

static void put_mark(struct json_writer *w, const struct mark *m)
{
    json_open_object(w);
    api_put_mark(w, m);
    json_close_object(w);
}

static bool parse_filter(const struct api_call *call, struct marks_filter *f, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    const char *kind = params_get(call->params, "kind");
    *f = (struct marks_filter){.kind = -1, .service = params_get(call->params, "service")};
    if (params_only(call->params, "kind service start end limit", why) != 0 ||
        params_window(call->params, &f->from_unix_ns, &f->to_unix_ns, why) != 0 ||
        params_number(call->params, "limit", 1, LIMIT_MOST, LIMIT_DEFAULT, &f->limit, why) != 0) {
        reply_error(reply, 400, "%s", why);
        return false;
    }
    if (kind && (f->kind = mark_kind_parse(kind)) < 0) {
        reply_error(reply, 400,
                    "kind: found \"%.40s\", expected note, deploy, death, alert, notification, "
                    "hot-key or process",
                    kind);
        return false;
    }
    return true;
}

void api_marks(const struct api_call *call, struct reply *reply)
{
    struct marks_filter filter;
    struct arena arena;
    struct mark *list;
    uint32_t count;
    bool more;
    if (!parse_filter(call, &filter, reply))
        return;
    arena_init(&arena, ARENA_BLOCK_BYTES);
    if (marks_find(call->web->marks, &filter, &arena, &list, &count, &more) == 0) {
        struct json_writer w = json_writer_to(&reply->body);
        json_open_object(&w);
        json_field_array(&w, "marks");
        for (uint32_t i = 0; i < count; i++)
            put_mark(&w, &list[i]);
        json_close_array(&w);
        json_field_bool(&w, "more", more);
        json_close_object(&w);
    } else {
        reply_error(reply, 503, "marks cannot be read: see the collector's log");
    }
    arena_fini(&arena);
}

static void answer_one(const struct web *web, uint64_t id, struct reply *reply)
{
    struct arena arena;
    struct mark mark;
    arena_init(&arena, ARENA_BLOCK_BYTES);
    int found = marks_get(web->marks, id, &arena, &mark);
    if (found == 1) {
        struct json_writer w = json_writer_to(&reply->body);
        put_mark(&w, &mark);
    } else if (found == 0) {
        reply_error(reply, 404, "there is no mark %llu", (unsigned long long)id);
    } else {
        reply_error(reply, 503, "marks cannot be read: see the collector's log");
    }
    arena_fini(&arena);
}

void api_mark(const struct api_call *call, struct reply *reply)
{
    char why[PARAMS_WHY_MAX], *end;
    unsigned long long id = strtoull(call->rest, &end, 10);
    if (params_only(call->params, "", why) != 0)
        reply_error(reply, 400, "%s", why);
    else if (*end || *call->rest < '0' || *call->rest > '9')
        reply_error(reply, 400, "expected a mark's number, found \"%.40s\"", call->rest);
    else
        answer_one(call->web, id, reply);
}

/* ---- making one -------------------------------------------------------------------------- */

/* A text of the body; "" where it is absent. NULL: *reply says why. */
static const char *text_of(const json_t *body, const char *key, struct reply *reply)
{
    const json_t *value = json_object_get(body, key);
    if (!value)
        return "";
    const char *text = json_string_value(value);
    if (text && json_string_length(value) <= MARK_TEXT_MAX)
        return text;
    reply_error(reply, 400, "%s: expected a text of at most %d bytes", key, MARK_TEXT_MAX);
    return NULL;
}

static bool moment_of(const json_t *body, const char *key, uint64_t *unix_ns, struct reply *reply)
{
    const char *text = text_of(body, key, reply);
    if (!text)
        return false;
    if (!*text || params_moment(text, unix_ns))
        return true;
    reply_error(reply, 400,
                "%s: found \"%.40s\", expected nanoseconds since 1970 or a time such as "
                "2025-11-21T22:40:00Z",
                key, text);
    return false;
}

static bool read_mark(const json_t *body, struct mark *m, struct reply *reply)
{
    const char *kind;
    m->from_unix_ns = clock_unix_ns();
    m->count = 1;
    if (!(kind = text_of(body, "kind", reply)) || !(m->title = text_of(body, "title", reply)) ||
        !(m->text = text_of(body, "text", reply)) ||
        !(m->service = text_of(body, "service", reply)) ||
        !(m->version = text_of(body, "version", reply)) ||
        !(m->cell = text_of(body, "cell", reply)) ||
        !moment_of(body, "from_unix_ns", &m->from_unix_ns, reply))
        return false;
    m->to_unix_ns = m->from_unix_ns;
    if (!moment_of(body, "to_unix_ns", &m->to_unix_ns, reply))
        return false;
    int number = *kind ? mark_kind_parse(kind) : MARK_NOTE;
    m->kind = (enum mark_kind)number;
    if (number != MARK_NOTE && number != MARK_DEPLOY)
        reply_error(reply, 400, "kind: found \"%.40s\", expected note or deploy", kind);
    else if (number == MARK_DEPLOY && (!*m->service || !*m->version))
        reply_error(reply, 400, "a deploy needs a service and a version");
    else if (number == MARK_NOTE && !*m->title)
        reply_error(reply, 400, "a note needs a title");
    else if (m->to_unix_ns < m->from_unix_ns)
        reply_error(reply, 400, "to_unix_ns is before from_unix_ns");
    else
        return true;
    return false;
}

static void add_mark(const struct api_call *call, const json_t *body, struct reply *reply)
{
    char title[2 * MARK_TEXT_MAX + 2];
    struct mark mark = {.id = 0};
    uint64_t id;
    if (!read_mark(body, &mark, reply))
        return;
    if (!*mark.title) {
        snprintf(title, sizeof title, "%s %s", mark.service, mark.version);
        mark.title = title;
    }
    if (marks_add(call->web->marks, &mark, &id) != 0) {
        reply_error(reply, 503, "the mark cannot be written: see the collector's log");
        return;
    }
    struct json_writer w = json_writer_to(&reply->body);
    json_open_object(&w);
    json_field_uint(&w, "id", id);
    json_close_object(&w);
}

void api_mark_add(const struct api_call *call, struct reply *reply)
{
    json_t *body = api_json_body(call, reply);
    if (body)
        add_mark(call, body, reply);
    json_decref(body);
}
