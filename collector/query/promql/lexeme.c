// SPDX-License-Identifier: Apache-2.0
/* What PromQL's tokens hold: strings with escapes (Go's), numbers, durations. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collector/query/promql/lexer.h"

static int no_memory(struct promql_parser *p)
{
    p->in.no_memory = true;
    return PROMQL_TOKEN_WRONG;
}

/* ---- strings ----------------------------------------------------------------------------- */

int promql_lex_string(struct promql_parser *p, struct language_place at,
                      union PROMQL_TOKEN_VALUE *value)
{
    if (!language_string(&p->in, at, &value->text))
        return PROMQL_TOKEN_WRONG;
    return PROMQL_TOKEN_STRING;
}

int promql_lex_raw_string(struct promql_parser *p, struct language_place at,
                          union PROMQL_TOKEN_VALUE *value)
{
    value->text = language_raw_string(&p->in, at);
    return PROMQL_TOKEN_STRING;
}

/* ---- numbers ----------------------------------------------------------------------------- */

static bool only_octal(const char *text)
{
    return text[0] == '0' && text[1] && text[strspn(text, "01234567")] == 0;
}

/* Digits may be grouped by underscores; 0x begins hexadecimal ones, 0 octal ones. */
int promql_lex_number(struct promql_parser *p, struct language_place at,
                      union PROMQL_TOKEN_VALUE *value)
{
    char *plain = arena_alloc(p->in.arena, at.end - at.begin + 1), *to = plain;
    if (!plain)
        return no_memory(p);
    for (uint32_t i = at.begin; i < at.end; i++)
        if (p->in.text.bytes[i] != '_')
            *to++ = p->in.text.bytes[i];
    *to = 0;
    bool hex = plain[0] == '0' && (plain[1] | 0x20) == 'x';
    if (hex && !plain[2]) {
        language_fail_syntax(&p->in, at, "hexadecimal digits are missing behind \"0x\"");
        return PROMQL_TOKEN_WRONG;
    }
    errno = 0;
    if (hex || only_octal(plain))
        value->number = (double)strtoull(plain, NULL, 0);
    else
        value->number = strtod(plain, NULL);
    if (errno == ERANGE && (hex || isinf(value->number))) {
        language_fail_syntax(&p->in, at, "this number is too large");
        return PROMQL_TOKEN_WRONG;
    }
    return PROMQL_TOKEN_NUMBER;
}

/* The unit at *from, which is moved behind it: its place in the order and its milliseconds. */
static unsigned read_unit(const char **from, int64_t *ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {
        {"y", INT64_C(31536000000)},
        {"w", 604800000},
        {"d", 86400000},
        {"h", 3600000},
        {"ms", 1},
        {"m", 60000},
        {"s", 1000},
    };
    static const unsigned order[] = {0, 1, 2, 3, 6, 4, 5};
    for (unsigned i = 0; i < sizeof units / sizeof *units; i++) {
        size_t length = strlen(units[i].name);
        if (strncmp(*from, units[i].name, length) == 0) {
            *from += length;
            *ms = units[i].ms;
            return order[i];
        }
    }
    return UINT32_MAX; /* the lexer lets no other through */
}

/* Units fall from years to milliseconds, none twice. A duration is a number of seconds. */
int promql_lex_duration(struct promql_parser *p, struct language_place at,
                        union PROMQL_TOKEN_VALUE *value)
{
    const char *from = language_bytes_at(&p->in, at), *end = p->in.text.bytes + at.end;
    int64_t sum = 0;
    unsigned next = 0;
    while (from < end) {
        int64_t part = 0, ms = 0;
        bool overflow = false;
        for (; *from >= '0' && *from <= '9'; from++)
            overflow |= __builtin_mul_overflow(part, 10, &part) ||
                        __builtin_add_overflow(part, *from - '0', &part);
        unsigned unit = read_unit(&from, &ms);
        if (unit < next) {
            language_fail_syntax(&p->in, at,
                                 "the units of a duration fall from y, w, d, h, m, s to ms, "
                                 "and none stands twice");
            return PROMQL_TOKEN_WRONG;
        }
        next = unit + 1;
        if (overflow || __builtin_mul_overflow(part, ms, &part) ||
            __builtin_add_overflow(sum, part, &sum) || sum > INT64_MAX / 1000000) {
            language_fail_syntax(&p->in, at, "this duration is too long (292 years are the most)");
            return PROMQL_TOKEN_WRONG;
        }
    }
    value->number = (double)sum / 1000;
    return PROMQL_TOKEN_NUMBER;
}
