// SPDX-License-Identifier: Apache-2.0
#include "collector/query/language/input.h"

#include <stdio.h>
#include <string.h>

/* ---- errors ------------------------------------------------------------------------------ */

static void locate(const struct language_input *in, struct language_error *e)
{
    e->line = e->column = 1;
    for (uint32_t i = 0; i < e->place.begin; i++) {
        char c = in->text.bytes[i];
        if (c == '\n') {
            e->line++;
            e->column = 1;
        } else if ((c & 0xc0) != 0x80) {
            e->column++;
        }
    }
}

static void __attribute__((format(printf, 5, 0)))
fail(const struct language_input *in, struct language_error *e, enum language_fault fault,
     struct language_place place, const char *format, va_list arguments)
{
    if (e->fault != LANGUAGE_SOUND)
        return;
    e->fault = fault;
    e->place = place;
    vsnprintf(e->message, sizeof e->message, format, arguments);
    locate(in, e);
}

void language_fail_syntax(struct language_input *in, struct language_place place,
                          const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail(in, &in->syntax, LANGUAGE_ESYNTAX, place, format, arguments);
    va_end(arguments);
}

void language_fail_meaning(struct language_input *in, struct language_place place,
                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail(in, &in->meaning, LANGUAGE_EMEANING, place, format, arguments);
    va_end(arguments);
}

void language_fail_depth(struct language_input *in, struct language_place place, int depth_max)
{
    language_fail_syntax(in, place, "the query is nested more than %d levels deep", depth_max);
}

/* ---- beginning and end ------------------------------------------------------------------- */

bool language_open(struct language_input *in, struct arena *arena, const char *text, size_t length,
                   uint32_t length_max)
{
    *in = (struct language_input){.arena = arena};
    if (length > length_max) {
        in->text = (struct batch_str){text, 0};
        language_fail_syntax(in, (struct language_place){0, 0}, "the query is longer than %u bytes",
                             length_max);
        return false;
    }
    char *copy = arena_alloc(arena, length + 1);
    if (!copy) {
        in->no_memory = true;
        return false;
    }
    if (length)
        memcpy(copy, text, length);
    copy[length] = 0;
    in->text = (struct batch_str){copy, (uint32_t)length};
    in->cursor = copy;
    in->end = copy + length;
    return true;
}

enum language_fault language_close(const struct language_input *in, struct language_error *error)
{
    *error = (struct language_error){0};
    if (in->no_memory) {
        *error = (struct language_error){.fault = LANGUAGE_ENOMEM, .line = 1, .column = 1};
        snprintf(error->message, sizeof error->message, "out of memory");
    } else if (in->syntax.fault != LANGUAGE_SOUND) {
        *error = in->syntax;
    } else if (in->meaning.fault != LANGUAGE_SOUND) {
        *error = in->meaning;
    }
    return error->fault;
}

/* ---- memory ------------------------------------------------------------------------------ */

void *language_new(struct language_input *in, size_t bytes)
{
    void *made = arena_calloc(in->arena, 1, bytes);
    if (!made)
        in->no_memory = true;
    return made;
}

void *language_grow(struct language_input *in, void *list, uint32_t count, uint32_t *capacity,
                    size_t item_bytes)
{
    if (count < *capacity)
        return list;
    uint32_t more = *capacity ? *capacity * 2 : 4;
    void *bigger = language_new(in, more * item_bytes);
    if (!bigger)
        return NULL;
    if (count)
        memcpy(bigger, list, count * item_bytes);
    *capacity = more;
    return bigger;
}
