// SPDX-License-Identifier: Apache-2.0
/* B3 (https://github.com/openzipkin/b3-propagation), as Zipkin and Envoy speak it:
 *
 *     b3: <16 or 32 hex trace id>-<16 hex span id>[-<0|1|d>[-<16 hex parent id>]]
 *     X-B3-TraceId, X-B3-SpanId, X-B3-Sampled: 0|1, X-B3-Flags: 1 (debug)
 *
 * A lone sampling state ("b3: 0") carries no ids and is as none. The parent id is checked and
 * dropped: here a parent is the span that called. The sender's parent is of no use to us, and
 * we share no span ids between client and server.
 */
#include <string.h>

#include "client/propagation.h"

/* A trace id of 16 or 32 digits that ends at `end`. */
static bool read_trace_id(struct weft_context *context, const char *text, size_t digits)
{
    uint64_t hi = 0, lo = 0;
    if (digits == 32) {
        if (!hex_read_any_case(text, 16, &hi) || !hex_read_any_case(text + 16, 16, &lo))
            return false;
    } else if (digits != 16 || !hex_read_any_case(text, 16, &lo)) {
        return false;
    }
    context->trace_hi = hi;
    context->trace_lo = lo;
    return (hi | lo) != 0;
}

static bool read_span_id(struct weft_context *context, const char *text)
{
    return hex_read_any_case(text, 16, &context->span_id) && context->span_id != 0;
}

/* "", "-S" or "-S-<parent>" behind the span id. */
static bool read_state(struct weft_context *context, const char *text)
{
    uint64_t parent;
    if (*text == '\0')
        return true;
    if (text[0] != '-' || (text[1] != '0' && text[1] != '1' && text[1] != 'd'))
        return false;
    context->flags = text[1] != '0';
    text += 2;
    return *text == '\0' ||
           (*text == '-' && hex_read_any_case(text + 1, 16, &parent) && text[17] == '\0');
}

static int finish(struct weft_context *context, bool good)
{
    if (!good)
        *context = (struct weft_context){0};
    else
        context->remote = 1;
    return good ? 0 : -1;
}

int weft_extract_b3(struct weft_context *context, const char *b3)
{
    *context = (struct weft_context){0};
    if (!b3)
        return -1;
    size_t digits = strcspn(b3, "-");
    return finish(context, read_trace_id(context, b3, digits) && b3[digits] == '-' &&
                               read_span_id(context, b3 + digits + 1) &&
                               read_state(context, b3 + digits + 17));
}

int b3_extract_multi(struct weft_context *context, weft_header_get *get, void *request)
{
    *context = (struct weft_context){0};
    const char *trace = get(request, "x-b3-traceid"), *span = get(request, "x-b3-spanid");
    if (!trace || !span || !read_trace_id(context, trace, strnlen(trace, 33)) ||
        !read_span_id(context, span) || span[16] != '\0')
        return finish(context, false);
    const char *sampled = get(request, "x-b3-sampled"), *flags = get(request, "x-b3-flags");
    bool debug = flags && strcmp(flags, "1") == 0;
    bool said = sampled && (strcmp(sampled, "1") == 0 || strcmp(sampled, "true") == 0);
    bool denied = sampled && (strcmp(sampled, "0") == 0 || strcmp(sampled, "false") == 0);
    if (sampled && !said && !denied)
        return finish(context, false);
    context->flags = debug || said;
    return finish(context, true);
}

void b3_inject_single(const struct weft_context *context, weft_header_set *set, void *request)
{
    char text[32 + 1 + 16 + 2 + 1];
    hex_write(text, 16, context->trace_hi);
    hex_write(text + 16, 16, context->trace_lo);
    text[32] = '-';
    hex_write(text + 33, 16, context->span_id);
    text[49] = '-';
    text[50] = context->flags & 1 ? '1' : '0';
    text[51] = '\0';
    set(request, "b3", text);
}

void b3_inject_multi(const struct weft_context *context, weft_header_set *set, void *request)
{
    char trace[33], span[17];
    hex_write(trace, 16, context->trace_hi);
    hex_write(trace + 16, 16, context->trace_lo);
    trace[32] = '\0';
    hex_write(span, 16, context->span_id);
    span[16] = '\0';
    set(request, "X-B3-TraceId", trace);
    set(request, "X-B3-SpanId", span);
    set(request, "X-B3-Sampled", context->flags & 1 ? "1" : "0");
}
