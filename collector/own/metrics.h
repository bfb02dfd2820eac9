// SPDX-License-Identifier: Apache-2.0
/* The one list of what the collector says of itself: /metrics prints it, and the teller
 * (collector/own/teller.h) keeps it as series. */
#ifndef WEFT_COLLECTOR_OWN_METRICS_H
#define WEFT_COLLECTOR_OWN_METRICS_H

#include "collector/archive/archive.h"
#include "collector/own/teller.h"
#include "collector/query/status.h"
#include "collector/rules/rules.h"
#include "lib/codec/own_metrics.h"

struct own_sources {
    const struct pipeline_status *status;
    struct archive *archive;   /* NULL: none */
    struct rules *rules;       /* NULL: none */
    struct own_teller *teller; /* NULL: none */
};

/* Any thread. */
void collector_own_metrics(struct own_metrics *m, const struct own_sources *from);

#endif
