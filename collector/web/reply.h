// SPDX-License-Identifier: Apache-2.0
/* A request and its reply, free of the HTTP library: routes fill a reply, server.c carries it.
 * Tests and fuzzers ask the routes directly. */
#ifndef WEFT_COLLECTOR_WEB_REPLY_H
#define WEFT_COLLECTOR_WEB_REPLY_H

#include <stdbool.h>

#include "lib/base/buffer.h"

enum web_method { WEB_GET, WEB_HEAD, WEB_POST, WEB_PUT, WEB_DELETE, WEB_OTHER };

struct web_request {
    enum web_method method;
    const char *path;                /* begins with '/', as it came (not decoded) */
    const char *query;               /* without '?'; NULL: none */
    const char *host;                /* headers; NULL: not there */
    const char *origin, *fetch_site; /* where a browser says the question comes from */
    const char *authorization;
    const char *content_type, *accept;
    const char *if_match, *if_none_match;
    int socket;       /* the connection's; 0: there is none */
    const char *body; /* of a POST, NUL-terminated */
    size_t body_length;
};

/* A body that is made piece by piece while it is sent. */
struct reply_stream {
    /* Appends some of it; false: that was all (or out->failed). Not called again then. */
    bool (*next)(void *context, struct buffer *out);
    void (*close)(void *context); /* in any case, once */
    void *context;
};

struct reply {
    unsigned status;
    const char *content_type;   /* static */
    struct buffer body;         /* or */
    struct reply_stream stream; /* where `next` is set, or */
    int file;                   /* an open descriptor, -1: none */
    uint64_t file_bytes;
    const char *cache_control; /* static; NULL: "no-store" */
    char etag[40];             /* "": none */
    int64_t modified_unix_s;   /* 0: not said */
    const char *allow;         /* static; of a 405 */
    const char *authenticate;  /* static; of a 401 */
    bool endless;              /* a stream that its reader may let stand still */
    bool page;                 /* gets the page's Content-Security-Policy */
};

#define REPLY_EMPTY                                                                                \
    (struct reply)                                                                                 \
    {                                                                                              \
        .status = 200, .content_type = "application/json; charset=utf-8", .file = -1               \
    }

/* Replaces what was there by {"error": sentence}. */
void reply_error(struct reply *r, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* For a query that ran out of memory. */
void reply_no_memory(struct reply *r);
/* Frees what was not handed on. */
void reply_fini(struct reply *r);

#endif
