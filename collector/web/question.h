// SPDX-License-Identifier: Apache-2.0
/* What the routes that take a TraceQL query have in common: the parameters q, start, end and
 * timeout, the scan that answers come from, and bounds on time and memory. */
#ifndef WEFT_COLLECTOR_WEB_QUESTION_H
#define WEFT_COLLECTOR_WEB_QUESTION_H

#include "collector/query/scan.h"
#include "collector/query/traceql/engine.h"
#include "collector/web/api.h"

struct question {
    const struct web *web;
    struct arena arena; /* of the query */
    struct traceql_query *query;
    struct scan *scan;
    struct traceql_source source;
    struct traceql_options options; /* start, end, deadline, memory and threads are filled in */
    uint64_t taken_bytes;           /* of the searches' memory */
};

enum question_kind { QUESTION_SEARCH, QUESTION_SERIES };

/* Parses and opens; waits for memory while other searches have it. `q` may be missing only where
 * `fallback` is given. False: *reply says why; nothing is to be closed. */
bool question_open(struct question *q, const struct api_call *call, enum question_kind kind,
                   const char *fallback, struct reply *reply);
/* The same for a query of another parameter's text. */
bool question_open_text(struct question *q, const struct api_call *call, enum question_kind kind,
                        const char *text, struct reply *reply);
void question_close(struct question *q);

/* The tree of each of the newest `limit` traces that the query finds. With `details` its spans have
 * attributes, events and links. `each` returns -1 to end it. -1: memory is out. */
struct question_traces {
    enum traceql_end end;
    struct traceql_progress progress;
    uint32_t count;
    bool more;
};
int question_each_trace(struct question *q, uint32_t limit, bool details,
                        int (*each)(void *context, const struct tree *tree, struct trace_id id),
                        void *context, struct question_traces *traces);

/* Fields of an answer: how far the search came, and what it could not see. */
void question_put_end(struct json_writer *w, const struct question *q, enum traceql_end end,
                      const struct traceql_progress *progress);
void question_put_progress(struct json_writer *w, const struct traceql_progress *progress);
/* {"trace_id": …, "spansets": […]} */
void question_put_trace(struct json_writer *w, const struct traceql_found *trace);
/* {"service.name": "web", …} */
void question_put_named(struct json_writer *w, const char *key, const struct traceql_named *named,
                        uint32_t count);

#endif
