// SPDX-License-Identifier: Apache-2.0
/* Three small traces with something of everything:
 *
 *  0  web     server   0–100 ms  error
 *       auth  client   5–15      ok
 *       db    client  20–80      error  events: exception +5 ms, retry +10
 *         net   internal 25–75          links to the trace 7
 *         disk  internal 30–50
 *       render internal 85–90
 *  1  api     server 1000–1030
 *       auth  client 1005–1015
 *  2  late and later, whose parent 99 is missing; below late: dead, which died, below it now, which
 *     is in flight */
#ifndef TESTS_UNIT_COLLECTOR_QUERY_TRACEQL_THREE_TRACES_H
#define TESTS_UNIT_COLLECTOR_QUERY_TRACEQL_THREE_TRACES_H

#include "tests/unit/collector/query/traceql/blocks.h"

static inline void add_first(struct spans *s, uint32_t web, uint32_t db)
{
    spans_add(s, (struct span_by_hand){web, "web", 0, 1, 0, 0, 100, SPAN_SERVER, SPAN_ERROR});
    with_int(s, "http.status_code", 500);
    with_text(s, "shared", "span");
    with_text(s, "otel.scope.name", "weft.http");
    with_text(s, "otel.scope.version", "1.2");
    with_text(s, "otel.scope.language", "c");
    spans_add(s, (struct span_by_hand){web, "auth", 0, 2, 1, 5, 10, SPAN_CLIENT, SPAN_OK});
    with_text(s, "user", "bob");
    with_int(s, "level", 1);
    with_bool(s, "cached", false);
    spans_add(s, (struct span_by_hand){web, "db", 0, 3, 1, 20, 60, SPAN_CLIENT, SPAN_ERROR});
    with_text(s, "user", "eve");
    with_int(s, "rows", 10);
    with_double(s, "ratio", 0.5);
    with_bool(s, "cached", true);
    with_event(s, "exception", 25);
    with_text(s, "message", "boom");
    with_event(s, "retry", 30);
    with_int(s, "attempt", 2);
    spans_add(s, (struct span_by_hand){db, "net", 0, 4, 3, 25, 50, SPAN_INTERNAL, SPAN_UNSET});
    with_int(s, "rows", 20);
    batch_link(s->builder, trace_by_hand(7), 0xabc);
    with_text(s, "ref", "child_of");
    spans_add(s, (struct span_by_hand){db, "disk", 0, 5, 3, 30, 20, SPAN_INTERNAL, SPAN_UNSET});
    with_double(s, "rows", 30);
    spans_add(s, (struct span_by_hand){web, "render", 0, 6, 1, 85, 5, SPAN_INTERNAL, SPAN_UNSET});
    with_text(s, "tag", "a"); /* one key, two values: an array */
    with_text(s, "tag", "b");
    with_text(s, "rows", "many");
}

static inline struct block_by_hand three_traces(void)
{
    struct spans s;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web");
    batch_process_attribute(s.builder, text_in(&s, "shared"), VALUE_STRING, text_in(&s, "web"));
    batch_process_attribute(s.builder, text_in(&s, "cluster"), VALUE_STRING, text_in(&s, "east"));
    uint32_t db = spans_process(&s, 2, "db");
    batch_process_attribute(s.builder, text_in(&s, "cores"), VALUE_INT, 8);
    add_first(&s, web, db);
    spans_add(&s, (struct span_by_hand){web, "api", 1, 11, 0, 1000, 30, SPAN_SERVER, SPAN_UNSET});
    with_int(&s, "http.status_code", 200);
    spans_add(&s, (struct span_by_hand){db, "auth", 1, 12, 11, 1005, 10, SPAN_CLIENT, SPAN_UNSET});
    with_text(&s, "user", "bob");
    spans_add(&s, (struct span_by_hand){db, "late", 2, 21, 99, 2000, 10, 0, SPAN_UNSET});
    spans_add(&s, (struct span_by_hand){db, "dead", 2, 23, 21, 2002, 3, 0, SPAN_DIED});
    spans_add(&s, (struct span_by_hand){db, "now", 2, 24, 23, 2003, 1, 0, SPAN_IN_FLIGHT});
    spans_add(&s, (struct span_by_hand){db, "later", 2, 22, 99, 2005, 10, 0, SPAN_UNSET});
    return block_by_hand(&s);
}

#endif
