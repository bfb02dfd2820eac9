// SPDX-License-Identifier: Apache-2.0
/* What can be told of a regular expression without running it: the few values that it stands for
 * ("a|b|c", "(a|b)"), or with what all of them begin ("prod-.*"). So an index need not look at
 * every value. What is told is right for each pattern that RE2 accepts and that matches whole
 * texts. */
#ifndef WEFT_COLLECTOR_SERIES_PATTERN_H
#define WEFT_COLLECTOR_SERIES_PATTERN_H

#include <stdbool.h>

#include "lib/codec/batch_str.h"

enum { PATTERN_VALUES_MAX = 512 };

struct pattern {
    bool is_finite;
    struct batch_str *values; /* of a finite one; may have the same twice */
    uint32_t count;
    struct batch_str prefix; /* of one that is not; may be empty */
    char *text;              /* of both, malloc'ed */
};

/* -1: no memory. */
int pattern_init(struct pattern *p, struct batch_str regex);
void pattern_fini(struct pattern *p);

#endif
