// SPDX-License-Identifier: Apache-2.0
/* What stands around librrd's graph: a band above it with title, period and the labels of marks,
 * and the marks' lines through it. Labels say what a mark is; where they have no room they are
 * numbers, which the legend explains.
 *
 * First frame_plan, which knows how high the band will be and whether there are numbers; then, once
 * librrd has drawn and told where its plot is, frame_paint. One picture at a time, as of the pen.
 */
#ifndef WEFT_COLLECTOR_PICTURE_FRAME_H
#define WEFT_COLLECTOR_PICTURE_FRAME_H

#include "collector/picture/mark_labels.h"
#include "collector/picture/pen.h"
#include "collector/picture/picture.h"
#include "collector/picture/theme.h"
#include "lib/base/arena.h"

enum { FRAME_LABELS = 12 };

struct frame {
    const struct picture *picture;
    const struct theme *theme;
    struct arena *arena;
    struct pen pen;
    unsigned band; /* its height in pixels */
    bool is_numbered;
    size_t first, count; /* the marks that have labels: the newest */
    struct mark_label labels[FRAME_LABELS];
    const char *texts[FRAME_LABELS], *times[FRAME_LABELS]; /* times: "" where there is no room */
};

struct frame_plot { /* librrd's, in its own picture */
    double left, top, width, height;
    int64_t start_s, end_s;
};

/* Texts are in the arena, the picture will be in `out`. */
void frame_plan(struct frame *f, const struct picture *p, const struct theme *theme,
                struct arena *arena, struct buffer *out);
/* When a mark was, as precisely as the picture's period needs it; colons are not escaped. */
const char *frame_time(const struct picture *p, int64_t unix_s, struct arena *arena);
/* librrd's picture goes below the band. -1: no memory, or that was no picture. Nothing more may be
 * done with the frame then; `plot` NULL gives it up. */
int frame_paint(struct frame *f, const char *bytes, size_t length, const struct frame_plot *plot);

#endif
