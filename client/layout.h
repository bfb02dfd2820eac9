// SPDX-License-Identifier: Apache-2.0
/* The sizes of a process file and where its parts lie, by what the environment says. Internal to
 * libweft; holding the process lock. */
#ifndef WEFT_CLIENT_LAYOUT_H
#define WEFT_CLIENT_LAYOUT_H

#include "lib/ring/slab.h"
#include "lib/ring/slab_stats.h"

#define LAYOUT_RESOURCE_BYTES (16u << 10)

/* Sets the sizes and offsets of `file`; those of its statistics in `stats`, which counts where
 * file->stats_bytes is not 0. */
void layout_of_file(struct slab_file *file, struct slab_stats *stats);
/* The environment is asked again at the next file: no handle of before is good any more. */
void layout_forget(void);

#endif
