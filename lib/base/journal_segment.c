// SPDX-License-Identifier: Apache-2.0
/* Reading a segment file through a window of its bytes. It reads with pread, not mmap: a file
 * that shrinks or fails under a reader is an error then, not a signal. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/journal_internal.h"

enum { WINDOW_BYTES = 256 << 10 };

/* Fills `bytes` from the file; how many there were, or -errno. */
static ssize_t read_at(int fd, uint8_t *bytes, size_t length, uint64_t offset)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n = pread(fd, bytes + done, length - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

int segment_reader_init(struct segment_reader *r, int fd, uint32_t max_frame_bytes)
{
    uint8_t bytes[JOURNAL_FRAMES_OFFSET];
    struct journal_header header;
    *r = (struct segment_reader){.fd = fd, .max_frame_bytes = max_frame_bytes};
    ssize_t n = read_at(fd, bytes, sizeof bytes, 0);
    if (n < 0)
        return (int)n;
    if ((size_t)n < sizeof bytes || (!journal_header_read(bytes, &header) &&
                                     !journal_header_read(bytes + JOURNAL_HEADER_BYTES, &header)))
        return -EBADMSG;
    r->seed = header.seed;
    return 0;
}

void segment_reader_fini(struct segment_reader *r)
{
    free(r->window);
    r->window = NULL;
}

/* `length` bytes of the file at `offset`: 1, 0 where the file has fewer, or -errno. */
static int window_get(struct segment_reader *r, uint64_t offset, size_t length,
                      const uint8_t **bytes)
{
    bool inside = offset >= r->window_offset && offset - r->window_offset <= r->window_length &&
                  length <= r->window_length - (offset - r->window_offset);
    if (!inside) {
        size_t want = length > WINDOW_BYTES ? length : WINDOW_BYTES;
        if (want > r->window_capacity) {
            uint8_t *window = realloc(r->window, want);
            if (!window)
                return -ENOMEM;
            r->window = window;
            r->window_capacity = want;
        }
        r->window_length = 0;
        ssize_t n = read_at(r->fd, r->window, want, offset);
        if (n < 0)
            return (int)n;
        r->window_offset = offset;
        r->window_length = (size_t)n;
        if (r->window_length < length)
            return 0;
    }
    *bytes = r->window + (offset - r->window_offset);
    return 1;
}

int segment_frame_at(struct segment_reader *r, uint64_t offset, uint64_t end, const void **body,
                     struct journal_frame_header *header)
{
    const uint8_t *bytes;
    if (offset >= end)
        return SEGMENT_END;
    if (end - offset < JOURNAL_FRAME_HEADER_BYTES)
        return SEGMENT_DAMAGE;
    int result = window_get(r, offset, JOURNAL_FRAME_HEADER_BYTES, &bytes);
    if (result <= 0)
        return result < 0 ? result : SEGMENT_DAMAGE;
    *header = journal_frame_header_read(bytes);
    if ((header->marker != JOURNAL_MARK_FRAME && header->marker != JOURNAL_MARK_PREAMBLE) ||
        header->length > r->max_frame_bytes ||
        header->length > end - offset - JOURNAL_FRAME_HEADER_BYTES)
        return SEGMENT_DAMAGE;
    result = window_get(r, offset, JOURNAL_FRAME_HEADER_BYTES + (size_t)header->length, &bytes);
    if (result <= 0)
        return result < 0 ? result : SEGMENT_DAMAGE;
    uint64_t seed = journal_frame_seed(r->seed, offset, header->marker, header->length);
    *body = bytes + JOURNAL_FRAME_HEADER_BYTES;
    return journal_checksum(seed, *body, header->length) == header->checksum ? SEGMENT_FRAME
                                                                             : SEGMENT_DAMAGE;
}

/* The next offset from `offset` on that holds a marker's first three bytes, or `end`. */
static int find_marker(struct segment_reader *r, uint64_t offset, uint64_t end, uint64_t *found)
{
    enum { STEP = 64 << 10, PREFIX = 3 };
    static const uint8_t ending[PREFIX] = {0xfe, 0x54, 0xd1}; /* the last byte tells them apart */
    while (offset < end && end - offset >= JOURNAL_FRAME_HEADER_BYTES) {
        const uint8_t *bytes;
        size_t step = end - offset < STEP ? (size_t)(end - offset) : STEP;
        int result = window_get(r, offset, step, &bytes);
        if (result <= 0) {
            *found = end;
            return result;
        }
        const uint8_t *hit = memmem(bytes + 1, step - 1, ending, PREFIX);
        if (hit) {
            *found = offset + (size_t)(hit - 1 - bytes);
            return 0;
        }
        if (step < STEP)
            break;
        offset += step - PREFIX;
    }
    *found = end;
    return 0;
}

int segment_resync(struct segment_reader *r, uint64_t offset, uint64_t end, uint64_t *found)
{
    for (;; offset++) {
        const void *body;
        struct journal_frame_header header;
        int result = find_marker(r, offset, end, &offset);
        if (result < 0)
            return result;
        if (offset >= end)
            break;
        result = segment_frame_at(r, offset, end, &body, &header);
        if (result < SEGMENT_DAMAGE)
            return result;
        if (result == SEGMENT_FRAME)
            break;
    }
    *found = offset;
    return 0;
}
