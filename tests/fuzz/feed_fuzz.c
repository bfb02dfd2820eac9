// SPDX-License-Identifier: Apache-2.0
/* Frames of the feed. What is read is written again, and is the same; a batch goes on to the
 * decoder. */
#include <stdlib.h>
#include <string.h>

#include "lib/codec/batch.h"
#include "lib/feed/frame.h"

enum { PLAIN_BYTES_MAX = 1 << 20 };

static void decode(const struct feed_frame *frame)
{
    struct arena arena;
    int error;
    arena_init(&arena, 4096);
    const struct batch *b =
        batch_decode(&arena, frame->body, frame->length, PLAIN_BYTES_MAX, &error);
    if (b && batch_is_samples(b) && (b->span_count || b->process_count || b->loss_count))
        abort();
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed_frame frame;
    struct buffer again = {0};
    size_t taken;
    while (feed_frame_read(data, size, &frame, &taken) == 1) {
        buffer_clear(&again);
        if (taken > size || taken != FEED_HEAD_BYTES + (size_t)frame.length ||
            !feed_frame_write(&again, frame.type, frame.number, frame.body, frame.length))
            abort();
        if (!again.failed && (again.length != taken || memcmp(again.data, data, taken) != 0))
            abort();
        if (frame.type == FEED_BATCH)
            decode(&frame);
        data += taken;
        size -= taken;
    }
    buffer_fini(&again);
    return 0;
}
