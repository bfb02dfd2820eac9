// SPDX-License-Identifier: Apache-2.0
/* Little-endian fields of the ledger's frames and state (docs/format/ledger.md), both ways.
 * The reader never passes its end: beyond it everything is zero and `failed` is set, so that
 * whoever reads checks once, at the end, and before believing a count. */
#ifndef WEFT_COLLECTOR_BYTES_H
#define WEFT_COLLECTOR_BYTES_H

#include <endian.h>
#include <string.h>

#include "lib/base/buffer.h"

static inline void bytes_put_u16(struct buffer *b, uint16_t value)
{
    value = htole16(value);
    buffer_append(b, &value, sizeof value);
}

static inline void bytes_put_u32(struct buffer *b, uint32_t value)
{
    value = htole32(value);
    buffer_append(b, &value, sizeof value);
}

static inline void bytes_put_u64(struct buffer *b, uint64_t value)
{
    value = htole64(value);
    buffer_append(b, &value, sizeof value);
}

struct bytes_reader {
    const unsigned char *at, *end;
    bool failed;
};

static inline struct bytes_reader bytes_reader_of(const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    return (struct bytes_reader){at, at + length, false};
}

static inline size_t bytes_left(const struct bytes_reader *r)
{
    return (size_t)(r->end - r->at);
}

/* `length` bytes, or NULL. */
static inline const void *bytes_take(struct bytes_reader *r, size_t length)
{
    if (length > bytes_left(r)) {
        r->failed = true;
        r->at = r->end;
        return NULL;
    }
    const void *taken = r->at;
    r->at += length;
    return taken;
}

static inline uint16_t bytes_get_u16(struct bytes_reader *r)
{
    uint16_t value = 0;
    const void *from = bytes_take(r, sizeof value);
    if (from)
        memcpy(&value, from, sizeof value);
    return le16toh(value);
}

static inline uint32_t bytes_get_u32(struct bytes_reader *r)
{
    uint32_t value = 0;
    const void *from = bytes_take(r, sizeof value);
    if (from)
        memcpy(&value, from, sizeof value);
    return le32toh(value);
}

static inline uint64_t bytes_get_u64(struct bytes_reader *r)
{
    uint64_t value = 0;
    const void *from = bytes_take(r, sizeof value);
    if (from)
        memcpy(&value, from, sizeof value);
    return le64toh(value);
}

#endif
