// SPDX-License-Identifier: Apache-2.0
/* A growable run of bytes. When memory is out it remembers that (`failed`) and ignores what
 * follows, so that a writer checks once, at the end. Zero-initialised is empty and valid. */
#ifndef WEFT_BASE_BUFFER_H
#define WEFT_BASE_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
    char *data;
    size_t length, capacity;
    bool failed;
};

void buffer_fini(struct buffer *b);
static inline void buffer_clear(struct buffer *b)
{
    b->length = 0;
    b->failed = false;
}

/* Room for `bytes` more at data + length; NULL (and `failed`) when memory is out. The caller
 * adds what it wrote to `length`. */
char *buffer_reserve(struct buffer *b, size_t bytes);
void buffer_append(struct buffer *b, const void *bytes, size_t length);
void buffer_text(struct buffer *b, const char *text);
void buffer_byte(struct buffer *b, char c);
void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A NUL behind the contents (not counted in length). "" when memory is out. */
const char *buffer_cstring(struct buffer *b);

#endif
