// SPDX-License-Identifier: Apache-2.0
/* OTLP in both forms: what is read can be written, and reads again. */
#include <stdlib.h>

#include "lib/otlp/otlp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read(struct arena *arena, const struct batch *b)
{
    char why[OTLP_WHY_MAX];
    struct buffer json = {0};
    struct otlp_row *rows = calloc(b->span_count + 1, sizeof *rows);
    for (uint32_t i = 0; rows && i < b->span_count; i++)
        rows[i] = (struct otlp_row){b, i};
    Otlp__Traces *t = rows ? otlp_write(arena, rows, b->span_count) : NULL;
    struct json_writer w = json_writer_to(&json);
    if (t)
        otlp_put_json(&w, t);
    if (t && !otlp_from_json(arena, json.data, json.length, why))
        abort();
    free(rows);
    buffer_fini(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[OTLP_WHY_MAX];
    struct otlp_counts counts;
    struct arena arena;
    int error;
    if (size == 0)
        return 0;
    arena_init(&arena, 4096);
    Otlp__Traces *t = data[0] & 1 ? otlp_from_json(&arena, (const char *)data + 1, size - 1, why)
                                  : otlp_from_protobuf(&arena, data + 1, size - 1, why);
    struct batch_builder *b = t ? batch_builder_create() : NULL;
    struct buffer bytes = {0};
    if (b) {
        otlp_read(t, b, &counts);
        if (batch_encode(b, &bytes) == 0) {
            const struct batch *batch =
                batch_decode(&arena, bytes.data, bytes.length, 64 << 20, &error);
            if (batch)
                write_and_read(&arena, batch);
        }
        batch_builder_destroy(&b);
    }
    buffer_fini(&bytes);
    arena_fini(&arena);
    return 0;
}
