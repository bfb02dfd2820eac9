// SPDX-License-Identifier: Apache-2.0
/* The graphs that the demo leaves behind as pictures. */
#ifndef WEFT_CLI_DEMO_PICTURES_H
#define WEFT_CLI_DEMO_PICTURES_H

#include <stdint.h>

#include "cli/world.h"

/* Requests per second by service, stacked, and percentiles of the cells' latency, from `start_s` to
 * `end_s` (since 1970), light and dark, with a line at each deploy. They go into `directory`; NULL:
 * a new one, which stays. Prints where they are. 0; 1 with a printed reason, also where the deploy
 * of WORLD_SLOWER_VERSION is not on them. */
int demo_pictures(const struct world *w, const char *directory, int64_t start_s, int64_t end_s);

#endif
