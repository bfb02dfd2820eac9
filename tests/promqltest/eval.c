// SPDX-License-Identifier: Apache-2.0
/* `eval` and the lines behind it: what is asked, and what is expected. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/promqltest/script.h"

static bool fail(char why[200], const char *kind, const char *what)
{
    snprintf(why, 200, "%s: %.120s", kind, what);
    return false;
}

/* Whether the word stands here, with a space or the end behind it; moves past both. */
static bool take(const char **at, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*at, word, length) != 0 ||
        ((*at)[length] && !isspace((unsigned char)(*at)[length])))
        return false;
    *at += length;
    while (isspace((unsigned char)**at))
        (*at)++;
    return true;
}

static bool take_duration(const char **at, int64_t *ms)
{
    if (!values_read_duration(at, ms))
        return false;
    while (isspace((unsigned char)**at))
        (*at)++;
    return true;
}

/* ---- the command ------------------------------------------------------------------------- */

static void take_older_spelling(const char **at, struct evaluated *e)
{
    static const char *const words[] = {"eval_fail", "eval_warn", "eval_info", "eval_ordered"};
    for (size_t i = 0; i < 4; i++) {
        if (!take(at, words[i]))
            continue;
        e->fails = i == 0;
        e->warnings.wanted = i == 1;
        e->infos.wanted = i == 2;
        e->ordered = i == 3;
        return;
    }
    take(at, "eval");
}

static bool read_command(const char *at, struct evaluated *e)
{
    take_older_spelling(&at, e);
    if (take(&at, "instant")) {
        if (!take(&at, "at") || !take_duration(&at, &e->start_ms))
            return false;
        e->end_ms = e->from_ms = e->start_ms;
        e->expr = at;
        return *at;
    }
    e->range = true;
    if (!take(&at, "range") || !take(&at, "from") || !take_duration(&at, &e->start_ms) ||
        !take(&at, "to") || !take_duration(&at, &e->end_ms) || !take(&at, "step") ||
        !take_duration(&at, &e->step_ms))
        return false;
    e->from_ms = e->start_ms;
    e->gap_ms = e->step_ms;
    e->expr = at;
    return *at;
}

/* ---- what is expected -------------------------------------------------------------------- */

static struct expected_text read_text(const char *at)
{
    bool exact = strncmp(at, "msg:", 4) == 0, pattern = strncmp(at, "regex:", 6) == 0;
    if (!exact && !pattern)
        return (struct expected_text){TEXT_ANY, ""};
    at += exact ? 4 : 6;
    while (isspace((unsigned char)*at))
        at++;
    return (struct expected_text){exact ? TEXT_EXACT : TEXT_PATTERN, at};
}

static void want(struct expected_texts *t, const char *at)
{
    t->wanted = true;
    if (t->count < EXPECTED_TEXTS_MAX)
        t->list[t->count++] = read_text(at);
}

static bool read_range_vector(struct evaluated *e, const char *at)
{
    int64_t to;
    e->range_vector = true;
    return take(&at, "from") && take_duration(&at, &e->from_ms) && take(&at, "to") &&
           take_duration(&at, &to) && take(&at, "step") && take_duration(&at, &e->gap_ms);
}

static bool read_expect(struct script *s, struct evaluated *e, const char *at, char why[200])
{
    if (take(&at, "ordered")) {
        e->ordered = true;
    } else if (take(&at, "fail")) {
        e->fails = true;
        e->failure = read_text(at);
    } else if (take(&at, "warn")) {
        want(&e->warnings, at);
    } else if (take(&at, "info")) {
        want(&e->infos, at);
    } else if (take(&at, "no_warn")) {
        e->warnings.unwanted = true;
    } else if (take(&at, "no_info")) {
        e->infos.unwanted = true;
    } else if (take(&at, "string")) {
        e->string = true;
        return values_unquote(&s->arena, at, &e->text) || fail(why, "no string", at);
    } else if (take(&at, "range") && take(&at, "vector")) {
        return read_range_vector(e, at) || fail(why, "no range vector", at);
    } else {
        return fail(why, "nothing that can be expected", at);
    }
    return true;
}

static bool read_scalar(const char *line, struct evaluated *e)
{
    char *end;
    double number = strtod(line, &end);
    if (end == line || *end)
        return false;
    e->scalar = true;
    e->number = number;
    return true;
}

static bool read_series(struct script *s, struct evaluated *e, const char *line, char why[200])
{
    struct expected_series *x = &e->series[e->count];
    x->line = s->at + 1;
    if (!values_read_labels(&s->arena, &line, &x->labels, why) ||
        !values_read_sequence(&s->arena, &line, &x->values, why))
        return false;
    e->count++;
    return true;
}

static bool read_line(struct script *s, struct evaluated *e, char why[200])
{
    const char *line = s->lines[s->at];
    if (take(&line, "expected_fail_message")) {
        e->failure = (struct expected_text){TEXT_EXACT, line};
        return true;
    }
    if (take(&line, "expected_fail_regexp")) {
        e->failure = (struct expected_text){TEXT_PATTERN, line};
        return true;
    }
    if (take(&line, "expect"))
        return read_expect(s, e, line, why);
    return read_scalar(line, e) || read_series(s, e, line, why);
}

bool script_read_eval(struct script *s, struct evaluated *e, char why[200])
{
    size_t lines = 1;
    *e = (struct evaluated){.line = s->at + 1};
    if (!read_command(s->lines[s->at], e))
        return fail(why, "this is no eval", s->lines[s->at]);
    while (s->at + lines < s->count && s->lines[s->at + lines][0])
        lines++;
    e->series = arena_calloc(&s->arena, lines, sizeof *e->series);
    for (s->at++; s->at < s->count && s->lines[s->at][0]; s->at++)
        if (!read_line(s, e, why))
            return false;
    return true;
}
