// SPDX-License-Identifier: Apache-2.0
#include "cli/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/units.h"

static char *next_buffer(void)
{
    static char buffers[8][UNITS_TEXT_MAX];
    static unsigned turn;
    return buffers[turn++ % 8];
}

const char *show_duration(double ns)
{
    return units_round_duration(ns, next_buffer());
}

const char *show_bytes(double bytes)
{
    return units_round_bytes(bytes, next_buffer());
}

const char *show_time(uint64_t unix_ns)
{
    char *text = next_buffer();
    time_t seconds = (time_t)(unix_ns / 1000000000u);
    struct tm tm;
    localtime_r(&seconds, &tm);
    size_t n = strftime(text, 32, "%H:%M:%S", &tm);
    snprintf(text + n, 32 - n, ".%03u", (unsigned)(unix_ns / 1000000 % 1000));
    return text;
}

static int known = -1; /* whether there is colour */

static bool has_colour(void)
{
    if (known < 0) {
        const char *terminal = getenv("TERM"), *none = getenv("NO_COLOR");
        known =
            isatty(STDOUT_FILENO) && terminal && strcmp(terminal, "dumb") != 0 && !(none && *none);
    }
    return known;
}

void show_keep_colour(void)
{
    has_colour(); /* known from the first question on */
}

const char *show_begin(enum show_style style)
{
    static const char *const sequences[] = {"",         "\033[1m",  "\033[2m",
                                            "\033[31m", "\033[33m", "\033[32m"};
    return has_colour() ? sequences[style] : "";
}

const char *show_end(void)
{
    return has_colour() ? "\033[0m" : "";
}

const char *show_service(const char *service)
{
    static const char *const sequences[] = {"\033[34m", "\033[35m", "\033[36m",
                                            "\033[94m", "\033[95m", "\033[96m"};
    unsigned hash = 5381;
    for (; *service; service++)
        hash = hash * 33 + (unsigned char)*service;
    return has_colour() ? sequences[hash % 6] : "";
}

size_t show_text(const char *text, size_t columns)
{
    size_t n = 0;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool begins = (c & 0xc0) != 0x80; /* of a UTF-8 character */
        if (columns && begins && n == columns)
            break;
        /* C0, DEL, and C1 in UTF-8 (c2 80 to c2 9f) */
        bool c1 = c == 0xc2 && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xa0;
        putchar(c < 0x20 || c == 0x7f || c1 ? '?' : c);
        text += c1;
        n += begins;
    }
    return n;
}
