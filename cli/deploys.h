// SPDX-License-Identifier: Apache-2.0
#ifndef WEFT_CLI_DEPLOYS_H
#define WEFT_CLI_DEPLOYS_H

#include <jansson.h>

/* A line for a mark of a deploy: the versions, the hosts, and what changed, for which the collector
 * at `base` (NULL: the usual one) is asked. 0; 1 where it does not answer. */
int deploys_print(const char *base, const json_t *mark);

#endif
