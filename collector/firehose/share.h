// SPDX-License-Identifier: Apache-2.0
/* Who of an app's clients gets which partitions: as evenly as 64 divides, and with as few changes
 * as that allows. */
#ifndef WEFT_COLLECTOR_FIREHOSE_SHARE_H
#define WEFT_COLLECTOR_FIREHOSE_SHARE_H

#include <stdint.h>

#include "collector/firehose/trail.h"

enum { FIREHOSE_APP_CLIENTS = 16 };

/* `wanted`: of each client, the partitions that it is to have, as bits; a new client's are 0.
 * Afterwards each partition is in exactly one, as long as there is a client. */
void share_partitions(uint64_t *wanted, unsigned clients);

/* The partition of a trace. Part of what checkpoints mean: never to be changed. */
static inline unsigned partition_of(uint64_t trace_hi, uint64_t trace_lo)
{
    uint64_t x = trace_hi ^ (trace_lo * UINT64_C(0x9e3779b97f4a7c15));
    x = (x ^ (x >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    return (unsigned)((x ^ (x >> 32)) >> 58);
}

#endif
