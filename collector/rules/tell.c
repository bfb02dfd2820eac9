// SPDX-License-Identifier: Apache-2.0
#include "collector/rules/tell.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "collector/query/promql/print.h"
#include "lib/base/json_writer.h"

enum { MARKS_LOOKED_AT = 1000, RESUME_WITHIN_MS = 300000 };

void rule_print_time(int64_t unix_ms, char out[40])
{
    struct tm tm;
    time_t seconds = (time_t)(unix_ms / 1000);
    gmtime_r(&seconds, &tm);
    size_t length = strftime(out, 40, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + length, 40 - length, ".%03dZ", (int)(unix_ms % 1000));
}

/* ---- marks ------------------------------------------------------------------------------- */

static char *label_text(const struct labels *l, const char *name, const char *other)
{
    struct batch_str v = labels_get_text(l, name);
    if (v.length == 0 && other)
        v = labels_get_text(l, other);
    return strndup(v.length ? v.bytes : "", v.length);
}

/* The newest mark of the same alert that may be still going on; 0: none. */
static uint64_t find_mark(struct marks *marks, const char *title, const char *text, int64_t from_ms,
                          int64_t to_ms)
{
    struct arena arena;
    struct mark *list;
    uint32_t count = 0;
    bool more;
    uint64_t id = 0;
    struct marks_filter filter = {.from_unix_ns = (uint64_t)from_ms * 1000000,
                                  .to_unix_ns = (uint64_t)to_ms * 1000000,
                                  .kind = MARK_ALERT,
                                  .limit = MARKS_LOOKED_AT};
    arena_init(&arena, 4096);
    if (marks_find(marks, &filter, &arena, &list, &count, &more) == 0)
        for (uint32_t i = 0; i < count && id == 0; i++)
            if (strcmp(list[i].title, title) == 0 && strcmp(list[i].text, text) == 0)
                id = list[i].id;
    arena_fini(&arena);
    return id;
}

static void begin_mark(struct teller *t, const struct rule *rule, struct alert *a)
{
    struct buffer text = {0};
    promql_print_labels(&text, a->labels);
    if (text.length > MARK_TEXT_MAX)
        text.length = MARK_TEXT_MAX;
    char *service = label_text(a->labels, "service", "service_name");
    char *cell = label_text(a->labels, "cell", NULL);
    char *version = label_text(a->labels, "version", NULL);
    uint64_t fired_ns = (uint64_t)a->fired_ms * 1000000;
    struct mark mark = {.kind = MARK_ALERT,
                        .from_unix_ns = fired_ns,
                        .to_unix_ns = fired_ns,
                        .title = rule->name,
                        .text = buffer_cstring(&text),
                        .service = service,
                        .version = version,
                        .cell = cell,
                        .count = 1};
    if (service && cell && version) {
        if (a->fired_ms - t->started_ms < RESUME_WITHIN_MS)
            a->mark = find_mark(t->marks, mark.title, mark.text, t->started_ms - t->resume_ms,
                                a->fired_ms);
        if (a->mark == 0 && marks_add(t->marks, &mark, &a->mark) != 0)
            a->mark = 0;
    }
    a->mark_to_ms = (uint64_t)a->fired_ms;
    buffer_fini(&text);
    free(service);
    free(cell);
    free(version);
}

/* What the database does not take now is owed, and tried again at the next evaluation. */
static void tell_marks(struct teller *t, const struct rule *rule, struct alert *a, int64_t unix_ms)
{
    bool fires = a->state == ALERT_FIRING, fired = a->told == ALERT_FIRING;
    if ((fires && !fired) || a->mark_owed) {
        begin_mark(t, rule, a);
        a->mark_owed = a->mark == 0;
    }
    bool goes_on = fires && unix_ms - (int64_t)a->mark_to_ms >= ALERT_RESEND_MS;
    if (a->mark != 0 && (!fires || goes_on)) {
        uint64_t to_ms = (uint64_t)(fires ? unix_ms : a->resolved_ms);
        if (marks_end(t->marks, a->mark, to_ms * 1000000) != 0)
            return;
        a->mark_to_ms = (uint64_t)unix_ms;
    }
    if (!fires)
        a->mark = 0;
    a->told = a->state;
}

/* ---- messages ---------------------------------------------------------------------------- */

static void put_pairs(struct json_writer *w, const char *key, const struct labels *l)
{
    char name[LABEL_NAME_BYTES_MAX + 1];
    json_field_object(w, key);
    for (uint32_t i = 0; i < l->count; i++) {
        snprintf(name, sizeof name, "%.*s", (int)l->items[i].name.length, l->items[i].name.bytes);
        json_field_string(w, name, l->items[i].value.bytes, l->items[i].value.length);
    }
    json_close_object(w);
}

static void put_source(struct json_writer *w, const char *url, const char *expr)
{
    struct buffer text = {0};
    buffer_printf(&text, "%s/api/v1/query?query=", url);
    for (; *expr; expr++)
        if (isalnum((unsigned char)*expr) || strchr("-_.~", *expr))
            buffer_byte(&text, *expr);
        else
            buffer_printf(&text, "%%%02X", (unsigned char)*expr);
    json_field_text(w, "generatorURL", buffer_cstring(&text));
    buffer_fini(&text);
}

static bool is_due(const struct alert *a, int64_t unix_ms)
{
    if (a->state == ALERT_PENDING || (a->state == ALERT_INACTIVE && a->resolved_ms == 0))
        return false;
    if (a->resolved_ms > a->sent_ms)
        return true;
    return unix_ms - a->sent_ms >= ALERT_RESEND_MS;
}

static void send(struct teller *t, const struct rule *rule, int64_t interval_ms, struct alert *a,
                 int64_t unix_ms)
{
    struct buffer text = {0};
    struct json_writer w = json_writer_to(&text);
    char time[40];
    int64_t valid_ms = 4 * (interval_ms > ALERT_RESEND_MS ? interval_ms : ALERT_RESEND_MS);
    json_open_object(&w);
    put_pairs(&w, "labels", a->labels);
    put_pairs(&w, "annotations", a->annotations);
    rule_print_time(a->fired_ms, time);
    json_field_text(&w, "startsAt", time);
    rule_print_time(a->state == ALERT_FIRING ? unix_ms + valid_ms : a->resolved_ms, time);
    json_field_text(&w, "endsAt", time);
    put_source(&w, t->url, rule->expr);
    json_close_object(&w);
    if (!text.failed)
        notifier_put(t->notifier, text.data, text.length);
    buffer_fini(&text);
    a->sent_ms = unix_ms;
}

void teller_tell(struct teller *t, const struct rule *rule, int64_t group_interval_ms,
                 struct alert *a, int64_t unix_ms)
{
    if (t->marks)
        tell_marks(t, rule, a, unix_ms);
    if (is_due(a, unix_ms))
        send(t, rule, group_interval_ms, a, unix_ms);
}
