// SPDX-License-Identifier: Apache-2.0
/* What questions may take together (bytes of memory, large traces at a time). Whoever is about to
 * need much takes a share first, and waits while others have it; so ten people with a question
 * each, or a trace of a million spans asked for twice, cost time and not memory. Any thread. */
#ifndef WEFT_COLLECTOR_QUERY_BUDGET_H
#define WEFT_COLLECTOR_QUERY_BUDGET_H

#include <pthread.h>
#include <stdint.h>

struct budget {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t total, taken;
};

void budget_init(struct budget *b, uint64_t total);
void budget_fini(struct budget *b);

/* Waits up to timeout_ms. What was taken, to be given back by budget_give: `amount`, or all that
 * there is where that is less; 0: others had it for too long. */
uint64_t budget_take(struct budget *b, uint64_t amount, unsigned timeout_ms);
void budget_give(struct budget *b, uint64_t amount);

#endif
