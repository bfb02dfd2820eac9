// SPDX-License-Identifier: Apache-2.0
#include "collector/query/scan.h"
#include "collector/query/traceql/engine.h"

/* ---- a scan ------------------------------------------------------------------------------ */

static const struct block_bounds *bounds_of_scan(void *context, size_t unit)
{
    return scan_bounds(context, unit);
}

static struct block *open_scan(void *context, size_t unit)
{
    return scan_open(context, unit);
}

static bool is_elsewhere_in_scan(void *context, size_t unit, struct trace_id id)
{
    return scan_is_elsewhere(context, unit, id);
}

struct traceql_source traceql_source_of_scan(struct scan *s)
{
    return (struct traceql_source){.context = s,
                                   .units = scan_units(s),
                                   .bounds = bounds_of_scan,
                                   .open = open_scan,
                                   .close = block_close,
                                   .is_elsewhere = is_elsewhere_in_scan};
}

/* ---- blocks that are there --------------------------------------------------------------- */

static const struct block_bounds *bounds_of_blocks(void *context, size_t unit)
{
    static const struct block_bounds unknown = {
        .start_max_unix_ns = UINT64_MAX,
        .end_max_unix_ns = UINT64_MAX,
        .duration_max_ns = UINT64_MAX,
        .kinds = UINT8_MAX,
        .statuses = UINT8_MAX,
    };
    const struct traceql_blocks *blocks = context;
    return blocks->bounds ? &blocks->bounds[unit] : &unknown;
}

static struct block *open_blocks(void *context, size_t unit)
{
    const struct traceql_blocks *blocks = context;
    return blocks->list[unit];
}

static void leave_open(struct block **block)
{
    *block = NULL;
}

static bool nothing_is_elsewhere(void *context, size_t unit, struct trace_id id)
{
    (void)context;
    (void)unit;
    (void)id;
    return false;
}

struct traceql_source traceql_source_of_blocks(struct traceql_blocks *blocks)
{
    return (struct traceql_source){.context = blocks,
                                   .units = blocks->count,
                                   .bounds = bounds_of_blocks,
                                   .open = open_blocks,
                                   .close = leave_open,
                                   .is_elsewhere = nothing_is_elsewhere};
}
