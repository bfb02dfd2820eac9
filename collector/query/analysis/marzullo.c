// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/marzullo.h"

#include <stdbool.h>
#include <stdlib.h>

struct end {
    int64_t at;
    bool closes;
};

/* At the same number intervals open first: their ends are within. */
static int in_order(const void *left, const void *right)
{
    const struct end *a = left, *b = right;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return (int)a->closes - (int)b->closes;
}

static uint64_t distance_to_0(struct interval i)
{
    if (i.least > 0)
        return (uint64_t)i.least;
    return i.most < 0 ? -(uint64_t)i.most : 0;
}

static struct consensus consensus_of(struct interval i, uint32_t agreeing)
{
    struct consensus c = {.agreeing = agreeing, .uncertainty = UINT64_MAX};
    bool open = i.least == INTERVAL_OPEN_LEAST || i.most == INTERVAL_OPEN_MOST;
    uint64_t width = (uint64_t)i.most - (uint64_t)i.least;
    if (distance_to_0(i) == 0) {
        if (!open)
            c.uncertainty = i.most > -i.least ? (uint64_t)i.most : -(uint64_t)i.least;
    } else if (open) {
        c.value = i.least == INTERVAL_OPEN_LEAST ? i.most : i.least;
    } else {
        c.value = i.least + (int64_t)(width / 2);
        c.uncertainty = width - width / 2;
    }
    return c;
}

int marzullo(const struct interval *intervals, uint32_t count, struct consensus *result)
{
    struct end *ends = malloc((2 * (size_t)count + 1) * sizeof *ends);
    if (!ends)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        ends[2 * i] = (struct end){intervals[i].least, false};
        ends[2 * i + 1] = (struct end){intervals[i].most, true};
    }
    qsort(ends, 2 * (size_t)count, sizeof *ends, in_order);
    struct interval best = {INTERVAL_OPEN_LEAST, INTERVAL_OPEN_MOST};
    uint32_t open = 0, most = 0;
    for (size_t i = 0; i < 2 * (size_t)count; i++) {
        if (ends[i].closes) {
            open--;
            continue;
        }
        open++;
        struct interval place = {ends[i].at, ends[i + 1].at};
        if (open > most || (open == most && distance_to_0(place) < distance_to_0(best))) {
            most = open;
            best = place;
        }
    }
    free(ends);
    *result = consensus_of(best, most);
    return 0;
}
