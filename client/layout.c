// SPDX-License-Identifier: Apache-2.0
#include "client/layout.h"

#include <sys/resource.h>

#include "client/cells.h"
#include "client/identity.h"

#define NAMES_BYTES (256u << 10)

static uint64_t round_page(uint64_t n)
{
    return (n + SLAB_PAGE - 1) & ~(uint64_t)(SLAB_PAGE - 1);
}

/* A power of two, for the ring. */
static uint32_t round_power(unsigned long n)
{
    uint32_t power = SLAB_RING_BYTES_MIN;
    while (power < n)
        power *= 2;
    return power;
}

/* What the environment says, settled at the first file: where another takes its place, the slot
 * of an older handle has the size that all slots have. A forked child, in which no older handle
 * is good, asks again. */
static struct {
    uint32_t thread_capacity, slot_count, slot_bytes, ring_bytes; /* all 0: not settled */
} sizes;

static void settle_sizes(void)
{
    if (sizes.thread_capacity)
        return;
    sizes.slot_count = (uint32_t)identity_number("WEFT_SLOTS", 128, 4, SLAB_SLOTS_MAX);
    unsigned long payload = identity_number("WEFT_SLOT_BYTES", 2048, 256, 32768) & ~7ul;
    /* One line more than a power of two: slots spread over the cache's sets. */
    sizes.slot_bytes = (uint32_t)(sizeof(struct slab_slot) + payload + 63) & ~63u;
    if (sizes.slot_bytes % 4096 == 0)
        sizes.slot_bytes += 64;
    sizes.ring_bytes = round_power(
        identity_number("WEFT_RING_BYTES", 1 << 20, SLAB_RING_BYTES_MIN, SLAB_RING_BYTES_MAX));
    sizes.thread_capacity = (uint32_t)identity_number("WEFT_THREADS", 512, 1, SLAB_THREADS_MAX);
}

/* Most of the statistics' room is never touched, and the file is that long all the same: where
 * files may not be, spans come first. */
static bool may_be_long(const struct slab_file *f, uint64_t stats_bytes)
{
    struct rlimit largest;
    return getrlimit(RLIMIT_FSIZE, &largest) != 0 ||
           f->stats_offset + stats_bytes + f->thread_bytes <= largest.rlim_cur;
}

void layout_of_file(struct slab_file *f, struct slab_stats *stats)
{
    settle_sizes();
    f->thread_capacity = sizes.thread_capacity;
    f->slot_count = sizes.slot_count;
    f->slot_bytes = sizes.slot_bytes;
    f->ring_bytes = sizes.ring_bytes;

    f->readers_offset = 2 * SLAB_PAGE;
    f->names_offset =
        round_page(f->readers_offset + f->thread_capacity * sizeof(struct slab_reader_word));
    f->names_bytes = NAMES_BYTES;
    f->resource_offset = f->names_offset + f->names_bytes;
    f->stats_offset = f->resource_offset + LAYOUT_RESOURCE_BYTES;
    f->thread_bytes = slab_ring_offset(f->slot_count, f->slot_bytes) + f->ring_bytes;
    uint64_t stats_bytes = cells_lay_out(stats, f->stats_offset);
    f->stats_bytes = may_be_long(f, stats_bytes) ? stats_bytes : 0;
    f->threads_offset = f->stats_offset + f->stats_bytes;
}

void layout_forget(void)
{
    sizes.thread_capacity = 0;
}
