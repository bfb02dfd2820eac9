// SPDX-License-Identifier: Apache-2.0
/* What is wrong with the text of a query, and where: the same for every language. */
#ifndef WEFT_COLLECTOR_QUERY_LANGUAGE_ERROR_H
#define WEFT_COLLECTOR_QUERY_LANGUAGE_ERROR_H

#include <stdint.h>

/* Bytes of the query's text: [begin, end). */
struct language_place {
    uint32_t begin, end;
};

/* The numbers are the exit status of `weft query --check`. */
enum language_fault {
    LANGUAGE_SOUND = 0,
    LANGUAGE_ENOMEM = 1,
    LANGUAGE_ESYNTAX = 2,  /* not a query */
    LANGUAGE_EMEANING = 3, /* a query that has no meaning: types, names, patterns */
};

struct language_error {
    enum language_fault fault;
    struct language_place place;
    uint32_t line, column; /* of the place; both count from 1, columns in characters */
    char found[48];        /* of a syntax error: what stands there */
    char expected[400];    /* of a syntax error: what could stand there; may be empty */
    char message[600];     /* one sentence with all of that but the place */
};

#endif
