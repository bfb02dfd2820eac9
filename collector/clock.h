// SPDX-License-Identifier: Apache-2.0
/* The time of day, in the unit in which everything here has it. */
#ifndef WEFT_COLLECTOR_CLOCK_H
#define WEFT_COLLECTOR_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_unix_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

#endif
