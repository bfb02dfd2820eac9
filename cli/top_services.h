// SPDX-License-Identifier: Apache-2.0
/* Services as an agent's summaries tell them: counts that grow; two summaries make rates. */
#ifndef WEFT_CLI_TOP_SERVICES_H
#define WEFT_CLI_TOP_SERVICES_H

#include "cli/top_rows.h"

struct top_service {
    char *name;
    double requests, errors;
};

struct top_services {
    struct top_service *list;
    uint32_t count;
    int64_t at_ms; /* monotonic; 0: never asked */
};

void top_services_fini(struct top_services *s);
/* The message weft.Summaries. The rates since `before`, which has what is told now afterwards; the
 * first time there are no rows. -1: that is no such message, or no memory. */
int top_services_rows(struct top_services *before, const void *message, size_t length,
                      int64_t now_ms, struct top_table *t);

#endif
