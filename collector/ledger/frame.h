// SPDX-License-Identifier: Apache-2.0
/* What stands in the ledger's journal (docs/format/ledger.md): the body of each frame, and the
 * head of the state that begins each segment. Reading trusts nothing. */
#ifndef WEFT_COLLECTOR_LEDGER_FRAME_H
#define WEFT_COLLECTOR_LEDGER_FRAME_H

#include "collector/bytes.h"
#include "lib/link/link.h"

enum frame_kind {
    FRAME_BATCH = 1, /* an encoded batch as it came */
    FRAME_STATE = 2, /* the same bytes as a segment's preamble: all before is summed up in it */
    FRAME_REMOTE_WRITE = 3, /* a body of Prometheus' remote write as it came */
};

enum { FRAME_VERSION = 1, FRAME_HEADER_BYTES = 32, LEDGER_STATE_VERSION = 1 };

struct frame {
    enum frame_kind kind;
    char agent[LINK_AGENT_ID_MAX + 1]; /* who sent it; "" for STATE */
    struct link_sequence sequence;     /* of all but STATE */
    uint64_t accepted_unix_ns;
    uint32_t spans; /* BATCH */
    const void *body;
    size_t length;
};

/* The header with the agent's name behind it; the body follows. Returns its length. */
size_t frame_header(const struct frame *f,
                    unsigned char out[FRAME_HEADER_BYTES + LINK_AGENT_ID_MAX]);
/* 0; -1 for bytes that are no frame of a version known here. f->body points into `bytes`. */
int frame_parse(const void *bytes, size_t length, struct frame *f);

/* Sums since the ledger was begun, to which a segment's own can be told by the next one's. */
struct ledger_totals {
    uint64_t batches, spans, bytes;
    uint64_t begun_unix_ns; /* the ledger */
};

struct ledger_state {
    uint64_t written_unix_ns;
    struct ledger_totals totals;
    struct bytes_reader rest; /* the caller's own */
};

void ledger_state_head(struct buffer *out, uint64_t now_unix_ns, const struct ledger_totals *t);
/* 0; -1 for bytes that are no state of a version known here. */
int ledger_state_parse(const void *bytes, size_t length, struct ledger_state *state);

#endif
