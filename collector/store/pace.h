// SPDX-License-Identifier: Apache-2.0
/* Long work on the disk that leaves room for others: so many bytes a second, and it stops within a
 * moment. Belongs to the thread that works. */
#ifndef WEFT_COLLECTOR_STORE_PACE_H
#define WEFT_COLLECTOR_STORE_PACE_H

#include <stdint.h>

#include "lib/base/wakeup.h"

struct pace {
    struct wakeup *wakeup; /* when this is stopping, so does the work */
    uint64_t bytes_s;      /* 0: no limit */
    int64_t began_monotonic_ms;
};

/* From now on. */
struct pace pace_begin(struct wakeup *wakeup, uint64_t bytes_s);

/* Waits until `bytes` in all should have taken as long. 0, or -ECANCELED: it is to stop. */
int pace_keep(const struct pace *p, uint64_t bytes);

#endif
