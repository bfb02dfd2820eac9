// SPDX-License-Identifier: Apache-2.0
/* POST /v1/traces: OTLP over HTTP, protobuf or JSON, as OpenTelemetry's SDKs and collectors send it
 * and `weft import` does. Answered when the spans are durable. */
#include <stdlib.h>

#include "collector/web/api.h"
#include "lib/otlp/otlp.h"

enum { ARENA_BLOCK_BYTES = 64 << 10 };

static bool is_type(const char *header, const char *type)
{
    size_t length = strlen(type);
    return header && strncasecmp(header, type, length) == 0 &&
           (header[length] == 0 || header[length] == ';' || header[length] == ' ');
}

/* The encoded batch; false: *reply says why there is none. */
static bool encode(const Otlp__Traces *traces, struct buffer *bytes, struct otlp_counts *counts,
                   struct reply *reply)
{
    struct batch_builder *b = batch_builder_create();
    if (b)
        otlp_read(traces, b, counts);
    bool encoded = b && (counts->spans == 0 || batch_encode(b, bytes) == 0) && !bytes->failed;
    batch_builder_destroy(&b);
    if (!encoded)
        reply_no_memory(reply);
    return encoded;
}

static void answer(bool json, const struct otlp_counts *counts, struct reply *reply)
{
    static const char why[] = "spans need a trace id of 16 and a span id of 8 bytes";
    if (json) {
        struct json_writer w = json_writer_to(&reply->body);
        json_open_object(&w);
        json_field_object(&w, "partialSuccess");
        if (counts->rejected > 0) {
            json_field_uint(&w, "rejectedSpans", counts->rejected);
            json_field_text(&w, "errorMessage", why);
        }
        json_close_object(&w);
        json_close_object(&w);
        return;
    }
    Otlp__ExportResponse response = OTLP__EXPORT_RESPONSE__INIT;
    Otlp__PartialSuccess partial = OTLP__PARTIAL_SUCCESS__INIT;
    uint8_t packed[128];
    partial.rejected_spans = (int64_t)counts->rejected;
    partial.error_message = (ProtobufCBinaryData){sizeof why - 1, (uint8_t *)(uintptr_t)why};
    if (counts->rejected > 0)
        response.partial_success = &partial;
    reply->content_type = "application/x-protobuf";
    buffer_append(&reply->body, packed, otlp__export_response__pack(&response, packed));
}

static void take(const struct api_call *call, const Otlp__Traces *traces, bool json,
                 struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    struct buffer bytes = {0};
    struct otlp_counts counts = {0};
    if (!encode(traces, &bytes, &counts, reply)) {
        buffer_fini(&bytes);
        return;
    }
    enum link_verdict verdict = LINK_ACCEPTED;
    if (counts.spans > 0)
        verdict = call->web->import(call->web->context, FRAME_BATCH, bytes.data, bytes.length, why,
                                    sizeof why);
    if (verdict == LINK_ACCEPTED)
        answer(json, &counts, reply);
    else
        reply_error(reply, verdict == LINK_BUSY ? 503 : 400, "%s", why);
}

void api_import(const struct api_call *call, struct reply *reply)
{
    char why[OTLP_WHY_MAX];
    struct arena arena;
    const struct web_request *r = call->request;
    bool json = is_type(r->content_type, "application/json");
    if (!json && !is_type(r->content_type, "application/x-protobuf")) {
        reply_error(reply, 415, "expected Content-Type application/json or application/x-protobuf");
        return;
    }
    arena_init(&arena, ARENA_BLOCK_BYTES);
    const Otlp__Traces *traces = json ? otlp_from_json(&arena, r->body, r->body_length, why)
                                      : otlp_from_protobuf(&arena, r->body, r->body_length, why);
    if (traces)
        take(call, traces, json, reply);
    else
        reply_error(reply, 400, "%s", why);
    arena_fini(&arena);
}
