// SPDX-License-Identifier: Apache-2.0
/* Pages of series: each series' labels without those that it has in common with the one before,
 * and where its chunks are. */
#include "collector/series/disk/block_internal.h"

static const char what[] = "a page of series";

struct page_reader {
    struct block *b;
    struct column_reader in;
    struct arena *arena;
    const struct block_series *before;
    uint64_t offset; /* of the next chunk */
};

static int get_pairs(struct page_reader *p, struct block_series *s)
{
    const struct footer_tables *t = &p->b->tables;
    uint32_t shared = column_get_below(&p->in, (p->before ? p->before->pair_count : 0) + 1U);
    uint32_t more = column_get_below(&p->in, LABELS_MAX + 1);
    if (p->in.bad || shared + more > LABELS_MAX)
        return BLOCK_EDAMAGED;
    uint32_t *pairs = arena_alloc(p->arena, (shared + more + 1) * 2 * sizeof *pairs);
    if (!pairs)
        return BLOCK_ENOMEM;
    if (shared)
        memcpy(pairs, p->before->pairs, shared * 2 * sizeof *pairs);
    for (uint32_t i = shared; i < shared + more && !p->in.bad; i++) {
        uint32_t name = column_get_below(&p->in, p->b->summary.names);
        p->in.bad |= i > 0 && name <= pairs[2 * (i - 1)];
        pairs[2 * i] = name;
        pairs[2 * i + 1] = p->in.bad ? 0 : column_get_below(&p->in, t->names[name].values);
    }
    s->pairs = pairs;
    s->pair_count = shared + more;
    return p->in.bad ? BLOCK_EDAMAGED : BLOCK_OK;
}

static int get_chunks(struct page_reader *p, struct block_series *s)
{
    uint64_t end = BLOCK_HEADER_BYTES + p->b->summary.chunk_bytes;
    int64_t last = p->b->summary.min_ms;
    s->chunk_count = column_get_below(&p->in, column_left(&p->in) / 4 + 1);
    s->chunks = arena_alloc(p->arena, (s->chunk_count + 1) * sizeof *s->chunks);
    if (!s->chunks)
        return BLOCK_ENOMEM;
    for (uint32_t i = 0; i < s->chunk_count && !p->in.bad; i++) {
        struct block_chunk *c = &s->chunks[i];
        c->min_ms = (int64_t)((uint64_t)last + column_get(&p->in));
        c->max_ms = (int64_t)((uint64_t)c->min_ms + column_get(&p->in));
        c->samples = column_get_below(&p->in, UINT32_MAX);
        c->length = column_get_below(&p->in, UINT32_MAX);
        c->offset = p->offset;
        p->in.bad |= c->min_ms < last || c->max_ms < c->min_ms || c->length > end - p->offset;
        p->offset += c->length;
        last = c->max_ms;
    }
    return p->in.bad ? BLOCK_EDAMAGED : BLOCK_OK;
}

static int get_page(struct block_reader *r, const struct block_page *page, uint32_t count)
{
    struct page_reader p = {.b = r->block, .arena = &r->page_arena};
    int error = block_page_read(r->block, page, what, &r->page_arena, &p.in);
    r->series = arena_alloc(&r->page_arena, count * sizeof *r->series);
    if (error == BLOCK_OK && !r->series)
        error = BLOCK_ENOMEM;
    if (error != BLOCK_OK)
        return error;
    p.offset = column_get(&p.in);
    if (p.offset < BLOCK_HEADER_BYTES ||
        p.offset > BLOCK_HEADER_BYTES + r->block->summary.chunk_bytes)
        error = BLOCK_EDAMAGED;
    for (uint32_t i = 0; i < count && error == BLOCK_OK; i++) {
        struct block_series *s = &r->series[i];
        s->number = page->first + i;
        error = get_pairs(&p, s);
        s->counts = column_get(&p.in) & BLOCK_SERIES_COUNTS;
        if (error == BLOCK_OK)
            error = get_chunks(&p, s);
        p.before = s;
    }
    if (error == BLOCK_OK && p.in.next != p.in.end)
        error = BLOCK_EDAMAGED;
    return error == BLOCK_EDAMAGED ? block_note_damage(r->block, what, page->offset) : error;
}

int block_series(struct block_reader *r, uint32_t number, const struct block_series **series)
{
    uint32_t page = number / BLOCK_PAGE_SERIES;
    if (r->page != page) {
        uint32_t first = page * BLOCK_PAGE_SERIES, left = r->block->summary.series - first;
        arena_reset(&r->page_arena);
        r->page = UINT32_MAX;
        r->series_count = left < BLOCK_PAGE_SERIES ? left : BLOCK_PAGE_SERIES;
        int error = get_page(r, &r->block->tables.series[page], r->series_count);
        if (error != BLOCK_OK)
            return error;
        r->page = page;
    }
    *series = &r->series[number % BLOCK_PAGE_SERIES];
    return BLOCK_OK;
}

int block_series_labels(struct block_reader *r, const struct block_series *series,
                        struct label items[LABELS_MAX], struct labels *labels)
{
    for (uint32_t i = 0; i < series->pair_count; i++) {
        items[i].name = block_name_text(r->block, series->pairs[2 * i]);
        int error = block_value(r, series->pairs[2 * i], series->pairs[2 * i + 1], &items[i].value);
        if (error != BLOCK_OK)
            return error;
    }
    *labels = (struct labels){items, series->pair_count};
    return BLOCK_OK;
}
