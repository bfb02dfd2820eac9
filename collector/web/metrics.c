// SPDX-License-Identifier: Apache-2.0
/* /metrics: Prometheus' text format, version 0.0.4; and whether the collector lives, and accepts.
 */
#include "collector/own/metrics.h"
#include "collector/web/api.h"

void api_metrics(const struct api_call *call, struct reply *reply)
{
    struct pipeline_status s;
    if (call->web->status(call->web->context, &s) != 0) {
        reply_no_memory(reply);
        return;
    }
    const struct own_sources from = {.status = &s,
                                     .archive = call->web->archive,
                                     .rules = call->web->rules,
                                     .teller = call->web->own};
    struct own_metrics m = own_to_text(&reply->body);
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    collector_own_metrics(&m, &from);
    pipeline_status_fini(&s);
}

void api_healthz(const struct api_call *call, struct reply *reply)
{
    (void)call;
    buffer_text(&reply->body, "{\"status\":\"alive\"}\n");
}

void api_readyz(const struct api_call *call, struct reply *reply)
{
    const char *not_ready = call->web->not_ready(call->web->context);
    if (not_ready)
        reply_error(reply, 503, "%s", not_ready);
    else
        buffer_text(&reply->body, "{\"status\":\"ready\"}\n");
}
