// SPDX-License-Identifier: Apache-2.0
/* GET /graph.png and /graph.svg: queries over a time, as a picture (docs/archive.md). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "collector/picture/picture.h"
#include "collector/query/budget.h"
#include "collector/web/prom/picture_series.h"
#include "collector/web/prom/prom.h"
#include "lib/base/clock.h"

enum { QUERIES_MOST = 16, TIMEOUT_MS = 60000, WAIT_MS = 20000, DAY_MS = 86400000 };
enum { WIDTH = 1000, HEIGHT = 420, LEAST_STEP_MS = 10000, SAMPLES_MAX = 50000000 };

struct asked {
    struct prom_call *c;
    struct picture picture;
    struct picture_lines lines;
    int64_t start_ms, end_ms, step_ms;
    uint64_t memory_bytes, deadline_ns;
};

/* ---- what is asked ----------------------------------------------------------------------- */

static bool parse_size(struct asked *a, const char *name, uint64_t least, uint64_t most,
                       uint64_t fallback, unsigned *out)
{
    char expected[80];
    uint64_t number = fallback;
    if (form_number(&a->c->form, name, &number) == 0 && number >= least && number <= most) {
        *out = (unsigned)number;
        return true;
    }
    snprintf(expected, sizeof expected, "a whole number from %llu to %llu",
             (unsigned long long)least, (unsigned long long)most);
    prom_fail_parameter(a->c, name, expected);
    return false;
}

/* The times, on multiples of a step that is whole seconds. */
static bool parse_times(struct asked *a)
{
    const struct form *f = &a->c->form;
    a->end_ms = (int64_t)(clock_unix_ns() / 1000000);
    if (form_time(f, "end", &a->end_ms) != 0) {
        prom_fail_parameter(a->c, "end", "seconds since 1970 or a time such as 2025-11-21T22:40Z");
        return false;
    }
    a->start_ms = a->end_ms - DAY_MS;
    if (form_time(f, "start", &a->start_ms) != 0 || a->start_ms < DAY_MS ||
        a->start_ms >= a->end_ms) {
        prom_fail_parameter(a->c, "start", "a time before end");
        return false;
    }
    int64_t by_width =
        (a->end_ms - a->start_ms) / (a->picture.width > 200 ? a->picture.width : 200);
    a->step_ms = by_width > LEAST_STEP_MS ? by_width : LEAST_STEP_MS;
    if (form_duration(f, "step", &a->step_ms) != 0 || a->step_ms < 1000) {
        prom_fail_parameter(a->c, "step", "a duration of at least a second");
        return false;
    }
    a->step_ms = (a->step_ms + 999) / 1000 * 1000;
    a->start_ms = (a->start_ms + a->step_ms - 1) / a->step_ms * a->step_ms;
    a->end_ms -= a->end_ms % a->step_ms;
    int64_t steps = (a->end_ms - a->start_ms) / a->step_ms + 1;
    if (steps < 2 || steps > PICTURE_STEPS_MOST) {
        prom_fail(a->c, PROM_BAD_DATA, "between start and end lie %lld steps, expected 2 to %d",
                  (long long)steps, PICTURE_STEPS_MOST);
        return false;
    }
    a->picture.start_s = a->start_ms / 1000;
    a->picture.step_s = a->step_ms / 1000;
    a->picture.steps = (size_t)steps;
    return true;
}

static bool parse_choice(struct asked *a, const char *name, const char *no, const char *yes,
                         bool *out)
{
    char expected[64];
    const char *text = form_get(&a->c->form, name);
    *out = text && strcmp(text, yes) == 0;
    if (!text || *out || strcmp(text, no) == 0)
        return true;
    snprintf(expected, sizeof expected, "%s or %s", no, yes);
    prom_fail_parameter(a->c, name, expected);
    return false;
}

static bool parse_looks(struct asked *a)
{
    struct picture *p = &a->picture;
    p->title = form_get(&a->c->form, "title");
    p->unit = form_get(&a->c->form, "unit");
    return parse_size(a, "width", PICTURE_WIDTH_LEAST, PICTURE_WIDTH_MOST, WIDTH, &p->width) &&
           parse_size(a, "height", PICTURE_HEIGHT_LEAST, PICTURE_HEIGHT_MOST, HEIGHT, &p->height) &&
           parse_choice(a, "stack", "0", "1", &p->stack) &&
           parse_choice(a, "theme", "light", "dark", &p->dark);
}

/* ---- queries ----------------------------------------------------------------------------- */

static const char *reason_of(enum promql_status status)
{
    return status == PROMQL_OK ? "no memory for so many series: aggregate them" : "no answer";
}

/* Evaluates the text; `name` (NULL: by labels) is what its series are called. */
static bool add_query(struct asked *a, const char *text, const char *name)
{
    struct promql_query *query;
    struct language_error error;
    struct promql_result result;
    struct promql_options options = {.start_ms = a->start_ms,
                                     .end_ms = a->end_ms,
                                     .step_ms = a->step_ms,
                                     .samples_max = SAMPLES_MAX,
                                     .memory_bytes_max = a->memory_bytes,
                                     .deadline_ns = a->deadline_ns};
    if (promql_parse(&a->c->arena, text, strlen(text), &query, &error) != LANGUAGE_SOUND) {
        prom_fail(a->c, PROM_BAD_DATA, "invalid parameter \"query\": %u:%u: %s", error.line,
                  error.column, error.message);
        return false;
    }
    if (query->expr->type != PROMQL_VECTOR && query->expr->type != PROMQL_SCALAR) {
        prom_fail(a->c, PROM_BAD_DATA,
                  "invalid parameter \"query\": a graph wants a scalar or an instant vector");
        return false;
    }
    enum promql_status status = promql_evaluate(query, web_source(a->c->web), &options, &result);
    bool done = status == PROMQL_OK && picture_lines_add(&a->lines, &result, text, name) == 0;
    if (!done)
        prom_fail(a->c, status == PROMQL_TIMEOUT ? PROM_TIMEOUT : PROM_EXECUTION, "%s",
                  result.message ? result.message : reason_of(status));
    promql_result_fini(&result);
    return done;
}

/* "50,99": lines of the query, which is one of histograms. */
static bool add_percentiles(struct asked *a, const char *query, const char *list)
{
    struct promql_query *parsed;
    struct language_error error;
    /* By itself first: what is put in parentheses must be one expression. */
    if (promql_parse(&a->c->arena, query, strlen(query), &parsed, &error) != LANGUAGE_SOUND)
        return add_query(a, query, NULL);
    while (*list) {
        char *end, name[32];
        double p = strtod(list, &end);
        if (end == list || !(p >= 0 && p <= 100) || (*end && *end != ',') || end - list > 8) {
            prom_fail_parameter(a->c, "percentiles", "numbers from 0 to 100 with commas between");
            return false;
        }
        snprintf(name, sizeof name, "p%.*s", (int)(end - list), list);
        size_t room = strlen(query) + 80;
        char *text = arena_alloc(&a->c->arena, room);
        if (!text) {
            prom_fail(a->c, PROM_UNAVAILABLE, "no memory");
            return false;
        }
        snprintf(text, room, "histogram_quantile(%.17g, (%s\n))", p / 100, query);
        if (!add_query(a, text, name))
            return false;
        list = *end ? end + 1 : end;
    }
    return true;
}

static bool add_queries(struct asked *a)
{
    const struct form *f = &a->c->form;
    const char *percentiles = form_get(f, "percentiles");
    unsigned queries = 0;
    for (size_t i = 0; i < f->count; i++) {
        const struct form_field *field = &f->fields[i];
        if (strcmp(field->name, "query") != 0)
            continue;
        if (++queries > QUERIES_MOST || strlen(field->value) != field->length) {
            prom_fail(a->c, PROM_BAD_DATA, "invalid parameter \"query\": more than %d, or a NUL",
                      QUERIES_MOST);
            return false;
        }
        if (percentiles ? !add_percentiles(a, field->value, percentiles)
                        : !add_query(a, field->value, NULL))
            return false;
    }
    if (queries == 0)
        prom_fail(a->c, PROM_BAD_DATA, "invalid parameter \"query\": it is missing");
    return queries > 0;
}

/* ---- marks ------------------------------------------------------------------------------- */

/* "deploy,alert", "none"; absent: deploys. -1: a word is none of them. */
static int wanted_kinds(const char *text)
{
    int kinds = 0;
    if (!text)
        return 1 << MARK_DEPLOY;
    if (strcmp(text, "none") == 0)
        return 0;
    while (*text) {
        char word[32];
        size_t length = strcspn(text, ",");
        snprintf(word, sizeof word, "%.*s", (int)length, text);
        int kind = mark_kind_parse(word);
        if (kind < 0)
            return -1;
        kinds |= 1 << kind;
        text += length + (text[length] == ',');
    }
    return kinds;
}

static char *label_of(struct arena *arena, const struct mark *m)
{
    size_t room = strlen(m->service) + strlen(m->version) + strlen(m->cell) + strlen(m->title) + 32;
    char *text = arena_alloc(arena, room);
    if (text && m->kind == MARK_DEPLOY && *m->service)
        snprintf(text, room, "%s %s%s%s", m->service, m->version, *m->cell ? " in " : "", m->cell);
    else if (text)
        snprintf(text, room, "%s%s%s", m->service, *m->service ? " " : "",
                 *m->title ? m->title : mark_kind_name(m->kind));
    return text;
}

/* The store tells the newest first. */
static bool take_marks(struct asked *a, const struct mark *list, uint32_t count, int kinds)
{
    struct arena *arena = &a->c->arena;
    struct picture_mark *marks = arena_calloc(arena, count + 1, sizeof *marks);
    for (uint32_t i = count; marks && i > 0; i--) {
        const struct mark *m = &list[i - 1];
        int64_t at_s = (int64_t)(m->from_unix_ns / 1000000000u);
        if (!(kinds & 1 << m->kind) || at_s < a->picture.start_s)
            continue;
        struct picture_mark *to = &marks[a->picture.mark_count++];
        *to = (struct picture_mark){at_s, label_of(arena, m), m->kind == MARK_DEPLOY};
        if (!to->label)
            return false;
    }
    a->picture.marks = marks;
    return marks != NULL;
}

static bool add_marks(struct asked *a)
{
    struct mark *list;
    uint32_t count;
    bool more;
    int kinds = wanted_kinds(form_get(&a->c->form, "marks"));
    struct marks_filter filter = {.from_unix_ns = (uint64_t)a->start_ms * 1000000u,
                                  .to_unix_ns = (uint64_t)a->end_ms * 1000000u,
                                  .kind = kinds == 1 << MARK_DEPLOY ? MARK_DEPLOY : -1,
                                  .service = form_get(&a->c->form, "service"),
                                  .limit = PICTURE_MARKS_MOST};
    if (kinds < 0) {
        prom_fail_parameter(a->c, "marks", "none, or kinds such as deploy,alert");
        return false;
    }
    if (kinds == 0 || !a->c->web->marks)
        return true;
    if (marks_find(a->c->web->marks, &filter, &a->c->arena, &list, &count, &more) == 0 &&
        take_marks(a, list, count, kinds))
        return true;
    prom_fail(a->c, PROM_UNAVAILABLE, "marks cannot be read: see the collector's log");
    return false;
}

/* ---- the whole --------------------------------------------------------------------------- */

static bool gather(struct asked *a)
{
    struct budget *memory = a->c->web->query.memory;
    if (memory) {
        a->memory_bytes = budget_take(memory, memory->total / 4, WAIT_MS);
        if (a->memory_bytes == 0) {
            prom_fail(a->c, PROM_UNAVAILABLE,
                      "other questions have the memory: try again in a moment");
            return false;
        }
    }
    picture_lines_init(&a->lines, &a->c->arena, a->start_ms, a->step_ms, a->picture.steps);
    bool done = add_queries(a) && add_marks(a);
    if (memory)
        budget_give(memory, a->memory_bytes);
    return done;
}

static void answer(struct asked *a)
{
    char why[300];
    struct picture *p = &a->picture;
    if (picture_lines_finish(&a->lines, p->stack, PICTURE_SERIES_MOST / 2, &p->series,
                             &p->series_count) != 0) {
        prom_fail(a->c, PROM_UNAVAILABLE, "no memory");
        return;
    }
    struct reply *reply = a->c->reply;
    buffer_clear(&reply->body);
    if (picture_draw(p, &reply->body, why, sizeof why) != 0) {
        prom_fail(a->c, PROM_UNAVAILABLE, "%s", why);
        return;
    }
    reply->content_type = p->svg ? "image/svg+xml" : "image/png";
}

static void picture(const struct api_call *call, struct reply *reply, bool svg)
{
    struct prom_call c;
    struct asked a = {.c = &c, .picture = {.svg = svg}};
    if (!prom_begin(&c, call, reply))
        return;
    a.deadline_ns = clock_monotonic_ns() + TIMEOUT_MS * UINT64_C(1000000);
    if (parse_looks(&a) && parse_times(&a) && gather(&a))
        answer(&a);
    prom_end(&c);
}

void prom_picture_png(const struct api_call *call, struct reply *reply)
{
    picture(call, reply, false);
}

void prom_picture_svg(const struct api_call *call, struct reply *reply)
{
    picture(call, reply, true);
}
