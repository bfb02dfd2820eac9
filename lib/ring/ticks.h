// SPDX-License-Identifier: Apache-2.0
/* The clock of spans: the processor's counter where it runs at one rate through all sleep
 * states, else CLOCK_MONOTONIC. Raw ticks go into the slab; the agent turns them into time.
 * bench/record.c prints what reading each of them costs. */
#ifndef WEFT_RING_TICKS_H
#define WEFT_RING_TICKS_H

#include <stdint.h>
#include <time.h>

#include "lib/ring/slab.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
/* Invariant TSC: CPUID 80000007h, EDX bit 8 (Intel SDM vol. 3, 18.17.1). */
static inline enum slab_clock ticks_clock(void)
{
    unsigned a, b, c, d;
    if (__get_cpuid(0x80000007u, &a, &b, &c, &d) && (d & (1u << 8)))
        return SLAB_CLOCK_TSC;
    return SLAB_CLOCK_MONOTONIC;
}
#elif defined(__aarch64__)
static inline enum slab_clock ticks_clock(void)
{
    return SLAB_CLOCK_CNTVCT;
}
#else
static inline enum slab_clock ticks_clock(void)
{
    return SLAB_CLOCK_MONOTONIC;
}
#endif

static inline uint64_t ticks_now(enum slab_clock clock)
{
#if defined(__x86_64__)
    if (__builtin_expect(clock == SLAB_CLOCK_TSC, 1))
        return __rdtsc();
#elif defined(__aarch64__)
    if (__builtin_expect(clock == SLAB_CLOCK_CNTVCT, 1)) {
        uint64_t count;
        __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
        return count;
    }
#endif
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
