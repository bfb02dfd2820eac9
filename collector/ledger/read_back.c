// SPDX-License-Identifier: Apache-2.0
/* Reading the ledger back after a start.
 *
 *   1. ledger_read_segments (at opening): every preamble, for the table of segments.
 *   2. The newest state is looked for from the end backwards.
 *   3. One pass, from that state or from where the store's segments end, whichever is earlier.
 *      The state is told first; batches before it do not count again.
 */
#include <errno.h>

#include "collector/ledger/internal.h"
#include "lib/base/journal_format.h"
#include "lib/base/log.h"

static struct journal_cursor *cursor_at(struct ledger *l, uint64_t segment, uint64_t offset,
                                        int *error)
{
    return journal_read(l->journal, (struct journal_position){segment, offset}, error);
}

/* ---- 1: preambles ------------------------------------------------------------------------ */

static int read_segment(struct ledger *l, uint64_t number)
{
    int error = 0;
    struct journal_cursor *c = cursor_at(l, number, 0, &error);
    if (!c)
        return error == -ENOENT ? 0 : error;
    const void *bytes;
    uint32_t length;
    journal_preamble(c, &bytes, &length);
    struct ledger_state state = {0};
    if (ledger_state_parse(bytes, length, &state) != 0) {
        LOG_WARN("ledger %s: the state at the beginning of segment %llu is damaged",
                 l->options.directory, (unsigned long long)number);
        if (l->segment_count > 0) { /* then its spans count as the segment's before it */
            state.written_unix_ns = l->segments[l->segment_count - 1].begun_unix_ns;
            state.totals.spans = l->segments[l->segment_count - 1].spans_before;
        }
    }
    if (state.totals.begun_unix_ns)
        l->totals.begun_unix_ns = state.totals.begun_unix_ns;
    journal_cursor_close(&c);
    return ledger_learn_segment(l, number, &state);
}

int ledger_read_segments(struct ledger *l)
{
    uint64_t last = journal_last_segment(l->journal);
    for (uint64_t number = journal_first_segment(l->journal); number <= last; number++) {
        int error = journal_segment_bytes(l->journal, number) > 0 ? read_segment(l, number) : 0;
        if (error != 0)
            return error;
    }
    return 0;
}

/* ---- 2: the newest state ----------------------------------------------------------------- */

struct newest {
    struct journal_position at; /* its frame; offset 0: a preamble */
    bool found;
};

static int look_over_segment(struct ledger *l, uint64_t segment, struct newest *newest)
{
    int error = 0;
    struct journal_cursor *c = cursor_at(l, segment, 0, &error);
    if (!c)
        return error == -ENOENT ? 0 : error;
    const void *body;
    uint32_t length;
    struct journal_position at;
    struct ledger_state parsed;
    journal_preamble(c, &body, &length);
    if (ledger_state_parse(body, length, &parsed) == 0)
        *newest = (struct newest){{segment, 0}, true};
    int result;
    while ((result = journal_next(c, &body, &length, &at)) == 1 && at.segment == segment) {
        struct frame f;
        if (frame_parse(body, length, &f) == 0 && f.kind == FRAME_STATE &&
            ledger_state_parse(f.body, f.length, &parsed) == 0)
            *newest = (struct newest){at, true};
    }
    journal_cursor_close(&c);
    return result < 0 ? result : 0;
}

static int find_newest_state(struct ledger *l, struct newest *newest)
{
    int error = 0;
    for (size_t i = l->segment_count; i-- > 0 && error == 0 && !newest->found;)
        error = look_over_segment(l, l->segments[i].number, newest);
    return error;
}

/* ---- 3: the pass ------------------------------------------------------------------------- */

static int tell_state(struct ledger *l, const struct ledger_reading *r, const void *bytes,
                      size_t length)
{
    struct ledger_state state;
    if (ledger_state_parse(bytes, length, &state) != 0 || r->state(r->context, &state.rest) != 0)
        return -EINVAL;
    l->totals = state.totals;
    return 0;
}

static int read_newest_state(struct ledger *l, const struct newest *newest,
                             const struct ledger_reading *r)
{
    if (!newest->found)
        return 0;
    int error = 0;
    struct journal_cursor *c = cursor_at(l, newest->at.segment, newest->at.offset, &error);
    if (!c)
        return error;
    const void *bytes;
    uint32_t length;
    struct frame f;
    if (newest->at.offset == 0) {
        journal_preamble(c, &bytes, &length);
        error = tell_state(l, r, bytes, length);
    } else if (journal_next(c, &bytes, &length, NULL) == 1 && frame_parse(bytes, length, &f) == 0) {
        error = tell_state(l, r, f.body, f.length);
    }
    journal_cursor_close(&c);
    if (error == -EINVAL) {
        LOG_ERROR("ledger %s: the newest state is not readable: batches may be accepted twice",
                  l->options.directory);
        error = 0;
    }
    return error;
}

static bool tell_batch(struct ledger *l, const struct ledger_reading *r, const struct frame *f,
                       const struct ledger_told *told, struct ledger_read_stats *stats)
{
    stats->frames += !told->before;
    stats->spans += told->before ? 0 : f->spans;
    if (!told->counted) {
        l->totals.batches++;
        l->totals.spans += f->spans;
        l->totals.bytes += f->length;
    }
    return r->batch(r->context, f, told);
}

static int pass(struct ledger *l, struct journal_position from, const struct newest *state,
                const struct ledger_reading *r, struct ledger_read_stats *stats)
{
    int result = 0;
    struct journal_cursor *c = cursor_at(l, from.segment, from.offset, &result);
    if (!c)
        return result == -ENOENT ? 0 : result;
    const void *body;
    uint32_t length;
    struct journal_position at;
    while ((result = journal_next(c, &body, &length, &at)) == 1) {
        struct frame f;
        if (frame_parse(body, length, &f) != 0) {
            stats->bad_frames++;
            continue;
        }
        struct ledger_told told = {
            .counted = state->found && journal_is_before(at, state->at),
            .before = journal_is_before(at, r->from),
            .end = {at.segment, at.offset + JOURNAL_FRAME_HEADER_BYTES + length},
        };
        if (f.kind != FRAME_STATE && !tell_batch(l, r, &f, &told, stats)) {
            stats->stopped = true;
            break;
        }
    }
    journal_cursor_close(&c);
    return result < 0 ? result : 0;
}

int ledger_read_back(struct ledger *l, const struct ledger_reading *reading,
                     struct ledger_read_stats *stats)
{
    *stats = (struct ledger_read_stats){0};
    if (l->segment_count == 0) {
        ledger_publish(l);
        return 0;
    }
    struct newest newest = {0};
    struct journal_stats before, after;
    int error = find_newest_state(l, &newest);
    if (error != 0)
        return error;
    struct journal_position from = reading->from;
    if (!newest.found)
        from = (struct journal_position){0};
    else if (journal_is_before(newest.at, from))
        from = newest.at;
    error = read_newest_state(l, &newest, reading);
    journal_stats(l->journal, &before);
    if (error == 0)
        error = pass(l, from, &newest, reading, stats);
    journal_stats(l->journal, &after);
    stats->damaged_bytes = after.damaged_bytes - before.damaged_bytes;
    stats->torn_bytes = after.torn_bytes;
    ledger_refresh_stats(l);
    if (error == 0 && !stats->stopped)
        ledger_publish(l); /* the journal made it durable when it was opened */
    return error;
}
