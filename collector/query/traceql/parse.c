// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/parse.h"

#include "collector/query/traceql/lexer.h"

enum language_fault traceql_parse(struct arena *arena, const char *text, size_t length,
                                  struct traceql_query **query, struct language_error *error)
{
    struct traceql_parser p = {0};
    *query = NULL;
    if (language_open(&p.in, arena, text, length, TRACEQL_LENGTH_MAX) &&
        traceql_grammar_parse(&p) == 2)
        p.in.no_memory = p.in.syntax.fault == LANGUAGE_SOUND;
    if (p.query && language_is_sound(&p.in))
        traceql_check(&p, p.query);
    enum language_fault fault = language_close(&p.in, error);
    if (fault == LANGUAGE_SOUND)
        *query = p.query;
    return fault;
}
