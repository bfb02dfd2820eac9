// SPDX-License-Identifier: Apache-2.0
/* Touching memory that somebody else may take away: a mapped file that its owner shrinks
 * answers SIGBUS. A guarded copy answers false instead. Any thread. */
#ifndef WEFT_RING_GUARD_H
#define WEFT_RING_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* Takes SIGBUS for the process; a fault outside of guarded calls ends it as ever. Call once. */
void guard_install(void);

/* Runs step(context); false if it touched a page of [base, base + bytes) that is gone. The step
 * is left at the fault: it must hold nothing, own nothing, and only copy. */
bool guard_run(const void *base, size_t bytes, void (*step)(void *), void *context);

#endif
