// SPDX-License-Identifier: Apache-2.0
/* A stream: rows become lines, lines become blocks of a connection, and leave marks. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "collector/firehose/internal.h"
#include "lib/base/clock.h"
#include "lib/base/condition.h"
#include "lib/base/log.h"

enum { NO_MEMORY_MS = 200 };

static struct firehose_position position(const struct firehose_client *c)
{
    return c->reader.batch ? frames_position(&c->reader, c->row) : c->reader.at;
}

/* ---- which partitions (under the lock) ------------------------------------------------------ */

static void mark(struct firehose_client *c, size_t offset, struct firehose_position at)
{
    if (!c->group)
        return;
    struct block_mark *last = c->mark_count > 0 ? &c->marks[c->mark_count - 1] : NULL;
    /* Without bytes between two, the later one says it all: so reading on fills no room. */
    bool more = !last || last->offset != offset || last->partitions != c->owned;
    c->mark_count += more;
    c->marks[c->mark_count - 1] = (struct block_mark){offset, c->owned, at};
}

static void give(struct firehose_client *c, uint64_t partitions, size_t offset)
{
    mark(c, offset, position(c));
    for (uint64_t left = partitions; left; left &= left - 1) {
        unsigned p = (unsigned)__builtin_ctzll(left);
        c->left_at[p] = UINT64_MAX; /* until the block was written */
        c->left_offset[p] = offset;
    }
    c->owned &= ~partitions;
    c->leaving |= partitions;
}

/* Those that nobody has any longer. */
static uint64_t free_ones(const struct firehose_client *c)
{
    uint64_t free = 0;
    for (uint64_t left = c->wanted & ~c->owned; left; left &= left - 1) {
        unsigned p = (unsigned)__builtin_ctzll(left);
        if (!c->group->owner[p])
            free |= UINT64_C(1) << p;
    }
    return free;
}

/* Where one of them is behind the reader, it goes back; what it sent already is not sent again. */
static void take(struct firehose_client *c, uint64_t partitions)
{
    struct firehose_position here = position(c), first = here;
    bool begins = c->owned == 0;
    for (uint64_t left = c->owned; left; left &= left - 1) {
        unsigned p = (unsigned)__builtin_ctzll(left);
        c->from[p] = position_later(c->from[p], here);
    }
    for (uint64_t left = partitions; left; left &= left - 1) {
        unsigned p = (unsigned)__builtin_ctzll(left);
        struct firehose_position at = c->group->checkpoint.positions[p];
        if (begins || position_compare(&at, &first) < 0)
            first = at;
        begins = false;
        c->group->owner[p] = c;
        c->from[p] = at;
        trail_take(&c->trail, p, at);
    }
    if (position_compare(&first, &here) != 0)
        frames_seek(&c->reader, first);
    c->owned |= partitions;
}

/* `offset`: bytes in the block so far. True: it changed. */
static bool change_partitions(struct firehose_client *c, size_t offset)
{
    if (!c->group)
        return false;
    uint64_t away = c->owned & ~c->wanted, to = free_ones(c);
    if (away)
        give(c, away, offset);
    if (to)
        take(c, to);
    if (offset == 0) /* nothing is on the way but what was */
        client_settle(c, c->end);
    return away || to;
}

/* ---- rows ---------------------------------------------------------------------------------- */

static bool cover_rows(struct firehose_client *c, uint32_t count)
{
    size_t words = ((size_t)count + 63) / 64;
    if (words > c->rows_capacity) {
        uint64_t *bigger = realloc(c->rows, words * sizeof *bigger);
        if (!bigger)
            return false;
        c->rows = bigger;
        c->rows_capacity = words;
    }
    memset(c->rows, 0, words * sizeof *c->rows);
    return true;
}

/* From which row of the batch on each partition is to be sent. */
static void first_rows(const struct firehose_client *c, uint32_t rows[FIREHOSE_PARTITIONS])
{
    struct firehose_position frame = {.segment = c->reader.at.segment,
                                      .offset = c->reader.at.offset};
    for (unsigned p = 0; p < FIREHOSE_PARTITIONS; p++) {
        const struct firehose_position *from = &c->from[p];
        bool same = from->segment == frame.segment && from->offset == frame.offset;
        if (c->group && !(c->owned >> p & 1))
            rows[p] = UINT32_MAX;
        else if (same)
            rows[p] = from->row;
        else
            rows[p] = position_compare(from, &frame) < 0 ? 0 : UINT32_MAX;
    }
}

/* Of the reader's batch, from c->row on. -1: the filter cannot go on, or memory is out. */
static int select_rows(struct firehose_client *c)
{
    const struct batch *b = c->reader.batch;
    uint32_t first[FIREHOSE_PARTITIONS];
    if (!cover_rows(c, b->span_count))
        return -1;
    first_rows(c, first);
    for (uint32_t row = c->row; row < b->span_count; row++) {
        if (row >= first[partition_of(b->trace_hi[row], b->trace_lo[row])])
            c->rows[row / 64] |= UINT64_C(1) << row % 64;
    }
    return c->filter.select ? c->filter.select(c->filter.context, b, c->rows) : 0;
}

static bool block_is_full(const struct firehose_client *c, const struct buffer *out)
{
    return out->length >= FIREHOSE_BLOCK_BYTES || c->mark_count >= FIREHOSE_BLOCK_MARKS_MOST ||
           out->failed;
}

static void put_rows(struct firehose_client *c, struct buffer *out)
{
    const struct batch *b = c->reader.batch;
    for (; c->row < b->span_count && !block_is_full(c, out); c->row++) {
        if (!(c->rows[c->row / 64] >> c->row % 64 & 1))
            continue;
        struct firehose_row row = {
            .batch = b,
            .row = c->row,
            .agent = c->reader.frame.agent,
            .accepted_unix_ns = c->reader.frame.accepted_unix_ns,
            .behind = frames_position(&c->reader, c->row + 1),
        };
        c->format->span(out, &row);
        c->block_spans++;
        mark(c, out->length, row.behind);
    }
}

static void put_gap(struct firehose_client *c, struct buffer *out)
{
    struct firehose *f = c->firehose;
    const struct firehose_gap *gap = &c->reader.gap;
    c->format->gap(out, gap);
    mark(c, out->length, gap->behind);
    pthread_mutex_lock(&f->lock);
    f->counts.gaps++;
    f->counts.gap_spans += gap->spans;
    pthread_mutex_unlock(&f->lock);
}

/* ---- the stream ----------------------------------------------------------------------------- */

enum step { STEP_ON, STEP_SEND, STEP_OVER };

static enum step give_up(struct firehose_client *c)
{
    pthread_mutex_lock(&c->firehose->lock);
    c->over = true;
    pthread_mutex_unlock(&c->firehose->lock);
    return STEP_OVER;
}

/* Partitions come and go, also while nothing is found to send. */
static enum step look_around(struct firehose_client *c, struct buffer *out, uint64_t *durable_count)
{
    struct firehose *f = c->firehose;
    pthread_mutex_lock(&f->lock);
    bool over = c->over || f->stopping;
    bool changed = !over && change_partitions(c, out->length);
    *durable_count = f->durable_count;
    pthread_mutex_unlock(&f->lock);
    if (over)
        return STEP_OVER;
    if (changed && c->reader.batch && select_rows(c) != 0)
        return give_up(c);
    return STEP_ON;
}

/* After a long time without a line. */
static enum step keep_alive(struct firehose_client *c, struct buffer *out)
{
    if (out->length > 0 || clock_monotonic_ms() - c->spoke_ms < c->firehose->options.keep_alive_ms)
        return STEP_ON;
    c->format->keep_alive(out);
    return STEP_SEND;
}

/* Until more is durable, partitions are to change, it is over, or it is time to say something. */
static enum step wait_for_more(struct firehose_client *c, struct buffer *out,
                               uint64_t durable_count, int64_t most_ms)
{
    struct firehose *f = c->firehose;
    int64_t until_ms = c->spoke_ms + f->options.keep_alive_ms;
    if (most_ms > 0 && clock_monotonic_ms() + most_ms < until_ms)
        until_ms = clock_monotonic_ms() + most_ms;
    bool in_time = true;
    pthread_mutex_lock(&f->lock);
    while (in_time && !c->over && !f->stopping && f->durable_count == durable_count &&
           !(c->group && ((c->owned & ~c->wanted) || free_ones(c))))
        in_time = condition_wait(&f->wake, &f->lock, until_ms);
    pthread_mutex_unlock(&f->lock);
    return in_time ? STEP_ON : keep_alive(c, out);
}

static enum step read_on(struct firehose_client *c, struct buffer *out, uint64_t durable_count)
{
    if (c->group && c->owned == 0)
        return wait_for_more(c, out, durable_count, 0);
    switch (frames_next(&c->reader)) {
    case FRAMES_BATCH:
        c->row = c->reader.at.row;
        return select_rows(c) == 0 ? STEP_ON : give_up(c);
    case FRAMES_GAP:
        put_gap(c, out);
        return STEP_SEND;
    case FRAMES_END:
        return out->length > 0 ? STEP_SEND : wait_for_more(c, out, durable_count, 0);
    case FRAMES_ENOMEM:
        LOG_WARN_EVERY("firehose: no memory to read a batch; it is tried again");
        return out->length > 0 ? STEP_SEND : wait_for_more(c, out, durable_count, NO_MEMORY_MS);
    default:
        LOG_WARN_EVERY("firehose: the ledger cannot be read");
        return give_up(c);
    }
}

/* What can be had of the batch, then the next one, until the block is full or there is no more. */
static enum step fill(struct firehose_client *c, struct buffer *out)
{
    uint64_t durable_count;
    bool searched = false; /* a batch of this call */
    enum step step = look_around(c, out, &durable_count);
    while (step == STEP_ON) {
        if (c->reader.batch)
            put_rows(c, out);
        if (block_is_full(c, out))
            return STEP_SEND;
        mark(c, out->length, position(c));
        if (searched && keep_alive(c, out) == STEP_SEND)
            return STEP_SEND; /* a filter lets nothing through for long */
        step = read_on(c, out, durable_count);
        searched = c->reader.batch != NULL;
        if (step == STEP_ON)
            step = look_around(c, out, &durable_count);
    }
    return step;
}

bool firehose_next(void *context, struct buffer *out)
{
    struct firehose_client *c = context;
    struct firehose *f = c->firehose;
    pthread_mutex_lock(&f->lock);
    client_look(c, clock_monotonic_ms(), true);
    bool over = c->over || f->stopping;
    pthread_mutex_unlock(&f->lock);
    if (over)
        return false;
    c->block_spans = 0;
    c->spoke_ms = clock_monotonic_ms(); /* now the last of it went out */
    bool more = fill(c, out) == STEP_SEND || out->length > 0;
    pthread_mutex_lock(&f->lock);
    c->block_bytes = out->length;
    f->counts.spans += c->block_spans;
    f->counts.bytes += out->length;
    pthread_mutex_unlock(&f->lock);
    return more && !out->failed;
}
