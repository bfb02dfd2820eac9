// SPDX-License-Identifier: Apache-2.0
/* The text of a query while it is parsed: what is read and what is not, the arena that the tree
 * grows in, and the first errors that were told. The lexers, grammars and builders of TraceQL and
 * PromQL work on one each; internal to the languages.
 *
 * Belongs to one call of a parser. What is allocated lies in the caller's arena. */
#ifndef WEFT_COLLECTOR_QUERY_LANGUAGE_INPUT_H
#define WEFT_COLLECTOR_QUERY_LANGUAGE_INPUT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "collector/query/language/error.h"
#include "lib/base/arena.h"
#include "lib/codec/batch_str.h"

struct language_input {
    struct arena *arena;
    struct batch_str text;
    const char *cursor, *end;      /* what is not yet read; a NUL stands at the end */
    struct language_error syntax;  /* the first of each kind: a query that is wrong in both ways */
    struct language_error meaning; /* does not parse, so that is told */
    bool no_memory;
};

/* Copies the text. False, with the error told: it is longer than `length_max`, or no memory. */
bool language_open(struct language_input *in, struct arena *arena, const char *text, size_t length,
                   uint32_t length_max);

static inline bool language_is_sound(const struct language_input *in)
{
    return in->syntax.fault == LANGUAGE_SOUND && in->meaning.fault == LANGUAGE_SOUND;
}

/* What came of it all, with *error filled: no memory before syntax before meaning. */
enum language_fault language_close(const struct language_input *in, struct language_error *error);

/* Remembers the first error of its class. The text is as for printf. */
void language_fail_syntax(struct language_input *in, struct language_place place,
                          const char *format, ...) __attribute__((format(printf, 3, 4)));
void language_fail_meaning(struct language_input *in, struct language_place place,
                           const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Tells that the query is nested too deep, at `place`. */
void language_fail_depth(struct language_input *in, struct language_place place, int depth_max);

/* Zeroed; NULL (and remembered) when memory is out. */
void *language_new(struct language_input *in, size_t bytes);

/* A list with room for one item more than `count`: the same, or a copy in a larger place. NULL
 * (and remembered) when memory is out. */
void *language_grow(struct language_input *in, void *list, uint32_t count, uint32_t *capacity,
                    size_t item_bytes);

/* ---- for lexers -------------------------------------------------------------------------- */

/* From `token` to the cursor. */
static inline struct language_place language_here(const struct language_input *in,
                                                  const char *token)
{
    return (struct language_place){(uint32_t)(token - in->text.bytes),
                                   (uint32_t)(in->cursor - in->text.bytes)};
}

static inline const char *language_bytes_at(const struct language_input *in,
                                            struct language_place at)
{
    return in->text.bytes + at.begin;
}

/* What the quotes at `at` hold, with Go's escapes undone. False: the error is told. */
bool language_string(struct language_input *in, struct language_place at, struct batch_str *value);

/* What the back quotes at `at` hold, as it stands. */
struct batch_str language_raw_string(const struct language_input *in, struct language_place at);

/* ---- for grammars ------------------------------------------------------------------------ */

/* The groups of tokens that a language tells syntax errors in: the bits of `expected`, in the order
 * in which they are told. NULL: told by another group. */
struct language_groups {
    const char *const *phrases;
    uint32_t count;
};

/* Tells that the token at `at` cannot stand there, what could, and `hint` (may be ""). */
void language_unexpected(struct language_input *in, struct language_place at,
                         const struct language_groups *groups, uint64_t expected, const char *hint);

#endif
