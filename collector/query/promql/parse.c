// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/parse.h"

#include "collector/query/promql/lexer.h"

enum language_fault promql_parse(struct arena *arena, const char *text, size_t length,
                                 struct promql_query **query, struct language_error *error)
{
    struct promql_parser p = {0};
    *query = NULL;
    if (language_open(&p.in, arena, text, length, PROMQL_LENGTH_MAX) &&
        promql_grammar_parse(&p) == 2)
        p.in.no_memory = p.in.syntax.fault == LANGUAGE_SOUND;
    if (p.query && language_is_sound(&p.in))
        promql_check(&p, p.query);
    enum language_fault fault = language_close(&p.in, error);
    if (fault == LANGUAGE_SOUND)
        *query = p.query;
    return fault;
}
