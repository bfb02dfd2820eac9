// SPDX-License-Identifier: Apache-2.0
/* Colours of pictures: "RRGGBB" or "RRGGBBAA". Series colours differ in lightness as well as in
 * hue, for eyes that tell few hues apart. */
#ifndef WEFT_COLLECTOR_PICTURE_THEME_H
#define WEFT_COLLECTOR_PICTURE_THEME_H

#include <stdbool.h>
#include <stddef.h>

enum { THEME_SERIES = 12 };

struct theme {
    const char *back, *canvas, *font, *grid, *grid_major, *axis, *frame;
    const char *faint; /* of less important words */
    const char *deploy, *mark;
    const char *halo;                 /* around their lines */
    const char *series[THEME_SERIES]; /* taken in turn */
};

const struct theme *theme_of(bool dark);

#endif
