// SPDX-License-Identifier: Apache-2.0
#include "collector/accept/receiver.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { RECEIVE_MS = 200 };

static void answer(struct receiver *r, struct link_request *request, enum link_verdict verdict,
                   const char *text)
{
    link_server_answer(r->link, request, verdict, text);
    link_request_release(request);
}

static void enqueue(struct receiver *r, const struct link_request *request, bool copy)
{
    struct queued item = {*request, FRAME_BATCH, copy};
    if (queue_put(r->queue, &item))
        return;
    if (!copy)
        dedupe_finish(r->dedupe, request->agent, request->sequence);
    answer(r, &item.request, LINK_BUSY, "the collector is stopping");
}

static bool ledger_is_writable(struct receiver *r)
{
    struct ledger_stats stats;
    ledger_stats(r->ledger, &stats);
    return stats.health == LEDGER_OK;
}

static void take_batch(struct receiver *r, struct link_request *request)
{
    if (request->sequence.number == 0) {
        answer(r, request, LINK_REFUSED, "batches are numbered from 1");
        return;
    }
    if (!ledger_is_writable(r)) {
        answer(r, request, LINK_BUSY, "the collector cannot write its ledger");
        return;
    }
    switch (dedupe_begin(r->dedupe, request->agent, request->sequence, request->oldest)) {
    case DEDUPE_NEW:
        enqueue(r, request, false);
        return;
    case DEDUPE_PENDING:
        enqueue(r, request, true);
        return;
    case DEDUPE_SEEN:
        atomic_fetch_add_explicit(&r->duplicates, 1, memory_order_relaxed);
        answer(r, request, LINK_DUPLICATE, "");
        return;
    case DEDUPE_STALE:
        LOG_WARN_EVERY("agent %s sends a batch from so long ago that nobody knows whether it came "
                       "before: it is refused",
                       request->agent);
        answer(r, request, LINK_REFUSED, "its epoch is forgotten");
        return;
    case DEDUPE_FULL:
        LOG_WARN_EVERY("agent %s has more gaps in its batches than can be kept: it must wait",
                       request->agent);
        answer(r, request, LINK_BUSY, "too many gaps in the numbers of batches");
        return;
    }
}

static void take_watch(struct receiver *r, struct link_request *request)
{
    struct buffer inquiries = {0};
    int64_t skew_ns = agents_skew(r->agents, request->agent);
    if (watchers_watch(r->watchers, request->agent, skew_ns, request->body, request->length,
                       &inquiries) == 0)
        link_server_answer_watch(r->link, request, inquiries.data, inquiries.length);
    else
        LOG_WARN_EVERY("a watch of agent %s is none, or there is no memory", request->agent);
    buffer_fini(&inquiries);
}

static void take(struct receiver *r, struct link_request *request, uint64_t now_unix_ns)
{
    int error = 0;
    agents_seen(r->agents, request->agent, request->sent_unix_ns, now_unix_ns);
    switch (request->type) {
    case LINK_BATCH:
        take_batch(r, request);
        return;
    case LINK_INFLIGHT:
        error =
            inflight_put(r->inflight, request->agent, request->body, request->length, now_unix_ns);
        if (error != BATCH_OK)
            LOG_WARN_EVERY("what agent %s says is in flight cannot be shown: %s", request->agent,
                           batch_error_text(error));
        break;
    case LINK_REPORT:
        if (agents_report(r->agents, request->agent, request->body, request->length) != 0)
            LOG_WARN_EVERY("a report of agent %s is none", request->agent);
        break;
    case LINK_WATCH:
        take_watch(r, request);
        break;
    default:
        break;
    }
    link_request_release(request);
}

void receiver_run(struct receiver *r)
{
    struct link_request request;
    while (!atomic_load(&r->stopping)) {
        if (link_server_receive(r->link, &request, RECEIVE_MS) == 1)
            take(r, &request, clock_unix_ns());
    }
}
