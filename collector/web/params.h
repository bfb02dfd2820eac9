// SPDX-License-Identifier: Apache-2.0
/* The query of a URL, "a=1&b=two%20words", taken apart strictly: who asks wrongly is told so
 * rather than answered something else. */
#ifndef WEFT_COLLECTOR_WEB_PARAMS_H
#define WEFT_COLLECTOR_WEB_PARAMS_H

#include <stdint.h>

#include "collector/query/query.h"

enum { PARAMS_MAX = 16, PARAMS_BYTES_MAX = 4096, PARAMS_WHY_MAX = 256 };

struct param {
    const char *name, *value; /* decoded, in `text` */
};

struct params {
    struct param list[PARAMS_MAX];
    unsigned count;
    char text[PARAMS_BYTES_MAX + 1];
};

/* `query` without its '?'; NULL is empty. -1 and a sentence for what is too long, badly
 * encoded, repeated, or contains a control character. */
int params_parse(struct params *p, const char *query, char why[PARAMS_WHY_MAX]);
/* NULL where it is absent or empty. */
const char *params_get(const struct params *p, const char *name);
/* -1 and a sentence if there is a parameter that is not in `known` (space-separated). */
int params_only(const struct params *p, const char *known, char why[PARAMS_WHY_MAX]);

/* Whole numbers in [least, most]; `fallback` where it is absent. */
int params_number(const struct params *p, const char *name, uint32_t least, uint32_t most,
                  uint32_t fallback, uint32_t *number, char why[PARAMS_WHY_MAX]);
/* A duration; *duration_ns stays as it is where it is absent. */
int params_duration(const struct params *p, const char *name, uint64_t *duration_ns,
                    char why[PARAMS_WHY_MAX]);
/* `start` and `end`: [0, UINT64_MAX) where they are absent. */
int params_window(const struct params *p, uint64_t *start_unix_ns, uint64_t *end_unix_ns,
                  char why[PARAMS_WHY_MAX]);
/* The parameters of GET /api/v1/traces. The strings stay in `p`. */
int params_trace_filter(const struct params *p, struct trace_filter *filter,
                        char why[PARAMS_WHY_MAX]);

/* Nanoseconds since 1970, or RFC 3339 ("2025-11-21T22:40:00.5+01:00"). False: it is neither. */
bool params_moment(const char *text, uint64_t *unix_ns);
/* 32 hex digits, not all zero. */
bool params_trace_id(const char *text, struct trace_id *id);

#endif
