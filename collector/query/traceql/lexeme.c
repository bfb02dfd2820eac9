// SPDX-License-Identifier: Apache-2.0
/* What TraceQL's tokens hold: strings with escapes (Go's), numbers, durations, names. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collector/query/traceql/lexer.h"

static int no_memory(struct traceql_parser *p)
{
    p->in.no_memory = true;
    return TRACEQL_TOKEN_WRONG;
}

/* ---- strings ----------------------------------------------------------------------------- */

int traceql_lex_string(struct traceql_parser *p, struct language_place at,
                       union TRACEQL_TOKEN_VALUE *value)
{
    value->value = (struct traceql_value){.type = TRACEQL_STRING};
    if (!language_string(&p->in, at, &value->value.text))
        return TRACEQL_TOKEN_WRONG;
    return TRACEQL_TOKEN_STRING;
}

int traceql_lex_raw_string(struct traceql_parser *p, struct language_place at,
                           union TRACEQL_TOKEN_VALUE *value)
{
    value->value = (struct traceql_value){
        .type = TRACEQL_STRING,
        .text = language_raw_string(&p->in, at),
    };
    return TRACEQL_TOKEN_STRING;
}

/* ---- numbers ----------------------------------------------------------------------------- */

int traceql_lex_integer(struct traceql_parser *p, struct language_place at,
                        union TRACEQL_TOKEN_VALUE *value)
{
    int64_t integer = 0;
    for (uint32_t i = at.begin; i < at.end; i++) {
        if (__builtin_mul_overflow(integer, 10, &integer) ||
            __builtin_add_overflow(integer, p->in.text.bytes[i] - '0', &integer)) {
            language_fail_syntax(&p->in, at,
                                 "this integer is larger than 9223372036854775807 (maxInt)");
            return TRACEQL_TOKEN_WRONG;
        }
    }
    value->value = (struct traceql_value){.type = TRACEQL_INT, .integer = integer};
    return TRACEQL_TOKEN_INTEGER;
}

/* strtod wants an end; the text has a character of another kind or a NUL behind the token. */
int traceql_lex_float(struct traceql_parser *p, struct language_place at,
                      union TRACEQL_TOKEN_VALUE *value)
{
    double number = strtod(language_bytes_at(&p->in, at), NULL);
    if (!isfinite(number)) {
        language_fail_syntax(&p->in, at, "this number is too large");
        return TRACEQL_TOKEN_WRONG;
    }
    value->value = (struct traceql_value){.type = TRACEQL_FLOAT, .number = number};
    return TRACEQL_TOKEN_FLOAT;
}

/* Nanoseconds of the unit at *from, which is moved behind it. */
static int64_t read_unit(const char **from)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {
        {"ns", 1},
        {"us", 1000},
        {"\xc2\xb5s", 1000},
        {"\xce\xbcs", 1000},
        {"ms", 1000000},
        {"s", 1000000000},
        {"m", INT64_C(60) * 1000000000},
        {"h", INT64_C(3600) * 1000000000},
        {"d", INT64_C(86400) * 1000000000},
        {"w", INT64_C(7) * 86400 * 1000000000},
        {"y", INT64_C(365) * 86400 * 1000000000},
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t length = strlen(units[i].name);
        if (strncmp(*from, units[i].name, length) == 0) {
            *from += length;
            return units[i].ns;
        }
    }
    return 0; /* the lexer lets no other through */
}

/* One number with its unit: the fraction is cut off below the nanosecond. False: overflow. */
static bool read_part(const char **from, int64_t *sum)
{
    int64_t whole = 0, fraction = 0, scale = 1, part;
    for (; **from >= '0' && **from <= '9'; (*from)++) {
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, **from - '0', &whole))
            return false;
    }
    if (**from == '.') {
        for ((*from)++; **from >= '0' && **from <= '9'; (*from)++) {
            if (scale < INT64_C(1000000000000000000)) {
                fraction = fraction * 10 + (**from - '0');
                scale *= 10;
            }
        }
    }
    int64_t unit = read_unit(from);
    part = (int64_t)((__int128)fraction * unit / scale);
    return !__builtin_mul_overflow(whole, unit, &whole) &&
           !__builtin_add_overflow(whole, part, &part) && !__builtin_add_overflow(*sum, part, sum);
}

int traceql_lex_duration(struct traceql_parser *p, struct language_place at,
                         union TRACEQL_TOKEN_VALUE *value)
{
    const char *from = language_bytes_at(&p->in, at), *end = p->in.text.bytes + at.end;
    int64_t sum = 0;
    while (from < end) {
        if (!read_part(&from, &sum)) {
            language_fail_syntax(&p->in, at, "this duration is too long (292 years are the most)");
            return TRACEQL_TOKEN_WRONG;
        }
    }
    value->value = (struct traceql_value){.type = TRACEQL_DURATION, .integer = sum};
    return TRACEQL_TOKEN_DURATION;
}

/* ---- attributes -------------------------------------------------------------------------- */

/* parent.duration and its kind are the parent's intrinsics, where no quotes say otherwise. */
static bool parent_intrinsic(struct batch_str key, enum traceql_intrinsic *intrinsic)
{
    static const enum traceql_intrinsic of_a_span[] = {
        TRACEQL_NAME,    TRACEQL_STATUS_OF,   TRACEQL_STATUS_MESSAGE,
        TRACEQL_KIND_OF, TRACEQL_DURATION_OF,
    };
    if (key.length == 10 && memcmp(key.bytes, "childCount", 10) == 0) {
        *intrinsic = TRACEQL_CHILD_COUNT;
        return true;
    }
    for (size_t i = 0; i < sizeof of_a_span / sizeof *of_a_span; i++) {
        const char *name = traceql_intrinsic_name(of_a_span[i]);
        *intrinsic = of_a_span[i];
        if (strlen(name) == key.length && memcmp(name, key.bytes, key.length) == 0)
            return true;
    }
    return false;
}

int traceql_lex_attribute(struct traceql_parser *p, struct language_place at, uint32_t prefix,
                          enum traceql_scope scope, bool parent, union TRACEQL_TOKEN_VALUE *value)
{
    const char *from = language_bytes_at(&p->in, at) + prefix, *end = p->in.text.bytes + at.end;
    char *out = arena_alloc(p->in.arena, (size_t)(end - from) + 1), *to = out;
    bool quoted = false, quotes = false;
    if (!out)
        return no_memory(p);
    for (; from < end; from++) {
        if (*from == '"') {
            quoted = !quoted;
            quotes = true;
        } else if (quoted && *from == '\\') {
            from++;
            if (*from != '"' && *from != '\\') {
                language_fail_syntax(&p->in, at,
                                     "the name of an attribute has no escapes but \\\" "
                                     "and \\\\");
                return TRACEQL_TOKEN_WRONG;
            }
            *to++ = *from;
        } else {
            *to++ = *from;
        }
    }
    struct traceql_field field = {scope, 0, parent, {out, (uint32_t)(to - out)}, at};
    if (field.key.length == 0) {
        language_fail_syntax(&p->in, at, "the attribute's name is empty");
        return TRACEQL_TOKEN_WRONG;
    }
    if (parent && scope == TRACEQL_UNSCOPED && !quotes &&
        parent_intrinsic(field.key, &field.intrinsic)) {
        field.scope = TRACEQL_INTRINSIC;
        field.key = (struct batch_str){"", 0};
    }
    value->field = field;
    return TRACEQL_TOKEN_FIELD;
}
