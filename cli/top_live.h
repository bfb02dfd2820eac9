// SPDX-License-Identifier: Apache-2.0
/* `weft top` on a terminal: asks, draws and listens until Q. */
#ifndef WEFT_CLI_TOP_LIVE_H
#define WEFT_CLI_TOP_LIVE_H

#include "cli/top_keys.h"
#include "cli/top_source.h"

/* The exit status. */
int top_live(struct top_source *source, struct top_state *state, double seconds);

#endif
