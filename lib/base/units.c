// SPDX-License-Identifier: Apache-2.0
#include "lib/base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit duration_units[] = {
    {"d", 86400000000000u}, {"h", 3600000000000u}, {"m", 60000000000u}, {"s", 1000000000u},
    {"ms", 1000000u},       {"us", 1000u},         {"µs", 1000u},       {"ns", 1u},
};

static const struct unit byte_units[] = {
    {"T", 1ull << 40}, {"G", 1ull << 30}, {"M", 1ull << 20}, {"K", 1ull << 10}, {"B", 1},
};

/* A decimal number as whole and millionths-like fraction: numerator / denominator. */
struct decimal {
    uint64_t numerator, denominator;
};

/* Reads digits with at most one point; moves *text behind them. */
static bool parse_decimal(const char **text, struct decimal *out)
{
    const char *p = *text;
    bool point = false, digits = false;
    *out = (struct decimal){0, 1};
    for (; (*p >= '0' && *p <= '9') || (*p == '.' && !point); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        digits = true;
        if (__builtin_mul_overflow(out->numerator, 10, &out->numerator) ||
            __builtin_add_overflow(out->numerator, (uint64_t)(*p - '0'), &out->numerator))
            return false;
        if (point && __builtin_mul_overflow(out->denominator, 10, &out->denominator))
            return false;
    }
    *text = p;
    return digits && p[-1] != '.';
}

static bool scale(const struct decimal *number, uint64_t factor, uint64_t *out)
{
    unsigned __int128 product = (unsigned __int128)number->numerator * factor;
    product /= number->denominator;
    if (product > UINT64_MAX)
        return false;
    *out = (uint64_t)product;
    return true;
}

static const struct unit *find_byte_unit(const char *text)
{
    for (size_t i = 0; i < sizeof byte_units / sizeof *byte_units; i++) {
        const char *name = byte_units[i].name;
        if (strncasecmp(text, name, 1) != 0)
            continue;
        const char *rest = text + 1;
        bool whole = *rest == '\0' || (strcasecmp(rest, "b") == 0 && *name != 'B') ||
                     (strcasecmp(rest, "ib") == 0 && *name != 'B');
        return whole ? &byte_units[i] : NULL;
    }
    return NULL;
}

bool units_parse_bytes(const char *text, uint64_t *bytes)
{
    struct decimal number;
    if (!parse_decimal(&text, &number))
        return false;
    while (*text == ' ')
        text++;
    if (*text == '\0') {
        if (number.denominator != 1)
            return false;
        *bytes = number.numerator;
        return true;
    }
    const struct unit *unit = find_byte_unit(text);
    return unit && scale(&number, unit->factor, bytes);
}

/* The unit that `text` begins with, the longest that fits. */
static const struct unit *find_duration_unit(const char *text)
{
    const struct unit *best = NULL;
    for (size_t i = 0; i < sizeof duration_units / sizeof *duration_units; i++) {
        const struct unit *unit = &duration_units[i];
        size_t length = strlen(unit->name);
        if (strncmp(text, unit->name, length) == 0 && (!best || length > strlen(best->name)))
            best = unit;
    }
    return best;
}

bool units_parse_duration(const char *text, uint64_t *duration_ns)
{
    uint64_t total = 0;
    if (strcmp(text, "0") == 0) {
        *duration_ns = 0;
        return true;
    }
    if (*text == '\0')
        return false;
    while (*text) {
        struct decimal number;
        uint64_t part;
        if (!parse_decimal(&text, &number))
            return false;
        const struct unit *unit = find_duration_unit(text);
        if (!unit || !scale(&number, unit->factor, &part) ||
            __builtin_add_overflow(total, part, &total))
            return false;
        text += strlen(unit->name);
    }
    *duration_ns = total;
    return true;
}

const char *units_print_bytes(uint64_t bytes, char text[UNITS_TEXT_MAX])
{
    for (size_t i = 0; bytes && i < sizeof byte_units / sizeof *byte_units - 1; i++) {
        if (bytes % byte_units[i].factor != 0)
            continue;
        snprintf(text, UNITS_TEXT_MAX, "%" PRIu64 "%s", bytes / byte_units[i].factor,
                 byte_units[i].name);
        return text;
    }
    snprintf(text, UNITS_TEXT_MAX, "%" PRIu64, bytes);
    return text;
}

const char *units_print_duration(uint64_t duration_ns, char text[UNITS_TEXT_MAX])
{
    snprintf(text, UNITS_TEXT_MAX, "0");
    for (size_t i = 0; duration_ns && i < sizeof duration_units / sizeof *duration_units; i++) {
        if (duration_ns % duration_units[i].factor != 0)
            continue;
        snprintf(text, UNITS_TEXT_MAX, "%" PRIu64 "%s", duration_ns / duration_units[i].factor,
                 duration_units[i].name);
        break;
    }
    return text;
}

/* ---- for people -------------------------------------------------------------------------- */

/* Goes on to the next unit where there are, rounded, as many of one as its step says. */
static const char *round_to_unit(double value, const char *const units[], const double steps[],
                                 int count, char text[UNITS_TEXT_MAX])
{
    int i = 0;
    while (i < count - 1 && value >= 0.9995 * steps[i]) {
        value /= steps[i];
        i++;
    }
    int digits = i == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    snprintf(text, UNITS_TEXT_MAX, "%.*f %s", digits, value, units[i]);
    return text;
}

const char *units_round_duration(double duration_ns, char text[UNITS_TEXT_MAX])
{
    static const char *const units[] = {"ns", "µs", "ms", "s", "min", "h"};
    static const double steps[] = {1000, 1000, 1000, 60, 60};
    return round_to_unit(duration_ns, units, steps, 6, text);
}

const char *units_round_bytes(double bytes, char text[UNITS_TEXT_MAX])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    static const double steps[] = {1000, 1000, 1000, 1000};
    return round_to_unit(bytes, units, steps, 5, text);
}
