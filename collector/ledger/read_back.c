// SPDX-License-Identifier: Apache-2.0
/* Reading the ledger back after a start.
 *
 *   1. ledger_read_segments (at opening): every preamble, for the table of segments.
 *   2. What fits in memory: the newest segments are looked over from their end, until the
 *      estimate of their decoded size reaches the bound; so reading begins at `from`.
 *   3. One pass from there. The newest state is told first; the batches before it are for the
 *      head alone, those behind it count. The pass begins at that state at the latest.
 */
#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#include "collector/ledger/internal.h"
#include "lib/base/log.h"

/* A decoded span's columns and its share of the index. */
enum { SPAN_BYTES = 130, EXPANSION = 2 };

static uint64_t estimate(const struct frame *f)
{
    unsigned long long size = ZSTD_getFrameContentSize(f->body, f->length);
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR)
        size = f->length * 4;
    return (uint64_t)f->spans * SPAN_BYTES + size * EXPANSION;
}

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

/* ---- 2: where to begin ------------------------------------------------------------------- */

struct survey {
    struct ledger *l;
    uint64_t left_bytes;           /* of memory */
    struct journal_position from;  /* the first frame to read */
    struct journal_position state; /* the newest state's frame; offset 0: a preamble */
    bool state_found;
};

struct mark { /* a batch in the segment being surveyed */
    struct journal_position at;
    uint64_t bytes;
};

struct marks {
    struct mark *marks;
    size_t count, capacity;
};

static int add_mark(struct marks *m, struct mark mark)
{
    if (m->count == m->capacity) {
        size_t more = m->capacity ? m->capacity * 2 : 256;
        struct mark *bigger = realloc(m->marks, more * sizeof *bigger);
        if (!bigger)
            return -ENOMEM;
        m->marks = bigger;
        m->capacity = more;
    }
    m->marks[m->count++] = mark;
    return 0;
}

static int mark_frames(struct survey *s, struct journal_cursor *c, uint64_t segment,
                       struct marks *m)
{
    const void *body, *preamble;
    uint32_t length;
    struct journal_position at, state = {segment, 0};
    struct ledger_state parsed;
    journal_preamble(c, &preamble, &length);
    bool found = ledger_state_parse(preamble, length, &parsed) == 0;
    int result;
    while ((result = journal_next(c, &body, &length, &at)) == 1 && at.segment == segment) {
        struct frame f;
        if (frame_parse(body, length, &f) != 0)
            continue;
        if (f.kind == FRAME_BATCH && add_mark(m, (struct mark){at, estimate(&f)}) != 0)
            return -ENOMEM;
        if (f.kind == FRAME_STATE && ledger_state_parse(f.body, f.length, &parsed) == 0) {
            state = at;
            found = true;
        }
    }
    if (found && !s->state_found) {
        s->state = state;
        s->state_found = true;
    }
    return result < 0 ? result : 0;
}

/* Goes back through the marks as far as memory lasts. */
static void spend(struct survey *s, const struct marks *m)
{
    for (size_t i = m->count; i-- > 0;) {
        if (m->marks[i].bytes > s->left_bytes) {
            s->left_bytes = 0;
            return;
        }
        s->left_bytes -= m->marks[i].bytes;
        s->from = m->marks[i].at;
    }
}

static int survey_segment(struct survey *s, uint64_t segment)
{
    int error = 0;
    struct journal_cursor *c = cursor_at(s->l, segment, 0, &error);
    if (!c)
        return error == -ENOENT ? 0 : error;
    struct marks marks = {0};
    error = mark_frames(s, c, segment, &marks);
    if (error == 0)
        spend(s, &marks);
    free(marks.marks);
    journal_cursor_close(&c);
    return error;
}

static int survey(struct survey *s)
{
    for (size_t i = s->l->segment_count; i-- > 0;) {
        int error = survey_segment(s, s->l->segments[i].number);
        if (error != 0)
            return error;
        if (s->left_bytes == 0 && s->state_found)
            break;
    }
    return 0;
}

static bool is_before(struct journal_position a, struct journal_position b)
{
    return a.segment != b.segment ? a.segment < b.segment : a.offset < b.offset;
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

static int read_newest_state(struct survey *s, const struct ledger_reading *r)
{
    if (!s->state_found)
        return 0;
    int error = 0;
    struct journal_cursor *c = cursor_at(s->l, s->state.segment, s->state.offset, &error);
    if (!c)
        return error;
    const void *bytes;
    uint32_t length;
    struct frame f;
    if (s->state.offset == 0) {
        journal_preamble(c, &bytes, &length);
        error = tell_state(s->l, r, bytes, length);
    } else if (journal_next(c, &bytes, &length, NULL) == 1 && frame_parse(bytes, length, &f) == 0) {
        error = tell_state(s->l, r, f.body, f.length);
    }
    journal_cursor_close(&c);
    if (error == -EINVAL) {
        LOG_ERROR("ledger %s: the newest state is not readable: batches may be accepted twice",
                  s->l->options.directory);
        error = 0;
    }
    return error;
}

static bool tell_batch(struct ledger *l, const struct ledger_reading *r, const struct frame *f,
                       bool counted, struct ledger_read_stats *stats)
{
    stats->frames++;
    stats->spans += f->spans;
    if (!counted) {
        l->totals.batches++;
        l->totals.spans += f->spans;
        l->totals.bytes += f->length;
    }
    return r->batch(r->context, f, counted);
}

static int pass(struct survey *s, const struct ledger_reading *r, struct ledger_read_stats *stats)
{
    int result = 0;
    struct journal_cursor *c = cursor_at(s->l, s->from.segment, s->from.offset, &result);
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
        bool counted = s->state_found && is_before(at, s->state);
        if (f.kind == FRAME_BATCH && !tell_batch(s->l, r, &f, counted, stats)) {
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
    if (l->segment_count == 0)
        return 0;
    uint64_t newest = l->segments[l->segment_count - 1].number;
    struct survey s = {.l = l, .left_bytes = reading->memory_bytes, .from = {newest, 0}};
    struct journal_stats before, after;
    int error = survey(&s);
    if (error != 0)
        return error;
    if (s.state_found && is_before(s.state, s.from))
        s.from = s.state;
    error = read_newest_state(&s, reading);
    journal_stats(l->journal, &before);
    if (error == 0)
        error = pass(&s, reading, stats);
    journal_stats(l->journal, &after);
    stats->damaged_bytes = after.damaged_bytes - before.damaged_bytes;
    stats->torn_bytes = after.torn_bytes;
    ledger_refresh_stats(l);
    return error;
}
