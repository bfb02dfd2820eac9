// SPDX-License-Identifier: Apache-2.0
/* What the collector says of itself: gathered from the parts, and kept as series. */
#include "collector/own/metrics.h"
#include "collector/parts.h"
#include "lib/base/clock.h"

#define OWN_LEAST_NS 1000000000u /* samples of one series come a second apart at least */

int parts_status(struct collector *c, struct pipeline_status *s)
{
    const struct commit_counts *counts = &c->commit.counts;
    *s = (struct pipeline_status){
        .version = WEFT_VERSION,
        .start_unix_ns = c->start_unix_ns,
        .now_unix_ns = clock_unix_ns(),
        .batches = atomic_load_explicit(&counts->batches, memory_order_relaxed),
        .spans = atomic_load_explicit(&counts->spans, memory_order_relaxed),
        .bytes = atomic_load_explicit(&counts->bytes, memory_order_relaxed),
        .duplicate_batches = atomic_load_explicit(&c->receiver.duplicates, memory_order_relaxed),
        .spans_per_s =
            (double)atomic_load_explicit(&counts->spans_per_ks, memory_order_relaxed) / 1000,
        .not_ready = parts_not_ready(c),
    };
    queue_size(&c->queue, &s->queued_batches, &s->queued_bytes);
    store_stats(c->stores.traces, &s->store);
    s->damaged = store_damaged(c->stores.traces, &s->damaged_count);
    series_store_stats(c->stores.series, &s->series);
    s->series_damaged = series_store_damaged(c->stores.series, &s->series_damaged_count);
    ledger_stats(c->ledger, &s->ledger);
    observer_stats(c->observer, &s->marks);
    observer_stats(c->caches_observer, &s->caches_observer);
    caches_read_stats(c->caches.caches, &s->caches);
    watchers_stats(c->watchers, &s->watchers);
    freshness_read(&c->freshness, s->now_unix_ns, &s->freshness);
    link_server_stats(c->link, &s->link);
    s->agents = agents_copy(c->agents, s->now_unix_ns, &s->agent_count);
    s->losses = losses_copy(c->losses, &s->loss_count);
    if (s->agents && s->losses)
        return 0;
    pipeline_status_fini(s);
    return -1;
}

static int on_list(void *context, struct own_metrics *m)
{
    struct collector *c = context;
    struct pipeline_status s;
    if (parts_status(c, &s) != 0)
        return -1;
    collector_own_metrics(
        m, &(struct own_sources){
               .status = &s, .archive = c->archive, .rules = c->rules, .teller = c->own});
    pipeline_status_fini(&s);
    return 0;
}

static int on_write(void *context, void *memory, size_t length, char *why, size_t why_size)
{
    enum link_verdict verdict =
        parts_import(context, IMPORT_OWN, FRAME_BATCH, memory, length, why, why_size);
    return verdict == LINK_ACCEPTED ? 0 : -1;
}

int parts_open_own(struct collector *c, char *why, size_t why_size)
{
    const struct own_teller_options options = {
        .every_ns = c->config->own_metrics_ns, .list = on_list, .write = on_write, .context = c};
    if (options.every_ns == 0)
        return 0;
    c->own = own_teller_create(&options);
    if (c->own)
        return 0;
    snprintf(why, why_size, "own-metrics: no memory");
    return -1;
}

int parts_start_own(struct collector *c, char *why, size_t why_size)
{
    if (!c->own || own_teller_start(c->own) == 0)
        return 0;
    snprintf(why, why_size, "own-metrics: no thread can be started");
    return -1;
}
