// SPDX-License-Identifier: Apache-2.0
/* Regular expressions by RE2: time linear in the text, whatever the pattern. Patterns match the
 * whole text, as in Tempo and Prometheus, and "." matches a line feed too. A text that is not UTF-8
 * is matched byte by byte. */
#ifndef WEFT_REGEX_REGEX_H
#define WEFT_REGEX_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct buffer;

struct regex;

/* What one regex may cost in memory: a pattern that needs more does not compile. */
enum { REGEX_BYTES_MAX = 1 << 20 };

/* NULL with the reason in `why` (one line). */
struct regex *regex_create(const char *pattern, size_t length, char *why, size_t why_size);
void regex_destroy(struct regex **r);

/* Any number of threads at once. */
bool regex_matches(const struct regex *r, const char *text, size_t length);

/* Where the whole text matches: appends `by` to `out`, with $1, ${1}, $name and ${name} replaced by
 * what their groups matched (nothing, where there is no such group), and $$ by $. Any number of
 * threads at once. */
bool regex_expand(const struct regex *r, const char *text, size_t length, const char *by,
                  size_t by_length, struct buffer *out);

#ifdef __cplusplus
}
#endif

#endif
