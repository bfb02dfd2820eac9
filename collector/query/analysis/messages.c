// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/messages.h"

#include <stdlib.h>

#include "collector/hash.h"

void messages_fini(struct messages *m)
{
    free(m->producers);
    free(m->waiting);
    *m = (struct messages){0};
}

static uint64_t place(struct trace_id id, uint64_t span_id)
{
    return hash_words(id.hi ^ span_id, id.lo) & (MESSAGES_REMEMBERED - 1);
}

int messages_produced(struct messages *m, struct message_end producer)
{
    if (!m->producers)
        m->producers = calloc(MESSAGES_REMEMBERED, sizeof *m->producers);
    if (!m->producers)
        return -1;
    m->producers[place(producer.trace_id, producer.span_id)] = producer;
    return 0;
}

const struct message_end *messages_producer(const struct messages *m, struct trace_id trace_id,
                                            uint64_t span_id)
{
    if (!m->producers || span_id == 0)
        return NULL;
    const struct message_end *p = &m->producers[place(trace_id, span_id)];
    bool same =
        p->span_id == span_id && p->trace_id.hi == trace_id.hi && p->trace_id.lo == trace_id.lo;
    return same ? p : NULL;
}

bool messages_wait(struct messages *m, const struct message_consumer *consumer)
{
    if (!m->waiting)
        m->waiting = malloc(MESSAGES_REMEMBERED * sizeof *m->waiting);
    if (!m->waiting || m->waiting_count == MESSAGES_REMEMBERED)
        return false;
    m->waiting[m->waiting_count++] = *consumer;
    return true;
}
