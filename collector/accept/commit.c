// SPDX-License-Identifier: Apache-2.0
#include "collector/accept/commit.h"

#include <errno.h>

#include "collector/accept/import.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { TAKE_MS = 200, RETRY_FIRST_MS = 50, RETRY_MOST_MS = 5000 };
enum { GATHER_MS = 2, GATHER_BELOW = 16 };

enum fate { UNDECIDED, STAGED, APPENDED, DURABLE, SETTLED };

struct item {
    struct queued *queued;
    struct store_staged staged;
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

static void refuse(struct commit *c, struct item *i, int error)
{
    const struct link_request *r = &i->queued->request;
    uint64_t now = clock_unix_ns();
    dedupe_finish(c->parts.dedupe, r->agent, r->sequence);
    if (error == BATCH_ENOMEM) {
        LOG_WARN_EVERY("no memory to decode a batch of agent %s", r->agent);
        settle(c, i, LINK_BUSY, "the collector is out of memory");
        return;
    }
    LOG_WARN_EVERY("a batch of agent %s is refused: %s", r->agent, batch_error_text(error));
    losses_add(c->parts.losses, LOSS_BAD_BATCH, r->agent, NULL, 0, 1, now, now);
    settle(c, i, LINK_REFUSED, batch_error_text(error));
}

static void stage(struct commit *c, struct group *g)
{
    for (size_t n = 0; n < g->count; n++) {
        struct item *i = &g->items[n];
        const struct link_request *r = &i->queued->request;
        if (i->queued->copy)
            continue;
        int error =
            store_decode(c->parts.store, r->body, r->length, COMMIT_BATCH_BYTES_MAX, &i->staged);
        if (error == BATCH_OK)
            i->fate = STAGED;
        else
            refuse(c, i, error);
    }
}

/* ---- 2: append, sync, answer ------------------------------------------------------------- */

static int append(struct commit *c, struct item *i, uint64_t now)
{
    const struct link_request *r = &i->queued->request;
    struct frame f = {
        .kind = FRAME_BATCH,
        .sequence = r->sequence,
        .accepted_unix_ns = now,
        .spans = i->staged.batch->span_count,
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
    atomic_fetch_add_explicit(&c->counts.spans, i->staged.batch->span_count, memory_order_relaxed);
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

static void index_batch(struct commit *c, struct store_staged *staged, const char *agent,
                        struct journal_position ledger_end)
{
    uint32_t spans = staged->batch->span_count;
    if (store_insert(c->parts.store, staged, agent, ledger_end) == 0)
        return;
    uint64_t now = clock_unix_ns();
    losses_add(c->parts.losses, LOSS_NOT_INDEXED, agent, NULL, 0, spans, now, now);
    LOG_ERROR_EVERY("no memory to index %u spans of agent %s: they are in the ledger, but not "
                    "visible",
                    spans, agent);
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
        const struct batch *b = i->staged.batch;
        tell_losses(c, b, agents[n]);
        if (!import_is_own(agents[n])) { /* what is imported may be of any age */
            agents_accepted(c->parts.agents, agents[n], b->span_count);
            freshness_add(c->parts.freshness, b, clock_unix_ns());
        }
        index_batch(c, &i->staged, agents[n], i->ledger_end);
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
        store_discard(c->parts.store, &i->staged);
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

/* What no segment of traces has yet must stay. */
static void retain(struct commit *c)
{
    ledger_retain(c->parts.ledger, store_ledger_end(c->parts.store).segment, clock_unix_ns());
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
    store_stats(c->parts.store, &store);
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

int commit_read_state(const struct commit_parts *parts, struct bytes_reader *in)
{
    return dedupe_read(parts->dedupe, in) == 0 && losses_read(parts->losses, in) == 0 ? 0 : -1;
}

static int on_state(void *context, struct bytes_reader *state)
{
    struct commit *c = context;
    return commit_read_state(&c->parts, state);
}

/* Into the head; false: the collector is stopping. */
static bool read_batch(struct commit *c, const struct frame *f, const struct ledger_told *told)
{
    struct store_staged staged;
    int error = store_decode(c->parts.store, f->body, f->length, COMMIT_BATCH_BYTES_MAX, &staged);
    if (error != BATCH_OK) {
        bool stopping = atomic_load(&c->stopping);
        if (!stopping)
            LOG_WARN_EVERY("a batch in the ledger does not decode: %s", batch_error_text(error));
        return !stopping;
    }
    if (!told->counted)
        tell_losses(c, staged.batch, f->agent);
    if (told->before)
        store_discard(c->parts.store, &staged);
    else
        index_batch(c, &staged, f->agent, told->end);
    return !atomic_load(&c->stopping);
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
        .from = store_ledger_end(c->parts.store),
        .state = on_state,
        .batch = on_batch,
        .context = c,
    };
    uint64_t began = clock_unix_ns();
    int error = ledger_read_back(c->parts.ledger, &reading, &stats);
    if (error != 0 || stats.stopped)
        return error ? error : -ECANCELED;
    uint64_t now = clock_unix_ns();
    store_stats(c->parts.store, &store);
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
