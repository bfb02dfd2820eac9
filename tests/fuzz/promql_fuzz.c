// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a query: an error has a place within the text and a sentence; a query that is
 * sound prints as text that is sound, and that prints as itself. */
#include <stdlib.h>
#include <string.h>

#include "collector/query/promql/parse.h"
#include "collector/query/promql/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct buffer print(const struct promql_query *query)
{
    struct buffer out = {0};
    promql_print(&out, query);
    if (out.failed)
        abort();
    return out;
}

static void print_again(struct arena *arena, const struct buffer *once)
{
    struct promql_query *query;
    struct promql_error e;
    if (promql_parse(arena, once->data, once->length, &query, &e) != PROMQL_SOUND) {
        /* Parentheses and spaces that the first text did not have may be too many. */
        if (once->length > PROMQL_LENGTH_MAX || strstr(e.message, "nested"))
            return;
        abort();
    }
    struct buffer twice = print(query);
    if (twice.length != once->length || memcmp(twice.data, once->data, once->length) != 0)
        abort();
    buffer_fini(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct promql_query *query;
    struct promql_error e;
    arena_init(&arena, 4096);
    if (promql_parse(&arena, (const char *)data, size, &query, &e) == PROMQL_SOUND) {
        struct buffer once = print(query);
        print_again(&arena, &once);
        buffer_fini(&once);
    } else if (e.line == 0 || e.column == 0 || e.message[0] == 0 || e.place.begin > size) {
        abort();
    }
    arena_fini(&arena);
    return 0;
}
