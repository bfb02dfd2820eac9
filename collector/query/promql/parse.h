// SPDX-License-Identifier: Apache-2.0
/* PromQL: from text to a checked tree, or to the reason why there is none.
 *
 *   lexer.re    text to tokens
 *   grammar.y   tokens to a tree, made by build.c
 *   check.c     whether the tree means something: types, patterns, limits
 *
 * No state but the caller's; any thread. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_PARSE_H
#define WEFT_COLLECTOR_QUERY_PROMQL_PARSE_H

#include <stddef.h>

#include "collector/query/promql/ast.h"
#include "lib/base/arena.h"

/* LANGUAGE_SOUND with a query whose text and tree are in `arena`; else the fault, with *error
 * filled (which may not be NULL) and *query NULL. `text` need not be terminated. */
enum language_fault promql_parse(struct arena *arena, const char *text, size_t length,
                                 struct promql_query **query, struct language_error *error);

#endif
