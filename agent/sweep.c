// SPDX-License-Identifier: Apache-2.0
#include "agent/sweep.h"

#include <errno.h>
#include <string.h>

#include "agent/report.h"
#include "agent/stats/spans.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define IN_FLIGHT_SPANS_MAX 20000
#define IN_FLIGHT_BYTES_MAX (6u << 20)  /* before compression: it travels as one message */
#define IN_FLIGHT_SLOTS_MAX (1u << 20)  /* looked at for one snapshot */
#define DIED_BYTES_MAX      (16u << 20) /* of one process; compressed they fit into a message */
#define PRESSURE_PERCENT    25
#define PRESSURE_UNREAD     100 /* of a process of which some is not read yet */
#define BLOCKED_BYTES_MAX   (6u << 20)
#define STATS_BYTES_MOST    (4u << 20) /* of rows: then the next batch */
#define STATS_BYTES_MAX     (7u << 20) /* even where nothing can be compressed it is one message */
#define OWN_EARLY_NS        500000000u /* rounds come about each second */
#define TURNS_MAX           16         /* of a process in a round, a batch's bytes each */

static uint64_t monotonic_ns(void)
{
    return ticks_now(SLAB_CLOCK_MONOTONIC);
}

/* ---- batches ----------------------------------------------------------------------------- */

static void mark_begun(struct sweeper *s)
{
    if (s->batch_since_ns == 0)
        s->batch_since_ns = monotonic_ns();
}

static bool is_empty(const struct sweeper *s)
{
    return batch_builder_spans(s->builder) == 0 && batch_builder_losses(s->builder) == 0 &&
           batch_builder_samples(s->builder) == 0 && !watch_is_told(s->watched);
}

static void next_batch(struct sweeper *s)
{
    batch_builder_reset(s->builder);
    s->serial++;
    s->batch_since_ns = 0;
}

/* Whether the batch goes beyond what the process' file says itself. Of the others the file says
 * all, since give_back() of the batch before, and 500 idle ones would cost 100 KB a batch. */
static bool has_news(const struct recording_process *p)
{
    return p->reaped || p->lost_changed || slab_is_held(p->reader) || slab_stats_held(p->reader);
}

static bool put(struct sweeper *s)
{
    buffer_clear(&s->encoded);
    buffer_clear(&s->cursor_table);
    for (size_t i = 0; i < s->processes.count; i++)
        if (has_news(s->processes.all[i]))
            cursors_write(&s->cursor_table, s->processes.all[i]);
    int error = -ENOMEM;
    size_t spans = batch_builder_spans(s->builder);
    if (batch_encode(s->builder, &s->encoded) == 0 && !s->cursor_table.failed)
        error = outbox_put(s->outbox, s->encoded.data, s->encoded.length, spans,
                           s->cursor_table.data, s->cursor_table.length);
    if (error == 0)
        return true;
    counters_add(&s->counters->spool_errors, 1);
    LOG_ERROR_EVERY("spool %s: %s; the services' rings hold what they can meanwhile",
                    s->config->spool, strerror(-error));
    s->retry_after_ns = monotonic_ns() + 200000000u;
    return false;
}

/* What the batch holds is safe: the owners may overwrite it, the dead may go. */
static void give_back(struct sweeper *s)
{
    watch_stored(s->watched, s->processes.directory);
    for (size_t i = s->processes.count; i-- > 0;) {
        struct recording_process *p = s->processes.all[i];
        enum slab_error error = slab_release(p->reader);
        slab_stats_commit(p->reader);
        for (unsigned reason = 0; p->lost_changed && reason < SLAB_LOSS_REASONS; reason++)
            slab_set_lost_reported(p->reader, reason, p->lost_reported[reason]);
        p->lost_changed = false;
        if (p->reaped && error == SLAB_OK)
            error = slab_mark_reaped(p->reader);
        if (p->reaped) {
            slab_set_recording(p->reader, SLAB_RECORDING_RETIRED); /* should it live after all */
            processes_drop(&s->processes, i, true);
        }
    }
}

bool sweep_close_batch(struct sweeper *s)
{
    if (is_empty(s)) {
        /* Nothing to keep; padding and the like may be given back, the dead may go. */
        next_batch(s);
        give_back(s);
        return true;
    }
    if (monotonic_ns() < s->retry_after_ns || !put(s))
        return false;
    counters_add(&s->counters->batches, 1);
    counters_add(&s->counters->batch_bytes, s->encoded.length);
    give_back(s);
    next_batch(s);
    outbox_release(s->outbox);
    return true;
}

static bool is_due(const struct sweeper *s)
{
    return s->batch_since_ns && (batch_builder_bytes(s->builder) >= s->config->batch_bytes ||
                                 monotonic_ns() - s->batch_since_ns >= s->config->batch_age_ns);
}

/* The spool refuses and the batch is four times its size, or all that a message takes: nothing is
 * read until the spool takes it. */
static bool is_blocked(const struct sweeper *s)
{
    size_t bytes = batch_builder_bytes(s->builder);
    return bytes >= 4 * s->config->batch_bytes || bytes >= BLOCKED_BYTES_MAX;
}

/* ---- rings ------------------------------------------------------------------------------- */

static struct conversion conversion_for(struct sweeper *s, struct recording_process *p)
{
    return (struct conversion){.builder = s->builder,
                               .serial = s->serial,
                               .clock = &s->clock,
                               .process = p,
                               .marks = &p->batch,
                               .open_status = SPAN_UNSET,
                               .count = true};
}

/* False: the process is no longer followed. */
static bool judge(struct sweeper *s, size_t i, enum slab_error error)
{
    struct recording_process *p = s->processes.all[i];
    if (error == SLAB_OK)
        return true;
    if (error == SLAB_ESYSTEM) { /* ours, not the file's: may mend */
        LOG_WARN_EVERY("%s: %s", p->name, strerror(errno));
        return true;
    }
    if (error == SLAB_ERECORD) {
        LOG_WARN_EVERY("%s: %s; what lay there is lost", p->name, slab_error_text(error));
        counters_add(&s->counters->lost[LOSS_BAD_RECORD], 1);
        return true;
    }
    LOG_WARN_EVERY("%s is left alone: %s", p->name, slab_error_text(error));
    counters_add(&s->counters->lost[LOSS_BAD_FILE], 1);
    processes_ignore(&s->processes, i);
    return false;
}

/* Reads what there is, closing batches on the way; of a process that records, or lies, faster
 * than it is read some stays for the next round, so that the others have their turn. *gone: it is
 * not all[i] any more. */
static unsigned sweep_process(struct sweeper *s, size_t i, bool *gone)
{
    struct recording_process *p = s->processes.all[i];
    unsigned most = 0;
    bool more = true;
    *gone = false;
    for (int turn = 0; more && !is_blocked(s); turn++) {
        if (turn == TURNS_MAX)
            return PRESSURE_UNREAD;
        struct conversion c = conversion_for(s, p);
        size_t before = batch_builder_spans(s->builder);
        enum slab_error error =
            slab_sweep(p->reader, convert_record, &c, s->config->batch_bytes, &more);
        size_t found = batch_builder_spans(s->builder) - before;
        if (found) {
            mark_begun(s);
            counters_add(&s->counters->spans, found);
        }
        if (!judge(s, i, error)) {
            *gone = true;
            return most;
        }
        unsigned pressure = slab_pressure(p->reader);
        most = pressure > most ? pressure : most;
        if ((pressure >= PRESSURE_PERCENT || is_due(s)) && !sweep_close_batch(s))
            break;
        if (i >= s->processes.count || s->processes.all[i] != p) {
            *gone = true; /* the close let a reaped process go */
            return most;
        }
    }
    return most;
}

/* ---- losses of a process ----------------------------------------------------------------- */

static void process_losses(struct sweeper *s, struct recording_process *p, uint64_t now_unix_ns)
{
    for (unsigned reason = 0; reason < SLAB_LOSS_REASONS; reason++) {
        uint64_t lost = slab_lost(p->reader, reason);
        if (lost <= p->lost_reported[reason])
            continue;
        struct conversion c = conversion_for(s, p);
        batch_loss(s->builder, convert_process(&c), reason, lost - p->lost_reported[reason],
                   p->lost_since_unix_ns, now_unix_ns);
        p->lost_reported[reason] = lost;
        p->lost_changed = true;
        mark_begun(s);
    }
    p->lost_since_unix_ns = now_unix_ns;
}

/* ---- statistics -------------------------------------------------------------------------- */

/* Later than those of the batch before, that no series has two rows of one moment; but a clock that
 * was set back is believed. */
static struct stats_batch stats_batch(struct sweeper *s, size_t bytes_max)
{
    int64_t now_ms = (int64_t)(host_clock_now_unix_ns() / 1000000), last_ms = s->stats_unix_ms;
    s->stats_unix_ms = now_ms <= last_ms && now_ms > last_ms - 1000 ? last_ms + 1 : now_ms;
    return (struct stats_batch){s->builder, s->serial, s->stats_unix_ms, bytes_max, 0};
}

/* What was taken of libweft's cells, all of it into the batch that says so. */
static void tell_taken(struct sweeper *s, bool libweft_alone)
{
    struct stats_batch b = stats_batch(s, STATS_BYTES_MAX);
    stats_table_tell(s->stats, &b, libweft_alone);
    if (b.rows)
        mark_begun(s);
}

static enum slab_error take_cells(struct sweeper *s, struct recording_process *p, size_t *bytes)
{
    return cells_take(&p->cells, s->stats, span_counts_identity(p->spans), p->reader, bytes);
}

/* Once, so that a process which records no spans is known, too. */
static void describe(struct sweeper *s, struct recording_process *p)
{
    struct conversion c = conversion_for(s, p);
    if (!p->described)
        convert_process(&c);
    p->described = true;
}

/* Of each process once. Where that is much, batches are closed between two of them, so that each
 * holds all rows of the cells whose taking its cursor table tells. False: the spool refuses, the
 * remaining ones wait. */
static bool take_round(struct sweeper *s, size_t bytes_most)
{
    size_t bytes = 0;
    uint32_t round = ++s->stats_round;
    for (size_t i = s->processes.count; i-- > 0;) {
        if (i >= s->processes.count)
            continue; /* a close let dead ones go, and others took their places */
        struct recording_process *p = s->processes.all[i];
        if (p->dead || !p->spans || p->stats_round == round)
            continue;
        p->stats_round = round;
        describe(s, p);
        if (!p->superseded)
            proc_round(&p->proc, s->stats, span_counts_identity(p->spans),
                       p->pidfd >= 0 ? p->file->pid : 0, watch_sockets(s->watched, p->file->pid));
        judge(s, i, take_cells(s, p, &bytes));
        if (bytes < bytes_most)
            continue;
        tell_taken(s, true);
        if (!sweep_close_batch(s))
            return false;
        bytes = 0;
    }
    return true;
}

/* What was taken goes into the first batch; the rest has no cursor and may be told in any. */
static void tell_round(struct sweeper *s, size_t bytes_most)
{
    bool all = false, first = true;
    while (!all) {
        struct stats_batch b = stats_batch(s, bytes_most);
        all = stats_table_emit(s->stats, &b);
        if (b.rows)
            mark_begun(s);
        if (!all && first)
            tell_taken(s, true);
        first = false;
        if (!sweep_close_batch(s))
            break;
    }
}

/* The agent's own metrics, as they stand: what a round leaves out, the next one tells. */
static void tell_own(struct sweeper *s)
{
    uint64_t now_ns = clock_monotonic_ns(), every_ns = s->config->own_metrics_ns;
    if (every_ns == 0 || now_ns < s->own_due_ns)
        return;
    s->own_due_ns = now_ns + (every_ns > OWN_EARLY_NS ? every_ns - OWN_EARLY_NS : 0);
    const struct own_label labels[] = {{"agent", s->config->agent}, {"host", s->host}};
    struct stats_batch b = stats_batch(s, STATS_BYTES_MAX);
    struct own_metrics m = own_to_rows(b.builder, b.unix_ms, labels, 2);
    struct outbox_stats stats;
    outbox_stats(s->outbox, &stats);
    report_metrics(&m, s->counters, &stats);
    mark_begun(s);
}

void sweep_stats(struct sweeper *s)
{
    size_t bytes_most = 8 * s->config->batch_bytes;
    if (is_blocked(s))
        return;
    if (bytes_most > STATS_BYTES_MOST)
        bytes_most = STATS_BYTES_MOST;
    bool taken = take_round(s, bytes_most);
    watch_round(s->watched);
    if (taken && watch_tell(s->watched, s->builder))
        mark_begun(s);
    statsd_round(s->statsd);
    services_gather(s->services, s->stats, clock_monotonic_ms());
    if (taken) {
        tell_own(s);
        tell_round(s, bytes_most);
    }
    stats_table_end_round(s->stats);
}

/* ---- the dead ---------------------------------------------------------------------------- */

/* The end of what was open: the moment we saw it die, or where nobody watched, the last moment
 * that anything in its file tells of. */
static uint64_t last_moment(const struct sweeper *s, const struct recording_process *p)
{
    if (p->watched_life)
        return p->died_unix_ns;
    uint64_t swept = slab_swept_ticks(p->reader);
    return host_clock_unix_ns(&s->clock, swept > p->last_ticks ? swept : p->last_ticks);
}

/* Slots of one process may hold more than a message takes, if only by a hostile owner: what is
 * beyond the bounds is not read but counted. */
struct bounded {
    struct conversion conversion;
    size_t bytes_max, spans_max, left_out;
};

static void convert_bounded(void *context, const struct slab_record *record)
{
    struct bounded *b = context;
    const struct batch_builder *builder = b->conversion.builder;
    if (batch_builder_bytes(builder) < b->bytes_max && batch_builder_spans(builder) < b->spans_max)
        convert_record(&b->conversion, record);
    else
        b->left_out++;
}

static void note_last(void *context, const struct slab_record *record)
{
    struct recording_process *p = context;
    uint64_t last = record->open ? record->span.start_ticks : record->span.end_ticks;
    if (last > p->last_ticks)
        p->last_ticks = last;
}

/* Its rings are read to their ends: takes what its slots still hold. */
static void reap(struct sweeper *s, struct recording_process *p)
{
    slab_look(p->reader, true, note_last, p);
    size_t before = batch_builder_spans(s->builder);
    struct bounded b = {conversion_for(s, p), batch_builder_bytes(s->builder) + DIED_BYTES_MAX,
                        SIZE_MAX, 0};
    b.conversion.open_status = SPAN_DIED;
    b.conversion.open_end_unix_ns = last_moment(s, p);
    p->died_unix_ns = b.conversion.open_end_unix_ns;
    p->batch.serial = 0; /* describe it again: it is dead now */
    slab_look(p->reader, true, convert_bounded, &b);
    size_t found = batch_builder_spans(s->builder) - before;
    b.conversion.open_status = SPAN_UNSET;
    convert_process(&b.conversion);
    counters_add(&s->counters->lost[LOSS_BAD_RECORD], b.left_out);
    process_losses(s, p, host_clock_now_unix_ns()); /* nobody asks again */
    size_t bytes = 0;                               /* one process: nowhere to split */
    take_cells(s, p, &bytes);
    services_gather(s->services, s->stats, clock_monotonic_ms());
    tell_taken(s, false);
    counters_add(&s->counters->spans, found);
    counters_add(&s->counters->died_spans, found);
    if (found)
        LOG_INFO("process %u (%s) died with %zu spans open", p->file->pid, p->name, found);
    mark_begun(s);
    p->reaped = true;
}

static void bury(struct sweeper *s)
{
    for (size_t i = s->processes.count; i-- > 0;) {
        if (i >= s->processes.count)
            continue; /* a batch that was closed on the way let others go */
        struct recording_process *p = s->processes.all[i];
        if (!p->dead)
            continue;
        mark_begun(s); /* it goes with the next batch, be that an empty one */
        bool gone;
        unsigned pressure = sweep_process(s, i, &gone); /* what it wrote after our last look */
        if (!gone && pressure < PRESSURE_UNREAD && !is_blocked(s) && !p->reaped)
            reap(s, p);
    }
}

/* ---- the round --------------------------------------------------------------------------- */

unsigned sweep_round(struct sweeper *s)
{
    unsigned most = 0;
    if (s->first >= s->processes.count)
        s->first = 0;
    size_t n = s->processes.count;
    for (size_t k = 0; k < n && !is_blocked(s); k++) {
        size_t i = (s->first + k) % n;
        if (i >= s->processes.count)
            continue; /* fewer than there were: the next round has it */
        bool gone;
        unsigned pressure = sweep_process(s, i, &gone);
        most = pressure > most ? pressure : most;
    }
    s->first++;
    bury(s);
    if (is_due(s) || is_blocked(s))
        sweep_close_batch(s);
    counters_add(&s->counters->sweeps, 1);
    return most;
}

/* ---- losses ------------------------------------------------------------------------------ */

void sweep_losses(struct sweeper *s)
{
    uint64_t now_unix_ns = host_clock_now_unix_ns();
    for (size_t i = 0; i < s->processes.count; i++)
        process_losses(s, s->processes.all[i], now_unix_ns);
    for (unsigned reason = 0; reason < LOSS_REASONS; reason++) {
        uint64_t lost = counters_get(&s->counters->lost[reason]);
        if (lost <= s->told[reason])
            continue;
        batch_loss(s->builder, UINT32_MAX, reason, lost - s->told[reason], s->told_since_unix_ns,
                   now_unix_ns);
        s->told[reason] = lost;
        mark_begun(s);
    }
    s->told_since_unix_ns = now_unix_ns;
}

/* ---- in flight --------------------------------------------------------------------------- */

void sweep_in_flight(struct sweeper *s)
{
    struct batch_builder *builder = s->in_flight_builder;
    batch_builder_reset(builder);
    s->in_flight_serial++;
    size_t n = s->processes.count, looked = 0;
    for (size_t k = 0; k < n && looked < IN_FLIGHT_SLOTS_MAX; k++) {
        struct recording_process *p = s->processes.all[(s->first + k) % n];
        struct bounded b = {{.builder = builder,
                             .serial = s->in_flight_serial,
                             .clock = &s->clock,
                             .process = p,
                             .marks = &p->in_flight,
                             .open_status = SPAN_IN_FLIGHT,
                             .open_end_unix_ns = host_clock_now_unix_ns()},
                            IN_FLIGHT_BYTES_MAX,
                            IN_FLIGHT_SPANS_MAX,
                            0};
        if (p->dead)
            continue;
        slab_look(p->reader, false, convert_bounded, &b);
        looked += slab_looked(p->reader);
    }
    bool something = batch_builder_spans(builder) > 0;
    buffer_clear(&s->encoded);
    if ((something || s->in_flight_shown) && batch_encode(builder, &s->encoded) == 0)
        outbox_tell(s->outbox, LINK_INFLIGHT, s->encoded.data, s->encoded.length);
    s->in_flight_shown = something;
}
