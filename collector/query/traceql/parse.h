// SPDX-License-Identifier: Apache-2.0
/* TraceQL: from text to a checked tree, or to the reason why there is none.
 *
 *   lexer.re    text to tokens
 *   grammar.y   tokens to a tree, made by build.c
 *   check.c     whether the tree means something: types, patterns, limits
 *
 * No state but the caller's; any thread. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_PARSE_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_PARSE_H

#include <stddef.h>

#include "collector/query/traceql/ast.h"
#include "lib/base/arena.h"

/* The numbers are the exit status of `weft query --check`. */
enum traceql_fault {
    TRACEQL_SOUND = 0,
    TRACEQL_ENOMEM = 1,
    TRACEQL_ESYNTAX = 2,  /* not a query */
    TRACEQL_EMEANING = 3, /* a query that has no meaning */
};

struct traceql_error {
    enum traceql_fault fault;
    struct traceql_place place;
    uint32_t line, column; /* of the place; both count from 1, columns in characters */
    char found[48];        /* of a syntax error: what stands there */
    char expected[400];    /* of a syntax error: what could stand there; may be empty */
    char message[600];     /* one sentence with all of that but the place */
};

/* TRACEQL_SOUND with a query whose text and tree are in `arena`; else the fault, with *error
 * filled (which may not be NULL) and *query NULL. `text` need not be terminated. */
enum traceql_fault traceql_parse(struct arena *arena, const char *text, size_t length,
                                 struct traceql_query **query, struct traceql_error *error);

#endif
