// SPDX-License-Identifier: Apache-2.0
#include "tests/promqltest/script.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the file ---------------------------------------------------------------------------- */

static char *read_file(const char *path, size_t *length)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t capacity = 0;
    ssize_t got = f ? getdelim(&text, &capacity, 0, f) : -1;
    *length = got > 0 ? (size_t)got : 0;
    bool failed = !f || ferror(f);
    if (f)
        fclose(f);
    if (failed || (got < 0 && !text)) {
        free(text);
        return NULL;
    }
    return text;
}

/* Without spaces at its ends; a comment is an empty line. */
static char *trim(char *line, char *end)
{
    while (line < end && isspace((unsigned char)*line))
        line++;
    while (end > line && isspace((unsigned char)end[-1]))
        end--;
    *end = 0;
    return *line == '#' ? end : line;
}

bool script_open(struct script *s, const char *path)
{
    size_t length;
    *s = (struct script){.path = path};
    char *text = read_file(path, &length);
    if (!text) {
        fprintf(stderr, "promqltest: %s cannot be read\n", path);
        return false;
    }
    arena_init(&s->arena, 64 << 10);
    memory_source_init(&s->source);
    char *copy = arena_copy(&s->arena, text, length + 1), *end = copy + length;
    free(text);
    s->lines = arena_calloc(&s->arena, length + 1, sizeof(char *));
    for (char *line = copy; line <= end;) {
        char *next = memchr(line, '\n', (size_t)(end - line));
        if (!next)
            next = end;
        s->lines[s->count++] = trim(line, next);
        line = next + 1;
    }
    return true;
}

void script_close(struct script *s)
{
    memory_source_fini(&s->source);
    arena_fini(&s->arena);
}

/* ---- commands ---------------------------------------------------------------------------- */

static void check(struct script *s, const struct evaluated *e)
{
    struct buffer why = {0};
    if (script_check(s, e, &why)) {
        s->passed++;
    } else {
        s->failed++;
        printf("%s:%zu: %s\n    %s\n", s->path, e->line, e->expr, buffer_cstring(&why));
    }
    buffer_fini(&why);
}

static bool run_command(struct script *s, char why[200])
{
    const char *line = s->lines[s->at];
    if (strcmp(line, "clear") == 0) {
        memory_source_clear(&s->source);
        s->at++;
        return true;
    }
    if (strncmp(line, "load", 4) == 0) {
        bool custom = strncmp(line, "load_with_nhcb", 14) == 0;
        const char *step = line + (custom ? 14 : 4);
        while (isspace((unsigned char)*step))
            step++;
        s->at++;
        return script_load(s, custom, step, why);
    }
    if (strncmp(line, "eval", 4) == 0) {
        struct evaluated e;
        if (!script_read_eval(s, &e, why))
            return false;
        check(s, &e);
        return true;
    }
    snprintf(why, 200, "this is no command: %.100s", line);
    return false;
}

bool script_run(struct script *s)
{
    char why[200] = "";
    while (s->at < s->count) {
        if (!s->lines[s->at][0]) {
            s->at++;
            continue;
        }
        if (!run_command(s, why)) {
            printf("%s:%zu: %s\n", s->path, s->at + 1, why);
            s->failed++;
            return false;
        }
    }
    return true;
}
