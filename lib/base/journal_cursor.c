// SPDX-License-Identifier: Apache-2.0
/* Reading a journal from a position on, over segments, past damage, up to what was appended. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/journal_internal.h"

struct journal_cursor {
    struct journal *journal;
    uint64_t segment; /* the one that is open; 0: none yet */
    uint64_t offset;  /* of the next frame */
    bool readable;    /* false: its header is damaged; it is counted and left */
    struct segment_reader reader;
    struct buffer preamble;
};

static void count_damage(struct journal *j, uint64_t frames, uint64_t bytes)
{
    pthread_mutex_lock(&j->lock);
    j->stats.damaged_frames += frames;
    j->stats.damaged_bytes += bytes;
    pthread_mutex_unlock(&j->lock);
}

/* The first segment numbered `number` or above; false if there is none. */
static bool segment_from(struct journal *j, uint64_t number, uint64_t *found)
{
    bool any = false;
    pthread_mutex_lock(&j->lock);
    for (size_t i = 0; i < j->segment_count && !any; i++) {
        if (j->segments[i].number >= number) {
            *found = j->segments[i].number;
            any = true;
        }
    }
    pthread_mutex_unlock(&j->lock);
    return any;
}

/* How far the cursor may read in its segment; all of the file once it was dropped. */
static uint64_t readable_bytes(struct journal_cursor *c)
{
    uint64_t bytes = journal_segment_bytes(c->journal, c->segment);
    struct stat st;
    if (bytes == 0 && fstat(c->reader.fd, &st) == 0)
        bytes = (uint64_t)st.st_size;
    return bytes;
}

static void close_segment(struct journal_cursor *c)
{
    if (c->reader.fd >= 0)
        close(c->reader.fd);
    segment_reader_fini(&c->reader);
    c->reader.fd = -1;
    c->preamble.length = 0;
}

/* The first frame, if it is the preamble; damage there is met again, and counted, by whoever
 * reads from the start. */
static int read_preamble(struct journal_cursor *c)
{
    const void *body;
    struct journal_frame_header header;
    int result =
        segment_frame_at(&c->reader, JOURNAL_FRAMES_OFFSET, readable_bytes(c), &body, &header);
    if (result == SEGMENT_FRAME && header.marker == JOURNAL_MARK_PREAMBLE)
        buffer_append(&c->preamble, body, header.length);
    return c->preamble.failed ? -ENOMEM : result < SEGMENT_DAMAGE ? result : 0;
}

/* 0, -ENOENT if it was dropped meanwhile, or another -errno. */
static int open_segment(struct journal_cursor *c, uint64_t number, uint64_t offset)
{
    char name[JOURNAL_NAME_MAX];
    close_segment(c);
    journal_segment_name(c->journal, number, name);
    int fd = openat(c->journal->directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    int result = segment_reader_init(&c->reader, fd, c->journal->max_frame_bytes);
    c->segment = number;
    c->offset = offset < JOURNAL_FRAMES_OFFSET ? JOURNAL_FRAMES_OFFSET : offset;
    c->readable = result == 0;
    if (result == -EBADMSG) {
        count_damage(c->journal, 1, readable_bytes(c));
        return 0;
    }
    if (result == 0)
        result = read_preamble(c);
    if (result < 0)
        close_segment(c);
    return result;
}

/* Opens the first segment numbered `number` or above: 1, 0 if there is none, or -errno. */
static int open_segment_from(struct journal_cursor *c, uint64_t number, uint64_t offset)
{
    uint64_t found;
    while (segment_from(c->journal, number, &found)) {
        int result = open_segment(c, found, found == number ? offset : 0);
        if (result != -ENOENT)
            return result < 0 ? result : 1;
        number = found + 1;
    }
    return 0;
}

struct journal_cursor *journal_read(struct journal *j, struct journal_position from, int *error)
{
    struct journal_cursor *c = calloc(1, sizeof *c);
    *error = -ENOMEM;
    if (!c)
        return NULL;
    c->journal = j;
    c->reader.fd = -1;
    *error = open_segment_from(c, from.segment, from.offset);
    if (*error < 0)
        journal_cursor_close(&c);
    else
        *error = 0;
    return c;
}

void journal_cursor_close(struct journal_cursor **cursor)
{
    struct journal_cursor *c = *cursor;
    if (!c)
        return;
    close_segment(c);
    buffer_fini(&c->preamble);
    free(c);
    *cursor = NULL;
}

/* Steps over damage at the cursor. 0 or -errno. */
static int skip_damage(struct journal_cursor *c, uint64_t end)
{
    uint64_t found;
    int result = segment_resync(&c->reader, c->offset + 1, end, &found);
    if (result < 0)
        return result;
    count_damage(c->journal, 1, found - c->offset);
    c->offset = found;
    return 0;
}

/* The next frame of the open segment: 1, 0 at its end, -errno. */
static int next_in_segment(struct journal_cursor *c, const void **body, uint32_t *length,
                           struct journal_position *at)
{
    uint64_t end = readable_bytes(c);
    while (c->readable) {
        struct journal_frame_header header;
        int result = segment_frame_at(&c->reader, c->offset, end, body, &header);
        if (result == SEGMENT_DAMAGE)
            result = skip_damage(c, end);
        else if (result != SEGMENT_FRAME)
            return result;
        else {
            struct journal_position position = {c->segment, c->offset};
            c->offset += JOURNAL_FRAME_HEADER_BYTES + header.length;
            if (header.marker == JOURNAL_MARK_PREAMBLE)
                continue;
            *length = header.length;
            if (at)
                *at = position;
            return 1;
        }
        if (result < 0)
            return result;
    }
    return 0;
}

int journal_next(struct journal_cursor *c, const void **body, uint32_t *length,
                 struct journal_position *at)
{
    for (;;) {
        uint64_t next = 0;
        /* Asked before reading: if a later segment is there now, this one is complete. */
        bool complete = segment_from(c->journal, c->segment + 1, &next);
        int result = c->reader.fd < 0 ? 0 : next_in_segment(c, body, length, at);
        if (result != 0 || !complete)
            return result;
        result = open_segment_from(c, next, 0);
        if (result <= 0)
            return result;
    }
}

void journal_preamble(struct journal_cursor *c, const void **bytes, uint32_t *length)
{
    *bytes = c->preamble.data;
    *length = (uint32_t)c->preamble.length;
}
