// SPDX-License-Identifier: Apache-2.0
/* Protobuf's wire format, read in place: field by field, a varint or so many bytes. A reader that
 * meets something that is none remembers it and ends. For messages of which so many come that
 * unpacking them into structs first would cost more than all the rest. */
#ifndef WEFT_PROM_WIRE_H
#define WEFT_PROM_WIRE_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/number.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct wire {
    const uint8_t *next, *end;
    bool bad;
};

struct wire_field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;    /* of VARINT and FIXED64 */
    struct wire bytes; /* of BYTES */
};

static inline struct wire wire_of(const void *bytes, size_t length)
{
    return (struct wire){bytes, (const uint8_t *)bytes + length, false};
}

static inline uint64_t wire_varint(struct wire *w)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && w->next < w->end; shift += 7) {
        uint8_t byte = *w->next++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    w->bad = true;
    w->next = w->end;
    return 0;
}

static inline uint64_t wire_fixed64(struct wire *w)
{
    uint64_t value;
    if ((size_t)(w->end - w->next) < sizeof value) {
        w->bad = true;
        w->next = w->end;
        return 0;
    }
    memcpy(&value, w->next, sizeof value);
    w->next += sizeof value;
    return le64toh(value);
}

static inline int64_t wire_zigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* The next field; false at the end, which is also where something is bad. */
static inline bool wire_next(struct wire *w, struct wire_field *f)
{
    if (w->next >= w->end)
        return false;
    uint64_t tag = wire_varint(w);
    f->number = (uint32_t)(tag >> 3);
    f->type = (enum wire_type)(tag & 7);
    f->value = 0;
    switch (f->type) {
    case WIRE_VARINT:
        f->value = wire_varint(w);
        break;
    case WIRE_FIXED64:
        f->value = wire_fixed64(w);
        break;
    case WIRE_BYTES: {
        uint64_t length = wire_varint(w);
        if (length > (size_t)(w->end - w->next)) {
            w->bad = true;
            w->next = w->end;
            return false;
        }
        f->bytes = wire_of(w->next, (size_t)length);
        w->next += length;
        break;
    }
    case WIRE_FIXED32:
        if (w->end - w->next < 4) {
            w->bad = true;
            w->next = w->end;
            return false;
        }
        w->next += 4;
        break;
    default:
        w->bad = true;
        w->next = w->end;
    }
    return !w->bad;
}

#endif
