// SPDX-License-Identifier: Apache-2.0
/* What `weft top --once` says of the demo, while it runs. */
#ifndef WEFT_CLI_DEMO_HOTTEST_H
#define WEFT_CLI_DEMO_HOTTEST_H

#include "cli/world.h"

/* Prints it. 0; 1 with a sentence where the hottest key is not the celebrity's, or where the tap
 * should have told one by now (`seconds`: how long the demo runs) and has not. */
int demo_hottest(const struct world *w, double seconds);

#endif
