// SPDX-License-Identifier: Apache-2.0
/* What the grammars set of bison's skeleton alike; included by them alone. */
#ifndef WEFT_COLLECTOR_QUERY_LANGUAGE_GRAMMAR_H
#define WEFT_COLLECTOR_QUERY_LANGUAGE_GRAMMAR_H

/* A rule's place: from its first part to its last; an empty one lies behind what stands before. */
#define YYLLOC_DEFAULT(whole, rhs, n)                                                              \
    do {                                                                                           \
        (whole).begin = (n) ? YYRHSLOC(rhs, 1).begin : YYRHSLOC(rhs, 0).end;                       \
        (whole).end = YYRHSLOC(rhs, n).end;                                                        \
    } while (0)

/* Where parsing cannot go on: memory is out, or the tree is too deep. */
#define NEED(made)                                                                                 \
    do {                                                                                           \
        if (!(made))                                                                               \
            YYABORT;                                                                               \
    } while (0)

#endif
