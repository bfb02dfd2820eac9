// SPDX-License-Identifier: Apache-2.0
/* The writer trusts what it reads back of its own file: who could change that is the tap's own user
 * or root. */
#include "lib/exchange/exchange_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/exchange/exchange_file.h"
#include "lib/exchange/exchange_pattern.h"

enum { WORDS = 1024, TABLE_PART = 16 };

struct exchange_writer {
    char *path;
    int fd; /* holds the file's lock */
    uint64_t bytes;
    struct exchange_file *file;
    struct exchange_word *words;
    struct exchange_cache *caches;
    struct exchange_way (*sets)[EXCHANGE_WAYS];
    struct exchange_slot *slots;
    uint64_t seed, set_count, slot_count;
    uint64_t position;  /* of the last exchange */
    uint64_t next_slot; /* for the next */
};

/* ---- adding ------------------------------------------------------------------------------ */

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t relaxed(const _Atomic uint64_t *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

static void store(_Atomic uint64_t *at, uint64_t value)
{
    atomic_store_explicit(at, value, memory_order_relaxed);
}

/* Gives a way to another connection. */
static void give_way(struct exchange_writer *w, struct exchange_way *way,
                     const struct exchange_ends *ends, const struct exchange *e)
{
    uint64_t forgotten = relaxed(&w->file->forgotten_unix_ns);
    uint32_t version = atomic_load_explicit(&way->version, memory_order_relaxed);
    if (relaxed(&way->latest) != 0)
        forgotten = later(forgotten, relaxed(&way->reach_unix_ns));
    store(&w->file->forgotten_unix_ns, forgotten);
    /* pairs with the fence in look_at_way(): who sees what follows sees the odd version */
    atomic_store_explicit(&way->version, version + 1, memory_order_release);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&way->ports, ends->ports, memory_order_relaxed);
    for (int i = 0; i < 4; i++)
        store(&way->ips[i], ends->ips[i]);
    store(&way->latest, 0);
    store(&way->reach_unix_ns, forgotten);
    way->met = (uint32_t)e->connection;
    way->connection = 0;
    /* pairs with the acquire in look_at_way() */
    atomic_store_explicit(&way->version, version + 2, memory_order_release);
}

/* That of this connection: the one it has, or that of the connection silent for longest. */
static struct exchange_way *way_of(struct exchange_writer *w, const struct exchange_connection *c,
                                   const struct exchange *e)
{
    struct exchange_way *set = w->sets[exchange_set_of(c, w->seed, w->set_count)], *oldest = set;
    struct exchange_ends ends = exchange_ends_of(c);
    for (int i = 0; i < EXCHANGE_WAYS; i++) {
        if (exchange_way_has(&set[i], &ends))
            return &set[i];
        if (relaxed(&set[i].latest) < relaxed(&oldest->latest))
            oldest = &set[i];
    }
    give_way(w, oldest, &ends, e);
    return oldest;
}

static uint32_t at_most_32(uint64_t n)
{
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static uint16_t at_most_16(uint64_t n)
{
    return n < UINT16_MAX ? (uint16_t)n : UINT16_MAX;
}

static void describe(struct exchange_body *body, const struct exchange_way *way,
                     const struct exchange *e)
{
    *body = (struct exchange_body){
        .previous = relaxed(&way->latest),
        .before_unix_ns = relaxed(&way->reach_unix_ns),
        .asked_unix_ns = e->asked_unix_ns,
        .answered_unix_ns = e->answered_unix_ns,
        .done_unix_ns = e->done_unix_ns,
        .request_bytes = at_most_32(e->request_bytes),
        .reply_bytes = at_most_32(e->reply_bytes),
        .keys = at_most_16(e->keys),
        .hits = at_most_16(e->hits),
        .misses = at_most_16(e->misses),
        .ending = (uint8_t)(e->ending | (e->failed ? EXCHANGE_FAILED : 0)),
        .connection = (uint8_t)way->connection,
        .order = e->order,
        .command = e->command,
        .error = e->error,
    };
    exchange_pattern(e->key, e->key_length, body->pattern);
}

static void put(struct exchange_slot *slot, uint64_t position, const struct exchange_body *body)
{
    uint64_t words[EXCHANGE_BODY_WORDS];
    memcpy(words, body, sizeof words);
    store(&slot->position, 0);
    /* pairs with the fence in copy_slot(): who sees what follows sees the 0 */
    atomic_thread_fence(memory_order_release);
    for (int i = 0; i < EXCHANGE_BODY_WORDS; i++)
        store(&slot->body[i], words[i]);
    /* pairs with the acquire in copy_slot() */
    atomic_store_explicit(&slot->position, position, memory_order_release);
}

void exchange_writer_add(struct exchange_writer *w, const struct exchange_connection *c,
                         const struct exchange *e)
{
    struct exchange_way *way = way_of(w, c, e);
    struct exchange_body body;
    if (way->met != (uint32_t)e->connection) {
        way->met = (uint32_t)e->connection;
        way->connection++;
    }
    describe(&body, way, e);
    put(&w->slots[w->next_slot], ++w->position, &body);
    w->next_slot = w->next_slot + 1 < w->slot_count ? w->next_slot + 1 : 0;
    store(&way->reach_unix_ns, later(body.before_unix_ns, e->asked_unix_ns));
    /* pairs with the acquire in look_at_way() */
    atomic_store_explicit(&way->latest, w->position, memory_order_release);
    /* The next one's place is in no cache any more: until it comes it will be. */
    __builtin_prefetch(&w->slots[w->next_slot], 1);
    __builtin_prefetch((const char *)&w->slots[w->next_slot] + 64, 1);
}

/* ---- words, caches, time ----------------------------------------------------------------- */

uint16_t exchange_writer_word(struct exchange_writer *w, const char *protocol, const char *text)
{
    struct exchange_word word = {0};
    uint64_t count = relaxed(&w->file->word_count);
    strncpy(word.protocol, protocol, sizeof word.protocol - 1);
    strncpy(word.text, text, sizeof word.text - 1);
    for (uint64_t i = 0; i < count; i++)
        if (memcmp(&w->words[i], &word, sizeof word) == 0)
            return (uint16_t)(i + 1);
    if (count == WORDS)
        return 0;
    w->words[count] = word;
    /* pairs with the acquire in read_word() */
    atomic_store_explicit(&w->file->word_count, count + 1, memory_order_release);
    return (uint16_t)(count + 1);
}

void exchange_writer_seen(struct exchange_writer *w, uint64_t unix_ns)
{
    /* pairs with the acquire in exchange_reader_seen_unix_ns() */
    atomic_store_explicit(&w->file->seen_unix_ns, unix_ns, memory_order_release);
}

static void words_of(const struct exchange_address *a, uint64_t words[3])
{
    memcpy(words, a->ip, sizeof a->ip);
    words[2] = a->port;
}

static bool is_told(const struct exchange_writer *w, const struct exchange_address *list,
                    size_t count)
{
    bool same = relaxed(&w->file->cache_count) == count;
    for (size_t i = 0; i < count && same; i++) {
        uint64_t words[3];
        words_of(&list[i], words);
        same = relaxed(&w->caches[i].ip[0]) == words[0] &&
               relaxed(&w->caches[i].ip[1]) == words[1] && relaxed(&w->caches[i].port) == words[2];
    }
    return same;
}

void exchange_writer_caches(struct exchange_writer *w, const struct exchange_address *list,
                            size_t count)
{
    count = count < EXCHANGE_CACHES_MOST ? count : EXCHANGE_CACHES_MOST;
    if (is_told(w, list, count))
        return;
    uint64_t generation = relaxed(&w->file->caches_generation);
    /* pairs with the fence in copy_caches() */
    store(&w->file->caches_generation, generation + 1);
    atomic_thread_fence(memory_order_release);
    for (size_t i = 0; i < count; i++) {
        uint64_t words[3];
        words_of(&list[i], words);
        store(&w->caches[i].ip[0], words[0]);
        store(&w->caches[i].ip[1], words[1]);
        store(&w->caches[i].port, words[2]);
    }
    store(&w->file->cache_count, count);
    /* pairs with the acquire in copy_caches() */
    atomic_store_explicit(&w->file->caches_generation, generation + 2, memory_order_release);
}

/* ---- life -------------------------------------------------------------------------------- */

/* Where things lie in a file of so many bytes. */
static struct exchange_file lay_out(uint64_t bytes)
{
    struct exchange_file f = {.magic = EXCHANGE_MAGIC,
                              .version = EXCHANGE_VERSION,
                              .header_bytes = sizeof f,
                              .begun_unix_ns = clock_unix_ns(),
                              .words_offset = EXCHANGE_PAGE,
                              .word_capacity = WORDS,
                              .cache_capacity = EXCHANGE_CACHES_MOST,
                              .set_count = 1};
    const uint64_t set_bytes = EXCHANGE_WAYS * sizeof(struct exchange_way);
    if (getrandom(&f.seed, sizeof f.seed, GRND_NONBLOCK) != (ssize_t)sizeof f.seed)
        f.seed = f.begun_unix_ns;
    f.caches_offset = f.words_offset + WORDS * sizeof(struct exchange_word);
    f.sets_offset = f.caches_offset + EXCHANGE_CACHES_MOST * sizeof(struct exchange_cache);
    while (2 * f.set_count * set_bytes <= bytes / TABLE_PART)
        f.set_count *= 2;
    f.records_offset = f.sets_offset + f.set_count * set_bytes;
    f.record_count = (bytes - f.records_offset) / sizeof(struct exchange_slot);
    atomic_store(&f.forgotten_unix_ns, f.begun_unix_ns);
    return f;
}

/* Whether a tap that lives has the file open. */
static bool is_in_use(const char *path)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    bool used = fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    if (fd >= 0)
        close(fd);
    return used;
}

/* All of it, so that no store into it can fail. */
static bool map(struct exchange_writer *w)
{
    int error = posix_fallocate(w->fd, 0, (off_t)w->bytes);
    if (error != 0) {
        errno = error;
        return false;
    }
    struct exchange_file f = lay_out(w->bytes);
    char *base = mmap(NULL, w->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, w->fd, 0);
    if (base == MAP_FAILED)
        return false;
    w->file = (struct exchange_file *)base;
    *w->file = f;
    w->words = (struct exchange_word *)(base + f.words_offset);
    w->caches = (struct exchange_cache *)(base + f.caches_offset);
    w->sets = (struct exchange_way(*)[EXCHANGE_WAYS])(base + f.sets_offset);
    w->slots = (struct exchange_slot *)(base + f.records_offset);
    w->seed = f.seed;
    w->set_count = f.set_count;
    w->slot_count = f.record_count;
    return true;
}

static bool lock(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

/* Made under another name: who reads it by its own finds it whole. */
static bool make(struct exchange_writer *w, const char *temporary)
{
    unlink(temporary);
    w->fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return w->fd >= 0 && map(w) && lock(w->fd) && rename(temporary, w->path) == 0;
}

static void release(struct exchange_writer *w)
{
    if (w->file)
        munmap(w->file, w->bytes);
    if (w->fd >= 0)
        close(w->fd);
    free(w->path);
    free(w);
}

struct exchange_writer *exchange_writer_create(const char *path, uint64_t bytes, char *why,
                                               size_t why_size)
{
    char temporary[4096];
    struct exchange_writer *w = calloc(1, sizeof *w);
    if (!w || !(w->path = strdup(path))) {
        free(w);
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    w->fd = -1;
    w->bytes = bytes > EXCHANGE_FILE_BYTES_LEAST ? bytes : EXCHANGE_FILE_BYTES_LEAST;
    snprintf(temporary, sizeof temporary, "%s.new", path);
    bool used = is_in_use(path);
    if (!used && make(w, temporary))
        return w;
    if (used)
        snprintf(why, why_size, "%s: another tap that runs remembers exchanges there", path);
    else
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
    if (w->fd >= 0)
        unlink(temporary);
    release(w);
    return NULL;
}

bool exchange_writer_is_there(const struct exchange_writer *w)
{
    struct stat ours, there;
    return fstat(w->fd, &ours) == 0 && lstat(w->path, &there) == 0 && ours.st_dev == there.st_dev &&
           ours.st_ino == there.st_ino;
}

void exchange_writer_destroy(struct exchange_writer **place)
{
    struct exchange_writer *w = *place;
    if (!w)
        return;
    if (exchange_writer_is_there(w))
        unlink(w->path);
    release(w);
    *place = NULL;
}
