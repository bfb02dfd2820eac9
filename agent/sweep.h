// SPDX-License-Identifier: Apache-2.0
/* The sweeper's work, apart from its timers. */
#ifndef WEFT_AGENT_SWEEP_H
#define WEFT_AGENT_SWEEP_H

#include <stdbool.h>

#include "agent/sweeper.h"

/* Reads all rings once, and the slots of the dead; closes batches that are due. Returns how
 * full the fullest ring was found, in percent. */
unsigned sweep_round(struct sweeper *s);

/* Closes the batch that is being built: spool, give back, forget the dead. False: the spool
 * would not take it, everything stays as it is. */
bool sweep_close_batch(struct sweeper *s);

/* Adds to the batch what services and the agent itself have lost since the last call. */
void sweep_losses(struct sweeper *s);

/* The end of a second for the statistics: takes what services and the kernel counted, and closes a
 * batch with rows of everything that has news; several where that is much. Where the spool refuses,
 * what was counted waits. */
void sweep_stats(struct sweeper *s);

/* Sends the spans that are open now. */
void sweep_in_flight(struct sweeper *s);

#endif
