// SPDX-License-Identifier: Apache-2.0
/* GET /api/v1/firehose (docs/firehose.md): every accepted span as it comes, or from some time ago
 * on. */
#include <stdlib.h>

#include "collector/firehose/firehose.h"
#include "collector/firehose/otlp.h"
#include "collector/query/traceql/choose.h"
#include "collector/query/traceql/parse.h"
#include "collector/traces/run.h"
#include "collector/web/api.h"

/* ---- a TraceQL query as a filter --------------------------------------------------------- */

struct chooser {
    struct arena arena; /* of the query */
    struct traceql_choice *choice;
    struct span_run *runs; /* one a row, by trace */
    uint32_t *first;       /* of each trace, and the end */
    uint64_t *chosen;      /* rows of the block */
    uint32_t row_capacity;
};

static void chooser_close(void *context)
{
    struct chooser *c = context;
    traceql_choice_destroy(&c->choice);
    arena_fini(&c->arena);
    free(c->runs);
    free(c->first);
    free(c->chosen);
    free(c);
}

static bool make_room(struct chooser *c, uint32_t rows)
{
    if (rows <= c->row_capacity)
        return true;
    free(c->runs);
    free(c->first);
    free(c->chosen);
    c->row_capacity = rows + rows / 4;
    c->runs = malloc(c->row_capacity * sizeof *c->runs);
    c->first = malloc(((size_t)c->row_capacity + 1) * sizeof *c->first);
    c->chosen = malloc((c->row_capacity / 64 + 1) * sizeof *c->chosen);
    if (c->runs && c->first && c->chosen)
        return true;
    c->row_capacity = 0;
    return false;
}

static int by_trace(const void *left, const void *right)
{
    const struct span_run *a = left, *b = right;
    const struct batch *batch = a->batch;
    if (batch->trace_hi[a->row] != batch->trace_hi[b->row])
        return batch->trace_hi[a->row] < batch->trace_hi[b->row] ? -1 : 1;
    if (batch->trace_lo[a->row] != batch->trace_lo[b->row])
        return batch->trace_lo[a->row] < batch->trace_lo[b->row] ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static uint32_t group_by_trace(struct chooser *c, const struct batch *batch)
{
    uint32_t traces = 0;
    for (uint32_t row = 0; row < batch->span_count; row++)
        c->runs[row] = (struct span_run){.batch = batch, .row = row, .count = 1};
    qsort(c->runs, batch->span_count, sizeof *c->runs, by_trace);
    for (uint32_t i = 0; i < batch->span_count; i++) {
        uint32_t row = c->runs[i].row, before = i > 0 ? c->runs[i - 1].row : 0;
        if (i == 0 || batch->trace_lo[row] != batch->trace_lo[before] ||
            batch->trace_hi[row] != batch->trace_hi[before])
            c->first[traces++] = i;
    }
    c->first[traces] = batch->span_count;
    return traces;
}

static void keep_chosen(const struct chooser *c, const struct block *block, uint64_t *rows,
                        uint32_t words)
{
    memset(rows, 0, words * sizeof *rows);
    for (uint32_t i = 0; i < block->rows; i++) {
        if (c->chosen[i / 64] >> (i % 64) & 1) {
            uint32_t row = block_runs_row(block, i);
            rows[row / 64] |= UINT64_C(1) << (row % 64);
        }
    }
}

static int chooser_select(void *context, const struct batch *batch, uint64_t *rows)
{
    struct chooser *c = context;
    if (batch->span_count == 0)
        return 0;
    if (!make_room(c, batch->span_count))
        return -1;
    uint32_t words = (batch->span_count + 63) / 64;
    uint64_t *wanted = malloc(words * sizeof *wanted);
    struct block *block =
        wanted ? block_of_runs(c->runs, c->first, group_by_trace(c, batch)) : NULL;
    int result = block ? traceql_choose(c->choice, block, c->chosen) : -1;
    if (result == 0) {
        keep_chosen(c, block, wanted, words);
        for (uint32_t i = 0; i < words; i++)
            rows[i] &= wanted[i];
    }
    block_close(&block);
    free(wanted);
    return result;
}

static bool open_filter(const char *text, struct firehose_filter *filter, struct reply *reply)
{
    struct traceql_query *query;
    struct language_error error;
    struct chooser *c = calloc(1, sizeof *c);
    if (!c) {
        reply_no_memory(reply);
        return false;
    }
    arena_init(&c->arena, 16 << 10);
    enum language_fault fault = traceql_parse(&c->arena, text, strlen(text), &query, &error);
    if (fault == LANGUAGE_SOUND && query->pipeline)
        c->choice = traceql_choice_create(query);
    if (c->choice) {
        *filter = (struct firehose_filter){chooser_select, chooser_close, c};
        return true;
    }
    if (fault == LANGUAGE_SOUND && !query->pipeline)
        reply_error(reply, 400, "q: expected a query that finds spans, not one that makes series");
    else if (fault == LANGUAGE_SOUND || fault == LANGUAGE_ENOMEM)
        reply_no_memory(reply);
    else
        reply_error(reply, 400, "q: line %u, column %u: %s", error.line, error.column,
                    error.message);
    chooser_close(c);
    return false;
}

/* ---- where to begin ---------------------------------------------------------------------- */

/* "oldest", "newest", or seconds back: "-3600". */
static bool parse_offset(const char *text, struct firehose_request *r)
{
    char *end;
    if (!text)
        return true;
    r->rewind = true;
    if (strcmp(text, "oldest") == 0) {
        r->start = FIREHOSE_OLDEST;
    } else if (strcmp(text, "newest") == 0) {
        r->start = FIREHOSE_NEWEST;
    } else {
        if (*text != '-' || text[1] < '0' || text[1] > '9')
            return false;
        r->start = FIREHOSE_BACK;
        r->back_s = strtoull(text + 1, &end, 10);
        return *end == 0;
    }
    return true;
}

static bool parse_request(const struct api_call *call, struct firehose_request *r,
                          struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    const char *after = params_get(call->params, "after");
    const char *format = params_get(call->params, "format"), *accept = call->request->accept;
    const char *rewind = params_get(call->params, "rewind");
    if (params_only(call->params, "app offset after rewind q format", why) != 0) {
        reply_error(reply, 400, "%s", why);
        return false;
    }
    if (!parse_offset(params_get(call->params, "offset"), r)) {
        reply_error(reply, 400, "offset: expected oldest, newest, or seconds back such as -3600");
        return false;
    }
    if (after && !position_parse(after, &r->after)) {
        reply_error(reply, 400, "after: expected the cursor of a line");
        return false;
    }
    if (after)
        r->start = FIREHOSE_AFTER;
    /* A known app goes on where it was: `offset` is for one that is new, unless it says so. */
    r->rewind = rewind && strcmp(rewind, "true") == 0;
    if (format && strcmp(format, "json") != 0 && strcmp(format, "otlp") != 0) {
        reply_error(reply, 400, "format: expected json or otlp");
        return false;
    }
    bool protobuf =
        format ? strcmp(format, "otlp") == 0 : accept && strstr(accept, "application/x-protobuf");
    r->format = protobuf ? &firehose_otlp : &firehose_json;
    r->app = params_get(call->params, "app");
    return true;
}

/* ---- the route --------------------------------------------------------------------------- */

static unsigned status_of(enum firehose_refusal refusal)
{
    switch (refusal) {
    case FIREHOSE_EFULL:
    case FIREHOSE_EBUSY:
        return 409;
    case FIREHOSE_EAPP:
    case FIREHOSE_ECURSOR:
        return 400;
    default:
        return 503;
    }
}

void api_firehose(const struct api_call *call, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    struct firehose_request r = {.start = FIREHOSE_NEWEST};
    struct firehose_client *client;
    const char *query = params_get(call->params, "q");
    if (!call->web->firehose) {
        reply_error(reply, 503, "the collector has no firehose yet");
        return;
    }
    if (!parse_request(call, &r, reply) || (query && !open_filter(query, &r.filter, reply)))
        return;
    enum firehose_refusal refusal =
        firehose_attach(call->web->firehose, &r, &client, why, sizeof why);
    if (refusal != FIREHOSE_OK) {
        reply_error(reply, status_of(refusal), "%s", why);
        return;
    }
    reply->content_type = r.format->content_type;
    if (call->request->method == WEB_HEAD ||
        (call->request->socket > 0 && firehose_client_socket(client, call->request->socket) != 0)) {
        firehose_detach(client);
        if (call->request->method != WEB_HEAD)
            reply_no_memory(reply);
        return;
    }
    reply->endless = true;
    reply->stream = (struct reply_stream){firehose_next, firehose_detach, client};
}
