// SPDX-License-Identifier: Apache-2.0
/* The decoder of Prometheus' remote write. The first byte says whether the rest is a snappy block
 * or a message that is compressed first. What decodes is walked. */
#include <snappy-c.h>
#include <stdlib.h>

#include "lib/prom/remote_write.h"

enum { MAX_BYTES = 1 << 20 };

static volatile double sink;

static void walk_labels(const struct labels *l)
{
    if (l->count > LABELS_MAX)
        abort();
    for (uint32_t i = 0; i < l->count; i++) {
        if (l->items[i].name.length == 0 || l->items[i].value.length == 0 ||
            (i > 0 && label_compare_names(&l->items[i - 1], &l->items[i]) >= 0))
            abort();
        sink += l->items[i].value.bytes[l->items[i].value.length - 1];
    }
}

static void walk_buckets(const struct histogram_buckets *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        if (i > 0 && b->index[i] <= b->index[i - 1])
            abort();
        sink += b->value[i];
    }
}

static void walk_series(const struct remote_write *w, const struct remote_series *s)
{
    if (s->labels.count == 0)
        abort();
    walk_labels(&s->labels);
    for (uint32_t i = 0; i < s->sample_count; i++)
        sink +=
            w->sample_value[s->sample_first + i] + (double)w->sample_unix_ms[s->sample_first + i];
    for (uint32_t i = 0; i < s->histogram_count; i++) {
        const struct histogram *h = &w->histograms[s->histogram_first + i];
        walk_buckets(&h->positive);
        walk_buckets(&h->negative);
        for (uint32_t k = 0; k < h->custom_count; k++)
            sink += h->custom[k];
    }
    for (uint32_t i = 0; i < s->exemplar_count; i++)
        walk_labels(&w->exemplars[s->exemplar_first + i].labels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char compressed[2 * MAX_BYTES];
    struct arena arena;
    int error;
    if (size == 0 || size > MAX_BYTES)
        return 0;
    const void *body = data + 1;
    size_t length = size - 1;
    if (data[0] % 4) {
        length = sizeof compressed;
        snappy_compress((const char *)data + 1, size - 1, compressed, &length);
        body = compressed;
    }
    arena_init(&arena, 4096);
    const struct remote_write *w = remote_write_decode(&arena, body, length, MAX_BYTES, &error);
    if ((w == NULL) != (error != REMOTE_WRITE_OK))
        abort();
    for (uint32_t i = 0; w && i < w->series_count; i++)
        walk_series(w, &w->series[i]);
    arena_fini(&arena);
    return 0;
}
