// SPDX-License-Identifier: Apache-2.0
/* What makes a write into an archive's file all or nothing, when this process is killed in it:
 * librrd moves a file's counters and rows one after the other, so that a file may be left in which
 * a row stands twice. Before a write the file's head (all but its rows) is copied into "undo",
 * which is mapped; who finds such a copy at the start puts it back, and the rows are written again.
 *
 * Valid until this machine stops: who loses power has files as the disk has them. One thread. */
#ifndef WEFT_COLLECTOR_ARCHIVE_UNDO_H
#define WEFT_COLLECTOR_ARCHIVE_UNDO_H

enum { UNDO_BOOT_BYTES = 40 };
struct undo_page;

struct archive_undo {
    const char *directory;
    char boot[UNDO_BOOT_BYTES]; /* this machine's, since it was started */
    struct undo_page *page;     /* NULL: not mapped yet */
};

/* Puts back what a process left undone that was killed, and begins. The disk may be full: then it
 * is tried again at each write. */
void archive_undo_open(struct archive_undo *u, const char *directory);
void archive_undo_close(struct archive_undo *u);
/* Around each write to `file` of the directory. -1: nothing was noted, and the write must not be
 * done. */
int archive_undo_begin(struct archive_undo *u, const char *file);
void archive_undo_end(struct archive_undo *u);

#endif
