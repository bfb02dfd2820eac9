// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "collector/query/traceql/lexer.h"

/* ---- errors ------------------------------------------------------------------------------ */

static void locate(const struct traceql_parser *p, struct traceql_error *e)
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
fail(const struct traceql_parser *p, struct traceql_error *e, enum traceql_fault fault,
     struct traceql_place place, const char *format, va_list arguments)
{
    if (e->fault != TRACEQL_SOUND)
        return;
    e->fault = fault;
    e->place = place;
    vsnprintf(e->message, sizeof e->message, format, arguments);
    locate(p, e);
}

void traceql_fail_syntax(struct traceql_parser *p, struct traceql_place place, const char *format,
                         ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail(p, &p->syntax, TRACEQL_ESYNTAX, place, format, arguments);
    va_end(arguments);
}

void traceql_fail_meaning(struct traceql_parser *p, struct traceql_place place, const char *format,
                          ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail(p, &p->meaning, TRACEQL_EMEANING, place, format, arguments);
    va_end(arguments);
}

/* ---- the whole --------------------------------------------------------------------------- */

static enum traceql_fault answer(const struct traceql_parser *p, struct traceql_error *error)
{
    *error = (struct traceql_error){0};
    if (p->no_memory) {
        *error = (struct traceql_error){.fault = TRACEQL_ENOMEM, .line = 1, .column = 1};
        snprintf(error->message, sizeof error->message, "out of memory");
    } else if (p->syntax.fault != TRACEQL_SOUND) {
        *error = p->syntax;
    } else if (p->meaning.fault != TRACEQL_SOUND) {
        *error = p->meaning;
    }
    return error->fault;
}

static bool take_text(struct traceql_parser *p, const char *text, size_t length)
{
    if (length > TRACEQL_LENGTH_MAX) {
        p->text = (struct batch_str){text, 0};
        traceql_fail_syntax(p, (struct traceql_place){0, 0}, "the query is longer than %d bytes",
                            TRACEQL_LENGTH_MAX);
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

enum traceql_fault traceql_parse(struct arena *arena, const char *text, size_t length,
                                 struct traceql_query **query, struct traceql_error *error)
{
    struct traceql_parser p = {.arena = arena};
    *query = NULL;
    if (take_text(&p, text, length) && traceql_grammar_parse(&p) == 2)
        p.no_memory = p.syntax.fault == TRACEQL_SOUND;
    if (p.query && p.meaning.fault == TRACEQL_SOUND && p.syntax.fault == TRACEQL_SOUND)
        traceql_check(&p, p.query);
    enum traceql_fault fault = answer(&p, error);
    if (fault == TRACEQL_SOUND)
        *query = p.query;
    return fault;
}
