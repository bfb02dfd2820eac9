// SPDX-License-Identifier: Apache-2.0
#include "collector/firehose/reader.h"

#include <errno.h>

#include "lib/base/log.h"

enum { ARENA_BYTES = 64 << 10, BATCH_BYTES_MOST = 16 << 20 };

void frames_init(struct frames *r, struct ledger *l, struct firehose_position from)
{
    *r = (struct frames){.ledger = l, .at = from, .counting = from.offset > 0};
    arena_init(&r->arena, ARENA_BYTES);
}

void frames_fini(struct frames *r)
{
    journal_cursor_close(&r->cursor);
    arena_fini(&r->arena);
    r->batch = NULL;
    r->held = false;
}

void frames_seek(struct frames *r, struct firehose_position to)
{
    uint64_t not_before = r->not_before_unix_ns;
    frames_fini(r);
    frames_init(r, r->ledger, to);
    r->not_before_unix_ns = not_before;
}

static bool is_durable(struct frames *r)
{
    struct journal_position end = ledger_durable(r->ledger).end;
    if (r->frame_at.segment != end.segment)
        return r->frame_at.segment < end.segment;
    return r->frame_at.offset < end.offset;
}

/* ---- segments ---------------------------------------------------------------------------- */

/* Spans before the segment that the cursor is in; false where its beginning is damaged. */
static bool spans_before(const struct frames *r, uint64_t *spans)
{
    const void *bytes;
    uint32_t length;
    struct ledger_state state;
    journal_preamble(r->cursor, &bytes, &length);
    if (ledger_state_parse(bytes, length, &state) != 0)
        return false;
    *spans = state.totals.spans;
    return true;
}

/* The frame is in another segment than what was read last. Were there spans between the two? If the
 * segment before is still there, they were in frames that the journal passed over. */
static bool enter_segment(struct frames *r)
{
    uint64_t before = 0, from = r->at.segment;
    bool counted = r->counting, told = spans_before(r, &before);
    bool followed = r->frame_at.segment == from + 1 && ledger_has_segment(r->ledger, from);
    uint64_t missing = counted && told && before > r->at.spans ? before - r->at.spans : 0;
    r->at = (struct firehose_position){
        .segment = r->frame_at.segment,
        .offset = r->frame_at.offset,
        .spans = told ? before : r->at.spans,
    };
    r->counting = told || (counted && followed);
    enum firehose_gap_reason reason = followed ? FIREHOSE_GAP_DAMAGED : FIREHOSE_GAP_AGED;
    r->gap = (struct firehose_gap){reason, missing, r->at};
    return missing > 0;
}

/* ---- frames ------------------------------------------------------------------------------ */

/* The next frame that is a batch: FRAMES_BATCH with `held`, or END or EIO. */
static enum frames_result hold_frame(struct frames *r)
{
    const void *body;
    uint32_t length;
    int error = 0;
    if (!r->cursor)
        r->cursor = ledger_follow(r->ledger, (struct journal_position){r->at.segment, r->at.offset},
                                  &error);
    if (!r->cursor)
        return error == -ENOMEM ? FRAMES_ENOMEM : FRAMES_EIO;
    while (!r->held) {
        int result = journal_next(r->cursor, &body, &length, &r->frame_at);
        if (result < 0)
            return result == -ENOMEM ? FRAMES_ENOMEM : FRAMES_EIO;
        if (result == 0)
            return FRAMES_END;
        r->held = frame_parse(body, length, &r->frame) == 0 && r->frame.kind == FRAME_BATCH;
    }
    return is_durable(r) ? FRAMES_BATCH : FRAMES_END;
}

/* The held frame is done with: the position goes behind it. */
static void leave_frame(struct frames *r)
{
    r->at = frames_position(r, r->frame.spans);
    r->batch = NULL;
    r->held = false;
}

/* The position comes to the held frame: a row within it stays, if it was in this very frame. */
static void arrive(struct frames *r)
{
    bool within = r->at.segment == r->frame_at.segment && r->at.offset == r->frame_at.offset;
    if (within)
        return;
    r->at.segment = r->frame_at.segment;
    r->at.offset = r->frame_at.offset;
    r->at.row = 0;
}

static enum frames_result decode(struct frames *r)
{
    int error = BATCH_OK;
    arena_reset(&r->arena);
    struct batch *batch =
        batch_decode(&r->arena, r->frame.body, r->frame.length, BATCH_BYTES_MOST, &error);
    if (error == BATCH_ENOMEM)
        return FRAMES_ENOMEM;
    if (!batch || batch->span_count != r->frame.spans) {
        LOG_WARN_EVERY("a batch of agent %s in the ledger does not decode", r->frame.agent);
        uint64_t missing = r->frame.spans - (uint64_t)r->at.row;
        leave_frame(r);
        r->gap = (struct firehose_gap){FIREHOSE_GAP_DAMAGED, missing, r->at};
        return FRAMES_GAP;
    }
    r->batch = batch;
    return FRAMES_BATCH;
}

enum frames_result frames_next(struct frames *r)
{
    if (r->batch)
        leave_frame(r);
    for (;;) {
        enum frames_result result = hold_frame(r);
        if (result != FRAMES_BATCH)
            return result;
        if (r->frame_at.segment != r->at.segment || !r->counting) {
            if (enter_segment(r))
                return FRAMES_GAP;
        }
        arrive(r);
        bool wanted =
            r->at.row < r->frame.spans && r->frame.accepted_unix_ns >= r->not_before_unix_ns;
        if (wanted)
            return decode(r);
        leave_frame(r);
    }
}
