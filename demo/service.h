// SPDX-License-Identifier: Apache-2.0
/* What the demo's services share: an HTTP server whose requests are server spans, an HTTP client
 * whose calls are client spans, and traced calls to redis and memcached.
 *
 * Written as a service's engineers would write theirs: this is where libweft's API is used. */
#ifndef WEFT_DEMO_SERVICE_H
#define WEFT_DEMO_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "weft/weft.h"

/* ---- serving ----------------------------------------------------------------------------- */

struct service_request {
    const char *method, *path;
    const char *body;
    size_t body_length;
    void *connection;
    weft_span span;
};

/* A number from the query string; `standard` where it is missing or none. */
long service_query(const struct service_request *request, const char *name, long standard);

/* Answers by filling `answer`; returns the HTTP status. Runs on one of the server's threads. */
typedef int service_handler(struct service_request *request, struct buffer *answer);

struct service_route {
    const char *method, *path;
    struct weft_name *name; /* of the span: "GET /dashboard" */
    service_handler *handler;
};

/* Serves on 127.0.0.1:port with `threads` threads until SIGTERM or SIGINT. Returns main's exit
 * status. `ready` (may be NULL) runs once it listens. */
int service_run(uint16_t port, unsigned threads, const struct service_route *routes, size_t count,
                void (*ready)(void));
/* Set once the service is asked to end. */
bool service_ending(void);

/* ---- calling ----------------------------------------------------------------------------- */

/* A client span around one HTTP call; the current span's context goes along. The status, or 0
 * where there was no answer (the span then says why). `body` NULL: GET. */
int service_call(struct weft_name *name, const char *peer, const char *url, const char *body,
                 struct buffer *answer);

/* ---- caches ------------------------------------------------------------------------------ */

struct redisContext;
struct memcached_st;

/* This thread's connection, made anew after an error. NULL: not there. */
struct redisContext *service_redis(uint16_t port);
struct memcached_st *service_memcached(uint16_t port);

/* Ends the span with an error where `failed` is one. */
void service_end(weft_span span, const char *failed);

#endif
