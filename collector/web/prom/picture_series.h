// SPDX-License-Identifier: Apache-2.0
/* From results of queries to the lines of a picture: on one grid of steps, named by what tells them
 * apart, the largest first, and no more than can be told apart. All of it is in the asker's arena.
 */
#ifndef WEFT_COLLECTOR_WEB_PROM_PICTURE_SERIES_H
#define WEFT_COLLECTOR_WEB_PROM_PICTURE_SERIES_H

#include "collector/picture/picture.h"
#include "collector/query/promql/promql.h"

struct picture_line {
    struct labels labels;
    const char *query, *name; /* name: given by the asker, else NULL */
    double *value;
    double mean;    /* over all steps, of which those without a value count as 0 */
    size_t ordinal; /* as it came */
};

struct picture_lines {
    struct arena *arena;
    int64_t start_ms, step_ms;
    size_t steps, count, capacity;
    struct picture_line *list;
};

void picture_lines_init(struct picture_lines *l, struct arena *arena, int64_t start_ms,
                        int64_t step_ms, size_t steps);
/* Copies a result of a range query. -1: no memory, or more than a picture may hold. */
int picture_lines_add(struct picture_lines *l, const struct promql_result *r, const char *query,
                      const char *name);
/* At most `most`: of a stack the small ones become one, "N others", else they are left out. -1: no
 * memory. */
int picture_lines_finish(struct picture_lines *l, bool stack, size_t most,
                         const struct picture_series **list, size_t *count);

#endif
