// SPDX-License-Identifier: Apache-2.0
#include "collector/accept/commit.h"

#include <errno.h>

#include "collector/accept/import.h"
#include "collector/inquire/inquire.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { TAKE_MS = 200, RETRY_FIRST_MS = 50, RETRY_MOST_MS = 5000 };
enum { GATHER_MS = 2, GATHER_BELOW = 16 };

enum fate { UNDECIDED, STAGED, APPENDED, DURABLE, SETTLED };

struct item {
    struct queued *queued;
    struct decoded decoded;
    struct journal_position ledger_end;
    enum fate fate;
};

struct group {
    struct item items[COMMIT_GROUP_MAX];
    size_t count;
};

void commit_init(struct commit *c, const struct commit_parts *parts)
{
    *c = (struct commit){.parts = *parts};
}

static void settle(struct commit *c, struct item *i, enum link_verdict verdict, const char *text)
{
    c->parts.settle(c->parts.context, &i->queued->request, verdict, text);
    i->fate = SETTLED;
}

/* ---- 1: decode --------------------------------------------------------------------------- */

static void refuse(struct commit *c, struct item *i, int error, const char *why)
{
    const struct link_request *r = &i->queued->request;
    uint64_t now = clock_unix_ns();
    dedupe_finish(c->parts.dedupe, r->agent, r->sequence);
    if (error == -ENOMEM) {
        LOG_WARN_EVERY("no memory to decode a batch of agent %s", r->agent);
        settle(c, i, LINK_BUSY, "the collector is out of memory");
        return;
    }
    LOG_WARN_EVERY("a batch of agent %s is refused: %s", r->agent, why);
    losses_add(c->parts.losses, LOSS_BAD_BATCH, r->agent, NULL, 0, 1, now, now);
    settle(c, i, LINK_REFUSED, why);
}

static void stage(struct commit *c, struct group *g)
{
    for (size_t n = 0; n < g->count; n++) {
        struct item *i = &g->items[n];
        const struct link_request *r = &i->queued->request;
        if (i->queued->copy)
            continue;
        const char *why;
        int error =
            stores_decode(c->parts.stores, i->queued->kind, r->body, r->length, &i->decoded, &why);
        if (error == 0)
            i->fate = STAGED;
        else
            refuse(c, i, error, why);
    }
}

/* ---- 2: append, sync, answer ------------------------------------------------------------- */

static int append(struct commit *c, struct item *i, uint64_t now)
{
    const struct link_request *r = &i->queued->request;
    struct frame f = {
        .kind = i->queued->kind,
        .sequence = r->sequence,
        .accepted_unix_ns = now,
        .spans = i->decoded.spans,
        .body = r->body,
        .length = r->length,
    };
    memcpy(f.agent, r->agent, sizeof f.agent);
    int error = ledger_append(c->parts.ledger, &f, &i->ledger_end);
    if (error != 0)
        return error;
    dedupe_appended(c->parts.dedupe, r->agent, r->sequence);
    i->fate = APPENDED;
    return 0;
}

/* Appends what is left of the group; stops at the first that the disk does not take. */
static int append_all(struct commit *c, struct group *g)
{
    uint64_t now = clock_unix_ns();
    int error = 0;
    for (size_t n = 0; n < g->count && error == 0; n++) {
        if (g->items[n].fate == STAGED)
            error = append(c, &g->items[n], now);
    }
    return error;
}

static void accept_item(struct commit *c, struct item *i)
{
    const struct link_request *r = &i->queued->request;
    dedupe_finish(c->parts.dedupe, r->agent, r->sequence);
    atomic_fetch_add_explicit(&c->counts.batches, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->counts.spans, i->decoded.spans, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->counts.bytes, r->length, memory_order_relaxed);
    i->fate = DURABLE;
}

static void tell_losses(struct commit *c, const struct batch *b, const char *agent)
{
    for (uint32_t n = 0; n < b->loss_count; n++) {
        const struct batch_loss_view *loss = &b->losses[n];
        struct batch_str service = {NULL, 0};
        if (loss->process != UINT32_MAX)
            service = b->processes[loss->process].service;
        losses_add(c->parts.losses, loss->reason, agent, service.bytes, service.length, loss->count,
                   loss->from_unix_ns, loss->to_unix_ns);
    }
}

static void note_not_indexed(struct commit *c, const char *agent, uint32_t spans)
{
    uint64_t now = clock_unix_ns();
    losses_add(c->parts.losses, LOSS_NOT_INDEXED, agent, NULL, 0, spans, now, now);
    LOG_ERROR_EVERY("no memory to index %u spans of agent %s: they are in the ledger, but not "
                    "visible",
                    spans, agent);
}

static void index_body(struct commit *c, struct decoded *decoded, const char *agent,
                       struct journal_position ledger_end)
{
    for (int i = 0; i < COMMIT_OBSERVERS_MOST; i++)
        if (c->parts.observers[i])
            observer_see(c->parts.observers[i], decoded->batch.batch, ledger_end);
    uint32_t spans = decoded->spans;
    if (stores_index(c->parts.stores, decoded, agent, ledger_end) != 0)
        note_not_indexed(c, agent, spans);
}

/* Everything appended is durable now: say so, then show it. */
static void publish(struct commit *c, struct group *g)
{
    char agents[COMMIT_GROUP_MAX][LINK_AGENT_ID_MAX + 1];
    for (size_t n = 0; n < g->count; n++) {
        struct item *i = &g->items[n];
        if (i->fate != APPENDED)
            continue;
        memcpy(agents[n], i->queued->request.agent, sizeof agents[n]);
        accept_item(c, i);
        c->parts.settle(c->parts.context, &i->queued->request, LINK_ACCEPTED, "");
    }
    for (size_t n = 0; n < g->count; n++) {
        struct item *i = &g->items[n];
        if (i->fate != DURABLE)
            continue;
        const struct batch *b = i->decoded.batch.batch;
        if (b)
            tell_losses(c, b, agents[n]);
        if (b && c->parts.watchers)
            inquire_about(c->parts.watchers, b, agents[n], agents_skew(c->parts.agents, agents[n]));
        if (!import_is_own(agents[n])) { /* what is imported may be of any age */
            agents_accepted(c->parts.agents, agents[n], i->decoded.spans);
            freshness_add(c->parts.freshness, b, clock_unix_ns());
        }
        index_body(c, &i->decoded, agents[n], i->ledger_end);
        i->fate = SETTLED;
    }
}

/* What cannot be made durable: agents keep it and send it again. */
static void give_up(struct commit *c, struct group *g, const char *text)
{
    for (size_t n = 0; n < g->count; n++) {
        struct item *i = &g->items[n];
        if (i->fate != STAGED && i->fate != APPENDED)
            continue;
        stores_discard(c->parts.stores, &i->decoded);
        dedupe_finish(c->parts.dedupe, i->queued->request.agent, i->queued->request.sequence);
        settle(c, i, LINK_BUSY, text);
    }
}

/* Copies come behind what they are copies of, so that its fate is known. */
static void answer_copies(struct commit *c, struct group *g)
{
    for (size_t n = 0; n < g->count; n++) {
        struct item *i = &g->items[n];
        const struct link_request *r = &i->queued->request;
        if (!i->queued->copy || i->fate != UNDECIDED)
            continue;
        bool durable = !c->failed && dedupe_has(c->parts.dedupe, r->agent, r->sequence);
        settle(c, i, durable ? LINK_DUPLICATE : LINK_BUSY, "");
    }
}

static void wait_before_retry(struct commit *c)
{
    unsigned shift = c->retries < 7 ? c->retries : 7;
    unsigned pause_ms = RETRY_FIRST_MS << shift;
    if (pause_ms > RETRY_MOST_MS)
        pause_ms = RETRY_MOST_MS;
    c->retries++;
    for (unsigned waited = 0; waited < pause_ms && !atomic_load(&c->stopping); waited += 10)
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000000L}, NULL);
}

static struct journal_position earlier(struct journal_position a, struct journal_position b)
{
    return journal_is_before(a, b) ? a : b;
}

/* All before is in the observers' databases. */
static struct journal_position observers_needed(const struct commit *c,
                                                struct journal_position needed)
{
    for (int i = 0; i < COMMIT_OBSERVERS_MOST; i++)
        if (c->parts.observers[i])
            needed = earlier(needed, observer_ledger_needed(c->parts.observers[i]));
    return needed;
}

/* What a store has in memory alone must stay, and what marks were not made of yet: though not for
 * ever, as a database that cannot be written must not fill the ledger's disk. */
static void retain(struct commit *c)
{
    struct ledger_stats ledger;
    struct journal_position needed = stores_ledger_needed(c->parts.stores);
    ledger_stats(c->parts.ledger, &ledger);
    if (ledger.bytes / 2 <= ledger.limit_bytes)
        needed = observers_needed(c, needed);
    ledger_retain(c->parts.ledger, needed.segment, clock_unix_ns());
}

static bool sync_appended(struct commit *c, struct group *g)
{
    if (ledger_sync(c->parts.ledger) == 0) {
        publish(c, g);
        return true;
    }
    c->failed = true;
    return false;
}

void commit_group(struct commit *c, struct queued *items, size_t count)
{
    struct group g = {.count = count};
    for (size_t n = 0; n < count; n++)
        g.items[n].queued = &items[n];
    if (!c->failed)
        stage(c, &g);
    while (!c->failed) {
        int error = append_all(c, &g);
        if (!sync_appended(c, &g) || error == 0 || atomic_load(&c->stopping))
            break;
        wait_before_retry(c);
        retain(c);
    }
    if (!c->failed)
        c->retries = 0;
    give_up(c, &g, c->failed ? "the ledger failed" : "the collector is stopping");
    for (size_t n = 0; c->failed && n < count; n++) {
        if (!items[n].copy && g.items[n].fate == UNDECIDED) {
            dedupe_finish(c->parts.dedupe, items[n].request.agent, items[n].request.sequence);
            settle(c, &g.items[n], LINK_BUSY, "the ledger failed");
        }
    }
    answer_copies(c, &g);
    stores_forget(c->parts.stores);
}

/* ---- the thread -------------------------------------------------------------------------- */

/* The same loss is met at every start; what is on record already counts once. */
static void add_unrecorded(struct commit *c, unsigned reason, uint64_t count)
{
    uint64_t now = clock_unix_ns(), known = losses_total(c->parts.losses, reason);
    if (count > known)
        losses_add(c->parts.losses, reason, NULL, NULL, 0, count - known, now, now);
}

static void tick(struct commit *c)
{
    uint64_t now = clock_unix_ns();
    uint64_t elapsed = now - c->tick_unix_ns;
    if (c->tick_unix_ns && elapsed < UINT64_C(1000000000))
        return;
    uint64_t spans = atomic_load_explicit(&c->counts.spans, memory_order_relaxed);
    struct store_stats store;
    store_stats(c->parts.stores->traces, &store);
    add_unrecorded(c, LOSS_SEGMENT_AGED, store.segments.aged_spans);
    if (c->tick_unix_ns) {
        double rate = (double)(spans - c->tick_spans) * 1e9 / (double)elapsed;
        c->spans_per_s += (rate - c->spans_per_s) / 3;
        if (c->spans_per_s < 0.5 && rate == 0)
            c->spans_per_s = 0;
        atomic_store_explicit(&c->counts.spans_per_ks, (uint64_t)(c->spans_per_s * 1000),
                              memory_order_relaxed);
    }
    c->tick_unix_ns = now;
    c->tick_spans = spans;
}

/* Where small groups follow each other closely (a thousand agents, a batch a second each), a
 * moment's patience makes fewer and larger ones: an fdatasync and two task switches cost more
 * than the batches do. A lone batch, and large groups, do not wait. */
static void gather(size_t last_count, int64_t last_ms)
{
    const struct timespec pause = {.tv_nsec = GATHER_MS * 1000000};
    if (last_count > 0 && last_count < GATHER_BELOW &&
        clock_monotonic_ms() - last_ms < 2 * GATHER_MS)
        nanosleep(&pause, NULL);
}

void commit_run(struct commit *c)
{
    struct queued items[COMMIT_GROUP_MAX];
    size_t count = 0;
    int64_t committed_ms = 0;
    while (!queue_is_done(c->parts.queue)) {
        gather(count, committed_ms);
        count = queue_take(c->parts.queue, items, COMMIT_GROUP_MAX, COMMIT_GROUP_BYTES, TAKE_MS);
        if (count > 0) {
            commit_group(c, items, count);
            committed_ms = clock_monotonic_ms();
        }
        retain(c);
        tick(c);
    }
    if (!c->failed && (ledger_append_state(c->parts.ledger, clock_unix_ns()) != 0 ||
                       ledger_sync(c->parts.ledger) != 0))
        LOG_WARN("the ledger's last state could not be written; the next start reads more");
}

/* ---- state and reading back -------------------------------------------------------------- */

void commit_write_state(const struct commit_parts *parts, struct buffer *out)
{
    dedupe_write(parts->dedupe, out);
    losses_write(parts->losses, out);
}

static int read_state(const struct commit_parts *parts, struct bytes_reader *in)
{
    return dedupe_read(parts->dedupe, in) == 0 && losses_read(parts->losses, in) == 0 ? 0 : -1;
}

static int on_state(void *context, struct bytes_reader *state)
{
    struct commit *c = context;
    return read_state(&c->parts, state);
}

/* Into the head; false: the collector is stopping. */
static bool read_batch(struct commit *c, const struct frame *f, const struct ledger_told *told)
{
    struct decoded decoded;
    const char *why;
    int error = stores_decode(c->parts.stores, f->kind, f->body, f->length, &decoded, &why);
    bool stopping = atomic_load(&c->stopping);
    if (error != 0 && !stopping) {
        LOG_WARN_EVERY("a batch in the ledger does not decode: %s", why);
        if (error == -ENOMEM && !told->before)
            note_not_indexed(c, f->agent, f->spans);
    }
    if (error != 0)
        return !stopping;
    if (!told->counted && decoded.batch.batch)
        tell_losses(c, decoded.batch.batch, f->agent);
    if (told->before)
        stores_discard(c->parts.stores, &decoded);
    else
        index_body(c, &decoded, f->agent, told->end);
    stores_forget(c->parts.stores);
    return !stopping;
}

static bool on_batch(void *context, const struct frame *f, const struct ledger_told *told)
{
    struct commit *c = context;
    if (!told->counted && dedupe_restore(c->parts.dedupe, f->agent, f->sequence) != 0)
        LOG_WARN_EVERY("the ledger has more batches than can be told apart: those of agent %s "
                       "may be accepted twice",
                       f->agent);
    LOG_INFO_EVERY("reading the ledger back, accepted up to %llu s ago",
                   (unsigned long long)((clock_unix_ns() - f->accepted_unix_ns) / 1000000000));
    if (told->counted && told->before)
        return !atomic_load(&c->stopping);
    return read_batch(c, f, told);
}

int commit_read_back(struct commit *c)
{
    struct store_stats store;
    struct ledger_read_stats stats;
    struct ledger_reading reading = {
        .from = stores_ledger_end(c->parts.stores),
        .state = on_state,
        .batch = on_batch,
        .context = c,
    };
    reading.from = observers_needed(c, reading.from);
    uint64_t began = clock_unix_ns();
    int error = ledger_read_back(c->parts.ledger, &reading, &stats);
    if (error != 0 || stats.stopped)
        return error ? error : -ECANCELED;
    uint64_t now = clock_unix_ns();
    store_stats(c->parts.stores->traces, &store);
    add_unrecorded(c, LOSS_LEDGER_DAMAGED, stats.damaged_bytes);
    add_unrecorded(c, LOSS_SEGMENT_AGED, store.segments.aged_spans);
    add_unrecorded(c, LOSS_SEGMENT_DAMAGED, store.segments.damaged_spans);
    LOG_INFO("read back %llu batches with %llu spans in %llu ms; %llu bytes were torn off the "
             "end, %llu damaged, %llu frames not understood",
             (unsigned long long)stats.frames, (unsigned long long)stats.spans,
             (unsigned long long)((now - began) / 1000000), (unsigned long long)stats.torn_bytes,
             (unsigned long long)stats.damaged_bytes, (unsigned long long)stats.bad_frames);
    atomic_store(&c->ready, true);
    return 0;
}
