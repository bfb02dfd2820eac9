// SPDX-License-Identifier: Apache-2.0
/* The collector's HTTP API (docs/api.md) and the files of the page.
 *
 *   server.c   the listening socket, libmicrohttpd's threads, limits, headers
 *   route.c    who may ask (Host, token), and which route answers
 *   params.c   the query of a URL
 *   api_*.c    the answers
 *   metrics.c  Prometheus text
 *   page.c     the page's files
 *
 * Routes run on several threads at a time and may wait for the head's lock, nothing else.
 */
#ifndef WEFT_COLLECTOR_WEB_WEB_H
#define WEFT_COLLECTOR_WEB_WEB_H

#include "collector/query/query.h"
#include "collector/query/status.h"
#include "collector/web/reply.h"

enum { WEB_BODY_MAX = 4096, WEB_TOKEN_MAX = 512 };

/* What the routes need. */
struct web {
    struct query query;
    /* Fills *status, given back by pipeline_status_fini. -1: no memory. */
    int (*status)(void *context, struct pipeline_status *status);
    /* NULL when ready to accept, else a static sentence. Must not wait. */
    const char *(*not_ready)(void *context);
    /* Turns recording of a service on or off: how many agents were told; -1: it cannot. */
    int (*recording)(void *context, const char *service, bool on);
    void *context;

    const char *page_directory;
    const char *token; /* NULL: none is needed */
    const char *hosts; /* further names under which we may be asked; commas; NULL: none */
    bool loopback;     /* we listen there alone: other Hosts are refused */
};

/* Any thread. */
void web_answer(const struct web *w, const struct web_request *request, struct reply *reply);

struct web_server;

struct web_server_options {
    const char *address; /* "127.0.0.1:4040", "[::1]:0" */
    unsigned threads, connections;
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
