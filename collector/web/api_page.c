// SPDX-License-Identifier: Apache-2.0
/* What whoever runs the collector has set for its page. */
#include "collector/web/api.h"

void api_page(const struct api_call *call, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    if (params_only(call->params, "", why) != 0) {
        reply_error(reply, 400, "%s", why);
        return;
    }
    struct json_writer w = json_writer_to(&reply->body);
    json_open_object(&w);
    if (call->web->log_link)
        json_field_text(&w, "log_link", call->web->log_link);
    json_close_object(&w);
}
