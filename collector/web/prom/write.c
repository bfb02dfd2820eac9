// SPDX-License-Identifier: Apache-2.0
/* POST /api/v1/write: Prometheus' remote write, version 1. Answered (204) when the samples are
 * durable. What the store refuses (too old, too many series) is counted, not answered with an
 * error: the sender could only send it again. */
#include <stdlib.h>

#include "collector/web/prom/prom.h"

/* "application/x-protobuf;proto=io.prometheus.write.v2.Request" is version 2. */
static bool is_version_1(const char *content_type)
{
    return !content_type || !strstr(content_type, "proto=") ||
           strstr(content_type, "proto=prometheus.WriteRequest");
}

void prom_write(const struct api_call *call, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    const struct web_request *r = call->request;
    if (!is_version_1(r->content_type)) {
        reply_error(reply, 415,
                    "found %.100s, expected remote write version 1 "
                    "(proto=prometheus.WriteRequest)",
                    r->content_type);
        return;
    }
    void *body = malloc(r->body_length + 1);
    if (!body) {
        reply_no_memory(reply);
        return;
    }
    memcpy(body, r->body, r->body_length);
    switch (call->web->import(call->web->context, FRAME_REMOTE_WRITE, body, r->body_length, why,
                              sizeof why)) {
    case LINK_ACCEPTED:
        reply->status = 204;
        return;
    case LINK_BUSY:
        reply_error(reply, 503, "%s", why);
        return;
    default:
        reply_error(reply, 400, "%s", why);
    }
}
