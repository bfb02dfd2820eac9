// SPDX-License-Identifier: Apache-2.0
/* Sums that keep what rounding loses (Kahan's, in Neumaier's variant). */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_KAHAN_H
#define WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_KAHAN_H

#include <math.h>

struct kahan {
    double sum, lost;
};

static inline void kahan_add(struct kahan *k, double value)
{
    double total = k->sum + value;
    if (isinf(total))
        k->lost = 0;
    else
        k->lost +=
            fabs(k->sum) >= fabs(value) ? (k->sum - total) + value : (value - total) + k->sum;
    k->sum = total;
}

static inline double kahan_total(const struct kahan *k)
{
    return isinf(k->sum) ? k->sum : k->sum + k->lost;
}

/* A mean: the sum divided, or, once the sum would overflow, a mean that moves with each value. */
struct kahan_mean {
    struct kahan k;
    double count;
    int moving;
};

static inline void kahan_mean_add(struct kahan_mean *m, double value)
{
    m->count++;
    if (m->count == 1) {
        m->k = (struct kahan){value, 0};
        return;
    }
    if (!m->moving) {
        struct kahan next = m->k;
        kahan_add(&next, value);
        if (!isinf(next.sum)) {
            m->k = next;
            return;
        }
        m->moving = 1;
        m->k.sum /= m->count - 1;
        m->k.lost /= m->count - 1;
    }
    double part = (m->count - 1) / m->count;
    m->k.sum *= part;
    m->k.lost *= part;
    kahan_add(&m->k, value / m->count);
}

static inline double kahan_mean(const struct kahan_mean *m)
{
    return m->moving ? m->k.sum + m->k.lost : m->k.sum / m->count + m->k.lost / m->count;
}

#endif
