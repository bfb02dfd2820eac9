// SPDX-License-Identifier: Apache-2.0
/* Shared by journal.c (writing) and journal_cursor.c (reading). */
#ifndef WEFT_BASE_JOURNAL_INTERNAL_H
#define WEFT_BASE_JOURNAL_INTERNAL_H

#include <pthread.h>

#include "lib/base/journal.h"
#include "lib/base/journal_format.h"

struct journal_segment {
    uint64_t number;
    uint64_t bytes; /* of whole frames and what is before them: as far as readers may go */
};

/* The descriptor of the segment being written; held by the journal and by a running sync. */
struct journal_file {
    int fd;
    unsigned references; /* under the journal's lock */
};

struct journal {
    char suffix[32];
    uint64_t segment_bytes;
    bool never_sync;
    uint32_t max_frame_bytes;
    void (*preamble)(void *context, struct buffer *out);
    void *context;
    int directory_fd; /* flock'ed: one opener at a time */

    pthread_mutex_t lock;             /* for all below */
    struct journal_segment *segments; /* ascending; the last may be the one being written */
    size_t segment_count, segment_capacity;
    struct journal_file *file; /* NULL: the next append starts a segment */
    uint64_t next_segment;
    uint64_t seed;              /* of the segment being written */
    int sync_error;             /* of the first sync that failed: from then on nothing is certain */
    struct journal_stats stats; /* torn, damaged and appended; the rest is counted when asked */
};

enum { JOURNAL_NAME_MAX = 64 };
void journal_segment_name(const struct journal *j, uint64_t number, char name[JOURNAL_NAME_MAX]);

/* 0, or -ENOMEM. Under the lock. */
int journal_add_segment(struct journal *j, uint64_t number, uint64_t bytes);
/* Under the lock. */
void journal_release_file(struct journal_file *file);

/* Reading one open segment file. */
struct segment_reader {
    int fd;
    uint64_t seed;
    uint32_t max_frame_bytes;
    uint64_t window_offset; /* of the file's bytes that are in `window` */
    size_t window_length, window_capacity;
    uint8_t *window;
};

/* Reads the header. 0, -EBADMSG where neither copy is one, or another -errno. */
int segment_reader_init(struct segment_reader *r, int fd, uint32_t max_frame_bytes);
void segment_reader_fini(struct segment_reader *r); /* leaves fd open */

enum segment_frame { SEGMENT_FRAME = 1, SEGMENT_END = 0, SEGMENT_DAMAGE = -1 };
/* What stands at `offset`, in a segment that ends at `end`: a frame (body and marker filled, the
 * body valid until the next call), the end, or damage. Below -1: -errno. */
int segment_frame_at(struct segment_reader *r, uint64_t offset, uint64_t end, const void **body,
                     struct journal_frame_header *header);
/* The next offset from `offset` on at which a frame stands, or `end`; or -errno. */
int segment_resync(struct segment_reader *r, uint64_t offset, uint64_t end, uint64_t *found);

#endif
