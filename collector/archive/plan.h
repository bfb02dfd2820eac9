// SPDX-License-Identifier: Apache-2.0
/* What is kept for years: rules, each a PromQL expression whose series go into the archive. A file
 * of them (docs/archive.md), or those that are built in.
 *
 * A plan does not change once it is read; any number of threads may read it. */
#ifndef WEFT_COLLECTOR_ARCHIVE_PLAN_H
#define WEFT_COLLECTOR_ARCHIVE_PLAN_H

#include <stdbool.h>

#include "collector/query/promql/parse.h"

enum { ARCHIVE_RULES_MOST = 256, ARCHIVE_PLAN_BYTES_MAX = 1 << 20 };

struct archive_rule {
    const char *record; /* the name that its series get; NULL: they keep theirs */
    const char *expr;
    const char *key; /* what its progress is kept under */
    const struct promql_query *query;
};

struct archive_plan {
    struct arena arena; /* holds all of it */
    struct archive_rule *rules;
    size_t count;
};

/* What the option says: a file, or "default". NULL with one sentence in `why`, "FILE:LINE: found …,
 * expected …" where the file is wrong. */
struct archive_plan *archive_plan_load(const char *option, char *why, size_t why_size);
/* A file's text, for tests and fuzzing; likewise. */
struct archive_plan *archive_plan_read(const char *file, const char *text, size_t length, char *why,
                                       size_t why_size);
void archive_plan_destroy(struct archive_plan **p);

#endif
