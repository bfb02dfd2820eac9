// SPDX-License-Identifier: Apache-2.0
/* Waiting for what another thread or process does: by looking, with a deadline that no healthy
 * machine meets. */
#ifndef WEFT_TESTS_EVENTUALLY_H
#define WEFT_TESTS_EVENTUALLY_H

#include <time.h>

#include "lib/base/clock.h"

enum { PATIENCE_MS = 120000, LOOK_EVERY_MS = 1 };

static inline void look_away(void)
{
    nanosleep(&(struct timespec){.tv_nsec = LOOK_EVERY_MS * 1000000}, NULL);
}

/* Until the condition holds; else the test fails and says which it was. */
#define EVENTUALLY(condition)                                                                      \
    do {                                                                                           \
        int64_t eventually_late_ms = clock_monotonic_ms() + PATIENCE_MS;                           \
        while (!(condition)) {                                                                     \
            if (clock_monotonic_ms() > eventually_late_ms)                                         \
                fail_msg("waited in vain for " #condition);                                        \
            look_away();                                                                           \
        }                                                                                          \
    } while (0)

#endif
