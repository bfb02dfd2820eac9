// SPDX-License-Identifier: Apache-2.0
#include "collector/series/exemplars.h"

#include <stdlib.h>

#include "collector/bytes.h"

int exemplar_ring_init(struct exemplar_ring *r, uint32_t capacity)
{
    *r = (struct exemplar_ring){.capacity = capacity};
    r->list = calloc((size_t)capacity + 1, sizeof *r->list);
    return r->list ? 0 : -1;
}

void exemplar_ring_fini(struct exemplar_ring *r)
{
    for (uint32_t i = 0; r->list && i < r->capacity; i++)
        free(r->list[i].labels);
    free(r->list);
    *r = (struct exemplar_ring){0};
}

static void put_text(struct buffer *b, struct batch_str text)
{
    bytes_put_u32(b, text.length);
    buffer_append(b, text.bytes, text.length);
}

int exemplar_ring_add(struct exemplar_ring *r, uint32_t series, uint32_t version,
                      const struct exemplar *e)
{
    struct buffer b = {0};
    size_t bytes_of_texts = 0;
    if (r->capacity == 0)
        return 0;
    for (uint32_t i = 0; i < e->labels.count; i++)
        bytes_of_texts += (size_t)e->labels.items[i].name.length + e->labels.items[i].value.length;
    if (bytes_of_texts > EXEMPLAR_LABEL_BYTES_MAX)
        return -1;
    bytes_put_u32(&b, e->labels.count);
    for (uint32_t i = 0; i < e->labels.count; i++) {
        put_text(&b, e->labels.items[i].name);
        put_text(&b, e->labels.items[i].value);
    }
    char *bytes = b.failed ? NULL : realloc(b.data, b.length);
    if (!bytes) {
        buffer_fini(&b);
        return -1;
    }
    struct kept_exemplar *place = &r->list[r->next];
    r->next = (r->next + 1) % r->capacity;
    r->count += !place->labels;
    free(place->labels);
    *place =
        (struct kept_exemplar){series, version, e->unix_ms, e->value, bytes, (uint32_t)b.length};
    return 0;
}

static struct batch_str get_text(struct bytes_reader *r)
{
    uint32_t length = bytes_get_u32(r);
    return (struct batch_str){bytes_take(r, length), length};
}

int exemplar_unpack(const struct kept_exemplar *kept, struct arena *arena, struct exemplar *out)
{
    const char *bytes = arena_copy(arena, kept->labels, kept->label_bytes);
    if (!bytes)
        return -1;
    struct bytes_reader r = bytes_reader_of(bytes, kept->label_bytes);
    uint32_t count = bytes_get_u32(&r);
    struct label *labels = arena_calloc(arena, count + 1U, sizeof *labels);
    if (!labels)
        return -1;
    for (uint32_t i = 0; i < count; i++)
        labels[i] = (struct label){get_text(&r), get_text(&r)};
    *out = (struct exemplar){{labels, count}, kept->value, kept->unix_ms};
    return 0;
}
