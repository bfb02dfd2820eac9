// SPDX-License-Identifier: Apache-2.0
/* PromQL's tokens: lexer.re finds where they end, lexeme.c says what they hold. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_LEXER_H
#define WEFT_COLLECTOR_QUERY_PROMQL_LEXER_H

#include "collector/query/promql/build.h"
#include "collector/query/promql/grammar.h"

/* Bison's token for what was found wrong, and told, before it came to the grammar. */
enum { PROMQL_TOKEN_WRONG = PROMQL_TOKEN_PROMQL_GRAMMAR_error };

/* The next token; 0 at the end, PROMQL_TOKEN_WRONG where none begins (the syntax error is told
 * then). */
int promql_grammar_lex(union PROMQL_TOKEN_VALUE *value, struct language_place *place,
                       struct promql_parser *p);

/* Each is given the token's bytes, sets *value and answers with the token, or tells the error. */
int promql_lex_string(struct promql_parser *p, struct language_place at,
                      union PROMQL_TOKEN_VALUE *value);
int promql_lex_raw_string(struct promql_parser *p, struct language_place at,
                          union PROMQL_TOKEN_VALUE *value);
int promql_lex_number(struct promql_parser *p, struct language_place at,
                      union PROMQL_TOKEN_VALUE *value);
int promql_lex_duration(struct promql_parser *p, struct language_place at,
                        union PROMQL_TOKEN_VALUE *value);
int promql_lex_word(struct promql_parser *p, struct language_place at,
                    union PROMQL_TOKEN_VALUE *value);

#endif
