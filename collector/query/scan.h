// SPDX-License-Identifier: Apache-2.0
/* A scan: everything that the collector knows of spans at one moment, as units that a question
 * goes through in any order and by several threads, each unit a block (traces/block.h).
 *
 * Each trace is complete in exactly one unit. Where its spans lie in several places (the head
 * and a segment, two segments, in flight), a unit of its own joins them, and the pieces that the
 * other units still show must be passed over: scan_is_elsewhere tells. So who scans asks that of
 * every trace that it would answer with, and only of those.
 *
 * A scan holds what it reads (the head's generations, segments): segments that are merged or
 * aged out meanwhile stay readable until it is destroyed.
 */
#ifndef WEFT_COLLECTOR_QUERY_SCAN_H
#define WEFT_COLLECTOR_QUERY_SCAN_H

#include "collector/query/query.h"
#include "collector/traces/block.h"

struct scan;

/* Everything with spans that overlap [start, end). NULL: no memory. */
struct scan *scan_create(const struct query *q, uint64_t start_unix_ns, uint64_t end_unix_ns,
                         uint64_t now_unix_ns);
void scan_destroy(struct scan **s);

/* Units, those with the newest starts first. */
size_t scan_units(const struct scan *s);
/* Rows, bytes and bounds of a unit; pieces of traces that are elsewhere are in them. */
const struct block_bounds *scan_bounds(const struct scan *s, size_t unit);
/* Any thread, each unit any number of times. NULL: no memory; a block with `error` where a
 * segment is damaged (it is then set aside and told in the status). The scan must outlive it. */
struct block *scan_open(struct scan *s, size_t unit);
/* Whether the trace, met in `unit`, is only a part there and comes whole in another unit. */
bool scan_is_elsewhere(const struct scan *s, size_t unit, struct trace_id id);

/* The tree of a trace as the scan holds it; it points into `arena` and into what is held. Without
 * `details` spans have no attributes, events and links. -1: no memory. A tree of no spans where the
 * trace is not known. */
int scan_tree(struct scan *s, struct trace_id id, bool details, struct arena *arena,
              struct tree *tree);

/* What was aged out: the start of the oldest span that is still there (0: nothing ever was). A
 * question that reaches before it must say so. */
uint64_t scan_complete_since(const struct scan *s);

#endif
