// SPDX-License-Identifier: Apache-2.0
/* What PromQL's tokens hold: strings with escapes (Go's), numbers, durations. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collector/query/promql/lexer.h"

static const char *bytes_of(const struct promql_parser *p, struct promql_place at)
{
    return p->text.bytes + at.begin;
}

static int no_memory(struct promql_parser *p)
{
    p->no_memory = true;
    return PROMQL_TOKEN_WRONG;
}

/* ---- strings ----------------------------------------------------------------------------- */

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = length; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((length == 2 ? 0xc0 : length == 3 ? 0xe0 : 0xf0) | c);
    return length;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Reads `count` digits of `base`. False: there are not so many. */
static bool read_digits(const char **from, const char *end, unsigned count, int base, uint32_t *c)
{
    *c = 0;
    for (unsigned i = 0; i < count; i++, (*from)++) {
        if (*from == end || digit_of(**from) >= base)
            return false;
        *c = *c * (uint32_t)base + (uint32_t)digit_of(**from);
    }
    return true;
}

/* The escape behind the backslash at *from; writes what it stands for. 0: it stands for nothing. */
static size_t read_escape(const char **from, const char *end, char quote, char *out)
{
    static const char letters[] = "abfnrtv\\", meanings[] = "\a\b\f\n\r\t\v\\";
    uint32_t c;
    char letter = *(*from)++;
    const char *simple = letter ? strchr(letters, letter) : NULL;
    if (simple || letter == quote) {
        *out = simple ? meanings[simple - letters] : quote;
        return 1;
    }
    if (letter == 'x' && read_digits(from, end, 2, 16, &c)) {
        *out = (char)c;
        return 1;
    }
    if (letter >= '0' && letter <= '7') {
        (*from)--;
        if (!read_digits(from, end, 3, 8, &c) || c > 255)
            return 0;
        *out = (char)c;
        return 1;
    }
    if ((letter == 'u' && read_digits(from, end, 4, 16, &c)) ||
        (letter == 'U' && read_digits(from, end, 8, 16, &c)))
        return c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : put_utf8(out, c);
    return 0;
}

int promql_lex_string(struct promql_parser *p, struct promql_place at,
                      union PROMQL_TOKEN_VALUE *value)
{
    const char *from = bytes_of(p, at) + 1, *end = p->text.bytes + at.end - 1;
    char quote = from[-1], *out = arena_alloc(p->arena, (size_t)(end - from) + 1), *to = out;
    if (!out)
        return no_memory(p);
    while (from < end) {
        const char *begin = from;
        if (*from != '\\') {
            *to++ = *from++;
            continue;
        }
        from++;
        size_t length = read_escape(&from, end, quote, to);
        if (length == 0) {
            uint32_t offset = (uint32_t)(begin - p->text.bytes);
            promql_fail_syntax(p, (struct promql_place){offset, offset + 2},
                               "there is no escape \"\\%c\" in strings (there are \\n \\t \\r \\\\ "
                               "\\%c \\xHH \\uHHHH and the other ones of Go; `so` needs none)",
                               begin[1] >= ' ' && begin[1] < 127 ? begin[1] : '?', quote);
            return PROMQL_TOKEN_WRONG;
        }
        to += length;
    }
    value->text = (struct batch_str){out, (uint32_t)(to - out)};
    return PROMQL_TOKEN_STRING;
}

int promql_lex_raw_string(struct promql_parser *p, struct promql_place at,
                          union PROMQL_TOKEN_VALUE *value)
{
    value->text = (struct batch_str){bytes_of(p, at) + 1, at.end - at.begin - 2};
    return PROMQL_TOKEN_STRING;
}

/* ---- numbers ----------------------------------------------------------------------------- */

static bool only_octal(const char *text)
{
    return text[0] == '0' && text[1] && text[strspn(text, "01234567")] == 0;
}

/* Digits may be grouped by underscores; 0x begins hexadecimal ones, 0 octal ones. */
int promql_lex_number(struct promql_parser *p, struct promql_place at,
                      union PROMQL_TOKEN_VALUE *value)
{
    char *plain = arena_alloc(p->arena, at.end - at.begin + 1), *to = plain;
    if (!plain)
        return no_memory(p);
    for (uint32_t i = at.begin; i < at.end; i++)
        if (p->text.bytes[i] != '_')
            *to++ = p->text.bytes[i];
    *to = 0;
    bool hex = plain[0] == '0' && (plain[1] | 0x20) == 'x';
    if (hex && !plain[2]) {
        promql_fail_syntax(p, at, "hexadecimal digits are missing behind \"0x\"");
        return PROMQL_TOKEN_WRONG;
    }
    errno = 0;
    if (hex || only_octal(plain))
        value->number = (double)strtoull(plain, NULL, 0);
    else
        value->number = strtod(plain, NULL);
    if (errno == ERANGE && (hex || isinf(value->number))) {
        promql_fail_syntax(p, at, "this number is too large");
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
int promql_lex_duration(struct promql_parser *p, struct promql_place at,
                        union PROMQL_TOKEN_VALUE *value)
{
    const char *from = bytes_of(p, at), *end = p->text.bytes + at.end;
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
            promql_fail_syntax(p, at,
                               "the units of a duration fall from y, w, d, h, m, s to ms, "
                               "and none stands twice");
            return PROMQL_TOKEN_WRONG;
        }
        next = unit + 1;
        if (overflow || __builtin_mul_overflow(part, ms, &part) ||
            __builtin_add_overflow(sum, part, &sum) || sum > INT64_MAX / 1000000) {
            promql_fail_syntax(p, at, "this duration is too long (292 years are the most)");
            return PROMQL_TOKEN_WRONG;
        }
    }
    value->number = (double)sum / 1000;
    return PROMQL_TOKEN_NUMBER;
}
