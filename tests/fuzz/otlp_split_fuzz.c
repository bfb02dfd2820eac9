// SPDX-License-Identifier: Apache-2.0
/* Whatever the text: requests are balanced, and come out of the reader or are refused by it. */
#include <stdlib.h>

#include "lib/otlp/otlp_split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_it(void *context, const char *json, size_t length, uint32_t spans)
{
    (void)context;
    char why[OTLP_WHY_MAX];
    struct arena arena;
    arena_init(&arena, 4096);
    otlp_from_json(&arena, json, length, why);
    arena_fini(&arena);
    return spans > 3; /* never more than asked for */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[OTLP_WHY_MAX];
    if (size == 0)
        return 0;
    FILE *in = fmemopen((void *)(uintptr_t)data, size, "r");
    if (!in)
        return 0;
    int result = otlp_split(
        in,
        &(struct otlp_split_options){.request_bytes = 4096, .request_spans = 3, .send = read_it},
        why);
    fclose(in);
    if (result > 0)
        abort();
    return 0;
}
