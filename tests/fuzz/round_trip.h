// SPDX-License-Identifier: Apache-2.0
/* What holds of any bytes as a query, in whatever language: an error has a place within the text
 * and a sentence; a query that is sound prints as text that is sound, and that prints as itself. */
#ifndef WEFT_TESTS_FUZZ_ROUND_TRIP_H
#define WEFT_TESTS_FUZZ_ROUND_TRIP_H

#include <stdlib.h>
#include <string.h>

#include "collector/query/language/error.h"
#include "lib/base/arena.h"
#include "lib/base/buffer.h"

struct round_trip_language {
    enum language_fault (*parse)(struct arena *, const char *text, size_t length,
                                 const void **query, struct language_error *);
    void (*print)(struct buffer *, const void *query);
    size_t length_max;
};

static struct buffer round_trip_print(const struct round_trip_language *l, const void *query)
{
    struct buffer out = {0};
    l->print(&out, query);
    if (out.failed)
        abort();
    return out;
}

static void round_trip_again(const struct round_trip_language *l, struct arena *arena,
                             const struct buffer *once)
{
    const void *query;
    struct language_error e;
    if (l->parse(arena, once->data, once->length, &query, &e) != LANGUAGE_SOUND) {
        /* Parentheses and spaces that the first text did not have may be too many. */
        if (once->length > l->length_max || strstr(e.message, "nested"))
            return;
        abort();
    }
    struct buffer twice = round_trip_print(l, query);
    if (twice.length != once->length || memcmp(twice.data, once->data, once->length) != 0)
        abort();
    buffer_fini(&twice);
}

static inline void round_trip(const struct round_trip_language *l, const uint8_t *data, size_t size)
{
    struct arena arena;
    const void *query;
    struct language_error e;
    arena_init(&arena, 4096);
    if (l->parse(&arena, (const char *)data, size, &query, &e) == LANGUAGE_SOUND) {
        struct buffer once = round_trip_print(l, query);
        round_trip_again(l, &arena, &once);
        buffer_fini(&once);
    } else if (e.line == 0 || e.column == 0 || e.message[0] == 0 || e.place.begin > size) {
        abort();
    }
    arena_fini(&arena);
}

#endif
