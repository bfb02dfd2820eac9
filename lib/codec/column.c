// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/column.h"

#include <stdlib.h>

enum { CAPACITY_LEAST = 1024 };

bool column_grow(struct column *c, size_t more)
{
    size_t need, capacity = c->capacity < CAPACITY_LEAST ? CAPACITY_LEAST : c->capacity;
    if (c->failed || __builtin_add_overflow(c->length, more, &need) || need > SIZE_MAX / 4) {
        c->failed = true;
        return false;
    }
    while (capacity < need)
        capacity *= 2;
    uint8_t *bytes = capacity == c->capacity ? c->bytes : realloc(c->bytes, capacity);
    if (!bytes) {
        c->failed = true;
        return false;
    }
    c->bytes = bytes;
    c->capacity = capacity;
    return true;
}

void column_fini(struct column *c)
{
    free(c->bytes);
    *c = (struct column){0};
}

uint64_t column_get_long(struct column_reader *r)
{
    uint64_t value = 0;
    const uint8_t *p = r->next;
    for (unsigned shift = 0; p < r->end && shift < 64; shift += 7) {
        uint8_t byte = *p++;
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            r->next = p;
            return value;
        }
    }
    r->bad = true;
    return 0;
}

size_t column_count_varints(const struct column_reader *r)
{
    size_t count = 0;
    for (const uint8_t *p = r->next; p < r->end; p++)
        count += *p < 0x80;
    return count;
}
