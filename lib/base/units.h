// SPDX-License-Identifier: Apache-2.0
/* Quantities as people write and read them: sizes ("512M") and durations ("10ms"), both ways.
 *
 * Sizes: a whole or decimal number and one of B, K, M, G, T (powers of 1024; "KiB", "KB",
 * "k" and so on mean the same), or no unit: bytes.
 * Durations: one or more numbers each with ns, us, ms, s, m, h or d ("1.5s", "1m30s"); a bare
 * "0" is a duration too, no other bare number is.
 */
#ifndef WEFT_BASE_UNITS_H
#define WEFT_BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False, with the result untouched, for what is none, is negative, or overflows. */
bool units_parse_bytes(const char *text, uint64_t *bytes);
bool units_parse_duration(const char *text, uint64_t *duration_ns);

/* Shortest exact form that the parsers read back: "512M", "1500", "10ms", "90s". */
enum { UNITS_TEXT_MAX = 32 };
const char *units_print_bytes(uint64_t bytes, char text[UNITS_TEXT_MAX]);
const char *units_print_duration(uint64_t duration_ns, char text[UNITS_TEXT_MAX]);

/* For people, rounded to three digits: "12.4 ms", "1.50 MB" (powers of 1000). */
const char *units_round_bytes(double bytes, char text[UNITS_TEXT_MAX]);
const char *units_round_duration(double duration_ns, char text[UNITS_TEXT_MAX]);

#endif
