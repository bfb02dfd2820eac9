// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "collector/query/promql/lexer.h"

/* ---- errors ------------------------------------------------------------------------------ */

static void locate(const struct promql_parser *p, struct promql_error *e)
{
    e->line = e->column = 1;
    for (uint32_t i = 0; i < e->place.begin; i++) {
        char c = p->text.bytes[i];
        if (c == '\n') {
            e->line++;
            e->column = 1;
        } else if ((c & 0xc0) != 0x80) {
            e->column++;
        }
    }
}

static void __attribute__((format(printf, 5, 0)))
fail(const struct promql_parser *p, struct promql_error *e, enum promql_fault fault,
     struct promql_place place, const char *format, va_list arguments)
{
    if (e->fault != PROMQL_SOUND)
        return;
    e->fault = fault;
    e->place = place;
    vsnprintf(e->message, sizeof e->message, format, arguments);
    locate(p, e);
}

void promql_fail_syntax(struct promql_parser *p, struct promql_place place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail(p, &p->syntax, PROMQL_ESYNTAX, place, format, arguments);
    va_end(arguments);
}

void promql_fail_meaning(struct promql_parser *p, struct promql_place place, const char *format,
                         ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail(p, &p->meaning, PROMQL_EMEANING, place, format, arguments);
    va_end(arguments);
}

/* ---- the whole --------------------------------------------------------------------------- */

static enum promql_fault answer(const struct promql_parser *p, struct promql_error *error)
{
    *error = (struct promql_error){0};
    if (p->no_memory) {
        *error = (struct promql_error){.fault = PROMQL_ENOMEM, .line = 1, .column = 1};
        snprintf(error->message, sizeof error->message, "out of memory");
    } else if (p->syntax.fault != PROMQL_SOUND) {
        *error = p->syntax;
    } else if (p->meaning.fault != PROMQL_SOUND) {
        *error = p->meaning;
    }
    return error->fault;
}

static bool take_text(struct promql_parser *p, const char *text, size_t length)
{
    if (length > PROMQL_LENGTH_MAX) {
        p->text = (struct batch_str){text, 0};
        promql_fail_syntax(p, (struct promql_place){0, 0}, "the query is longer than %d bytes",
                           PROMQL_LENGTH_MAX);
        return false;
    }
    char *copy = arena_alloc(p->arena, length + 1);
    if (!copy) {
        p->no_memory = true;
        return false;
    }
    if (length)
        memcpy(copy, text, length);
    copy[length] = 0;
    p->text = (struct batch_str){copy, (uint32_t)length};
    p->cursor = copy;
    p->end = copy + length;
    return true;
}

enum promql_fault promql_parse(struct arena *arena, const char *text, size_t length,
                               struct promql_query **query, struct promql_error *error)
{
    struct promql_parser p = {.arena = arena};
    *query = NULL;
    if (take_text(&p, text, length) && promql_grammar_parse(&p) == 2)
        p.no_memory = p.syntax.fault == PROMQL_SOUND;
    if (p.query && p.meaning.fault == PROMQL_SOUND && p.syntax.fault == PROMQL_SOUND)
        promql_check(&p, p.query);
    enum promql_fault fault = answer(&p, error);
    if (fault == PROMQL_SOUND)
        *query = p.query;
    return fault;
}
