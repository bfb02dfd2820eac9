// SPDX-License-Identifier: Apache-2.0
/* malloc, calloc and realloc that fail when a test says so, in this thread alone. For one file of a
 * program that is linked with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc. */
#ifndef WEFT_TESTS_FAILING_MEMORY_H
#define WEFT_TESTS_FAILING_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static _Thread_local int64_t calls_left = INT64_MAX; /* 0: all fail from now on; 1: the next one */

static bool fails(void)
{
    return calls_left != INT64_MAX && --calls_left == 0;
}

void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : __real_malloc(bytes);
}

void *__real_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : __real_calloc(count, bytes);
}

void *__real_realloc(void *old, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes)
{
    return fails() ? NULL : __real_realloc(old, bytes);
}

#endif
