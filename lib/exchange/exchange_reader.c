// SPDX-License-Identifier: Apache-2.0
/* A walk goes from a connection's latest exchange back to those before it. Positions fall from step
 * to step, and a record is believed only if it holds the position under which it was looked for,
 * before and after it was copied: so a walk ends, whatever the file says, and where the tap has
 * overwritten what comes next it ends there. */
#include "lib/exchange/exchange_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/exchange/exchange_file.h"
#include "lib/ring/guard.h"

enum { STEPS_MOST = 131072, TRIES = 64 };
#define FILE_BYTES_MOST (UINT64_C(1) << 40)

struct exchange_reader {
    int directory, fd;
    uint64_t bytes;
    struct exchange_file file; /* the checked copy */
    const char *base;
};

/* ---- opening ----------------------------------------------------------------------------- */

/* Whether `count` things of `size` bytes from `offset` on lie in the file. */
static bool lies_within(uint64_t bytes, uint64_t offset, uint64_t count, uint64_t size)
{
    return offset % 64 == 0 && offset >= EXCHANGE_PAGE && offset <= bytes && count >= 1 &&
           count <= (bytes - offset) / size;
}

static const char *check_header(const struct exchange_file *f, uint64_t bytes)
{
    if (f->magic != EXCHANGE_MAGIC)
        return "not a file of exchanges";
    if (f->version != EXCHANGE_VERSION)
        return "written by a weft-tap that is newer than this agent";
    if (f->word_capacity <= EXCHANGE_WORDS_MOST && f->cache_capacity <= EXCHANGE_CACHES_MOST &&
        (f->set_count & (f->set_count - 1)) == 0 &&
        lies_within(bytes, f->words_offset, f->word_capacity, sizeof(struct exchange_word)) &&
        lies_within(bytes, f->caches_offset, f->cache_capacity, sizeof(struct exchange_cache)) &&
        lies_within(bytes, f->sets_offset, f->set_count,
                    EXCHANGE_WAYS * sizeof(struct exchange_way)) &&
        lies_within(bytes, f->records_offset, f->record_count, sizeof(struct exchange_slot)))
        return NULL;
    return "its sizes contradict each other or are beyond the limits";
}

/* NULL, or what is wrong with it. */
static const char *judge(struct exchange_reader *r)
{
    struct stat st;
    if (fstat(r->fd, &st) != 0)
        return strerror(errno);
    if (!S_ISREG(st.st_mode))
        return "not a regular file";
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return "it belongs to another user";
    if (st.st_size < (off_t)EXCHANGE_PAGE || (uint64_t)st.st_size > FILE_BYTES_MOST ||
        pread(r->fd, &r->file, sizeof r->file, 0) != (ssize_t)sizeof r->file)
        return "not a file of exchanges";
    r->bytes = (uint64_t)st.st_size;
    return check_header(&r->file, r->bytes);
}

static const char *open_and_map(struct exchange_reader *r)
{
    r->fd =
        openat(r->directory, EXCHANGE_FILE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (r->fd < 0)
        return errno == ENOENT ? "" : strerror(errno);
    const char *wrong = judge(r);
    if (wrong)
        return wrong;
    void *base = mmap(NULL, r->bytes, PROT_READ, MAP_SHARED, r->fd, 0);
    if (base == MAP_FAILED)
        return strerror(errno);
    r->base = base;
    return NULL;
}

struct exchange_reader *exchange_reader_open(int directory, char *why, size_t why_size)
{
    struct exchange_reader *r = calloc(1, sizeof *r);
    if (!r) {
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    r->fd = -1;
    r->directory = fcntl(directory, F_DUPFD_CLOEXEC, 3);
    const char *wrong = r->directory < 0 ? strerror(errno) : open_and_map(r);
    if (!wrong)
        return r;
    snprintf(why, why_size, *wrong ? "%s: %s" : "%.0s%s", EXCHANGE_FILE_NAME, wrong);
    exchange_reader_close(&r);
    return NULL;
}

void exchange_reader_close(struct exchange_reader **place)
{
    struct exchange_reader *r = *place;
    if (!r)
        return;
    if (r->base)
        munmap((void *)(uintptr_t)r->base, r->bytes);
    if (r->fd >= 0)
        close(r->fd);
    if (r->directory >= 0)
        close(r->directory);
    free(r);
    *place = NULL;
}

bool exchange_reader_is_current(struct exchange_reader *r)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat ours, there;
    return fstat(r->fd, &ours) == 0 && (uint64_t)ours.st_size == r->bytes &&
           fstatat(r->directory, EXCHANGE_FILE_NAME, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_dev == there.st_dev && ours.st_ino == there.st_ino &&
           fcntl(r->fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* ---- words ------------------------------------------------------------------------------- */

static const struct exchange_file *shared(const struct exchange_reader *r)
{
    return (const struct exchange_file *)r->base;
}

static uint64_t relaxed(const _Atomic uint64_t *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

/* Foreign bytes as text: ended, and nothing in it that cannot be printed. */
static void copy_text(char *to, const char *from, size_t bytes)
{
    size_t i = 0;
    for (; i < bytes - 1 && from[i]; i++)
        to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
    to[i] = '\0';
}

/* "" where there is no such word. */
static void read_word(const struct exchange_reader *r, uint16_t number, char *protocol, char *text)
{
    const struct exchange_word *words = (const void *)(r->base + r->file.words_offset);
    struct exchange_word word = {0};
    /* pairs with the release in exchange_writer_word() */
    uint64_t count = atomic_load_explicit(&shared(r)->word_count, memory_order_acquire);
    if (number > 0 && number <= count && number <= r->file.word_capacity)
        word = words[number - 1];
    if (protocol)
        copy_text(protocol, word.protocol, sizeof word.protocol);
    copy_text(text, word.text, sizeof word.text);
}

/* ---- finding ----------------------------------------------------------------------------- */

struct finding {
    struct exchange_reader *reader;
    const struct exchange_connection *connection;
    uint64_t from_unix_ns, to_unix_ns;
    struct exchange_record *out;
    size_t most, count;
    bool complete;
};

enum look { LOOK_FOUND, LOOK_ANOTHER, LOOK_AGAIN };

/* Whether a way is this connection's, and then its latest exchange and reach. */
static enum look look_at_way(const struct exchange_way *way, const struct exchange_ends *ends,
                             uint64_t *latest, uint64_t *reach_unix_ns)
{
    /* pairs with the releases in give_way() */
    uint32_t version = atomic_load_explicit(&way->version, memory_order_acquire);
    bool same = exchange_way_has(way, ends);
    /* pairs with the release in exchange_writer_add() */
    *latest = atomic_load_explicit(&way->latest, memory_order_acquire);
    *reach_unix_ns = relaxed(&way->reach_unix_ns);
    atomic_thread_fence(memory_order_acquire);
    if (version % 2 || atomic_load_explicit(&way->version, memory_order_relaxed) != version)
        return LOOK_AGAIN;
    return same ? LOOK_FOUND : LOOK_ANOTHER;
}

/* LOOK_AGAIN: the set is being written to, over and over. */
static enum look look_for(const struct finding *f, uint64_t *latest, uint64_t *reach_unix_ns)
{
    const struct exchange_file *known = &f->reader->file;
    const struct exchange_way(*sets)[EXCHANGE_WAYS] =
        (const void *)(f->reader->base + known->sets_offset);
    const struct exchange_way *set =
        sets[exchange_set_of(f->connection, known->seed, known->set_count)];
    struct exchange_ends ends = exchange_ends_of(f->connection);
    enum look seen = LOOK_ANOTHER;
    for (int i = 0, tries = 0; i < EXCHANGE_WAYS && tries < TRIES; i += seen != LOOK_AGAIN) {
        seen = look_at_way(&set[i], &ends, latest, reach_unix_ns);
        if (seen == LOOK_FOUND)
            return seen;
        tries += seen == LOOK_AGAIN;
    }
    return seen;
}

/* The exchange at a position; false if it is overwritten, or about to be. */
static bool copy_slot(const struct exchange_reader *r, uint64_t position,
                      struct exchange_body *body)
{
    const struct exchange_slot *slots = (const void *)(r->base + r->file.records_offset);
    const struct exchange_slot *slot = &slots[(position - 1) % r->file.record_count];
    uint64_t words[EXCHANGE_BODY_WORDS];
    /* pairs with the release in put() */
    if (atomic_load_explicit(&slot->position, memory_order_acquire) != position)
        return false;
    for (int i = 0; i < EXCHANGE_BODY_WORDS; i++)
        words[i] = relaxed(&slot->body[i]);
    /* pairs with the fence in put() */
    atomic_thread_fence(memory_order_acquire);
    memcpy(body, words, sizeof *body);
    return relaxed(&slot->position) == position;
}

static void take(struct finding *f, const struct exchange_body *b)
{
    struct exchange_record *out = &f->out[f->count++];
    *out = (struct exchange_record){
        .asked_unix_ns = b->asked_unix_ns,
        .answered_unix_ns = b->answered_unix_ns,
        .done_unix_ns = b->done_unix_ns,
        .request_bytes = b->request_bytes,
        .reply_bytes = b->reply_bytes,
        .keys = b->keys,
        .hits = b->hits,
        .misses = b->misses,
        .ending = b->ending & 3,
        .failed = (b->ending & EXCHANGE_FAILED) != 0,
        .connection = b->connection,
        .order = b->order,
    };
    read_word(f->reader, b->command, out->protocol, out->command);
    read_word(f->reader, b->error, NULL, out->error);
    copy_text(out->pattern, b->pattern, sizeof out->pattern);
}

/* From the latest exchange back to those that were asked before `from`. */
static bool walk(struct finding *f, uint64_t position)
{
    struct exchange_body body;
    for (int steps = 0; steps < STEPS_MOST; steps++) {
        if (!copy_slot(f->reader, position, &body))
            return false;
        bool asked_then =
            body.asked_unix_ns >= f->from_unix_ns && body.asked_unix_ns <= f->to_unix_ns;
        if (asked_then && f->count == f->most)
            return false;
        if (asked_then)
            take(f, &body);
        if (body.before_unix_ns < f->from_unix_ns)
            return true;
        if (body.previous == 0 || body.previous >= position)
            return false;
        position = body.previous;
    }
    return false;
}

static void find(void *context)
{
    struct finding *f = context;
    uint64_t latest = 0, reach_unix_ns = 0;
    enum look seen = look_for(f, &latest, &reach_unix_ns);
    if (seen == LOOK_AGAIN)
        return;
    if (seen == LOOK_ANOTHER) /* behind the acquires in look_at_way(): see give_way() */
        reach_unix_ns = relaxed(&shared(f->reader)->forgotten_unix_ns);
    f->complete = reach_unix_ns < f->from_unix_ns;
    if (!f->complete && seen == LOOK_FOUND && latest != 0)
        f->complete = walk(f, latest);
}

/* They came latest first, each behind those that were answered before it: turned round, and those
 * of one connection put into the order of their asking. */
static void put_in_order(struct exchange_record *list, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct exchange_record other = list[i];
        list[i] = list[count - 1 - i];
        list[count - 1 - i] = other;
    }
    for (size_t i = 1; i < count; i++) {
        struct exchange_record one = list[i];
        size_t at = i;
        for (; at > 0 && list[at - 1].connection == one.connection &&
               (int32_t)(one.order - list[at - 1].order) < 0;
             at--)
            list[at] = list[at - 1];
        list[at] = one;
    }
}

size_t exchange_reader_find(struct exchange_reader *r, const struct exchange_connection *c,
                            uint64_t from_unix_ns, uint64_t to_unix_ns, struct exchange_record *out,
                            size_t most, bool *complete)
{
    struct finding f = {r, c, from_unix_ns, to_unix_ns, out, most, 0, false};
    if (!guard_run(r->base, r->bytes, find, &f))
        f.complete = false;
    *complete = f.complete;
    put_in_order(out, f.count);
    return f.count;
}

/* ---- what the tap says of itself --------------------------------------------------------- */

struct word {
    const _Atomic uint64_t *at;
    uint64_t value;
};

static void load(void *context)
{
    struct word *w = context;
    w->value = atomic_load_explicit(w->at, memory_order_acquire);
}

static uint64_t load_guarded(struct exchange_reader *r, const _Atomic uint64_t *at)
{
    struct word w = {at, 0};
    guard_run(r->base, r->bytes, load, &w);
    return w.value;
}

uint64_t exchange_reader_seen_unix_ns(struct exchange_reader *r)
{
    return load_guarded(r, &shared(r)->seen_unix_ns);
}

uint64_t exchange_reader_caches_generation(struct exchange_reader *r)
{
    return load_guarded(r, &shared(r)->caches_generation);
}

struct listing {
    struct exchange_reader *reader;
    struct exchange_address *out;
    size_t most, count;
};

static size_t copy_list(const struct listing *l, uint64_t count)
{
    const struct exchange_cache *caches =
        (const void *)(l->reader->base + l->reader->file.caches_offset);
    count = count < l->most ? count : l->most;
    count = count < l->reader->file.cache_capacity ? count : l->reader->file.cache_capacity;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t ip[2] = {relaxed(&caches[i].ip[0]), relaxed(&caches[i].ip[1])};
        memcpy(l->out[i].ip, ip, sizeof ip);
        l->out[i].port = (uint16_t)relaxed(&caches[i].port);
    }
    return (size_t)count;
}

static void copy_caches(void *context)
{
    struct listing *l = context;
    const struct exchange_file *f = shared(l->reader);
    for (int tries = 0; tries < TRIES; tries++) {
        /* pairs with the release in exchange_writer_caches() */
        uint64_t generation = atomic_load_explicit(&f->caches_generation, memory_order_acquire);
        l->count = copy_list(l, relaxed(&f->cache_count));
        /* pairs with the fence there */
        atomic_thread_fence(memory_order_acquire);
        if (generation % 2 == 0 && relaxed(&f->caches_generation) == generation)
            return;
    }
    l->count = 0;
}

size_t exchange_reader_caches(struct exchange_reader *r, struct exchange_address *out, size_t most)
{
    struct listing l = {r, out, most, 0};
    return guard_run(r->base, r->bytes, copy_caches, &l) ? l.count : 0;
}
