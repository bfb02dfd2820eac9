// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>

#include "collector/web/prom/prom.h"

enum { ARENA_BLOCK_BYTES = 16 << 10 };

bool prom_begin(struct prom_call *c, const struct api_call *call, struct reply *reply)
{
    const char *why;
    *c = (struct prom_call){.web = call->web,
                            .request = call->request,
                            .rest = call->rest,
                            .reply = reply,
                            .json = json_writer_to(&reply->body)};
    arena_init(&c->arena, ARENA_BLOCK_BYTES);
    if (form_parse(&c->form, &c->arena, call->request, &why) == 0)
        return true;
    prom_fail(c, PROM_BAD_DATA, "%s", why);
    prom_end(c);
    return false;
}

void prom_end(struct prom_call *c)
{
    arena_fini(&c->arena);
}

void prom_open_data(struct prom_call *c)
{
    c->json = json_writer_to(&c->reply->body);
    json_open_object(&c->json);
    json_field_text(&c->json, "status", "success");
    json_key(&c->json, "data");
}

static void put_annotations(struct json_writer *w, const char *key,
                            const struct promql_annotation *a, size_t count, bool warnings)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (a[i].warning != warnings)
            continue;
        if (!any)
            json_field_array(w, key);
        any = true;
        json_put_text(w, a[i].text);
    }
    if (any)
        json_close_array(w);
}

void prom_close_data(struct prom_call *c, const struct promql_annotation *annotations, size_t count)
{
    put_annotations(&c->json, "warnings", annotations, count, true);
    put_annotations(&c->json, "infos", annotations, count, false);
    json_close_object(&c->json);
    buffer_byte(&c->reply->body, '\n');
}

void prom_fail(struct prom_call *c, enum prom_error error, const char *format, ...)
{
    static const struct {
        const char *type;
        unsigned status;
    } errors[] = {[PROM_BAD_DATA] = {"bad_data", 400},
                  [PROM_EXECUTION] = {"execution", 422},
                  [PROM_TIMEOUT] = {"timeout", 503},
                  [PROM_UNAVAILABLE] = {"unavailable", 503},
                  [PROM_INTERNAL] = {"internal", 500}};
    char sentence[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    reply_fini(c->reply);
    c->reply->status = errors[error].status;
    c->json = json_writer_to(&c->reply->body);
    json_open_object(&c->json);
    json_field_text(&c->json, "status", "error");
    json_field_text(&c->json, "errorType", errors[error].type);
    json_field_text(&c->json, "error", sentence);
    json_close_object(&c->json);
    buffer_byte(&c->reply->body, '\n');
}

void prom_fail_parameter(struct prom_call *c, const char *name, const char *expected)
{
    const char *found = form_get(&c->form, name);
    prom_fail(c, PROM_BAD_DATA, "invalid parameter \"%s\": found \"%.100s\", expected %s", name,
              found ? found : "", expected);
}
