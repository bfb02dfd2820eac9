// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/batch_marks.h"

#include "lib/codec/batch_builder.h"
#include "lib/codec/batch_decode.h"
#include "weft.pb-c.h"

const char *batch_mark_severity_name(unsigned severity)
{
    static const char *const names[BATCH_MARK_SEVERITIES] = {"", "okay", "warning", "failure"};
    return severity < BATCH_MARK_SEVERITIES ? names[severity] : "";
}

/* ---- building ---------------------------------------------------------------------------- */

void batch_mark_add(struct batch_builder *b, const struct batch_mark *mark)
{
    BUILDER_ADD(b, &b->marks, struct batch_mark, *mark);
}

size_t batch_builder_marks(const struct batch_builder *b)
{
    return b->marks.count;
}

bool builder_put_marks(struct arena *arena, const struct batch_builder *b,
                       struct Weft__Batch *message)
{
    size_t count = b->marks.count;
    Weft__Mark *items = arena_calloc(arena, count, sizeof *items);
    message->marks = arena_calloc(arena, count, sizeof *message->marks);
    if (!items || !message->marks)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct batch_mark *from = &ITEMS(b->marks, struct batch_mark)[i];
        weft__mark__init(&items[i]);
        items[i].kind = from->kind;
        items[i].unix_ns = from->unix_ns;
        items[i].severity = from->severity;
        items[i].title = from->title;
        items[i].text = from->text;
        items[i].host = from->host;
        items[i].service = from->service;
        message->marks[i] = &items[i];
    }
    message->n_marks = count;
    return true;
}

/* ---- decoding ---------------------------------------------------------------------------- */

static bool decode_mark(const struct batch *batch, const Weft__Mark *from,
                        struct batch_mark_view *to)
{
    uint32_t most = batch->string_count;
    if (from->title >= most || from->text >= most || from->host >= most || from->service >= most ||
        from->severity >= BATCH_MARK_SEVERITIES)
        return false;
    *to = (struct batch_mark_view){
        .kind = from->kind,
        .severity = (uint8_t)from->severity,
        .unix_ns = from->unix_ns,
        .title = batch->strings[from->title],
        .text = batch->strings[from->text],
        .host = batch->strings[from->host],
        .service = batch->strings[from->service],
    };
    return true;
}

int decode_marks(struct decoder *d, const struct Weft__Batch *message)
{
    struct batch *batch = d->batch;
    batch->marks = arena_alloc(d->arena, message->n_marks * sizeof *batch->marks);
    if (!batch->marks)
        return BATCH_ENOMEM;
    for (size_t i = 0; i < message->n_marks; i++)
        if (!decode_mark(batch, message->marks[i], &batch->marks[i]))
            return BATCH_ECOLUMNS;
    batch->mark_count = (uint32_t)message->n_marks;
    return BATCH_OK;
}
