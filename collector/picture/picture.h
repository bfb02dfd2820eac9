// SPDX-License-Identifier: Apache-2.0
/* A graph as a picture, PNG or SVG, drawn by librrd: stacked areas or lines, marks as vertical
 * lines, light or dark, so that it can stand in a mail or a wiki.
 *
 *   picture.c       from values to a temporary RRD, and librrd's words for what is to be drawn
 *   frame.c         title, period, marks and their labels around it
 *   mark_labels.c   where labels stand
 *   pen.c           pixels by cairo, or SVG
 *   theme.c         colours
 *
 * Any thread; drawing is one picture at a time, as librrd's fonts are shared. */
#ifndef WEFT_COLLECTOR_PICTURE_PICTURE_H
#define WEFT_COLLECTOR_PICTURE_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"

enum {
    PICTURE_WIDTH_LEAST = 200,
    PICTURE_WIDTH_MOST = 4000,
    PICTURE_HEIGHT_LEAST = 120,
    PICTURE_HEIGHT_MOST = 3000,
    PICTURE_STEPS_MOST = 11000,
    PICTURE_SERIES_MOST = 24,
    PICTURE_MARKS_MOST = 200,
};

struct picture_series {
    const char *name;    /* any bytes; what is not UTF-8 is shown as '?' */
    const double *value; /* one for each step, NaN: none */
};

struct picture_mark {
    int64_t unix_s;
    const char *label;
    bool is_deploy; /* blue; others are grey */
};

struct picture {
    bool svg, dark, stack;
    unsigned width, height;  /* of the whole, in pixels */
    const char *title;       /* NULL: none */
    const char *unit;        /* beside the axis; NULL: none */
    int64_t start_s, step_s; /* value i is of the interval that ends at start + i * step */
    size_t steps;
    const struct picture_series *series;
    size_t series_count;
    const struct picture_mark *marks; /* rising in time */
    size_t mark_count;
};

/* Appends the file to `out`. 0; -1 and a sentence, and nothing is appended: beyond the limits, no
 * room for the temporary file, no font, or what librrd says. */
int picture_draw(const struct picture *p, struct buffer *out, char *why, size_t why_size);

#endif
