// SPDX-License-Identifier: Apache-2.0
#include "lib/feed/frame.h"

#include "lib/base/little_endian.h"

enum { VERSION = 1, SENTENCE_BYTES_MAX = 512 };

static const uint32_t most[FEED_TYPES] = {
    [FEED_BATCH] = FEED_BATCH_BYTES_MAX,         [FEED_REFUSED] = SENTENCE_BYTES_MAX,
    [FEED_SUMMARIES] = FEED_SUMMARIES_BYTES_MAX, [FEED_SHOW] = FEED_BATCH_BYTES_MAX,
    [FEED_SHOWN] = FEED_BATCH_BYTES_MAX,
};

int feed_frame_read(const void *bytes, size_t length, struct feed_frame *frame, size_t *taken)
{
    const uint8_t *head = bytes;
    if (length < FEED_HEAD_BYTES)
        return 0;
    unsigned type = head[3];
    uint32_t body = get_u32(head + 4);
    if (head[0] != 'W' || head[1] != 'F' || head[2] != VERSION || type == 0 || type >= FEED_TYPES ||
        body > most[type])
        return -1;
    if (length - FEED_HEAD_BYTES < body)
        return 0;
    *frame =
        (struct feed_frame){(enum feed_type)type, get_u64(head + 8), head + FEED_HEAD_BYTES, body};
    *taken = FEED_HEAD_BYTES + (size_t)body;
    return 1;
}

bool feed_frame_write(struct buffer *out, enum feed_type type, uint64_t number, const void *body,
                      size_t length)
{
    uint8_t head[FEED_HEAD_BYTES] = {'W', 'F', VERSION, (uint8_t)type};
    if (length > most[type])
        return false;
    put_u32(head + 4, (uint32_t)length);
    put_u64(head + 8, number);
    buffer_append(out, head, sizeof head);
    if (length)
        buffer_append(out, body, length);
    return true;
}
