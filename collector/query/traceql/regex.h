// SPDX-License-Identifier: Apache-2.0
/* Regular expressions by RE2: time linear in the text, whatever the pattern. Patterns match the
 * whole text, as in Tempo and Prometheus, and "." matches a line feed too. A text that is not UTF-8
 * is matched byte by byte. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_REGEX_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct traceql_regex;

/* What one regex may cost in memory: a pattern that needs more does not compile. */
enum { TRACEQL_REGEX_BYTES_MAX = 1 << 20 };

/* NULL with the reason in `why` (one line). */
struct traceql_regex *traceql_regex_create(const char *pattern, size_t length, char *why,
                                           size_t why_size);
void traceql_regex_destroy(struct traceql_regex **r);

/* Any number of threads at once. */
bool traceql_regex_matches(const struct traceql_regex *r, const char *text, size_t length);

#ifdef __cplusplus
}
#endif

#endif
