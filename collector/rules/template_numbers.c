// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/rules/template.h"

static bool put_not_finite(struct buffer *out, double value)
{
    if (isfinite(value))
        return false;
    buffer_text(out, isnan(value) ? "NaN" : value < 0 ? "-Inf" : "+Inf");
    return true;
}

/* Numbers from 10^6 on have an exponent in templates. */
enum { SHORT_DIGITS = 6 };

/* The shortest that reads back the same. */
void template_put_number(struct buffer *out, double value)
{
    char text[40];
    int precision = 0;
    if (put_not_finite(out, value))
        return;
    do
        snprintf(text, sizeof text, "%.*e", precision, value);
    while (strtod(text, NULL) != value && ++precision < 17);
    int exponent = atoi(strchr(text, 'e') + 1);
    if (exponent >= -4 && exponent < SHORT_DIGITS)
        snprintf(text, sizeof text, "%.*f", precision > exponent ? precision - exponent : 0, value);
    buffer_text(out, text);
}

/* Below 1: by thousands, up to the prefix that lifts it over 1. */
static void put_small(struct buffer *out, double value, const char *unit)
{
    static const char prefixes[] = "munpfazy";
    char prefix[2] = "";
    for (const char *p = prefixes; *p && fabs(value) < 1; p++) {
        prefix[0] = *p;
        value *= 1000;
    }
    buffer_printf(out, "%.4g%s%s", value, prefix, unit);
}

void template_humanize(struct buffer *out, double value)
{
    static const char prefixes[] = "kMGTPEZY";
    char prefix[2] = "";
    if (put_not_finite(out, value))
        return;
    if (value != 0 && fabs(value) < 1) {
        put_small(out, value, "");
        return;
    }
    for (const char *p = prefixes; *p && fabs(value) >= 1000; p++) {
        prefix[0] = *p;
        value /= 1000;
    }
    buffer_printf(out, "%.4g%s", value, prefix);
}

void template_humanize_percentage(struct buffer *out, double value)
{
    if (!put_not_finite(out, value))
        buffer_printf(out, "%.4g%%", value * 100);
}

void template_humanize_duration(struct buffer *out, double seconds)
{
    if (put_not_finite(out, seconds))
        return;
    if (seconds != 0 && fabs(seconds) < 1) {
        put_small(out, seconds, "s");
        return;
    }
    double left = trunc(fabs(seconds));
    double days = trunc(left / 86400);
    int rest = (int)fmod(left, 86400), hours = rest / 3600, minutes = rest / 60 % 60;
    const char *sign = seconds < 0 ? "-" : "";
    if (days > 0)
        buffer_printf(out, "%s%.0fd %dh %dm %ds", sign, days, hours, minutes, rest % 60);
    else if (hours > 0)
        buffer_printf(out, "%s%dh %dm %ds", sign, hours, minutes, rest % 60);
    else if (minutes > 0)
        buffer_printf(out, "%s%dm %ds", sign, minutes, rest % 60);
    else
        buffer_printf(out, "%.4gs", seconds);
}
