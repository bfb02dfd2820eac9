// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/freshness.h"

#include <string.h>

#define NS_PER_S UINT64_C(1000000000)

void freshness_init(struct freshness *f)
{
    memset(f, 0, sizeof *f);
    pthread_mutex_init(&f->lock, NULL);
}

void freshness_fini(struct freshness *f)
{
    pthread_mutex_destroy(&f->lock);
}

static unsigned bucket_of(uint64_t lag_ns)
{
    if (lag_ns < UINT64_C(1) << FRESHNESS_OCTAVE_FIRST)
        return 0;
    unsigned octave = 63 - (unsigned)__builtin_clzll(lag_ns);
    if (octave > FRESHNESS_OCTAVE_LAST)
        return FRESHNESS_BUCKETS - 1;
    return (octave - FRESHNESS_OCTAVE_FIRST) * 8 + (unsigned)(lag_ns >> (octave - 3) & 7);
}

/* The middle of a bucket. */
static uint64_t lag_of(unsigned bucket)
{
    unsigned octave = bucket / 8 + FRESHNESS_OCTAVE_FIRST;
    return (UINT64_C(17) + 2 * (bucket % 8)) << (octave - 4);
}

static struct freshness_slot *slot_at(struct freshness *f, uint64_t second)
{
    struct freshness_slot *slot = &f->slots[second % FRESHNESS_SECONDS];
    if (slot->second != second) {
        memset(slot, 0, sizeof *slot);
        slot->second = second;
    }
    return slot;
}

void freshness_add(struct freshness *f, const struct batch *b, uint64_t now_unix_ns)
{
    double sum_s = 0;
    pthread_mutex_lock(&f->lock);
    struct freshness_slot *slot = slot_at(f, now_unix_ns / NS_PER_S);
    for (uint32_t row = 0; row < b->span_count; row++) {
        if (b->status[row] >= SPAN_DIED || b->flags[row] & SPAN_FLAG_OBSERVED)
            continue;
        uint64_t end = b->start_unix_ns[row] + b->duration_ns[row];
        uint64_t lag_ns = end < now_unix_ns ? now_unix_ns - end : 0;
        unsigned bucket = bucket_of(lag_ns);
        slot->buckets[bucket]++;
        slot->count++;
        f->octaves[bucket / 8]++;
        f->count++;
        sum_s += (double)lag_ns * 1e-9;
    }
    f->sum_s += sum_s;
    pthread_mutex_unlock(&f->lock);
}

static uint64_t quantile(const uint64_t *buckets, uint64_t count, double q)
{
    uint64_t rank = (uint64_t)(q * (double)(count - 1)), seen = 0;
    for (unsigned i = 0; i < FRESHNESS_BUCKETS; i++) {
        seen += buckets[i];
        if (seen > rank)
            return lag_of(i);
    }
    return 0;
}

void freshness_read(struct freshness *f, uint64_t now_unix_ns, struct freshness_summary *out)
{
    uint64_t buckets[FRESHNESS_BUCKETS] = {0}, second = now_unix_ns / NS_PER_S;
    memset(out, 0, sizeof *out);
    pthread_mutex_lock(&f->lock);
    for (unsigned i = 0; i < FRESHNESS_SECONDS; i++) {
        const struct freshness_slot *slot = &f->slots[i];
        if (slot->second > second || slot->second + FRESHNESS_SECONDS <= second)
            continue;
        out->count += slot->count;
        for (unsigned b = 0; b < FRESHNESS_BUCKETS; b++)
            buckets[b] += slot->buckets[b];
    }
    out->total = f->count;
    out->total_sum_s = f->sum_s;
    memcpy(out->octaves, f->octaves, sizeof out->octaves);
    pthread_mutex_unlock(&f->lock);
    if (out->count > 0) {
        out->p50_ns = quantile(buckets, out->count, 0.5);
        out->p99_ns = quantile(buckets, out->count, 0.99);
    }
}
