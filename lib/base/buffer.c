// SPDX-License-Identifier: Apache-2.0
#include "lib/base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_LEAST = 256 };

void buffer_fini(struct buffer *b)
{
    free(b->data);
    *b = (struct buffer){0};
}

char *buffer_reserve(struct buffer *b, size_t bytes)
{
    if (b->failed)
        return NULL;
    if (bytes <= b->capacity - b->length)
        return b->data ? b->data + b->length : buffer_reserve(b, 1);
    size_t capacity = b->capacity < CAPACITY_LEAST ? CAPACITY_LEAST : b->capacity;
    size_t least;
    if (__builtin_add_overflow(b->length, bytes, &least)) {
        b->failed = true;
        return NULL;
    }
    while (capacity < least && !__builtin_mul_overflow(capacity, 2, &capacity))
        ;
    char *data = capacity < least ? NULL : realloc(b->data, capacity);
    if (!data) {
        b->failed = true;
        return NULL;
    }
    b->data = data;
    b->capacity = capacity;
    return data + b->length;
}

void buffer_append(struct buffer *b, const void *bytes, size_t length)
{
    char *room = length ? buffer_reserve(b, length) : NULL;
    if (!room)
        return;
    memcpy(room, bytes, length);
    b->length += length;
}

void buffer_text(struct buffer *b, const char *text)
{
    buffer_append(b, text, strlen(text));
}

void buffer_byte(struct buffer *b, char c)
{
    buffer_append(b, &c, 1);
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *room = buffer_reserve(b, 64);
    size_t have = room ? b->capacity - b->length : 0;
    int need = room ? vsnprintf(room, have, format, args) : -1;
    va_end(args);
    if (need < 0) {
        b->failed = true;
        return;
    }
    if ((size_t)need >= have) {
        room = buffer_reserve(b, (size_t)need + 1);
        if (!room)
            return;
        va_start(args, format);
        vsnprintf(room, (size_t)need + 1, format, args);
        va_end(args);
    }
    b->length += (size_t)need;
}

const char *buffer_cstring(struct buffer *b)
{
    char *room = buffer_reserve(b, 1);
    if (!room)
        return "";
    *room = '\0';
    return b->data;
}
