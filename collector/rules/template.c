// SPDX-License-Identifier: Apache-2.0
#include "collector/rules/template.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { FUNCTIONS_MAX = 4, FORMAT_MAX = 64, WORD_MAX = 256 };

enum function { HUMANIZE, HUMANIZE_PERCENTAGE, HUMANIZE_DURATION, PRINTF, FUNCTIONS };

static const char *const function_names[FUNCTIONS] = {"humanize", "humanizePercentage",
                                                      "humanizeDuration", "printf"};

struct call {
    enum function function;
    char before[FORMAT_MAX], verb[8], after[FORMAT_MAX]; /* of printf */
};

struct part {
    struct part *next;
    struct batch_str literal; /* before the place */
    bool has_place, is_value; /* else a label */
    struct batch_str label;
    unsigned call_count;
    struct call calls[FUNCTIONS_MAX];
};

struct template
{
    struct part *first;
};

/* What is being read: one place, from behind "{{" up to "}}". */
struct reading {
    struct arena *arena;
    const char *at, *end;
    char *why;
    size_t why_size;
};

static const char *const expected_place =
    "$value, $labels.NAME, humanize, humanizePercentage, humanizeDuration or printf";

static int fail(struct reading *r, const char *what, const char *expected)
{
    int length = (int)(r->end - r->at);
    snprintf(r->why, r->why_size, "found %s \"%.*s\", expected %s", what, length < 60 ? length : 60,
             r->at, expected);
    return -1;
}

static void skip_space(struct reading *r)
{
    while (r->at < r->end && isspace((unsigned char)*r->at))
        r->at++;
}

static bool take_word(struct reading *r, const char *word)
{
    size_t length = strlen(word);
    skip_space(r);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0)
        return false;
    const char *next = r->at + length;
    if (next < r->end && (isalnum((unsigned char)*next) || *next == '_' || *next == '.'))
        return false;
    r->at = next;
    return true;
}

static bool take_text(struct reading *r, const char *text)
{
    size_t length = strlen(text);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, text, length) != 0)
        return false;
    r->at += length;
    return true;
}

/* ---- printf ------------------------------------------------------------------------------ */

/* Text up to a verb or the end, "%%" as one sign. */
static int read_format_text(struct reading *r, const char **at, const char *end,
                            char out[FORMAT_MAX])
{
    size_t length = 0;
    while (*at < end && (**at != '%' || (*at + 1 < end && (*at)[1] == '%'))) {
        if (**at == '\\' || length + 1 >= FORMAT_MAX)
            return fail(r, "the format", "at most 63 bytes around its verb, without escapes");
        out[length++] = **at;
        *at += **at == '%' ? 2 : 1;
    }
    out[length] = '\0';
    return 0;
}

/* "%.2f" */
static bool read_verb(const char **at, const char *end, char verb[8])
{
    const char *p = *at;
    size_t digits = 0;
    if (p < end && *p == '%')
        p++;
    if (p < end && *p == '.')
        for (p++; p < end && isdigit((unsigned char)*p); p++)
            digits++;
    if (p >= end || !strchr("feg", *p) || digits > 2 || (p[-1] == '.')) {
        if (p >= end || p != *at + 1 || !strchr("sv", *p))
            return false;
    }
    size_t length = (size_t)(p + 1 - *at);
    memcpy(verb, *at, length);
    verb[length] = '\0';
    *at = p + 1;
    return true;
}

static int read_format(struct reading *r, struct call *c)
{
    skip_space(r);
    if (r->at >= r->end || *r->at != '"')
        return fail(r, "printf with", "a format such as \"%.2f\"");
    const char *close = memchr(r->at + 1, '"', (size_t)(r->end - r->at - 1));
    const char *at = r->at + 1;
    if (!close)
        return fail(r, "an open text", "its end");
    if (read_format_text(r, &at, close, c->before) != 0)
        return -1;
    if (at >= close || !read_verb(&at, close, c->verb) || read_format_text(r, &at, close, c->after))
        return fail(r, "the format", "one of %f, %.2f, %e, %g, %s and %v");
    if (at != close)
        return fail(r, "the format", "one verb in it");
    r->at = close + 1;
    return 0;
}

/* ---- places ------------------------------------------------------------------------------ */

static int add_call(struct reading *r, struct part *p, enum function function)
{
    if (p->call_count == FUNCTIONS_MAX)
        return fail(r, "a further function", "at most four");
    struct call *c = &p->calls[p->call_count++];
    c->function = function;
    return function == PRINTF ? read_format(r, c) : 0;
}

/* 1: a function was read; 0: there is none here. */
static int read_function(struct reading *r, struct part *p)
{
    for (int f = 0; f < FUNCTIONS; f++)
        if (take_word(r, function_names[f]))
            return add_call(r, p, (enum function)f) == 0 ? 1 : -1;
    return 0;
}

static int read_operand(struct reading *r, struct part *p)
{
    skip_space(r);
    if (take_word(r, "$value") || take_word(r, ".Value")) {
        p->is_value = true;
        return 0;
    }
    if (!take_text(r, "$labels.") && !take_text(r, ".Labels."))
        return fail(r, "in a template", expected_place);
    const char *begin = r->at;
    while (r->at < r->end && (isalnum((unsigned char)*r->at) || *r->at == '_'))
        r->at++;
    if (r->at == begin || isdigit((unsigned char)*begin))
        return fail(r, "as a label's name", "letters, digits and '_'");
    p->label.length = (uint32_t)(r->at - begin);
    p->label.bytes = arena_copy(r->arena, begin, p->label.length);
    return p->label.bytes ? 0 : fail(r, "no memory for", "some");
}

/* Whether each function gets what it can work on. */
static int check_calls(struct reading *r, const struct part *p)
{
    bool number = p->is_value;
    for (unsigned i = 0; i < p->call_count; i++) {
        const struct call *c = &p->calls[i];
        char last = c->function == PRINTF ? c->verb[strlen(c->verb) - 1] : 'f';
        bool wants_number = last != 's' && last != 'v';
        if (wants_number && !number)
            return fail(r, "a text given to a function of numbers, before", "$value");
        if (last == 's' && number)
            return fail(r, "a number given to %s, before", "%v, %f or %g");
        number = false;
    }
    return 0;
}

/* Either "function operand" or "operand", then "| function" again and again. */
static int read_place(struct reading *r, struct part *p)
{
    if (read_function(r, p) < 0 || read_operand(r, p) != 0)
        return -1;
    for (skip_space(r); r->at < r->end; skip_space(r)) {
        if (!take_text(r, "|"))
            return fail(r, "in a template", "\"|\" or \"}}\"");
        int taken = read_function(r, p);
        if (taken <= 0)
            return taken < 0 ? -1 : fail(r, "as a function", expected_place);
    }
    return check_calls(r, p);
}

static struct part *add_part(struct reading *r, struct part ***end, const char *text, size_t length)
{
    struct part *p = arena_calloc(r->arena, 1, sizeof *p);
    char *literal = p ? arena_copy(r->arena, text, length + 1) : NULL;
    if (!literal) {
        snprintf(r->why, r->why_size, "no memory");
        return NULL;
    }
    p->literal = (struct batch_str){literal, (uint32_t)length};
    **end = p;
    *end = &p->next;
    return p;
}

struct template *template_parse(struct arena *arena, const char *text, char *why, size_t why_size)
{
    struct reading r = {.arena = arena, .why = why, .why_size = why_size};
    struct template *t = arena_calloc(arena, 1, sizeof *t);
    struct part **end = t ? &t->first : NULL;
    if (!t) {
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    for (;;) {
        const char *open = strstr(text, "{{");
        struct part *p = add_part(&r, &end, text, open ? (size_t)(open - text) : strlen(text));
        if (!p || !open)
            return p ? t : NULL;
        const char *close = strstr(open, "}}");
        if (!close) {
            snprintf(why, why_size, "found \"{{\" without its end, expected \"}}\"");
            return NULL;
        }
        r.at = open + 2;
        r.end = close;
        p->has_place = true;
        if (read_place(&r, p) != 0)
            return NULL;
        text = close + 2;
    }
}

/* ---- expanding --------------------------------------------------------------------------- */

static void put_formatted(const struct call *c, double value, bool is_number, struct buffer *text)
{
    char number[400] = "";
    struct buffer out = {0};
    char last = c->verb[strlen(c->verb) - 1];
    buffer_text(&out, c->before);
    if (last == 's' || last == 'v') {
        if (is_number)
            template_put_number(&out, value);
        else
            buffer_append(&out, text->data, text->length);
    } else {
        int precision = c->verb[1] == '.' ? atoi(c->verb + 2) : last == 'g' ? 17 : 6;
        if (last == 'g' && c->verb[1] != '.')
            template_put_number(&out, value);
        else if (last == 'f')
            snprintf(number, sizeof number, "%.*f", precision, value);
        else if (last == 'e')
            snprintf(number, sizeof number, "%.*e", precision, value);
        else
            snprintf(number, sizeof number, "%.*g", precision, value);
        buffer_text(&out, number);
    }
    buffer_text(&out, c->after);
    buffer_fini(text);
    *text = out;
}

static void expand_place(const struct part *p, const struct labels *labels, double value,
                         struct buffer *out)
{
    struct buffer text = {0};
    bool is_number = p->is_value && p->call_count > 0;
    if (p->is_value && p->call_count == 0) {
        template_put_number(&text, value);
    } else if (!p->is_value) {
        struct batch_str v = labels_get(labels, p->label);
        buffer_append(&text, v.bytes, v.length);
    }
    for (unsigned i = 0; i < p->call_count; i++, is_number = false) {
        switch (p->calls[i].function) {
        case HUMANIZE:
            template_humanize(&text, value);
            break;
        case HUMANIZE_PERCENTAGE:
            template_humanize_percentage(&text, value);
            break;
        case HUMANIZE_DURATION:
            template_humanize_duration(&text, value);
            break;
        default:
            put_formatted(&p->calls[i], value, is_number, &text);
        }
    }
    buffer_append(out, text.data, text.length);
    buffer_fini(&text);
}

void template_expand(const struct template *t, const struct labels *labels, double value,
                     struct buffer *out)
{
    for (const struct part *p = t->first; p; p = p->next) {
        buffer_append(out, p->literal.bytes, p->literal.length);
        if (p->has_place)
            expand_place(p, labels, value, out);
    }
}
