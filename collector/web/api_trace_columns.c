// SPDX-License-Identifier: Apache-2.0
/* A trace as columns, for the page's waterfall: what it draws of each span, in typed arrays that a
 * browser reads in place; of a hundred thousand spans a tenth of what JSON takes. What hangs on a
 * span is asked for by its place in the tree. docs/api.md describes the bytes.
 *
 *     "weftcol1"  u32 bytes of the head  u32 0  the head: JSON, padded to 8
 *     blocks, each of up to BLOCK_ROWS spans, until all are there
 */
#include <stdlib.h>
#include <string.h>

#include "collector/hash.h"
#include "collector/web/api.h"

enum { BLOCK_ROWS = 8192 };

/* The names told so far, by their bytes. */
struct told_names {
    struct batch_str *list;
    uint32_t count, capacity;
    uint32_t *slots; /* number + 1; 0: free */
    size_t slot_count;
};

struct columns_stream {
    struct trace_view view;
    uint32_t next; /* in tree.nodes */
    bool head_written;
    struct told_names names;
};

/* ---- names ------------------------------------------------------------------------------- */

static bool grow_names(struct told_names *n)
{
    uint32_t capacity = n->capacity ? n->capacity * 2 : 64;
    size_t slot_count = hash_slots(capacity);
    struct batch_str *list = realloc(n->list, capacity * sizeof *list);
    if (list)
        n->list = list;
    uint32_t *slots = list ? calloc(slot_count, sizeof *slots) : NULL;
    if (!slots)
        return false;
    for (uint32_t i = 0; i < n->count; i++) {
        size_t at = hash_bytes(list[i].bytes, list[i].length);
        while (slots[at & (slot_count - 1)])
            at++;
        slots[at & (slot_count - 1)] = i + 1;
    }
    free(n->slots);
    n->slots = slots;
    n->slot_count = slot_count;
    n->capacity = capacity;
    return true;
}

/* UINT32_MAX: no memory. */
static uint32_t name_number(struct told_names *n, struct batch_str name)
{
    if (n->count == n->capacity && !grow_names(n))
        return UINT32_MAX;
    size_t at = hash_bytes(name.bytes, name.length);
    for (;; at++) {
        uint32_t *slot = &n->slots[at & (n->slot_count - 1)];
        if (*slot && batch_str_equal(n->list[*slot - 1], name))
            return *slot - 1;
        if (*slot)
            continue;
        n->list[n->count] = name;
        *slot = ++n->count;
        return n->count - 1;
    }
}

/* ---- a block ----------------------------------------------------------------------------- */

/* The columns of a block as they go out; each is an array of its own, so that it is written at
 * once. */
struct columns_block {
    double start[BLOCK_ROWS], duration[BLOCK_ROWS];
    uint32_t id_high[BLOCK_ROWS], id_low[BLOCK_ROWS];
    uint32_t parent[BLOCK_ROWS], process[BLOCK_ROWS], name[BLOCK_ROWS], events[BLOCK_ROWS];
    uint8_t kind[BLOCK_ROWS], status[BLOCK_ROWS], flags[BLOCK_ROWS];
    uint32_t rows, first_name, event_count;
    struct buffer event_at; /* doubles */
};

static uint8_t flags_of(const struct tree_node *n)
{
    uint8_t of_span = n->batch->flags[n->row];
    return (uint8_t)((n->flags & TREE_ORPHAN ? 1 : 0) | (n->flags & TREE_DUPLICATE ? 2 : 0) |
                     (of_span & SPAN_FLAG_REMOTE_PARENT ? 4 : 0) | (n->flags & TREE_CYCLE ? 8 : 0) |
                     (of_span & SPAN_FLAG_OBSERVED ? 16 : 0));
}

/* False: no memory, or the details cannot be read. */
static bool add_events(struct columns_stream *s, struct columns_block *b, uint32_t node)
{
    const struct batch *details = trace_view_details(&s->view, node);
    uint32_t row = s->view.tree.nodes[node].row;
    if (!details)
        return false;
    b->events[b->rows] = details->event_count[row];
    for (uint32_t i = 0; i < details->event_count[row]; i++) {
        uint64_t at = details->event_unix_ns[details->event_first[row] + i];
        double offset = (double)(int64_t)(at - s->view.tree.start_unix_ns);
        buffer_append(&b->event_at, &offset, sizeof offset);
    }
    b->event_count += details->event_count[row];
    return true;
}

static bool add_row(struct columns_stream *s, struct columns_block *b, uint32_t node)
{
    const struct tree *t = &s->view.tree;
    const struct tree_node *n = &t->nodes[node];
    const struct batch *batch = n->batch;
    uint32_t i = b->rows;
    b->start[i] = (double)(int64_t)(batch->start_unix_ns[n->row] - t->start_unix_ns);
    b->duration[i] = (double)batch->duration_ns[n->row];
    b->id_high[i] = (uint32_t)(batch->span_id[n->row] >> 32);
    b->id_low[i] = (uint32_t)batch->span_id[n->row];
    b->parent[i] = n->parent; /* TREE_NONE is UINT32_MAX: -1 for who reads it signed */
    b->process[i] = n->process;
    b->name[i] = name_number(&s->names, batch->strings[batch->name[n->row]]);
    b->kind[i] = batch->kind[n->row];
    b->status[i] = batch->status[n->row];
    b->flags[i] = flags_of(n);
    bool added = b->name[i] != UINT32_MAX && add_events(s, b, node);
    b->rows++;
    return added;
}

static void pad(struct buffer *out, size_t begin)
{
    while ((out->length - begin) % 8)
        buffer_byte(out, '\0');
}

static void put_padded(struct buffer *out, const void *bytes, size_t length)
{
    size_t begin = out->length;
    buffer_append(out, bytes, length);
    pad(out, begin);
}

static void put_names(struct buffer *out, const struct told_names *n, uint32_t first)
{
    size_t begin = out->length;
    for (uint32_t i = first; i < n->count; i++)
        buffer_append(out, &n->list[i].length, sizeof n->list[i].length);
    pad(out, begin);
    begin = out->length;
    for (uint32_t i = first; i < n->count; i++)
        buffer_append(out, n->list[i].bytes, n->list[i].length);
    pad(out, begin);
}

static void put_block(struct buffer *out, const struct columns_block *b, const struct told_names *n)
{
    uint32_t name_bytes = 0;
    for (uint32_t i = b->first_name; i < n->count; i++)
        name_bytes += n->list[i].length;
    const uint32_t head[] = {b->rows, b->event_count, n->count - b->first_name, name_bytes};
    buffer_append(out, head, sizeof head);
    put_padded(out, b->start, b->rows * sizeof *b->start);
    put_padded(out, b->duration, b->rows * sizeof *b->duration);
    put_padded(out, b->event_at.data, b->event_at.length);
    const uint32_t *const words[] = {b->id_high, b->id_low, b->parent,
                                     b->process, b->name,   b->events};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        put_padded(out, words[i], b->rows * sizeof **words);
    put_padded(out, b->kind, b->rows);
    put_padded(out, b->status, b->rows);
    put_padded(out, b->flags, b->rows);
    put_names(out, n, b->first_name);
}

static bool write_block(struct columns_stream *s, struct buffer *out)
{
    struct columns_block *b = calloc(1, sizeof *b);
    bool whole = b != NULL;
    if (b)
        b->first_name = s->names.count;
    while (whole && b->rows < BLOCK_ROWS && s->next < s->view.tree.count)
        whole = add_row(s, b, s->next++);
    whole = whole && !b->event_at.failed;
    if (whole)
        put_block(out, b, &s->names);
    if (b)
        buffer_fini(&b->event_at);
    free(b);
    return whole;
}

/* ---- the stream -------------------------------------------------------------------------- */

static void write_head(struct columns_stream *s, struct buffer *out)
{
    struct buffer head = {0};
    trace_head_as_json(&s->view, &head);
    const uint32_t sizes[] = {(uint32_t)head.length, 0};
    buffer_text(out, "weftcol1");
    buffer_append(out, sizes, sizeof sizes);
    put_padded(out, head.data, head.length);
    out->failed = out->failed || head.failed;
    buffer_fini(&head);
}

static bool stream_next(void *context, struct buffer *out)
{
    struct columns_stream *s = context;
    if (!s->head_written)
        write_head(s, out);
    s->head_written = true;
    if (s->next < s->view.tree.count && !write_block(s, out))
        out->failed = true;
    return s->next < s->view.tree.count && !out->failed;
}

static void stream_close(void *context)
{
    struct columns_stream *s = context;
    trace_view_fini(&s->view);
    free(s->names.list);
    free(s->names.slots);
    free(s);
}

void trace_as_columns(struct trace_view *view, struct reply *reply)
{
    struct columns_stream *s = calloc(1, sizeof *s);
    if (!s) {
        trace_view_fini(view);
        reply_no_memory(reply);
        return;
    }
    s->view = *view;
    reply->content_type = "application/octet-stream";
    reply->stream = (struct reply_stream){stream_next, stream_close, s};
}
