// SPDX-License-Identifier: Apache-2.0
/* traceparent, tracestate and B3 from a hostile peer: nothing is read beyond the end, and what is
 * accepted comes out again as it was understood. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/propagation.h"
#include "client/tracestate.h"
#include "weft/weft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *headers[6]; /* traceparent, tracestate, b3, x-b3-… */

static const char *get(void *request, const char *name)
{
    static const char *const names[] = {"traceparent",  "tracestate",  "b3",
                                        "x-b3-traceid", "x-b3-spanid", "x-b3-sampled"};
    (void)request;
    for (int i = 0; i < 6; i++)
        if (strcmp(names[i], name) == 0)
            return headers[i];
    return NULL;
}

static void check(const struct weft_context *context, int result)
{
    struct weft_context again;
    char text[WEFT_TRACEPARENT_SIZE];
    int has_ids = (context->trace_hi | context->trace_lo) && context->span_id;
    if (has_ids != (result == 0) || context->tracestate_length >= sizeof context->tracestate)
        abort();
    if (result != 0)
        return;
    char state[TRACESTATE_SIZE];
    size_t length = tracestate_write(context->tracestate, context->tracestate_length, state);
    if (length >= sizeof state || (length && memcmp(state, "weft=web", 8) != 0))
        abort();
    traceparent_write(context, text);
    if (weft_extract_traceparent(&again, text, context->tracestate) != 0 ||
        again.trace_hi != context->trace_hi || again.trace_lo != context->trace_lo ||
        again.span_id != context->span_id)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copies[6] = {NULL};
    tracestate_settle("web");
    struct weft_context context;
    for (int i = 0; i < 6; i++) { /* each its own allocation, so that an overrun is seen */
        size_t length = size && i < 5 ? data[0] % (size + 1) : size;
        copies[i] = malloc(length + 1);
        memcpy(copies[i], data, length);
        copies[i][length] = '\0';
        headers[i] = i == (size ? data[size - 1] % 7 : 6) ? NULL : copies[i];
        data += length;
        size -= length;
    }
    check(&context, weft_extract_traceparent(&context, headers[0], headers[1]));
    check(&context, weft_extract_b3(&context, headers[2]));
    check(&context, weft_extract(&context, get, NULL));
    for (int i = 0; i < 6; i++)
        free(copies[i]);
    return 0;
}
