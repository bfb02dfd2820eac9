// SPDX-License-Identifier: Apache-2.0
/* What the store does with points (source.h) that others need not. */
#ifndef WEFT_COLLECTOR_SERIES_POINTS_H
#define WEFT_COLLECTOR_SERIES_POINTS_H

#include "collector/series/source.h"

/* Room for so many more floats. -1 when memory is out. */
int points_reserve(struct points *p, size_t more);

#endif
