// SPDX-License-Identifier: Apache-2.0
/* Contexts out of spans, and the choice among header formats. The formats themselves are in
 * traceparent.c and b3.c. */
#include <string.h>

#include "client/propagation.h"
#include "client/recorder.h"
#include "client/span.h"
#include "client/tracestate.h"

int weft_context_of(weft_span span, struct weft_context *context)
{
    *context = (struct weft_context){0};
    if (!span.slot)
        span = recorder_thread.current;
    const struct slab_span *s = span_of(span);
    if (!s)
        return -1;
    context->trace_hi = s->trace_hi;
    context->trace_lo = s->trace_lo;
    context->span_id = s->span_id;
    context->flags = s->flags & 3;
    size_t length;
    const char *text = span_tracestate(span, &length);
    if (length < sizeof context->tracestate) {
        memcpy(context->tracestate, text, length);
        context->tracestate_length = (uint16_t)length;
    }
    return 0;
}

int weft_extract(struct weft_context *context, weft_header_get *get, void *request)
{
    const char *value = get(request, "traceparent");
    if (value && weft_extract_traceparent(context, value, get(request, "tracestate")) == 0)
        return 0;
    value = get(request, "b3");
    if (value && weft_extract_b3(context, value) == 0)
        return 0;
    return b3_extract_multi(context, get, request);
}

int weft_traceparent(weft_span span, char out[WEFT_TRACEPARENT_SIZE])
{
    struct weft_context context;
    out[0] = '\0';
    if (weft_context_of(span, &context) != 0)
        return -1;
    traceparent_write(&context, out);
    return 0;
}

int weft_inject(weft_span span, unsigned formats, weft_header_set *set, void *request)
{
    struct weft_context context;
    if (weft_context_of(span, &context) != 0)
        return -1;
    if (formats & WEFT_W3C) {
        char text[WEFT_TRACEPARENT_SIZE];
        char state[TRACESTATE_SIZE];
        traceparent_write(&context, text);
        set(request, "traceparent", text);
        if (tracestate_write(context.tracestate, context.tracestate_length, state))
            set(request, "tracestate", state);
    }
    if (formats & WEFT_B3_SINGLE)
        b3_inject_single(&context, set, request);
    if (formats & WEFT_B3_MULTI)
        b3_inject_multi(&context, set, request);
    return 0;
}
