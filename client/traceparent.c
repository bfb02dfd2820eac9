// SPDX-License-Identifier: Apache-2.0
/* W3C Trace Context, level 2 (https://www.w3.org/TR/trace-context-2/):
 *
 *     traceparent: 00-<32 hex trace id>-<16 hex span id>-<2 hex flags>
 *
 * Version ff is invalid; a version above 00 is read by 00's rules if nothing, or "-" and more,
 * follows. Ids of zeros and capitals are invalid. tracestate goes along unread where it is
 * printable ASCII of at most 512 bytes, else it is left out while traceparent still counts.
 */
#include <string.h>

#include "client/propagation.h"

static int hex_digit(char c, bool capitals)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return capitals && c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool hex_read_with(const char *text, unsigned digits, uint64_t *value, bool capitals)
{
    *value = 0;
    for (unsigned i = 0; i < digits; i++) {
        int digit = hex_digit(text[i], capitals); /* a NUL is no digit: never beyond the end */
        if (digit < 0)
            return false;
        *value = *value << 4 | (uint64_t)digit;
    }
    return true;
}

/* Lowercase ones alone. */
static bool hex_read(const char *text, unsigned digits, uint64_t *value)
{
    return hex_read_with(text, digits, value, false);
}

bool hex_read_any_case(const char *text, unsigned digits, uint64_t *value)
{
    return hex_read_with(text, digits, value, true);
}

void hex_write(char *text, unsigned digits, uint64_t value)
{
    for (unsigned i = digits; i-- > 0; value >>= 4)
        text[i] = "0123456789abcdef"[value & 15];
}

static void take_tracestate(struct weft_context *context, const char *text)
{
    if (!text)
        return;
    size_t length = strnlen(text, sizeof context->tracestate);
    if (length == sizeof context->tracestate)
        return;
    for (size_t i = 0; i < length; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            return;
    memcpy(context->tracestate, text, length);
    context->tracestate_length = (uint16_t)length;
}

int weft_extract_traceparent(struct weft_context *context, const char *text, const char *tracestate)
{
    *context = (struct weft_context){0};
    uint64_t version, hi, lo, span_id, flags;
    if (!text || !hex_read(text, 2, &version) || version == 0xff || text[2] != '-' ||
        !hex_read(text + 3, 16, &hi) || !hex_read(text + 19, 16, &lo) || text[35] != '-' ||
        !hex_read(text + 36, 16, &span_id) || text[52] != '-' || !hex_read(text + 53, 2, &flags))
        return -1;
    if (text[55] != '\0' && (version == 0 || text[55] != '-'))
        return -1;
    if ((hi | lo) == 0 || span_id == 0)
        return -1;
    context->trace_hi = hi;
    context->trace_lo = lo;
    context->span_id = span_id;
    context->flags = flags & 3;
    context->remote = 1;
    take_tracestate(context, tracestate);
    return 0;
}

void traceparent_write(const struct weft_context *context, char out[WEFT_TRACEPARENT_SIZE])
{
    memcpy(out, "00-", 3);
    hex_write(out + 3, 16, context->trace_hi);
    hex_write(out + 19, 16, context->trace_lo);
    out[35] = '-';
    hex_write(out + 36, 16, context->span_id);
    out[52] = '-';
    hex_write(out + 53, 2, context->flags);
    out[55] = '\0';
}
