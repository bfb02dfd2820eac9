// SPDX-License-Identifier: Apache-2.0
/* Questions about head and blocks (source.h). A selection holds the generations of the head and the
 * list of blocks that there were, and for each series where its samples are: chunks of blocks,
 * oldest first, then runs of the head, so that what is later in the list wins. Samples that come
 * while it is open may be in what is read, or not. */
#ifndef WEFT_COLLECTOR_SERIES_SELECT_H
#define WEFT_COLLECTOR_SERIES_SELECT_H

#include "collector/series/source.h"

struct series_store;

struct series_source series_select_source(struct series_store *s);

#endif
