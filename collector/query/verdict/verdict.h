// SPDX-License-Identifier: Apache-2.0
/* What a deploy did: latency, errors, rate, CPU and memory of the new version against the old one.
 *
 * Over the same minutes where both versions run for long enough (a rolling deploy, a canary): what
 * else happens then happens to both. Else after the deploy against before it; then the same two
 * times of the day before are compared too, so that one sees whether the hour alone explains the
 * change.
 *
 * Requests are the spans by which requests enter the service (kind server or consumer; all of them,
 * where it has none of those). Everything comes from series by PromQL, so that anybody can ask the
 * same. Any thread; it takes some dozen queries. */
#ifndef WEFT_COLLECTOR_QUERY_VERDICT_VERDICT_H
#define WEFT_COLLECTOR_QUERY_VERDICT_VERDICT_H

#include "collector/marks/marks.h"
#include "collector/query/verdict/compare.h"
#include "collector/series/source.h"

enum verdict_basis {
    VERDICT_NONE,     /* nothing to compare: too early, or no series */
    VERDICT_VERSIONS, /* both versions over the same time */
    VERDICT_TIMES,    /* after against before */
};
const char *verdict_basis_name(enum verdict_basis b); /* "none", "versions", "times" */

struct verdict {
    enum verdict_basis basis;
    enum change change; /* of all: worse if anything is, else better if anything is */
    int64_t before_from_ms, before_to_ms, after_from_ms, after_to_ms, interval_ms;
    struct comparison measures[MEASURES];
    bool has_yesterday; /* VERDICT_TIMES, where the day before has enough */
    struct comparison yesterday[MEASURES];
};

struct verdict_question {
    const struct series_source *source;
    const struct mark *deploy;
    bool all_cells; /* the service as a whole, not the deploy's cell alone */
    uint64_t now_unix_ns;
    uint64_t deadline_ns; /* on CLOCK_MONOTONIC; 0: none */
};

/* 0; -1: no memory, or the series cannot be read, or the deadline. */
int verdict_of(const struct verdict_question *q, struct arena *arena, struct verdict *out);

/* On how many hosts the deploy's service ran a minute after the last of them had the version, or
 * runs now, as the hosts told then; of its cell unless all_cells. 0: nobody told. 0; -1 as above.
 */
int verdict_hosts(const struct verdict_question *q, uint64_t *hosts);

#endif
