// SPDX-License-Identifier: Apache-2.0
/* Blocks come from malloc and grow with what the arena holds already, so that a big arena
 * costs few calls; a piece that is larger than a block gets one of its own. */
#include "lib/base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 16, BLOCK_BYTES_LEAST = 256, BLOCK_BYTES_MOST = 1 << 20 };

struct arena_block {
    struct arena_block *older;
    size_t bytes;
};

_Static_assert(sizeof(struct arena_block) % ALIGNMENT == 0, "pieces follow the block's head");

void arena_init(struct arena *a, size_t block_bytes)
{
    *a = (struct arena){
        .block_bytes = block_bytes < BLOCK_BYTES_LEAST ? BLOCK_BYTES_LEAST : block_bytes,
    };
}

void arena_fini(struct arena *a)
{
    struct arena_block *block = a->blocks;
    while (block) {
        struct arena_block *older = block->older;
        free(block);
        block = older;
    }
    arena_init(a, a->block_bytes);
}

/* Makes `block`, which may be NULL, the arena's only one. */
static void begin_with(struct arena *a, struct arena_block *block, size_t bytes)
{
    arena_init(a, a->block_bytes);
    if (!block)
        return;
    *block = (struct arena_block){.bytes = bytes};
    a->blocks = block;
    a->next = (char *)(block + 1);
    a->end = (char *)block + bytes;
    a->total_bytes = bytes;
}

void arena_reset(struct arena *a)
{
    struct arena_block *only = a->blocks;
    size_t bytes = a->total_bytes;
    if (only && only->older) {
        size_t block_bytes = a->block_bytes;
        arena_fini(a);
        a->block_bytes = block_bytes;
        only = malloc(bytes); /* if there is none, the next piece asks again */
    }
    begin_with(a, only, bytes);
}

/* How much to ask for: half of what there is already, within reason. */
static size_t next_block_bytes(const struct arena *a, size_t piece)
{
    size_t bytes = a->total_bytes / 2;
    if (bytes > BLOCK_BYTES_MOST)
        bytes = BLOCK_BYTES_MOST;
    if (bytes < a->block_bytes)
        bytes = a->block_bytes;
    return bytes < piece ? piece : bytes;
}

static void *alloc_from_new_block(struct arena *a, size_t bytes)
{
    size_t capacity = next_block_bytes(a, bytes);
    struct arena_block *block = malloc(sizeof *block + capacity);
    if (!block)
        return NULL;
    block->older = a->blocks;
    block->bytes = sizeof *block + capacity;
    a->blocks = block;
    a->total_bytes += block->bytes;
    char *piece = (char *)(block + 1);
    /* Go on in whichever block has more left. */
    if (capacity - bytes >= (size_t)(a->end - a->next)) {
        a->next = piece + bytes;
        a->end = piece + capacity;
    }
    return piece;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        return NULL;
    bytes = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (bytes == 0)
        bytes = ALIGNMENT;
    if (bytes > (size_t)(a->end - a->next))
        return alloc_from_new_block(a, bytes);
    void *piece = a->next;
    a->next += bytes;
    return piece;
}

void *arena_calloc(struct arena *a, size_t count, size_t bytes)
{
    size_t total;
    if (__builtin_mul_overflow(count, bytes, &total))
        return NULL;
    void *piece = arena_alloc(a, total);
    return piece ? memset(piece, 0, total) : NULL;
}

void *arena_copy(struct arena *a, const void *bytes, size_t length)
{
    void *piece = arena_alloc(a, length);
    if (piece && length)
        memcpy(piece, bytes, length);
    return piece;
}
