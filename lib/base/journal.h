// SPDX-License-Identifier: Apache-2.0
/* A journal: frames appended to numbered segment files in one directory. The agent's spool
 * and the collector's ledger are both journals; docs/format/journal.md describes the bytes.
 *
 * A frame is a length, a checksum (XXH3-64 over length and body), and a body. A segment begins
 * with a header (magic, version, number) and a caller's *preamble*: bytes that describe the
 * state in which the segment began, asked for by callback when one is started, so that older
 * segments can be dropped without losing it.
 *
 * Opening repairs: a torn frame at the end of the last segment is cut off; a damaged frame
 * elsewhere is skipped (the reader resynchronises at the next frame whose checksum holds) and
 * counted. Nothing is ever rewritten in place.
 *
 * One thread appends; journal_sync may run beside appends; readers use their own cursors in
 * any thread and see what was appended before they looked. All calls may block on the disk.
 * Errors are -errno.
 */
#ifndef WEFT_BASE_JOURNAL_H
#define WEFT_BASE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "lib/base/buffer.h"

struct journal;

struct journal_options {
    const char *directory;    /* made if missing, mode 0700 */
    const char *suffix;       /* of the segment files: "ledger" gives 00000000000000000001.ledger */
    uint64_t segment_bytes;   /* a new one is started beyond this */
    uint32_t max_frame_bytes; /* a longer length is damage, not a frame */
    /* Writes the preamble of a new segment; may be NULL. */
    void (*preamble)(void *context, struct buffer *out);
    void *context;
    /* Nothing is synced but by journal_sync: appends never wait for the disk, and what was
     * appended survives the process, not the host. Otherwise a full segment and the name of the
     * next one are durable before that one is used. */
    bool never_sync;
};

struct journal_position {
    uint64_t segment, offset; /* of a frame's first byte */
};

static inline bool journal_is_before(struct journal_position a, struct journal_position b)
{
    return a.segment != b.segment ? a.segment < b.segment : a.offset < b.offset;
}

struct journal_stats {
    uint64_t bytes, frames_appended;
    uint32_t segments;
    uint64_t torn_bytes;                    /* cut off the end when opened */
    uint64_t damaged_frames, damaged_bytes; /* skipped while reading */
};

/* NULL with *error = -errno. Takes a lock on the directory: -EBUSY if another process has it. */
struct journal *journal_open(const struct journal_options *options, int *error);
void journal_close(struct journal **j);

/* Appends one frame, whole or not at all: after an error (-ENOSPC, -EIO …) the file is cut back
 * to where it was. *at (may be NULL) tells where it stands. Not durable before journal_sync. */
int journal_append(struct journal *j, const struct iovec *parts, int count,
                   struct journal_position *at);
/* fdatasync of everything appended before the call. After a failure the data's fate is unknown
 * (the kernel forgets the error): the caller must treat the journal as failed. */
int journal_sync(struct journal *j);

/* Deletes every segment numbered below `segment`; never the one being written. */
int journal_drop_before(struct journal *j, uint64_t segment);
/* Deletes every segment, also the one being written; the next append starts another. The
 * appending thread's. */
int journal_drop_all(struct journal *j);
uint64_t journal_first_segment(const struct journal *j);
uint64_t journal_last_segment(const struct journal *j); /* the one being written */
/* Bytes of one segment on disk; unix time (seconds) of its last change. 0 if there is none. */
uint64_t journal_segment_bytes(const struct journal *j, uint64_t segment);
int64_t journal_segment_mtime_s(const struct journal *j, uint64_t segment);
void journal_stats(const struct journal *j, struct journal_stats *out);

/* ---- reading ----------------------------------------------------------------------------- */

struct journal_cursor; /* holds its segment's descriptor: a dropped segment is read to its end */

/* From the frame at `from`, or from the oldest for {0, 0}. */
struct journal_cursor *journal_read(struct journal *j, struct journal_position from, int *error);
void journal_cursor_close(struct journal_cursor **c);
/* 1: a frame; *body is valid until the next call.  0: the end for now (call again later).
 * Below 0: -errno. Damage is skipped and counted, not returned. */
int journal_next(struct journal_cursor *c, const void **body, uint32_t *length,
                 struct journal_position *at);
/* The preamble of the segment that the cursor is in (length 0: none). */
void journal_preamble(struct journal_cursor *c, const void **bytes, uint32_t *length);

#endif
