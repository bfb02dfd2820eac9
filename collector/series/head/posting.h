// SPDX-License-Identifier: Apache-2.0
/* The series that have a label: one number, a short sorted list, or a roaring bitmap, whatever is
 * smallest. Most labels with many values have few series each, and a bitmap takes 200 bytes for
 * one number. Zero-initialised is empty. */
#ifndef WEFT_COLLECTOR_SERIES_HEAD_POSTING_H
#define WEFT_COLLECTOR_SERIES_HEAD_POSTING_H

#include <roaring/roaring.h>
#include <stdbool.h>
#include <stdint.h>

struct posting {
    uint32_t count;
    uint32_t capacity; /* of the list; 0: `one`; POSTING_BITMAP */
    union {
        uint32_t one;
        uint32_t *list;
        roaring_bitmap_t *bitmap;
    };
};

#define POSTING_BITMAP UINT32_MAX
enum { POSTING_LIST_MAX = 64 };

/* A number that is not in it. -1: no memory. */
int posting_add(struct posting *p, uint32_t number);
/* One that is in it. */
void posting_remove(struct posting *p, uint32_t number);
void posting_fini(struct posting *p);
/* to = to or p. */
void posting_or(const struct posting *p, roaring_bitmap_t *to);
/* The least numbers that are in both, rising, at most `max`; how many. *more: there are others. */
unsigned posting_common(const struct posting *p, const roaring_bitmap_t *with, uint32_t *out,
                        unsigned max, bool *more);

#endif
