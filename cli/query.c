// SPDX-License-Identifier: Apache-2.0
/* `weft query --check QUERY`: what the collector would say of a TraceQL query, without asking
 * it. The exit status tells the classes of faults apart, for scripts and editors. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/show.h"
#include "collector/query/traceql/parse.h"

static const char usage[] =
    "usage: weft query --check QUERY\n\n"
    "Parses the TraceQL query (\"-\": from the standard input) and says what is wrong with it.\n"
    "Exits 0 if nothing is, 2 where it is not TraceQL, 3 where it is but means nothing,\n"
    "1 if memory is out.\n";

static void print_line(const char *text, size_t length, const struct language_error *e)
{
    const char *begin = text + e->place.begin, *end = begin;
    while (begin > text && begin[-1] != '\n')
        begin--;
    while (end < text + length && *end != '\n')
        end++;
    fprintf(stderr, "  %.*s\n  ", (int)(end - begin), begin);
    for (const char *c = begin; c < text + e->place.begin; c++) {
        if (*c == '\t')
            fputc('\t', stderr);
        else if ((*c & 0xc0) != 0x80)
            fputc(' ', stderr);
    }
    fputc('^', stderr);
    for (const char *c = text + e->place.begin + 1; c < text + e->place.end && c < end; c++) {
        if ((*c & 0xc0) != 0x80)
            fputc('~', stderr);
    }
    fputc('\n', stderr);
}

static int check(const char *text, size_t length)
{
    struct arena arena;
    struct traceql_query *query;
    struct language_error e;
    arena_init(&arena, 16 << 10);
    int fault = traceql_parse(&arena, text, length, &query, &e);
    if (fault == LANGUAGE_ENOMEM) {
        fprintf(stderr, "weft query: %s\n", e.message);
    } else if (fault != LANGUAGE_SOUND) {
        fprintf(stderr, "line %u, column %u: %s: %s\n", e.line, e.column,
                fault == LANGUAGE_ESYNTAX ? "syntax error" : "no meaning", e.message);
        if (length <= TRACEQL_LENGTH_MAX)
            print_line(text, length, &e);
    }
    arena_fini(&arena);
    return fault;
}

static int check_input(void)
{
    static char text[TRACEQL_LENGTH_MAX + 2];
    size_t length = fread(text, 1, sizeof text - 1, stdin);
    if (length > 0 && text[length - 1] == '\n')
        length--;
    return check(text, length);
}

int command_query(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc != 3 || strcmp(argv[1], "--check") != 0) {
        fputs(usage, stderr);
        return 2;
    }
    return strcmp(argv[2], "-") == 0 ? check_input() : check(argv[2], strlen(argv[2]));
}
