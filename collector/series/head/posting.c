// SPDX-License-Identifier: Apache-2.0
#include "collector/series/head/posting.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_FIRST = 4, BITMAP_BYTES = 160 };

void posting_fini(struct posting *p)
{
    if (p->capacity == POSTING_BITMAP)
        roaring_bitmap_free(p->bitmap);
    else if (p->capacity > 0)
        free(p->list);
    *p = (struct posting){0};
}

static int to_bitmap(struct posting *p)
{
    roaring_bitmap_t *bitmap = roaring_bitmap_create();
    if (!bitmap)
        return -1;
    roaring_bitmap_add_many(bitmap, p->count, p->list);
    free(p->list);
    p->bitmap = bitmap;
    p->capacity = POSTING_BITMAP;
    return 0;
}

static int grow(struct posting *p)
{
    uint32_t capacity = p->capacity ? p->capacity * 2 : LIST_FIRST;
    uint32_t *list = p->capacity ? p->list : NULL, one = p->one;
    list = realloc(list, capacity * sizeof *list);
    if (!list)
        return -1;
    if (p->capacity == 0)
        list[0] = one;
    p->list = list;
    p->capacity = capacity;
    return 0;
}

static uint32_t place_of(const struct posting *p, uint32_t number)
{
    uint32_t at = p->count;
    while (at > 0 && p->list[at - 1] >= number)
        at--;
    return at;
}

int posting_add(struct posting *p, uint32_t number)
{
    if (p->count == 0 && p->capacity == 0) {
        p->one = number;
        p->count = 1;
        return 0;
    }
    if (p->capacity != POSTING_BITMAP && p->count >= POSTING_LIST_MAX && to_bitmap(p) != 0)
        return -1;
    if (p->capacity == POSTING_BITMAP) {
        roaring_bitmap_add(p->bitmap, number);
        p->count++;
        return 0;
    }
    if ((p->capacity == 0 || p->count == p->capacity) && grow(p) != 0)
        return -1;
    uint32_t at = place_of(p, number);
    memmove(p->list + at + 1, p->list + at, (p->count - at) * sizeof *p->list);
    p->list[at] = number;
    p->count++;
    return 0;
}

void posting_remove(struct posting *p, uint32_t number)
{
    if (p->capacity == POSTING_BITMAP) {
        roaring_bitmap_remove(p->bitmap, number);
    } else if (p->capacity > 0) {
        uint32_t at = place_of(p, number);
        memmove(p->list + at, p->list + at + 1, (p->count - at - 1) * sizeof *p->list);
    }
    if (--p->count == 0)
        posting_fini(p);
}

void posting_or(const struct posting *p, roaring_bitmap_t *to)
{
    if (p->capacity == POSTING_BITMAP)
        roaring_bitmap_or_inplace(to, p->bitmap);
    else if (p->capacity > 0)
        roaring_bitmap_add_many(to, p->count, p->list);
    else if (p->count > 0)
        roaring_bitmap_add(to, p->one);
}

static unsigned common_of_list(const uint32_t *list, uint32_t count, const roaring_bitmap_t *with,
                               uint32_t *out, unsigned max, bool *more)
{
    unsigned found = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!roaring_bitmap_contains(with, list[i]))
            continue;
        *more = found == max;
        if (*more)
            break;
        out[found++] = list[i];
    }
    return found;
}

/* Each in turn goes on to where the other stands. */
static unsigned common_of_bitmaps(const roaring_bitmap_t *p, const roaring_bitmap_t *with,
                                  uint32_t *out, unsigned max, bool *more)
{
    roaring_uint32_iterator_t a, b;
    unsigned found = 0;
    roaring_init_iterator(p, &a);
    roaring_init_iterator(with, &b);
    while (a.has_value && b.has_value && !*more) {
        if (a.current_value < b.current_value) {
            roaring_move_uint32_iterator_equalorlarger(&a, b.current_value);
        } else if (b.current_value < a.current_value) {
            roaring_move_uint32_iterator_equalorlarger(&b, a.current_value);
        } else {
            *more = found == max;
            if (!*more)
                out[found++] = a.current_value;
            roaring_advance_uint32_iterator(&a);
        }
    }
    return found;
}

unsigned posting_common(const struct posting *p, const roaring_bitmap_t *with, uint32_t *out,
                        unsigned max, bool *more)
{
    *more = false;
    if (p->count == 0)
        return 0;
    if (p->capacity != POSTING_BITMAP)
        return common_of_list(p->capacity > 0 ? p->list : &p->one, p->count, with, out, max, more);
    return roaring_bitmap_intersect(p->bitmap, with)
               ? common_of_bitmaps(p->bitmap, with, out, max, more)
               : 0;
}
