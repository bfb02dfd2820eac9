// SPDX-License-Identifier: Apache-2.0
#include "collector/ledger/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/ledger/internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

/* ---- segments ---------------------------------------------------------------------------- */

int ledger_learn_segment(struct ledger *l, uint64_t number, const struct ledger_state *state)
{
    if (l->segment_count == l->segment_capacity) {
        size_t more = l->segment_capacity ? l->segment_capacity * 2 : 16;
        struct ledger_segment *bigger = realloc(l->segments, more * sizeof *bigger);
        if (!bigger)
            return -ENOMEM;
        l->segments = bigger;
        l->segment_capacity = more;
    }
    l->segments[l->segment_count++] =
        (struct ledger_segment){number, state->written_unix_ns, state->totals.spans};
    return 0;
}

/* The journal begins a segment (within an append): its sums are those of all before it. */
static void write_preamble(void *context, struct buffer *out)
{
    struct ledger *l = context;
    struct ledger_state state = {.written_unix_ns = clock_unix_ns(), .totals = l->totals};
    ledger_state_head(out, state.written_unix_ns, &l->totals);
    l->options.write_state(l->options.context, out);
    l->begun = state;
}

/* A segment that was begun since the last look goes into the table. */
static void note_new_segment(struct ledger *l)
{
    uint64_t last = journal_last_segment(l->journal);
    if (l->segment_count > 0 && l->segments[l->segment_count - 1].number >= last)
        return;
    if (ledger_learn_segment(l, last, &l->begun) != 0)
        LOG_WARN_EVERY("no memory to keep account of ledger segment %llu",
                       (unsigned long long)last);
}

/* ---- opening ----------------------------------------------------------------------------- */

static struct ledger *fail(struct ledger *l, const char *what, int error, char *why, size_t size)
{
    if (error == -EBUSY)
        snprintf(why, size, "ledger %s: another process has it open", l->options.directory);
    else
        snprintf(why, size, "ledger %s: %s: %s", l->options.directory, what, strerror(-error));
    ledger_close(&l);
    return NULL;
}

struct ledger *ledger_open(const struct ledger_options *options, char *why, size_t why_size)
{
    struct ledger *l = calloc(1, sizeof *l);
    if (!l) {
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    pthread_mutex_init(&l->lock, NULL);
    l->options = *options;
    l->totals.begun_unix_ns = clock_unix_ns();
    struct journal_options journal = {
        .directory = options->directory,
        .suffix = "ledger",
        .segment_bytes = options->segment_bytes,
        .max_frame_bytes = LEDGER_FRAME_MAX,
        .preamble = write_preamble,
        .context = l,
    };
    int error = 0;
    l->journal = journal_open(&journal, &error);
    if (!l->journal)
        return fail(l, "cannot be opened", error, why, why_size);
    error = ledger_read_segments(l);
    if (error != 0)
        return fail(l, "cannot be read", error, why, why_size);
    ledger_refresh_stats(l);
    return l;
}

void ledger_close(struct ledger **place)
{
    struct ledger *l = *place;
    if (!l)
        return;
    if (l->journal)
        journal_close(&l->journal);
    pthread_mutex_destroy(&l->lock);
    buffer_fini(&l->state);
    free(l->segments);
    free(l);
    *place = NULL;
}

/* ---- appending --------------------------------------------------------------------------- */

static void set_health(struct ledger *l, int error)
{
    enum ledger_health health = LEDGER_OK;
    if (error == -ENOSPC || error == -EDQUOT)
        health = LEDGER_FULL;
    else if (error != 0)
        health = LEDGER_FAILED;
    pthread_mutex_lock(&l->lock);
    bool changed = l->stats.health != health;
    l->stats.health = health;
    l->stats.error = -error;
    pthread_mutex_unlock(&l->lock);
    if (!changed)
        return;
    if (health == LEDGER_OK)
        LOG_INFO("ledger %s: writable again", l->options.directory);
    else
        LOG_ERROR("ledger %s: %s: nothing is accepted; agents keep what they have",
                  l->options.directory, strerror(-error));
}

/* Where the next frame will stand. */
static struct journal_position end_of(const struct ledger *l)
{
    uint64_t last = journal_last_segment(l->journal);
    return (struct journal_position){last, journal_segment_bytes(l->journal, last)};
}

void ledger_publish(struct ledger *l)
{
    struct ledger_end durable = {end_of(l), l->totals.spans};
    pthread_mutex_lock(&l->lock);
    l->durable = durable;
    pthread_mutex_unlock(&l->lock);
    if (l->options.durable)
        l->options.durable(l->options.context);
}

static int append(struct ledger *l, const struct frame *f)
{
    unsigned char header[FRAME_HEADER_BYTES + LINK_AGENT_ID_MAX];
    struct iovec parts[2] = {
        {.iov_base = header, .iov_len = frame_header(f, header)},
        {.iov_base = (void *)(uintptr_t)f->body, .iov_len = f->length},
    };
    if (l->sync_failed)
        return -EIO;
    int error = journal_append(l->journal, parts, 2, NULL);
    note_new_segment(l);
    set_health(l, error);
    return error;
}

int ledger_append(struct ledger *l, const struct frame *batch, struct journal_position *end)
{
    int error = append(l, batch);
    if (error != 0)
        return error;
    l->totals.batches++;
    l->totals.spans += batch->spans;
    l->totals.bytes += batch->length;
    ledger_refresh_stats(l);
    if (end)
        *end = end_of(l);
    return 0;
}

int ledger_append_state(struct ledger *l, uint64_t now_unix_ns)
{
    buffer_clear(&l->state);
    ledger_state_head(&l->state, now_unix_ns, &l->totals);
    l->options.write_state(l->options.context, &l->state);
    if (l->state.failed)
        return -ENOMEM;
    struct frame f = {
        .kind = FRAME_STATE,
        .accepted_unix_ns = now_unix_ns,
        .body = l->state.data,
        .length = l->state.length,
    };
    return append(l, &f);
}

int ledger_sync(struct ledger *l)
{
    if (l->sync_failed)
        return -EIO;
    int error = journal_sync(l->journal);
    if (error == 0) {
        ledger_publish(l);
        return 0;
    }
    l->sync_failed = true;
    LOG_ERROR("ledger %s: fdatasync: %s: what was written since is uncertain, so nothing more is "
              "accepted until weft-collector is restarted",
              l->options.directory, strerror(-error));
    set_health(l, -EIO);
    return error;
}

/* ---- retention --------------------------------------------------------------------------- */

/* How many of the oldest segments must go. */
static size_t too_many(const struct ledger *l, uint64_t keep_from, uint64_t now_unix_ns)
{
    struct journal_stats j;
    journal_stats(l->journal, &j);
    uint64_t bytes = j.bytes + l->options.segment_bytes; /* room for the next */
    size_t drop = 0;
    while (drop + 1 < l->segment_count) { /* never the one being written */
        uint64_t number = l->segments[drop].number;
        if (number >= keep_from)
            break;
        uint64_t changed_ns =
            (uint64_t)journal_segment_mtime_s(l->journal, number) * UINT64_C(1000000000);
        bool old = l->options.max_age_ns && changed_ns + l->options.max_age_ns < now_unix_ns;
        if (bytes <= l->options.limit_bytes && !old)
            break;
        bytes -= journal_segment_bytes(l->journal, number);
        drop++;
    }
    return drop;
}

void ledger_retain(struct ledger *l, uint64_t keep_from, uint64_t now_unix_ns)
{
    size_t drop = l->sync_failed ? 0 : too_many(l, keep_from, now_unix_ns);
    if (drop == 0)
        return;
    const struct ledger_segment *kept = &l->segments[drop];
    if (ledger_append_state(l, now_unix_ns) != 0 || ledger_sync(l) != 0)
        LOG_WARN_EVERY("ledger %s: dropped segments could not be put on record",
                       l->options.directory);
    int error = journal_drop_before(l->journal, kept->number);
    if (error != 0)
        LOG_WARN_EVERY("ledger %s: an old segment cannot be deleted: %s", l->options.directory,
                       strerror(-error));
    l->segment_count -= drop;
    memmove(l->segments, l->segments + drop, l->segment_count * sizeof *l->segments);
    pthread_mutex_lock(&l->lock);
    l->stats.dropped_segments += drop;
    pthread_mutex_unlock(&l->lock);
    ledger_refresh_stats(l);
}

void ledger_refresh_stats(struct ledger *l)
{
    struct journal_stats j;
    journal_stats(l->journal, &j);
    pthread_mutex_lock(&l->lock);
    l->stats.bytes = j.bytes;
    l->stats.limit_bytes = l->options.limit_bytes;
    l->stats.segments = j.segments;
    l->stats.oldest_unix_ns = l->segment_count > 0 ? l->segments[0].begun_unix_ns : 0;
    l->stats.totals = l->totals;
    pthread_mutex_unlock(&l->lock);
}

void ledger_stats(struct ledger *l, struct ledger_stats *out)
{
    pthread_mutex_lock(&l->lock);
    *out = l->stats;
    pthread_mutex_unlock(&l->lock);
}
