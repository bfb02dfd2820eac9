// SPDX-License-Identifier: Apache-2.0
/* Sees in accepted batches who runs, who died and what was notified, and makes marks of it
 * (marks.h). collector/observe/observer.h says how, and what is promised. */
#ifndef WEFT_COLLECTOR_MARKS_OBSERVE_H
#define WEFT_COLLECTOR_MARKS_OBSERVE_H

#include "collector/marks/marks.h"
#include "collector/observe/observer.h"

/* NULL: no memory, or no thread. Both must outlive it. */
struct observer *marks_observer_create(struct marks *m, struct ledger *l);

#endif
