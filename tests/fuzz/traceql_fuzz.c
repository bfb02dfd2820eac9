// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a query: round_trip.h says what holds. */
#include "collector/query/traceql/parse.h"
#include "collector/query/traceql/print.h"
#include "tests/fuzz/round_trip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum language_fault parse(struct arena *arena, const char *text, size_t length,
                                 const void **query, struct language_error *error)
{
    struct traceql_query *q;
    enum language_fault fault = traceql_parse(arena, text, length, &q, error);
    *query = q;
    return fault;
}

static void print(struct buffer *out, const void *query)
{
    traceql_print(out, query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct round_trip_language language = {parse, print, TRACEQL_LENGTH_MAX};
    round_trip(&language, data, size);
    return 0;
}
