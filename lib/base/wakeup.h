// SPDX-License-Identifier: Apache-2.0
/* Threads that wait for something to have changed, without a change being missed: whoever waits
 * says what he had seen when he looked.
 *
 *     unsigned seen = wakeup_seen(w);
 *     if (!there_is_work())
 *         wakeup_wait(w, seen, 500);
 *
 * Any thread may call anything between init and fini. */
#ifndef WEFT_BASE_WAKEUP_H
#define WEFT_BASE_WAKEUP_H

#include <pthread.h>
#include <stdbool.h>

struct wakeup {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned count; /* of changes */
    bool stopping;
};

void wakeup_init(struct wakeup *w);
void wakeup_fini(struct wakeup *w);

/* Something changed: everybody looks again. */
void wakeup_all(struct wakeup *w);
unsigned wakeup_seen(struct wakeup *w);
/* From now on nobody waits. */
void wakeup_stop(struct wakeup *w);
bool wakeup_is_stopping(struct wakeup *w);
/* Until something changed since `seen`, or so long (0: for ever). False: it is stopping. */
bool wakeup_wait(struct wakeup *w, unsigned seen, unsigned timeout_ms);

#endif
