// SPDX-License-Identifier: Apache-2.0
/* What is drawn around librrd's graph and on it, in both kinds of pictures: as pixels of a PNG by
 * cairo and pango, as elements of an SVG, where text stays text.
 *
 * One picture at a time, as fonts are shared: the caller sees to that. What fails is remembered
 * until the end. */
#ifndef WEFT_COLLECTOR_PICTURE_PEN_H
#define WEFT_COLLECTOR_PICTURE_PEN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buffer.h"

enum pen_font { PEN_TITLE, PEN_TEXT, PEN_STRONG };

struct pen {
    bool svg;
    unsigned width, height;
    struct buffer *out;          /* of the SVG */
    struct _cairo_surface *page; /* of the PNG; of an SVG one to measure by */
    struct _cairo *cairo;
    struct _PangoLayout *layout;
    bool failed;
};

/* Colours are "RRGGBB" or "RRGGBBAA". */
void pen_begin(struct pen *p, bool svg, unsigned width, unsigned height, const char *back,
               struct buffer *out);
/* Whether there is any font: without, all letters are boxes. */
bool pen_has_font(struct pen *p);
/* How wide a text will be. */
double pen_width(struct pen *p, enum pen_font font, const char *text);
/* `y` is of its base line. */
void pen_text(struct pen *p, enum pen_font font, double x, double y, const char *colour,
              const char *text);
void pen_vertical(struct pen *p, double x, double from_y, double to_y, double width,
                  const char *colour);
/* With round corners. */
void pen_box(struct pen *p, double x, double y, double width, double height, const char *colour);
/* librrd's picture of the same kind; its bytes, and where its top is. */
void pen_picture(struct pen *p, const char *bytes, size_t length, double y);
/* Appends the file to what was given at the beginning. -1: no memory, or the picture that was put
 * into it was none. */
int pen_end(struct pen *p);

#endif
