// SPDX-License-Identifier: Apache-2.0
/* What becomes of an alert outside: a mark from when it fires to when it ends, and a message to the
 * Alertmanagers when it fires, each minute while it does, and when it ends. The evaluating
 * thread's.
 */
#ifndef WEFT_COLLECTOR_RULES_TELL_H
#define WEFT_COLLECTOR_RULES_TELL_H

#include "collector/marks/marks.h"
#include "collector/rules/evaluate.h"
#include "collector/rules/notify.h"

enum { ALERT_RESEND_MS = 60000 };

struct teller {
    struct marks *marks; /* NULL: none are made */
    struct notifier *notifier;
    const char *url;    /* of this collector, "http://HOST:PORT" */
    int64_t resume_ms;  /* a mark that ended within this time before is gone on with ... */
    int64_t started_ms; /* ... by alerts that fire soon after the start */
};

/* `group_interval_ms`: until when a message counts, if no other follows, depends on it. */
void teller_tell(struct teller *t, const struct rule *rule, int64_t group_interval_ms,
                 struct alert *a, int64_t unix_ms);
/* "2026-01-02T03:04:05.678Z" */
void rule_print_time(int64_t unix_ms, char out[40]);

#endif
