// SPDX-License-Identifier: Apache-2.0
#include "plugins/collectd/summaries.h"

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/feed/channel.h"
#include "weft.pb-c.h"

struct visiting {
    summary_visit *visit;
    void *context;
};

static void tell_count(const struct visiting *v, const char *instance, const char *type,
                       const char *type_instance, uint64_t count)
{
    v->visit(v->context, &(struct summary){.instance = instance,
                                           .type = type,
                                           .type_instance = type_instance,
                                           .counts = true,
                                           .count = (int64_t)count});
}

static void tell_value(const struct visiting *v, const char *instance, const char *type,
                       const char *type_instance, double value)
{
    v->visit(v->context, &(struct summary){.instance = instance,
                                           .type = type,
                                           .type_instance = type_instance,
                                           .value = value});
}

static void tell_service(const struct visiting *v, const Weft__ServiceSummary *s)
{
    tell_count(v, s->service, "total_requests", "", s->requests);
    tell_count(v, s->service, "errors", "", s->errors);
    if (s->measured) {
        tell_value(v, s->service, "latency", "p50", s->p50_seconds);
        tell_value(v, s->service, "latency", "p99", s->p99_seconds);
    }
}

bool summaries_read(const void *body, size_t length, summary_visit *visit, void *context)
{
    const struct visiting v = {visit, context};
    Weft__Summaries *m = weft__summaries__unpack(NULL, length, body);
    if (!m)
        return false;
    for (size_t i = 0; i < m->n_services; i++)
        if (m->services[i]->service[0])
            tell_service(&v, m->services[i]);
    for (size_t i = 0; i < m->n_losses; i++) {
        char name[128];
        snprintf(name, sizeof name, "lost_%.100s", m->losses[i]->reason);
        tell_count(&v, "", "derive", name, m->losses[i]->count);
    }
    tell_value(&v, "", "count", "processes", (double)m->processes);
    tell_value(&v, "", "queue_length", "spool", (double)m->spool_batches);
    weft__summaries__free_unpacked(m, NULL);
    return true;
}

static int exchange(struct channel *c, const char *socket, int64_t deadline_ms,
                    struct feed_frame *frame, char *why, size_t size)
{
    struct buffer question = {0};
    int result = -1;
    feed_frame_write(&question, FEED_ASK, 1, NULL, 0);
    if (question.failed)
        snprintf(why, size, "no memory");
    else if (channel_open(c, socket, why, size) == 0 &&
             channel_send(c, question.data, question.length, deadline_ms, why, size) == 0)
        result = channel_receive(c, frame, deadline_ms, why, size);
    buffer_fini(&question);
    return result;
}

int summaries_ask(const char *socket, int64_t timeout_ms, summary_visit *visit, void *context,
                  char *why, size_t why_size)
{
    struct channel c;
    struct feed_frame frame;
    channel_init(&c);
    int result = exchange(&c, socket, clock_monotonic_ms() + timeout_ms, &frame, why, why_size);
    if (result == 0 && (frame.type != FEED_SUMMARIES ||
                        !summaries_read(frame.body, frame.length, visit, context))) {
        snprintf(why, why_size, "what it says is no summary");
        result = -1;
    }
    channel_close(&c);
    return result;
}
