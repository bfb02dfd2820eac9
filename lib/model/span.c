// SPDX-License-Identifier: Apache-2.0
#include "lib/model/span.h"

const char *span_kind_name(unsigned kind)
{
    static const char *const names[SPAN_KINDS] = {
        [SPAN_INTERNAL] = "internal", [SPAN_SERVER] = "server",     [SPAN_CLIENT] = "client",
        [SPAN_PRODUCER] = "producer", [SPAN_CONSUMER] = "consumer",
    };
    return kind < SPAN_KINDS ? names[kind] : "?";
}

const char *span_status_name(unsigned status)
{
    static const char *const names[SPAN_STATUSES] = {
        [SPAN_UNSET] = "unset",         [SPAN_OK] = "ok",
        [SPAN_ERROR] = "error",         [SPAN_DIED] = "died",
        [SPAN_IN_FLIGHT] = "in_flight",
    };
    return status < SPAN_STATUSES ? names[status] : "?";
}
