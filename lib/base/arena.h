// SPDX-License-Identifier: Apache-2.0
/* An arena: memory that is taken piece by piece and given back all at once.
 * One thread at a time. Pieces are aligned to 16 bytes and not zeroed. */
#ifndef WEFT_BASE_ARENA_H
#define WEFT_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    char *next, *end;
    size_t block_bytes;
    size_t total_bytes; /* taken from malloc: what the arena costs */
};

/* Takes no memory yet. `block_bytes`: the least to ask malloc for at once. */
void arena_init(struct arena *a, size_t block_bytes);
void arena_fini(struct arena *a);
/* Gives everything back at once but keeps its memory, as one block: so an arena that is filled
 * again and again asks malloc (and the kernel, for fresh pages) for nothing more. */
void arena_reset(struct arena *a);

/* NULL when memory is out. */
void *arena_alloc(struct arena *a, size_t bytes);
/* The same, zeroed, for `count` items; NULL also where the product overflows. */
void *arena_calloc(struct arena *a, size_t count, size_t bytes);
void *arena_copy(struct arena *a, const void *bytes, size_t length);

#endif
