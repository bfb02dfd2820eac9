// SPDX-License-Identifier: Apache-2.0
/* Where each app is, in a SQLite database "firehose.db" of the directory given. One row for each
 * partition (collector/database.h). A loss of power may take the last moments: then the app gets
 * these again, as a position is never ahead of the ledger's durable end.
 * Any thread; each call may wait for the disk. */
#ifndef WEFT_COLLECTOR_FIREHOSE_CHECKPOINTS_H
#define WEFT_COLLECTOR_FIREHOSE_CHECKPOINTS_H

#include "collector/firehose/trail.h"

enum { FIREHOSE_APP_MAX = 64, CHECKPOINTS_APPS_MOST = 1000 };

struct checkpoints;

/* NULL and a sentence in `why`. The directory is made if missing. */
struct checkpoints *checkpoints_open(const char *directory, char *why, size_t why_size);
void checkpoints_close(struct checkpoints **c);

struct checkpoint {
    /* Of the ledger that the positions are in, when it was begun. */
    uint64_t ledger_begun_unix_ns;
    struct firehose_position positions[FIREHOSE_PARTITIONS];
};

enum { CHECKPOINTS_OK = 0, CHECKPOINTS_NONE = 1, CHECKPOINTS_EIO = -1, CHECKPOINTS_EMANY = -2 };

/* NONE: the app is not known. EMANY: nor may it become so. */
int checkpoints_read(struct checkpoints *c, const char *app, struct checkpoint *out);
/* All partitions of the app at once, or nothing. */
int checkpoints_write(struct checkpoints *c, const char *app, const struct checkpoint *checkpoint,
                      uint64_t now_unix_ns);
/* Forgets the app. */
int checkpoints_remove(struct checkpoints *c, const char *app);
/* Each app and when it was written last; `each` must not call back. */
int checkpoints_list(struct checkpoints *c,
                     void (*each)(void *context, const char *app, uint64_t written_unix_ns),
                     void *context);

#endif
