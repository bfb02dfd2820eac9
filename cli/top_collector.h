// SPDX-License-Identifier: Apache-2.0
/* Tables through the collector: its API of caches (docs/api.md) and, for services, PromQL. */
#ifndef WEFT_CLI_TOP_COLLECTOR_H
#define WEFT_CLI_TOP_COLLECTOR_H

#include <jansson.h>

#include "cli/top_source.h"

/* The one at $WEFT_URL. */
void top_collector_open(struct top_source *source);

/* What answers of /api/v1/caches say, into rows; and of its lists of keys, patterns or clients. */
void top_collector_take_caches(struct top_table *t, const json_t *answer);
void top_collector_take_list(struct top_table *t, const json_t *answer);
/* The column of the services in what /api/v1/query answered. */
void top_collector_take_services(struct top_table *t, const char *column, const json_t *answer);
/* After the last of them. */
void top_collector_end_services(struct top_table *t, double seconds);

#endif
