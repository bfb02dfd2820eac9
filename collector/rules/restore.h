// SPDX-License-Identifier: Apache-2.0
/* What the alerts of a rule were before the collector started, from their ALERTS_FOR_STATE. */
#ifndef WEFT_COLLECTOR_RULES_RESTORE_H
#define WEFT_COLLECTOR_RULES_RESTORE_H

#include "collector/rules/evaluate.h"

/* Alerts that are active now are so since when they were; the rule is restored then, also where
 * nothing is known of it. Under the evaluation's lock. */
void rule_restore(struct rule_state *state, int64_t unix_ms, const struct evaluation *e);

#endif
