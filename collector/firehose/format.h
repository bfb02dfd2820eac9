// SPDX-License-Identifier: Apache-2.0
/* How spans are written into a stream: one message for each, written by whoever knows the format.
 * Everything appends; memory that is out shows in the buffer's `failed`. */
#ifndef WEFT_COLLECTOR_FIREHOSE_FORMAT_H
#define WEFT_COLLECTOR_FIREHOSE_FORMAT_H

#include "collector/firehose/position.h"
#include "lib/base/buffer.h"
#include "lib/codec/batch.h"

struct firehose_row {
    const struct batch *batch;
    uint32_t row;
    const char *agent;               /* who sent it */
    uint64_t accepted_unix_ns;       /* when it came into the ledger */
    struct firehose_position behind; /* for `cursor` */
};

enum firehose_gap_reason {
    FIREHOSE_GAP_AGED,    /* the ledger's retention overtook the reader */
    FIREHOSE_GAP_DAMAGED, /* what stands there is not readable */
};

struct firehose_gap {
    enum firehose_gap_reason reason;
    uint64_t spans; /* that are missing, of all partitions */
    struct firehose_position behind;
};

struct firehose_format {
    const char *content_type;
    void (*span)(struct buffer *out, const struct firehose_row *row);
    void (*gap)(struct buffer *out, const struct firehose_gap *gap);
    void (*keep_alive)(struct buffer *out); /* something that says nothing */
};

/* One JSON object a line (docs/firehose.md). */
extern const struct firehose_format firehose_json;

#endif
