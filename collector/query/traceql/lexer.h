// SPDX-License-Identifier: Apache-2.0
/* TraceQL's tokens: lexer.re finds where they end, lexeme.c says what they hold. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_LEXER_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_LEXER_H

#include "collector/query/traceql/build.h"
#include "collector/query/traceql/grammar.h"

/* Bison's token for what was found wrong, and told, before it came to the grammar. */
enum { TRACEQL_TOKEN_WRONG = TRACEQL_TOKEN_TRACEQL_GRAMMAR_error };

/* The next token; 0 at the end, TRACEQL_TOKEN_WRONG where none begins (the syntax error is
 * told then). */
int traceql_grammar_lex(union TRACEQL_TOKEN_VALUE *value, struct language_place *place,
                        struct traceql_parser *p);

/* Each is given the token's bytes, sets *value and answers with the token, or tells the error. */
int traceql_lex_string(struct traceql_parser *p, struct language_place at,
                       union TRACEQL_TOKEN_VALUE *value);
int traceql_lex_raw_string(struct traceql_parser *p, struct language_place at,
                           union TRACEQL_TOKEN_VALUE *value);
int traceql_lex_integer(struct traceql_parser *p, struct language_place at,
                        union TRACEQL_TOKEN_VALUE *value);
int traceql_lex_float(struct traceql_parser *p, struct language_place at,
                      union TRACEQL_TOKEN_VALUE *value);
int traceql_lex_duration(struct traceql_parser *p, struct language_place at,
                         union TRACEQL_TOKEN_VALUE *value);
int traceql_lex_word(struct traceql_parser *p, struct language_place at,
                     union TRACEQL_TOKEN_VALUE *value);
int traceql_lex_scoped(struct traceql_parser *p, struct language_place at,
                       union TRACEQL_TOKEN_VALUE *value);
/* `prefix` bytes of the token are the scope with its dot. */
int traceql_lex_attribute(struct traceql_parser *p, struct language_place at, uint32_t prefix,
                          enum traceql_scope scope, bool parent, union TRACEQL_TOKEN_VALUE *value);

#endif
