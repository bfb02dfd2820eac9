// SPDX-License-Identifier: Apache-2.0
/* The name table: texts in the process file, numbered in order from 1, found again by a private
 * hash table, so that two handles with one text get one number. Under the process lock: it is
 * taken once per handle and file. A handle keeps its number beside the file's generation.
 *
 * Handles made at run time (weft_intern) live in mapped blocks that are never given back: there
 * are at most SLAB_NAMES_MAX of them. */
#include "client/names.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define BUCKETS (2 * SLAB_NAMES_MAX) /* open addressing, at most half full */

static uint32_t *buckets; /* BUCKETS numbers; 0: empty */
static uint64_t *offsets; /* of name number i in the file, SLAB_NAMES_MAX + 1 */

static uint64_t hash(const char *text, size_t length)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
    return h ^ (h >> 29);
}

static void *map_private(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static bool tables_ready(void)
{
    if (!buckets)
        buckets = map_private(BUCKETS * sizeof *buckets);
    if (!offsets)
        offsets = map_private((SLAB_NAMES_MAX + 1) * sizeof *offsets);
    return buckets && offsets;
}

void names_reset_locked(void)
{
    if (buckets)
        madvise(buckets, BUCKETS * sizeof *buckets, MADV_DONTNEED); /* private: zero again */
}

static bool holds(const struct process *p, uint32_t number, const char *text, size_t length)
{
    const char *entry = p->base + p->file->names_offset + offsets[number];
    uint16_t entry_length;
    memcpy(&entry_length, entry, sizeof entry_length);
    return entry_length == length && memcmp(entry + sizeof entry_length, text, length) == 0;
}

static uint32_t append(struct process *p, const char *text, size_t length)
{
    uint64_t used = atomic_load_explicit(&p->file->names_used, memory_order_relaxed);
    uint64_t need = (sizeof(uint16_t) + length + 3) & ~(uint64_t)3;
    if (p->name_count == SLAB_NAMES_MAX || need > p->file->names_bytes - used) {
        process_lost(p, LOSS_NAMES_FULL);
        return 0;
    }
    char *entry = p->base + p->file->names_offset + used;
    uint16_t entry_length = (uint16_t)length;
    memcpy(entry, &entry_length, sizeof entry_length);
    memcpy(entry + sizeof entry_length, text, length);
    offsets[++p->name_count] = used;
    /* pairs with the acquire in slab_names() */
    atomic_store_explicit(&p->file->names_used, used + need, memory_order_release);
    return p->name_count;
}

uint32_t names_add_locked(struct process *p, const char *text, size_t length)
{
    if (length > SLAB_NAME_BYTES_MAX)
        length = SLAB_NAME_BYTES_MAX;
    if (!tables_ready()) {
        process_lost(p, LOSS_NAMES_FULL);
        return 0;
    }
    uint32_t *bucket = &buckets[hash(text, length) % BUCKETS];
    while (*bucket && !holds(p, *bucket, text, length))
        if (++bucket == buckets + BUCKETS)
            bucket = buckets;
    if (!*bucket)
        *bucket = append(p, text, length);
    return *bucket;
}

uint32_t names_intern(struct process *p, struct weft_name *name)
{
    int saved = errno;
    process_lock();
    /* A thread that still uses a former file (see process.h) must not write to it any more. */
    uint32_t number = 0;
    if (p == atomic_load_explicit(&process_current, memory_order_relaxed)) {
        number = names_add_locked(p, name->text, strlen(name->text));
        __atomic_store_n(&name->id, (uint64_t)p->generation << 32 | number, __ATOMIC_RELAXED);
    }
    process_unlock();
    errno = saved;
    return number;
}

/* ---- names known at run time ------------------------------------------------------------- */

static struct weft_name **dynamic; /* BUCKETS pointers */
static uint32_t dynamic_count;
static char *block, *block_end;

static void *take(size_t bytes)
{
    enum { BLOCK = 1 << 16 };
    bytes = SLAB_ROUND8(bytes);
    if ((size_t)(block_end - block) < bytes) {
        block = map_private(BLOCK);
        block_end = block ? block + BLOCK : NULL;
        if (!block)
            return NULL;
    }
    void *p = block;
    block += bytes;
    return p;
}

static struct weft_name *make(const char *text, size_t length)
{
    struct weft_name *name = take(sizeof *name + length + 1);
    if (!name)
        return NULL;
    char *copy = (char *)(name + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    *name = (struct weft_name){copy, 0};
    dynamic_count++;
    return name;
}

static struct weft_name *find_or_make(const char *text, size_t length)
{
    if (!dynamic)
        dynamic = map_private(BUCKETS * sizeof(struct weft_name *));
    if (!dynamic)
        return NULL;
    struct weft_name **bucket = &dynamic[hash(text, length) % BUCKETS];
    while (*bucket && (strlen((*bucket)->text) != length || memcmp((*bucket)->text, text, length)))
        if (++bucket == dynamic + BUCKETS)
            bucket = dynamic;
    if (!*bucket && dynamic_count < SLAB_NAMES_MAX)
        *bucket = make(text, length);
    return *bucket;
}

struct weft_name *weft_intern(const char *text)
{
    if (!text)
        return NULL;
    int saved = errno;
    process_lock();
    struct weft_name *name = find_or_make(text, strnlen(text, SLAB_NAME_BYTES_MAX));
    process_unlock();
    if (!name)
        process_lost(atomic_load_explicit(&process_current, memory_order_relaxed), LOSS_NAMES_FULL);
    errno = saved;
    return name;
}
