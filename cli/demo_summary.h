// SPDX-License-Identifier: Apache-2.0
/* What the demo tells at its end. */
#ifndef WEFT_CLI_DEMO_SUMMARY_H
#define WEFT_CLI_DEMO_SUMMARY_H

#include <stdbool.h>

#include "cli/world.h"

/* Waits until the pipeline is empty, prints the summary. 0; 1 where spans are missing that no
 * loss explains, or where `expect_died` and no trace shows the cell that died. */
int demo_summary(struct world *w, bool expect_died);

#endif
