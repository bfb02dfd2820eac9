// SPDX-License-Identifier: Apache-2.0
/* Tables from the agent of this host, by its feed (docs/format/feed.md): no collector is needed,
 * and keys are told each second. Only root and the agent's own user are let in. */
#ifndef WEFT_CLI_TOP_AGENT_H
#define WEFT_CLI_TOP_AGENT_H

#include "cli/top_source.h"

/* The agent that has this directory (copied). It need not be there yet. -1: no memory. */
int top_agent_open(struct top_source *source, const char *directory);

#endif
