// SPDX-License-Identifier: Apache-2.0
#include "collector/store/pace.h"

#include <errno.h>

#include "lib/base/clock.h"

enum { STEP_MOST_MS = 50 };

struct pace pace_begin(struct wakeup *wakeup, uint64_t bytes_s)
{
    return (struct pace){wakeup, bytes_s, clock_monotonic_ms()};
}

int pace_keep(const struct pace *p, uint64_t bytes)
{
    uint64_t due_ms = p->bytes_s ? bytes * 1000 / p->bytes_s : 0;
    while (!wakeup_is_stopping(p->wakeup)) {
        uint64_t spent_ms = (uint64_t)(clock_monotonic_ms() - p->began_monotonic_ms);
        if (spent_ms >= due_ms)
            return 0;
        uint64_t left_ms = due_ms - spent_ms;
        /* Others wake it for what is not its own: it looks at the time again. */
        wakeup_wait(p->wakeup, wakeup_seen(p->wakeup),
                    left_ms < STEP_MOST_MS ? (unsigned)left_ms : STEP_MOST_MS);
    }
    return -ECANCELED;
}
