// SPDX-License-Identifier: Apache-2.0
/* Makes protobuf messages field by field, as a peer could send them: right ones and wrong ones. */
#ifndef WEFT_TESTS_PROM_MESSAGE_H
#define WEFT_TESTS_PROM_MESSAGE_H

#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buffer.h"

static inline void put_varint(struct buffer *m, uint64_t value)
{
    do {
        unsigned char byte = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        buffer_append(m, &byte, 1);
        value >>= 7;
    } while (value);
}

static inline void put_number(struct buffer *m, unsigned field, uint64_t value)
{
    put_varint(m, field << 3);
    put_varint(m, value);
}

static inline void put_signed(struct buffer *m, unsigned field, int64_t value)
{
    put_number(m, field, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

static inline void put_double(struct buffer *m, unsigned field, double value)
{
    put_varint(m, field << 3 | 1);
    buffer_append(m, &value, sizeof value);
}

static inline void put_bytes(struct buffer *m, unsigned field, const void *bytes, size_t length)
{
    put_varint(m, field << 3 | 2);
    put_varint(m, length);
    buffer_append(m, bytes, length);
}

static inline void put_text(struct buffer *m, unsigned field, const char *text)
{
    put_bytes(m, field, text, strlen(text));
}

/* `inner` becomes a submessage, and is emptied. */
static inline void put_message(struct buffer *m, unsigned field, struct buffer *inner)
{
    put_bytes(m, field, inner->length ? inner->data : "", inner->length);
    buffer_fini(inner);
}

static inline void put_label(struct buffer *series, const char *name, const char *value)
{
    struct buffer label = {0};
    put_text(&label, 1, name);
    put_text(&label, 2, value);
    put_message(series, 1, &label);
}

static inline void put_sample(struct buffer *series, int64_t unix_ms, double value)
{
    struct buffer sample = {0};
    put_double(&sample, 1, value);
    put_number(&sample, 2, (uint64_t)unix_ms);
    put_message(series, 2, &sample);
}

/* As it goes over the wire. The caller frees. */
static inline void *compress_message(const struct buffer *m, size_t *length)
{
    *length = snappy_max_compressed_length(m->length);
    char *bytes = malloc(*length);
    if (bytes)
        snappy_compress(m->length ? m->data : "", m->length, bytes, length);
    return bytes;
}

#endif
