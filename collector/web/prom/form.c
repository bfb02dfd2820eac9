// SPDX-License-Identifier: Apache-2.0
#include "collector/web/prom/form.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collector/web/params.h"

/* ---- taking apart ------------------------------------------------------------------------ */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes [at, end) in place of itself; the new length, or -1. */
static long decode(char *at, const char *end)
{
    char *to = at;
    for (const char *from = at; from < end; from++) {
        char c = *from;
        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            int high = end - from > 2 ? hex_digit(from[1]) : -1;
            int low = high < 0 ? -1 : hex_digit(from[2]);
            if (low < 0)
                return -1;
            c = (char)(high * 16 + low);
            from += 2;
        }
        *to++ = c;
    }
    return to - at;
}

static int add(struct form *f, char *pair, char *end, const char **why)
{
    char *equals = memchr(pair, '=', (size_t)(end - pair));
    char *value = equals ? equals + 1 : end;
    long name_length = decode(pair, equals ? equals : end);
    long length = decode(value, end);
    if (name_length < 0 || length < 0) {
        *why = "badly encoded: expected %XX for anything unusual";
        return -1;
    }
    if (f->count == FORM_FIELDS_MAX) {
        *why = "too many parameters";
        return -1;
    }
    pair[name_length] = '\0'; /* there is room: '=' or '&' or the end stood there */
    value[length] = '\0';
    f->fields[f->count++] = (struct form_field){pair, value, (size_t)length};
    return 0;
}

static int add_all(struct form *f, struct arena *arena, const char *text, size_t length,
                   const char **why)
{
    char *at = arena_alloc(arena, length + 2);
    if (!at) {
        *why = "no memory";
        return -1;
    }
    memcpy(at, text, length);
    at[length] = at[length + 1] = '\0';
    for (char *end = at + length; at < end;) {
        char *stop = memchr(at, '&', (size_t)(end - at));
        if (!stop)
            stop = end;
        if (stop > at && add(f, at, stop, why) != 0)
            return -1;
        at = stop + 1;
    }
    return 0;
}

static bool is_form(const struct web_request *r)
{
    static const char type[] = "application/x-www-form-urlencoded";
    return r->method == WEB_POST && r->body && r->content_type &&
           strncasecmp(r->content_type, type, sizeof type - 1) == 0;
}

int form_parse(struct form *f, struct arena *arena, const struct web_request *request,
               const char **why)
{
    const char *query = request->query ? request->query : "";
    *f = (struct form){.fields = arena_alloc(arena, FORM_FIELDS_MAX * sizeof *f->fields)};
    if (!f->fields) {
        *why = "no memory";
        return -1;
    }
    if (add_all(f, arena, query, strlen(query), why) != 0)
        return -1;
    return is_form(request) ? add_all(f, arena, request->body, request->body_length, why) : 0;
}

const struct form_field *form_find(const struct form *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->fields[i].name, name) == 0)
            return &f->fields[i];
    return NULL;
}

const char *form_get(const struct form *f, const char *name)
{
    const struct form_field *field = form_find(f, name);
    return field && field->length > 0 ? field->value : NULL;
}

/* ---- values ------------------------------------------------------------------------------ */

/* Seconds, to milliseconds; within what the difference of two times still holds in an int64_t. */
#define SECONDS_MOST 2e15

static bool parse_seconds(const char *text, int64_t *ms)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end || !isfinite(seconds) || fabs(seconds) > SECONDS_MOST)
        return false;
    *ms = (int64_t)llround(seconds * 1000);
    return true;
}

int form_time(const struct form *f, const char *name, int64_t *unix_ms)
{
    const char *text = form_get(f, name);
    uint64_t unix_ns;
    if (!text || parse_seconds(text, unix_ms))
        return 0;
    if (!strchr(text, 'T') || !params_moment(text, &unix_ns))
        return -1;
    *unix_ms = (int64_t)(unix_ns / 1000000);
    return 0;
}

/* "1h30m", "250ms": units as they fall, each once. */
static bool parse_duration(const char *text, int64_t *ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"y", 31536000000}, {"w", 604800000}, {"d", 86400000}, {"h", 3600000},
                 {"m", 60000},       {"s", 1000},      {"ms", 1}};
    size_t next = 0;
    *ms = 0;
    while (*text) {
        char *end;
        if (!isdigit((unsigned char)*text))
            return false;
        unsigned long long number = strtoull(text, &end, 10);
        size_t letters = strspn(end, "ywdhms"), i = next;
        while (i < sizeof units / sizeof *units &&
               (strlen(units[i].unit) != letters || strncmp(units[i].unit, end, letters) != 0))
            i++;
        int64_t part;
        if (i == sizeof units / sizeof *units || number > INT64_MAX ||
            __builtin_mul_overflow((int64_t)number, units[i].ms, &part) ||
            __builtin_add_overflow(*ms, part, ms))
            return false;
        next = i + 1;
        text = end + letters;
    }
    return next > 0;
}

int form_duration(const struct form *f, const char *name, int64_t *ms)
{
    const char *text = form_get(f, name);
    return !text || parse_seconds(text, ms) || parse_duration(text, ms) ? 0 : -1;
}

int form_number(const struct form *f, const char *name, uint64_t *number)
{
    const char *text = form_get(f, name);
    char *end;
    if (!text)
        return 0;
    if (!isdigit((unsigned char)*text))
        return -1;
    *number = strtoull(text, &end, 10);
    return *end ? -1 : 0;
}
