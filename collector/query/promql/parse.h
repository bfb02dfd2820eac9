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

enum promql_fault {
    PROMQL_SOUND = 0,
    PROMQL_ENOMEM = 1,
    PROMQL_ESYNTAX = 2,  /* not a query */
    PROMQL_EMEANING = 3, /* a query that has no meaning: types, names, patterns */
};

struct promql_error {
    enum promql_fault fault;
    struct promql_place place;
    uint32_t line, column; /* of the place; both count from 1, columns in characters */
    char found[48];        /* of a syntax error: what stands there */
    char expected[400];    /* of a syntax error: what could stand there; may be empty */
    char message[600];     /* one sentence with all of that but the place */
};

/* PROMQL_SOUND with a query whose text and tree are in `arena`; else the fault, with *error filled
 * (which may not be NULL) and *query NULL. `text` need not be terminated. */
enum promql_fault promql_parse(struct arena *arena, const char *text, size_t length,
                               struct promql_query **query, struct promql_error *error);

#endif
