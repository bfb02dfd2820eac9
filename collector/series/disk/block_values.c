// SPDX-License-Identifier: Apache-2.0
/* Pages of values: each value's text without what it has in common with the one before, and the
 * runs of series that have it. */
#include <stdlib.h>

#include "collector/series/disk/block_internal.h"

static const char what[] = "a page of values";

int block_reader_init(struct block_reader *r, struct block *b, struct arena *arena)
{
    *r = (struct block_reader){.block = b, .arena = arena, .page = UINT32_MAX};
    arena_init(&r->page_arena, 32 << 10);
    r->pages = calloc((size_t)b->tables.value_pages + 1, sizeof(struct value_page *));
    return r->pages ? BLOCK_OK : BLOCK_ENOMEM;
}

void block_reader_fini(struct block_reader *r)
{
    free((void *)r->pages);
    arena_fini(&r->page_arena);
    *r = (struct block_reader){0};
}

void block_reader_forget(struct block_reader *r)
{
    memset((void *)r->pages, 0, r->block->tables.value_pages * sizeof(struct value_page *));
}

uint32_t block_name(const struct block *b, struct batch_str name)
{
    uint32_t low = 0, high = b->summary.names;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = batch_str_compare(b->tables.names[middle].text, name);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return UINT32_MAX;
}

struct batch_str block_name_text(const struct block *b, uint32_t name)
{
    return b->tables.names[name].text;
}

uint32_t block_name_values(const struct block *b, uint32_t name)
{
    return b->tables.names[name].values;
}

/* The bytes that follow in the page are checked to be there. */
static bool take(struct column_reader *in, uint32_t length)
{
    in->bad |= length > column_left(in);
    if (in->bad)
        return false;
    in->next += length;
    return true;
}

static int decode(struct block *b, const struct block_page *p, uint32_t count,
                  struct column_reader *in, struct arena *arena, struct value_page *page)
{
    struct batch_str last = {"", 0};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t shared = column_get_below(in, (uint64_t)last.length + 1);
        uint32_t length = column_get_below(in, column_left(in) + 1);
        const uint8_t *rest = in->next;
        if (!take(in, length) || length > LABEL_VALUE_BYTES_MAX)
            return block_note_damage(b, what, p->offset);
        char *text = arena_alloc(arena, shared + length + 1U);
        if (!text)
            return BLOCK_ENOMEM;
        memcpy(text, last.bytes, shared);
        memcpy(text + shared, rest, length);
        last = page->text[i] = (struct batch_str){text, shared + length};
        uint32_t series = column_get_below(in, column_left(in) + 1);
        const uint8_t *runs = in->next;
        if (!take(in, series) || last.length > LABEL_VALUE_BYTES_MAX)
            return block_note_damage(b, what, p->offset);
        page->series[i] = (struct column_reader){runs, runs + series, false};
    }
    page->count = count;
    return in->next == in->end ? BLOCK_OK : block_note_damage(b, what, p->offset);
}

static uint32_t page_count(const struct block *b, uint32_t name, uint32_t page)
{
    const struct block_name *n = &b->tables.names[name];
    uint32_t end =
        page + 1 < n->first_page + n->pages ? b->tables.values[page + 1].first : n->values;
    return end - b->tables.values[page].first;
}

static int load(struct block *b, uint32_t name, uint32_t page, struct arena *arena,
                struct value_page *out)
{
    struct column_reader in;
    const struct block_page *p = &b->tables.values[page];
    int error = block_page_read(b, p, what, arena, &in);
    return error == BLOCK_OK ? decode(b, p, page_count(b, name, page), &in, arena, out) : error;
}

/* The page, kept for the reader's life. */
static int keep(struct block_reader *r, uint32_t name, uint32_t page, struct value_page **out)
{
    if (!r->pages[page]) {
        struct value_page *fresh = arena_alloc(r->arena, sizeof *fresh);
        int error = fresh ? load(r->block, name, page, r->arena, fresh) : BLOCK_ENOMEM;
        if (error != BLOCK_OK)
            return error;
        r->pages[page] = fresh;
    }
    *out = r->pages[page];
    return BLOCK_OK;
}

int block_value(struct block_reader *r, uint32_t name, uint32_t value, struct batch_str *text)
{
    const struct block_name *n = &r->block->tables.names[name];
    const struct block_page *pages = r->block->tables.values;
    uint32_t low = n->first_page, high = n->first_page + n->pages;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (pages[middle].first <= value)
            low = middle;
        else
            high = middle;
    }
    struct value_page *page;
    int error = keep(r, name, low, &page);
    if (error != BLOCK_OK)
        return error;
    if (value - pages[low].first >= page->count)
        return block_note_damage(r->block, what, pages[low].offset);
    *text = page->text[value - pages[low].first];
    return BLOCK_OK;
}

/* ---- finding ----------------------------------------------------------------------------- */

/* The page's first value, without decoding the others; in `arena`, if the page is not kept. */
static int first_value(struct block_reader *r, uint32_t page, struct arena *arena,
                       struct batch_str *first)
{
    struct column_reader in;
    *first = (struct batch_str){"", 0};
    if (r->pages[page]) {
        if (r->pages[page]->count > 0)
            *first = r->pages[page]->text[0];
        return BLOCK_OK;
    }
    arena_reset(arena);
    int error = block_page_read(r->block, &r->block->tables.values[page], what, arena, &in);
    if (error != BLOCK_OK)
        return error;
    uint32_t shared = column_get_below(&in, 1);
    uint32_t length = column_get_below(&in, column_left(&in) + 1);
    const uint8_t *text = in.next;
    if (shared != 0 || !take(&in, length))
        return block_note_damage(r->block, what, r->block->tables.values[page].offset);
    *first = (struct batch_str){(const char *)text, length};
    return BLOCK_OK;
}

/* Of the name's pages the last whose first value is not greater. */
static int page_of(struct block_reader *r, uint32_t name, struct batch_str value, uint32_t *found)
{
    const struct block_name *n = &r->block->tables.names[name];
    uint32_t low = n->first_page, high = n->first_page + n->pages;
    struct arena arena;
    int error = BLOCK_OK;
    arena_init(&arena, 16 << 10);
    while (high - low > 1 && error == BLOCK_OK) {
        uint32_t middle = low + (high - low) / 2;
        struct batch_str first;
        error = first_value(r, middle, &arena, &first);
        if (error == BLOCK_OK && batch_str_compare(first, value) <= 0)
            low = middle;
        else
            high = middle;
    }
    arena_fini(&arena);
    *found = low;
    return error;
}

/* Runs: how many numbers are left out, how many follow each other, less one. */
static int add_series(struct block *b, struct column_reader in, roaring_bitmap_t *to)
{
    uint64_t next = 0, limit = b->summary.series;
    while (in.next < in.end) {
        next += column_get_below(&in, limit - next);
        uint64_t more = column_get_below(&in, limit - next);
        if (in.bad)
            return block_note_damage(b, what, 0);
        if (more == 0)
            roaring_bitmap_add(to, (uint32_t)next);
        else
            roaring_bitmap_add_range(to, next, next + more + 1);
        next += more + 1;
    }
    return BLOCK_OK;
}

int block_value_series(struct block_reader *r, uint32_t name, struct batch_str value,
                       roaring_bitmap_t *to)
{
    uint32_t at;
    struct value_page *page;
    if (r->block->tables.names[name].pages == 0)
        return BLOCK_OK;
    int error = page_of(r, name, value, &at);
    if (error == BLOCK_OK)
        error = keep(r, name, at, &page);
    for (uint32_t i = 0; error == BLOCK_OK && i < page->count; i++)
        if (batch_str_equal(page->text[i], value))
            return add_series(r->block, page->series[i], to);
    return error;
}

static int compare_beginning(struct batch_str text, struct batch_str prefix)
{
    if (text.length > prefix.length)
        text.length = prefix.length;
    return batch_str_compare(text, prefix);
}

static int visit_page(struct block *b, const struct value_page *page, struct batch_str prefix,
                      bool (*wants)(void *context, struct batch_str value), void *context,
                      roaring_bitmap_t *to, bool *beyond)
{
    for (uint32_t i = 0; i < page->count && !*beyond; i++) {
        int order = compare_beginning(page->text[i], prefix);
        *beyond = order > 0;
        if (order != 0 || !wants(context, page->text[i]) || !to)
            continue;
        int error = add_series(b, page->series[i], to);
        if (error != BLOCK_OK)
            return error;
    }
    return BLOCK_OK;
}

int block_values(struct block_reader *r, uint32_t name, struct batch_str prefix,
                 bool (*wants)(void *context, struct batch_str value), void *context,
                 roaring_bitmap_t *to)
{
    const struct block_name *n = &r->block->tables.names[name];
    struct arena arena;
    struct value_page page;
    uint32_t at = n->first_page;
    bool beyond = false;
    int error = BLOCK_OK;
    if (prefix.length > 0 && n->pages > 0)
        error = page_of(r, name, prefix, &at);
    arena_init(&arena, 32 << 10);
    for (; error == BLOCK_OK && at < n->first_page + n->pages && !beyond; at++) {
        arena_reset(&arena);
        error = load(r->block, name, at, &arena, &page);
        if (error == BLOCK_OK)
            error = visit_page(r->block, &page, prefix, wants, context, to, &beyond);
    }
    arena_fini(&arena);
    return error;
}

/* ---- values that some series have -------------------------------------------------------- */

/* The least of `among` that lie in the runs. */
static int find_common(struct block *b, struct column_reader in, const roaring_bitmap_t *among,
                       unsigned most, struct block_common *out)
{
    uint64_t next = 0, limit = b->summary.series;
    roaring_uint32_iterator_t at;
    roaring_init_iterator(among, &at);
    out->count = 0;
    out->more = false;
    while (in.next < in.end && at.has_value && !out->more) {
        next += column_get_below(&in, limit - next);
        uint64_t end = next + column_get_below(&in, limit - next) + 1;
        if (in.bad)
            return block_note_damage(b, what, 0);
        if (at.current_value < next)
            roaring_move_uint32_iterator_equalorlarger(&at, (uint32_t)next);
        for (; at.has_value && at.current_value < end; roaring_advance_uint32_iterator(&at)) {
            out->more = out->count == most;
            if (out->more)
                break;
            out->series[out->count++] = at.current_value;
        }
        next = end;
    }
    return BLOCK_OK;
}

static int tell_page(struct block_reader *r, const struct value_page *page, uint32_t first,
                     const roaring_bitmap_t *among, unsigned most,
                     bool (*tell)(void *context, const struct block_common *value), void *context,
                     bool *enough)
{
    for (uint32_t i = 0; i < page->count && !*enough; i++) {
        struct block_common value = {.number = first + i, .text = page->text[i]};
        int error = find_common(r->block, page->series[i], among, most, &value);
        if (error != BLOCK_OK)
            return error;
        *enough = value.count > 0 && !tell(context, &value);
    }
    return BLOCK_OK;
}

int block_common_values(struct block_reader *r, uint32_t name, const roaring_bitmap_t *among,
                        unsigned most,
                        bool (*tell)(void *context, const struct block_common *value),
                        void *context)
{
    const struct block_name *n = &r->block->tables.names[name];
    struct arena arena;
    struct value_page page;
    bool enough = false;
    int error = BLOCK_OK;
    arena_init(&arena, 32 << 10);
    for (uint32_t at = n->first_page; error == BLOCK_OK && at < n->first_page + n->pages && !enough;
         at++) {
        arena_reset(&arena);
        error = load(r->block, name, at, &arena, &page);
        if (error == BLOCK_OK)
            error = tell_page(r, &page, r->block->tables.values[at].first, among, most, tell,
                              context, &enough);
    }
    arena_fini(&arena);
    return error;
}
