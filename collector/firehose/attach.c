// SPDX-License-Identifier: Apache-2.0
/* How a client comes and goes. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/firehose/internal.h"
#include "lib/base/clock.h"

static bool is_app_name(const char *app)
{
    size_t length = strlen(app);
    if (length == 0 || length > FIREHOSE_APP_MAX)
        return false;
    for (const char *c = app; *c; c++) {
        if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
            return false;
    }
    return true;
}

/* The first batch that was accepted at that moment or later; else the end. */
static enum firehose_refusal find_moment(struct ledger *l, uint64_t unix_ns,
                                         struct firehose_position *at)
{
    struct frames reader;
    struct journal_position segment;
    enum frames_result result;
    if (ledger_find(l, unix_ns, &segment) != 0)
        return FIREHOSE_EIO;
    frames_init(&reader, l, (struct firehose_position){.segment = segment.segment});
    reader.not_before_unix_ns = unix_ns;
    do
        result = frames_next(&reader);
    while (result == FRAMES_GAP);
    *at = reader.at;
    frames_fini(&reader);
    if (result == FRAMES_ENOMEM)
        return FIREHOSE_ENOMEM;
    return result == FRAMES_EIO ? FIREHOSE_EIO : FIREHOSE_OK;
}

static enum firehose_refusal find_start(struct ledger *l, const struct firehose_request *request,
                                        struct firehose_position *start)
{
    struct ledger_end durable = ledger_durable(l);
    struct firehose_position end = {durable.end.segment, durable.end.offset, 0, durable.spans};
    uint64_t now = clock_unix_ns();
    *start = end;
    if (durable.end.segment == 0)
        return FIREHOSE_ESTOP;
    if (request->start == FIREHOSE_OLDEST)
        *start = (struct firehose_position){0};
    if (request->start == FIREHOSE_BACK) {
        uint64_t back_ns;
        if (__builtin_mul_overflow(request->back_s, UINT64_C(1000000000), &back_ns) ||
            back_ns > now)
            back_ns = now;
        return find_moment(l, now - back_ns, start);
    }
    if (request->start == FIREHOSE_AFTER) {
        if (position_compare(&end, &request->after) < 0)
            return FIREHOSE_ECURSOR;
        *start = request->after;
    }
    return FIREHOSE_OK;
}

static struct firehose_client *create_client(struct firehose *f,
                                             const struct firehose_request *request,
                                             struct firehose_position start)
{
    struct firehose_client *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->firehose = f;
    c->format = request->format;
    c->transport = transport_unknown();
    c->spoke_ms = clock_monotonic_ms();
    c->progress_ms = c->spoke_ms;
    if (request->app && trail_init(&c->trail) != 0) {
        free(c);
        return NULL;
    }
    frames_init(&c->reader, f->options.ledger, start);
    c->from[0] = start;
    for (unsigned p = 1; p < FIREHOSE_PARTITIONS; p++)
        c->from[p] = start;
    return c;
}

/* Under the lock. */
static enum firehose_refusal join_app(struct firehose *f, const struct firehose_request *request,
                                      struct firehose_position start, struct firehose_client *c)
{
    struct group *g = group_find(f, request->app);
    if (!g) {
        enum firehose_refusal refusal = group_load(f, request, start, &g);
        if (refusal != FIREHOSE_OK)
            return refusal;
    }
    if (g->member_count == FIREHOSE_APP_CLIENTS)
        return FIREHOSE_EFULL;
    if (request->rewind || request->start == FIREHOSE_AFTER) {
        if (!group_is_idle(g))
            return FIREHOSE_EBUSY;
        group_rewind(g, start);
    }
    group_join(g, c);
    return FIREHOSE_OK;
}

static enum firehose_refusal join(struct firehose *f, const struct firehose_request *request,
                                  struct firehose_position start, struct firehose_client *c)
{
    enum firehose_refusal refusal = FIREHOSE_OK;
    pthread_mutex_lock(&f->lock);
    if (f->stopping)
        refusal = FIREHOSE_ESTOP;
    else if (f->counts.clients >= f->options.clients_most)
        refusal = FIREHOSE_EMANY;
    else if (request->app)
        refusal = join_app(f, request, start, c);
    if (refusal == FIREHOSE_OK) {
        c->filter = request->filter;
        c->next = f->clients;
        f->clients = c;
        f->counts.clients++;
        pthread_cond_broadcast(&f->wake);
        pthread_cond_signal(&f->look);
    }
    pthread_mutex_unlock(&f->lock);
    return refusal;
}

static enum firehose_refusal attach(struct firehose *f, const struct firehose_request *request,
                                    struct firehose_client **client)
{
    struct firehose_position start;
    if (request->app && !is_app_name(request->app))
        return FIREHOSE_EAPP;
    enum firehose_refusal refusal = find_start(f->options.ledger, request, &start);
    if (refusal != FIREHOSE_OK)
        return refusal;
    struct firehose_client *c = create_client(f, request, start);
    if (!c)
        return FIREHOSE_ENOMEM;
    refusal = join(f, request, start, c);
    if (refusal == FIREHOSE_OK)
        *client = c;
    else
        client_destroy(c);
    return refusal;
}

static const char *sentence(enum firehose_refusal refusal)
{
    switch (refusal) {
    case FIREHOSE_EFULL:
        return "16 clients of this app are connected already; wait until one leaves, or use "
               "another app";
    case FIREHOSE_EBUSY:
        return "other clients of this app are connected: it can be rewound only by its only one";
    case FIREHOSE_EAPP:
        return "an app's name has 1 to 64 letters, digits, '.', '_' and '-'";
    case FIREHOSE_ECURSOR:
        return "that cursor is not of this ledger: it lies beyond the end";
    case FIREHOSE_EMANY:
        return "too many clients or apps; try again later";
    case FIREHOSE_ESTOP:
        return "the collector is starting or stopping; try again later";
    case FIREHOSE_ENOMEM:
        return "the collector is out of memory; try again later";
    default:
        return "positions cannot be read; see the collector's log";
    }
}

enum firehose_refusal firehose_attach(struct firehose *f, const struct firehose_request *request,
                                      struct firehose_client **client, char *why, size_t why_size)
{
    *client = NULL;
    enum firehose_refusal refusal = attach(f, request, client);
    if (refusal == FIREHOSE_OK)
        return refusal;
    snprintf(why, why_size, "%s", sentence(refusal));
    if (request->filter.close)
        request->filter.close(request->filter.context);
    pthread_mutex_lock(&f->lock);
    f->counts.refused++;
    pthread_cond_signal(&f->look); /* a group may have been loaded for nothing */
    pthread_mutex_unlock(&f->lock);
    return refusal;
}

int firehose_client_socket(struct firehose_client *c, int fd)
{
    struct transport transport;
    if (transport_of_socket(&transport, fd) != 0)
        return -1;
    pthread_mutex_lock(&c->firehose->lock);
    struct transport before = c->transport;
    c->transport = transport;
    pthread_mutex_unlock(&c->firehose->lock);
    before.release(before.context);
    return 0;
}

void firehose_detach(void *context)
{
    struct firehose_client *c = context;
    struct firehose *f = c->firehose;
    pthread_mutex_lock(&f->lock);
    client_leave(c, clock_monotonic_ms());
    pthread_cond_broadcast(&f->wake);
    pthread_cond_signal(&f->look); /* the keeper finishes it */
    pthread_mutex_unlock(&f->lock);
}
