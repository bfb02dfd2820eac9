// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/engine/view.h"

void view_init(struct view *v, struct block *block, struct arena *arena)
{
    *v = (struct view){
        .block = block,
        .arena = arena,
        .rows = block->rows,
        .words = bits_words(block->rows),
        .failed = block->error != BLOCK_OK,
    };
}

static void *checked(struct view *v, const void *got)
{
    if (!got)
        v->failed = true;
    return (void *)(uintptr_t)got;
}

void *view_alloc(struct view *v, size_t count, size_t bytes)
{
    size_t total;
    if (__builtin_mul_overflow(count, bytes, &total))
        return checked(v, NULL);
    size_t taken = v->arena->total_bytes;
    if (v->limit_bytes && (taken > v->limit_bytes || total > v->limit_bytes - taken)) {
        v->over_limit = true;
        return checked(v, NULL);
    }
    return checked(v, arena_alloc(v->arena, total ? total : 1));
}

void *view_zeroed(struct view *v, size_t count, size_t bytes)
{
    void *got = view_alloc(v, count, bytes);
    if (got)
        memset(got, 0, count * bytes);
    return got;
}

uint64_t *view_none(struct view *v)
{
    return view_zeroed(v, (size_t)v->words + 1, sizeof(uint64_t));
}

uint64_t *view_every(struct view *v)
{
    uint64_t *b = view_none(v);
    if (b)
        bits_set_range(b, 0, v->rows);
    return b;
}

/* ---- columns ----------------------------------------------------------------------------- */

const uint64_t *view_u64(struct view *v, enum block_u64 column)
{
    return v->failed ? NULL : checked(v, block_u64(v->block, column));
}

const uint32_t *view_u32(struct view *v, enum block_u32 column)
{
    return v->failed ? NULL : checked(v, block_u32(v->block, column));
}

const uint8_t *view_u8(struct view *v, enum block_u8 column)
{
    return v->failed ? NULL : checked(v, block_u8(v->block, column));
}

const struct block_strings *view_strings(struct view *v)
{
    if (!v->strings && !v->failed)
        v->strings = checked(v, block_strings(v->block));
    return v->failed ? NULL : v->strings;
}

const struct block_processes *view_processes(struct view *v)
{
    if (!v->processes && !v->failed)
        v->processes = checked(v, block_processes(v->block));
    return v->failed ? NULL : v->processes;
}

const struct block_attribute *view_attribute(struct view *v, enum block_scope scope,
                                             struct batch_str key)
{
    return v->failed ? NULL : checked(v, block_attribute(v->block, scope, key.bytes, key.length));
}

const uint32_t *view_attribute_rows(struct view *v, const struct block_attribute *a)
{
    return v->failed ? NULL : checked(v, block_attribute_rows(v->block, a));
}

const struct block_events *view_events(struct view *v)
{
    return v->failed ? NULL : checked(v, block_events(v->block));
}

const struct block_links *view_links(struct view *v)
{
    return v->failed ? NULL : checked(v, block_links(v->block));
}

/* ---- the tree ---------------------------------------------------------------------------- */

const uint32_t *view_ends(struct view *v)
{
    if (v->ends)
        return v->ends;
    const uint32_t *parent = view_u32(v, BLOCK_PARENT);
    uint32_t *ends = parent ? view_alloc(v, v->rows, sizeof *ends) : NULL;
    if (!ends)
        return NULL;
    for (uint32_t row = 0; row < v->rows; row++)
        ends[row] = row + 1;
    for (uint32_t row = v->rows; row-- > 0;) {
        if (parent[row] != BLOCK_NONE && ends[parent[row]] < ends[row])
            ends[parent[row]] = ends[row];
    }
    return v->ends = ends;
}

const uint32_t *view_children(struct view *v)
{
    if (v->children)
        return v->children;
    const uint32_t *parent = view_u32(v, BLOCK_PARENT);
    uint32_t *children = parent ? view_zeroed(v, v->rows, sizeof *children) : NULL;
    if (!children)
        return NULL;
    for (uint32_t row = 0; row < v->rows; row++) {
        if (parent[row] != BLOCK_NONE)
            children[parent[row]]++;
    }
    return v->children = children;
}

const uint32_t *view_depths(struct view *v)
{
    if (v->depths)
        return v->depths;
    const uint32_t *parent = view_u32(v, BLOCK_PARENT);
    uint32_t *depths = parent ? view_alloc(v, v->rows, sizeof *depths) : NULL;
    if (!depths)
        return NULL;
    for (uint32_t row = 0; row < v->rows; row++)
        depths[row] = parent[row] == BLOCK_NONE ? 0 : depths[parent[row]] + 1;
    return v->depths = depths;
}

/* ---- traces ------------------------------------------------------------------------------ */

uint32_t view_trace_of(struct view *v, uint32_t row)
{
    const struct block_trace *t = v->block->traces;
    uint32_t at = v->trace_at;
    if (row - t[at].row < t[at].count)
        return at;
    if (at + 1 < v->block->trace_count && row - t[at + 1].row < t[at + 1].count)
        return v->trace_at = at + 1;
    uint32_t low = 0, high = v->block->trace_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (t[middle].row <= row)
            low = middle;
        else
            high = middle;
    }
    return v->trace_at = low;
}

static bool learn(struct view *v, const struct block_trace *t, struct view_trace *facts)
{
    const uint64_t *start = view_u64(v, BLOCK_START), *duration = view_u64(v, BLOCK_DURATION);
    if (!start || !duration)
        return false;
    *facts = (struct view_trace){.known = true, .start_unix_ns = UINT64_MAX};
    for (uint32_t row = t->row; row < t->row + t->count; row++) {
        uint64_t end;
        if (__builtin_add_overflow(start[row], duration[row], &end))
            end = UINT64_MAX;
        if (start[row] < facts->start_unix_ns)
            facts->start_unix_ns = start[row];
        if (end > facts->end_unix_ns)
            facts->end_unix_ns = end;
    }
    return true;
}

const struct view_trace *view_trace(struct view *v, uint32_t trace)
{
    if (!v->traces)
        v->traces = view_zeroed(v, v->block->trace_count, sizeof *v->traces);
    if (!v->traces)
        return NULL;
    struct view_trace *facts = &v->traces[trace];
    if (!facts->known && !learn(v, &v->block->traces[trace], facts))
        return NULL;
    return facts;
}

uint32_t view_root(struct view *v, uint32_t trace)
{
    if (!v->roots)
        v->roots = view_zeroed(v, v->block->trace_count, sizeof *v->roots);
    if (!v->roots)
        return BLOCK_NONE;
    if (v->roots[trace] == 0) {
        const struct block_trace *t = &v->block->traces[trace];
        const uint32_t *parent = view_u32(v, BLOCK_PARENT);
        const uint64_t *parent_id = view_u64(v, BLOCK_PARENT_ID);
        uint32_t row = t->row, end = t->row + t->count;
        if (!parent || !parent_id)
            return BLOCK_NONE;
        while (row < end && (parent[row] != BLOCK_NONE || parent_id[row] != 0))
            row++;
        v->roots[trace] = row < end ? row + 1 : BLOCK_NONE;
    }
    return v->roots[trace] == BLOCK_NONE ? BLOCK_NONE : v->roots[trace] - 1;
}
