// SPDX-License-Identifier: Apache-2.0
/* The collector's HTTP API (docs/api.md) and the files of the page.
 *
 *   server.c   the listening socket, libmicrohttpd's threads, limits, headers
 *   route.c    who may ask (Host, Origin, token), and which route answers
 *   params.c   the query of a URL
 *   api_*.c    the answers
 *   metrics.c  Prometheus text
 *   page.c     the page's files
 *
 * Every connection has a thread: routes may take their time.
 */
#ifndef WEFT_COLLECTOR_WEB_WEB_H
#define WEFT_COLLECTOR_WEB_WEB_H

#include "collector/caches/caches.h"
#include "collector/dashboards/dashboards.h"
#include "collector/ledger/frame.h"
#include "collector/marks/marks.h"
#include "collector/query/query.h"
#include "collector/query/status.h"
#include "collector/series/store.h"
#include "collector/web/reply.h"
#include "lib/link/link.h"

enum { WEB_TOKEN_MAX = 512 };

/* What the routes need. */
struct web {
    struct query query;
    struct series_store *series;
    const struct series_source *source; /* what is asked: store and archive; NULL: the store */
    struct marks *marks;
    struct caches *caches; /* NULL: none */
    struct watchers *watchers;
    struct rules *rules;       /* NULL: none */
    struct archive *archive;   /* NULL: none */
    struct own_teller *own;    /* NULL: none */
    struct firehose *firehose; /* NULL: none */
    struct dashboards *dashboards;
    /* Fills *status, given back by pipeline_status_fini. -1: no memory. */
    int (*status)(void *context, struct pipeline_status *status);
    /* NULL when ready to accept, else a static sentence. Must not wait. */
    const char *(*not_ready)(void *context);
    /* Makes an encoded batch, or the body of a remote write, durable and visible; `memory`
     * (malloc'ed, `length` bytes) is taken over. Waits for that. */
    enum link_verdict (*import)(void *context, enum frame_kind kind, void *memory, size_t length,
                                char *why, size_t why_size);
    /* Turns recording of a service on or off: how many agents were told; -1: it cannot. */
    int (*recording)(void *context, const char *service, bool on);
    void *context;

    unsigned query_threads; /* 0: one for each processor */
    const char *page_directory;
    const char *log_link; /* what the page links spans to their logs with; NULL: nothing */
    const char *token;    /* NULL: none is needed */
    const char *hosts;    /* further names under which we may be asked; commas; NULL: none */
    bool admin;           /* series may be deleted */
    bool loopback;        /* we listen there alone: other Hosts are refused */
};

static inline const struct series_source *web_source(const struct web *w)
{
    return w->source ? w->source : series_store_source(w->series);
}

/* Whether the body of the request (whose headers are here) may be sent at all, and how much of it;
 * else *reply says why not. Any thread. */
bool web_admits(const struct web *w, const struct web_request *request, size_t *body_max,
                struct reply *reply);
/* Any thread. */
void web_answer(const struct web *w, const struct web_request *request, struct reply *reply);

struct web_server;

struct web_server_options {
    const char *address; /* "127.0.0.1:4040", "[::1]:0" */
    unsigned connections;
    unsigned timeout_s; /* of a connection on which nothing happens */
};

/* Listens and serves. `w` is completed (loopback) and must outlive the server. NULL and a
 * sentence in `why`. */
struct web_server *web_server_start(struct web *w, const struct web_server_options *options,
                                    char *why, size_t why_size);
unsigned web_server_port(const struct web_server *s);
/* Stops listening and waits until the answers being made are done or given up. */
void web_server_stop(struct web_server **s);

/* Is "HOST:PORT" one of this machine's loopback addresses? -1: it is no address. */
int web_address_is_loopback(const char *address);

#endif
