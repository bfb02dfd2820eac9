// SPDX-License-Identifier: Apache-2.0
#include "collector/web/params.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/units.h"

/* ---- taking apart ------------------------------------------------------------------------ */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One decoded character, *from past it; -1: badly encoded or a control character. */
static int decode(const char **from)
{
    const char *s = *from;
    int c = (unsigned char)*s;
    *from = s + 1;
    if (c == '+')
        return ' ';
    if (c == '%') {
        int high = hex_digit(s[1]), low = high < 0 ? -1 : hex_digit(s[2]);
        if (low < 0)
            return -1;
        c = high * 16 + low;
        *from = s + 3;
    }
    /* A query may be written in several lines. */
    bool control = (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
    return control ? -1 : c;
}

static int add(struct params *p, const char *name, const char *value, char why[PARAMS_WHY_MAX])
{
    if (p->count == PARAMS_MAX) {
        snprintf(why, PARAMS_WHY_MAX, "there are more than %d parameters", PARAMS_MAX);
        return -1;
    }
    for (unsigned i = 0; i < p->count; i++) {
        if (strcmp(p->list[i].name, name) == 0) {
            snprintf(why, PARAMS_WHY_MAX, "the parameter %.60s is there twice", name);
            return -1;
        }
    }
    p->list[p->count++] = (struct param){name, value};
    return 0;
}

int params_parse(struct params *p, const char *query, char why[PARAMS_WHY_MAX])
{
    p->count = 0;
    const char *from = query ? query : "";
    if (strlen(from) > PARAMS_BYTES_MAX) {
        snprintf(why, PARAMS_WHY_MAX, "the query is longer than %d bytes", PARAMS_BYTES_MAX);
        return -1;
    }
    char *to = p->text;
    while (*from) {
        char *name = to, *value = NULL;
        while (*from && *from != '&') {
            if (*from == '=' && !value) {
                *to++ = 0;
                value = to;
                from++;
                continue;
            }
            int c = decode(&from);
            if (c < 0) {
                snprintf(why, PARAMS_WHY_MAX,
                         "the query is badly encoded: expected %%XX for anything unusual, and no "
                         "control characters");
                return -1;
            }
            *to++ = (char)c;
        }
        *to++ = 0;
        from += *from == '&';
        if (*name && add(p, name, value ? value : "", why) != 0)
            return -1;
    }
    return 0;
}

const char *params_get(const struct params *p, const char *name)
{
    for (unsigned i = 0; i < p->count; i++) {
        if (strcmp(p->list[i].name, name) == 0)
            return *p->list[i].value ? p->list[i].value : NULL;
    }
    return NULL;
}

static bool is_known(const char *known, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = known; (at = strstr(at, name)) != NULL; at += length) {
        bool begins = at == known || at[-1] == ' ', ends = at[length] == ' ' || !at[length];
        if (begins && ends && !strchr(name, ' '))
            return true;
    }
    return false;
}

int params_only(const struct params *p, const char *known, char why[PARAMS_WHY_MAX])
{
    for (unsigned i = 0; i < p->count; i++) {
        if (is_known(known, p->list[i].name))
            continue;
        if (*known)
            snprintf(why, PARAMS_WHY_MAX, "found unknown parameter \"%.60s\", expected one of: %s",
                     p->list[i].name, known);
        else
            snprintf(why, PARAMS_WHY_MAX, "found parameter \"%.60s\", expected none",
                     p->list[i].name);
        return -1;
    }
    return 0;
}

/* ---- values ------------------------------------------------------------------------------ */

/* Digits alone, without sign or space. */
static bool parse_u64(const char *text, uint64_t *number)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*end || errno)
        return false;
    *number = value;
    return true;
}

int params_number(const struct params *p, const char *name, uint32_t least, uint32_t most,
                  uint32_t fallback, uint32_t *number, char why[PARAMS_WHY_MAX])
{
    const char *text = params_get(p, name);
    uint64_t value = fallback;
    if (text && (!parse_u64(text, &value) || value < least || value > most)) {
        snprintf(why, PARAMS_WHY_MAX, "%s: found \"%.40s\", expected a number from %u to %u", name,
                 text, least, most);
        return -1;
    }
    *number = (uint32_t)value;
    return 0;
}

static bool two_digits(const char **at, int most, int *out)
{
    const char *s = *at;
    if (!isdigit((unsigned char)s[0]) || !isdigit((unsigned char)s[1]))
        return false;
    *out = (s[0] - '0') * 10 + (s[1] - '0');
    *at = s + 2;
    return *out <= most;
}

static bool one_of(const char **at, const char *accepted)
{
    if (!**at || !strchr(accepted, **at))
        return false;
    ++*at;
    return true;
}

/* ".5" and so on, to nanoseconds. */
static bool parse_fraction(const char **at, uint64_t *ns)
{
    uint64_t unit = 100000000;
    *ns = 0;
    if (!one_of(at, "."))
        return true;
    if (!isdigit((unsigned char)**at))
        return false;
    for (; isdigit((unsigned char)**at); ++*at, unit /= 10)
        *ns += (uint64_t)(**at - '0') * unit;
    return true;
}

static bool parse_zone(const char **at, int64_t *offset_s)
{
    const char *sign = *at;
    int hours, minutes;
    *offset_s = 0;
    if (one_of(at, "Zz"))
        return true;
    if (!one_of(at, "+-") || !two_digits(at, 23, &hours) || !one_of(at, ":") ||
        !two_digits(at, 59, &minutes))
        return false;
    *offset_s = (*sign == '-' ? -60 : 60) * (hours * 60 + minutes);
    return true;
}

static bool parse_rfc3339(const char *text, uint64_t *unix_ns)
{
    const char *at = text;
    int century, year, month, day, hour, minute, second;
    uint64_t fraction_ns;
    int64_t offset_s;
    if (!two_digits(&at, 99, &century) || !two_digits(&at, 99, &year) || !one_of(&at, "-") ||
        !two_digits(&at, 12, &month) || !one_of(&at, "-") || !two_digits(&at, 31, &day) ||
        !one_of(&at, "Tt ") || !two_digits(&at, 23, &hour) || !one_of(&at, ":") ||
        !two_digits(&at, 59, &minute) || !one_of(&at, ":") || !two_digits(&at, 60, &second) ||
        !parse_fraction(&at, &fraction_ns) || !parse_zone(&at, &offset_s) || *at || month == 0 ||
        day == 0)
        return false;
    struct tm tm = {.tm_year = century * 100 + year - 1900,
                    .tm_mon = month - 1,
                    .tm_mday = day,
                    .tm_hour = hour,
                    .tm_min = minute,
                    .tm_sec = second};
    int64_t seconds = timegm(&tm) - offset_s;
    if (seconds < 0 || seconds > INT64_MAX / 1000000000)
        return false;
    *unix_ns = (uint64_t)seconds * UINT64_C(1000000000) + fraction_ns;
    return true;
}

bool params_moment(const char *text, uint64_t *unix_ns)
{
    return parse_u64(text, unix_ns) || parse_rfc3339(text, unix_ns);
}

bool params_trace_id(const char *text, struct trace_id *id)
{
    uint64_t halves[2] = {0, 0};
    for (unsigned i = 0; i < 32; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0)
            return false;
        halves[i / 16] = halves[i / 16] << 4 | (unsigned)digit;
    }
    *id = (struct trace_id){halves[0], halves[1]};
    return !text[32] && (id->hi || id->lo);
}

/* ---- the filter of the list of traces ---------------------------------------------------- */

int params_duration(const struct params *p, const char *name, uint64_t *duration_ns,
                    char why[PARAMS_WHY_MAX])
{
    const char *text = params_get(p, name);
    if (!text || units_parse_duration(text, duration_ns))
        return 0;
    snprintf(why, PARAMS_WHY_MAX, "%s: found \"%.40s\", expected a duration such as 250us or 1.5s",
             name, text);
    return -1;
}

static int get_moment(const struct params *p, const char *name, uint64_t *unix_ns, char *why)
{
    const char *text = params_get(p, name);
    if (!text || params_moment(text, unix_ns))
        return 0;
    snprintf(why, PARAMS_WHY_MAX,
             "%s: found \"%.40s\", expected nanoseconds since 1970 or a time such as "
             "2025-11-21T22:40:00Z",
             name, text);
    return -1;
}

static int get_status(const struct params *p, enum trace_status *status, char *why)
{
    static const char *const names[] = {"any", "ok", "error", "died", "in_flight"};
    const char *text = params_get(p, "status");
    *status = TRACE_ANY;
    if (!text)
        return 0;
    for (unsigned i = 1; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) == 0) {
            *status = (enum trace_status)i;
            return 0;
        }
    }
    snprintf(why, PARAMS_WHY_MAX, "status: found \"%.40s\", expected ok, error, died or in_flight",
             text);
    return -1;
}

int params_window(const struct params *p, uint64_t *start_unix_ns, uint64_t *end_unix_ns,
                  char why[PARAMS_WHY_MAX])
{
    *start_unix_ns = 0;
    *end_unix_ns = UINT64_MAX;
    if (get_moment(p, "start", start_unix_ns, why) || get_moment(p, "end", end_unix_ns, why))
        return -1;
    if (*start_unix_ns < *end_unix_ns)
        return 0;
    snprintf(why, PARAMS_WHY_MAX, "start is not before end");
    return -1;
}

int params_trace_filter(const struct params *p, struct trace_filter *f, char why[PARAMS_WHY_MAX])
{
    *f = (struct trace_filter){
        .service = params_get(p, "service"),
        .operation = params_get(p, "operation"),
        .max_duration_ns = UINT64_MAX,
    };
    if (params_only(p, "service operation status min_duration max_duration start end limit", why) ||
        get_status(p, &f->status, why) ||
        params_duration(p, "min_duration", &f->min_duration_ns, why) ||
        params_duration(p, "max_duration", &f->max_duration_ns, why) ||
        params_window(p, &f->start_unix_ns, &f->end_unix_ns, why) ||
        params_number(p, "limit", 1, 1000, 20, &f->limit, why))
        return -1;
    if (f->min_duration_ns > f->max_duration_ns) {
        snprintf(why, PARAMS_WHY_MAX, "min_duration is longer than max_duration");
        return -1;
    }
    return 0;
}
