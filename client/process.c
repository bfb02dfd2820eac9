// SPDX-License-Identifier: Apache-2.0
/* Making, replacing and leaving the process file.
 *
 * The file is written under a temporary name and renamed into place when it is complete, so the
 * agent never sees half a one. Its memory is one reservation of address space: the file's fixed
 * part is mapped at the start, each thread slab behind it when it is needed. That lets a forked
 * child blot out the parent's slabs with a single mapping of zeros: handles that the child
 * inherited then point at slots that hold no span.
 *
 * Room on the tmpfs is taken with posix_fallocate before it is touched: a full tmpfs answers
 * ENOSPC there, where a touch would end in SIGBUS.
 */
#include "client/process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cells.h"
#include "client/identity.h"
#include "client/layout.h"
#include "client/names.h"
#include "client/recorder.h"
#include "lib/ring/ticks.h"

struct process *_Atomic process_current;

/* While there is no process file the word is 0 ("recording"), so that a begin takes the slow
 * path, which makes one. */
static const uint32_t recording_unknown = SLAB_RECORDING_ON;
static const uint32_t recording_off = SLAB_RECORDING_OFF;
const uint32_t *weft_recording_word = &recording_unknown;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint32_t generation;
static _Atomic uint64_t next_try_ns;                   /* monotonic */
static _Atomic uint64_t lost_early[SLAB_LOSS_REASONS]; /* while there was no file */

void process_lock(void)
{
    pthread_mutex_lock(&mutex);
}

void process_unlock(void)
{
    pthread_mutex_unlock(&mutex);
}

static uint64_t monotonic_ns(void)
{
    return ticks_now(SLAB_CLOCK_MONOTONIC);
}

void process_lost(struct process *p, enum loss_reason reason)
{
    _Atomic uint64_t *count = p ? &p->file->lost[reason] : &lost_early[reason];
    atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

/* ---- the file ---------------------------------------------------------------------------- */

static uint64_t own_start_time(void)
{
    char text[1024];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    char *p = strrchr(text, ')'); /* the name may hold anything; field 3 follows */
    unsigned long long start = 0;
    if (!p || sscanf(p + 1,
                     " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                     "%*d %*d %llu",
                     &start) != 1)
        return 0;
    return start;
}

static uint64_t own_pid_namespace(void)
{
    struct stat st;
    return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

static void describe(struct slab_file *f, struct slab_stats *stats, enum slab_clock clock)
{
    *f = (struct slab_file){.magic = SLAB_MAGIC,
                            .version = SLAB_VERSION,
                            .header_bytes = sizeof *f,
                            .pid = (uint32_t)getpid(),
                            .clock = clock,
                            .pid_namespace = own_pid_namespace(),
                            .start_time = own_start_time()};
    if (getrandom(f->uuid, sizeof f->uuid, GRND_NONBLOCK) != (ssize_t)sizeof f->uuid) {
        uint64_t seed[2] = {monotonic_ns(), (uint64_t)getpid() << 32 ^ (uintptr_t)f};
        memcpy(f->uuid, seed, sizeof f->uuid);
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    f->open_ticks = ticks_now(clock);
    f->open_unix_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    layout_of_file(f, stats);
}

/* Beyond RLIMIT_FSIZE the kernel would send SIGXFSZ, which kills. A signal that comes while tmpfs
 * gives room makes it begin anew: a profiler's would keep it from ever being done. */
bool process_allocate(int fd, uint64_t offset, uint64_t bytes)
{
    struct rlimit largest;
    sigset_t all, before;
    if (getrlimit(RLIMIT_FSIZE, &largest) == 0 && offset + bytes > largest.rlim_cur)
        return false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = posix_fallocate(fd, (off_t)offset, (off_t)bytes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0;
}

bool process_owns_file(const struct process *p)
{
    struct stat st;
    return p->fd >= 0 && fstat(p->fd, &st) == 0 && st.st_dev == p->device && st.st_ino == p->inode;
}

struct resource_writer {
    struct process *process;
    char *at, *end;
};

static void add_resource(void *context, const char *key, const char *value, size_t length)
{
    struct resource_writer *w = context;
    size_t need = sizeof(struct slab_item) + SLAB_ROUND8(length);
    if (need > (size_t)(w->end - w->at))
        return;
    struct slab_item item = {.type = SLAB_ITEM_STRING,
                             .length = (uint16_t)length,
                             .key = names_add_locked(w->process, key, strlen(key))};
    memcpy(w->at, &item, sizeof item);
    memcpy(w->at + sizeof item, value, length);
    w->at += need;
}

/* Fills in the mapped fixed part, all zero so far, but for the header. */
static void fill(struct process *p, const struct slab_file *description,
                 const struct slab_stats *stats)
{
    *p->file = *description;
    p->stats.off = stats->chunk_capacity == 0;
    if (description->stats_bytes) {
        p->stats.header = (struct slab_stats *)(p->base + description->stats_offset);
        *p->stats.header = *stats;
    }
    names_reset_locked();
    char *resource = p->base + p->file->resource_offset;
    struct resource_writer w = {p, resource, resource + LAYOUT_RESOURCE_BYTES};
    identity_settle(add_resource, &w);
    p->file->resource_bytes = (uint64_t)(w.at - resource);
}

/* Maps the file's fixed part at the start of a reservation for all of it. */
static bool map_file(struct process *p, const struct slab_file *f)
{
    p->mapping_bytes = f->threads_offset + f->thread_capacity * f->thread_bytes;
    p->base =
        mmap(NULL, p->mapping_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p->base == MAP_FAILED)
        return false;
    if (mmap(p->base, f->threads_offset, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, p->fd,
             0) == MAP_FAILED) {
        munmap(p->base, p->mapping_bytes);
        return false;
    }
    return true;
}

static void *map_private(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static struct process *describe_process(const struct slab_file *f, int fd)
{
    struct process *p = map_private(sizeof *p);
    if (!p)
        return NULL;
    p->recorders = map_private(f->thread_capacity * sizeof(struct recorder));
    p->fd = fd;
    p->clock = (enum slab_clock)f->clock;
    p->slot_count = f->slot_count;
    p->slot_bytes = f->slot_bytes;
    p->payload_bytes = f->slot_bytes - (uint32_t)sizeof(struct slab_slot);
    p->ring_bytes = f->ring_bytes;
    p->thread_capacity = f->thread_capacity;
    p->thread_bytes = f->thread_bytes;
    if (!p->recorders || !map_file(p, f)) {
        if (p->recorders)
            munmap(p->recorders, f->thread_capacity * sizeof(struct recorder));
        munmap(p, sizeof *p);
        return NULL;
    }
    p->file = (struct slab_file *)p->base;
    p->control = slab_control_of(p->base);
    p->readers = (struct slab_reader_word *)(p->base + f->readers_offset);
    return p;
}

/* What was lost while there was no file is told of in this one. */
static void adopt_losses(struct process *p)
{
    for (int i = 0; i < SLAB_LOSS_REASONS; i++)
        atomic_fetch_add_explicit(&p->file->lost[i],
                                  atomic_exchange_explicit(&lost_early[i], 0, memory_order_relaxed),
                                  memory_order_relaxed);
}

/* The lock tells a reader in another pid namespace that we live. */
static void lock_file(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    fcntl(fd, F_OFD_SETLK, &lock);
}

/* Keeps what `fd` is. */
static bool know_file(struct process *p)
{
    struct stat st;
    if (fstat(p->fd, &st) != 0)
        return false;
    p->device = st.st_dev;
    p->inode = st.st_ino;
    return true;
}

/* Of the statistics only the first two pages; the rest is a hole until it is needed. */
static bool allocate_fixed_part(int fd, const struct slab_file *f)
{
    uint64_t bytes = f->stats_offset + (f->stats_bytes ? 2 * SLAB_PAGE : 0);
    return process_allocate(fd, 0, bytes) &&
           (f->threads_offset == bytes || ftruncate(fd, (off_t)f->threads_offset) == 0);
}

static struct process *create_in(int directory)
{
    struct slab_file f;
    struct slab_stats stats;
    describe(&f, &stats, ticks_clock());
    char final_name[96], temporary[104];
    snprintf(final_name, sizeof final_name, "%u-%llu-%02x%02x%02x%02x" SLAB_SUFFIX, f.pid,
             (unsigned long long)f.start_time, f.uuid[0], f.uuid[1], f.uuid[2], f.uuid[3]);
    snprintf(temporary, sizeof temporary, ".new-%s", final_name);

    int fd = openat(directory, temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return NULL;
    struct process *p = NULL;
    if (allocate_fixed_part(fd, &f) && (p = describe_process(&f, fd))) {
        p->generation = ++generation;
        lock_file(fd);
        fill(p, &f, &stats);
        if (know_file(p) && renameat(directory, temporary, directory, final_name) == 0) {
            adopt_losses(p);
            return p;
        }
        munmap(p->base, p->mapping_bytes);
        munmap(p->recorders, f.thread_capacity * sizeof(struct recorder));
        munmap(p, sizeof *p);
    }
    unlinkat(directory, temporary, 0);
    close(fd);
    return NULL;
}

static struct process *create(void)
{
    const char *path = secure_getenv("WEFT_DIR");
    if (!path || !*path)
        path = BELL_DIRECTORY;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return NULL;
    struct process *p = create_in(directory);
    close(directory);
    if (p)
        snprintf(p->directory, sizeof p->directory, "%s", path);
    return p;
}

static void publish(struct process *p)
{
    atomic_store_explicit(&process_current, p, memory_order_release);
    const uint32_t *word = p ? (const uint32_t *)&p->control->recording : &recording_unknown;
    __atomic_store_n(&weft_recording_word, word, __ATOMIC_RELEASE);
}

/* ---- fork -------------------------------------------------------------------------------- */

/* The one thread of the child holds the lock, as it took it before the fork.
 * The parent's slabs become zeros that nobody writes (no handle finds its span there), the file's
 * lock stays with the parent alone. */
static void after_fork_child(void)
{
    struct process *p = atomic_load_explicit(&process_current, memory_order_relaxed);
    if (p) {
        mmap(p->base, p->mapping_bytes, PROT_READ,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
        if (process_owns_file(p))
            close(p->fd);
        p->fd = -1;
        publish(NULL);
    }
    recorder_forget();
    cells_forget();
    layout_forget();
    for (int i = 0; i < SLAB_LOSS_REASONS; i++)
        atomic_store_explicit(&lost_early[i], 0, memory_order_relaxed);
    atomic_store_explicit(&next_try_ns, 0, memory_order_relaxed);
    process_unlock();
}

/* Before anybody else's handlers: so in a child ours runs first, and theirs may record. */
__attribute__((constructor)) static void watch_forks(void)
{
    pthread_atfork(process_lock, process_unlock, after_fork_child);
}

static void initialise(void)
{
    const char *off = secure_getenv("WEFT_OFF");
    if (off && strcmp(off, "1") == 0)
        __atomic_store_n(&weft_recording_word, &recording_off, __ATOMIC_RELEASE);
}

/* ---- getting and replacing --------------------------------------------------------------- */

/* True at most once a second, whatever the number of threads that ask. */
static bool second_passed(_Atomic uint64_t *next_ns)
{
    uint64_t now = monotonic_ns();
    uint64_t next = atomic_load_explicit(next_ns, memory_order_relaxed);
    return now >= next &&
           atomic_compare_exchange_strong_explicit(next_ns, &next, now + 1000000000u,
                                                   memory_order_relaxed, memory_order_relaxed);
}

/* Threads that come while the file is being made wait for it, so that none of their first spans
 * is lost. Where it cannot be made nobody tries again, or waits, for a second. */
struct process *process_get(void)
{
    struct process *p = atomic_load_explicit(&process_current, memory_order_acquire);
    if (p)
        return p;
    pthread_once(&once, initialise);
    if (__atomic_load_n(&weft_recording_word, __ATOMIC_RELAXED) == &recording_off ||
        monotonic_ns() < atomic_load_explicit(&next_try_ns, memory_order_relaxed))
        return NULL;
    process_lock();
    p = atomic_load_explicit(&process_current, memory_order_acquire);
    if (!p && monotonic_ns() >= atomic_load_explicit(&next_try_ns, memory_order_relaxed)) {
        p = create();
        if (p)
            publish(p);
        else
            atomic_store_explicit(&next_try_ns, monotonic_ns() + 1000000000u, memory_order_relaxed);
    }
    process_unlock();
    return p;
}

static bool is_gone(const struct process *p)
{
    struct stat st;
    return !process_owns_file(p) || fstat(p->fd, &st) != 0 || st.st_nlink == 0 ||
           atomic_load_explicit(&p->control->recording, memory_order_acquire) ==
               SLAB_RECORDING_RETIRED;
}

static bool is_retired(const struct process *p)
{
    return atomic_load_explicit(&p->control->recording, memory_order_relaxed) ==
           SLAB_RECORDING_RETIRED;
}

struct process *process_in_use(void)
{
    struct process *p = process_get();
    if (!p || !is_retired(p))
        return p;
    process_check(p);
    p = process_get();
    return p && !is_retired(p) ? p : NULL;
}

bool process_is_off(void)
{
    return __atomic_load_n(&weft_recording_word, __ATOMIC_RELAXED) == &recording_off;
}

/* The old file's descriptor is closed, its memory stays: a thread may still write there. */
void process_check(struct process *p)
{
    static _Atomic uint64_t next_check_ns;
    if (!second_passed(&next_check_ns))
        return;
    process_lock();
    if (p == atomic_load_explicit(&process_current, memory_order_relaxed) && is_gone(p)) {
        struct process *fresh = create();
        if (fresh) {
            if (process_owns_file(p))
                close(p->fd);
            p->fd = -1;
            publish(fresh);
        }
    }
    process_unlock();
}

void weft_get_losses(struct weft_losses *out)
{
    uint64_t sum[SLAB_LOSS_REASONS];
    process_lock();
    struct process *p = atomic_load_explicit(&process_current, memory_order_acquire);
    for (int i = 0; i < SLAB_LOSS_REASONS; i++)
        sum[i] = atomic_load_explicit(&lost_early[i], memory_order_relaxed) +
                 (p ? atomic_load_explicit(&p->file->lost[i], memory_order_relaxed) : 0);
    uint32_t n = p ? atomic_load_explicit(&p->recorder_count, memory_order_acquire) : 0;
    for (uint32_t r = 0; r < n; r++)
        for (int i = 0; i < SLAB_LOSS_REASONS; i++)
            sum[i] += atomic_load_explicit(&p->recorders[r].slab->lost[i], memory_order_relaxed);
    process_unlock();
    *out = (struct weft_losses){
        sum[LOSS_NO_SLOT],    sum[LOSS_RING_FULL],    sum[LOSS_NO_THREAD_SLAB],
        sum[LOSS_NO_MEMORY],  sum[LOSS_NO_FILE],      sum[LOSS_ATTRIBUTE_NO_ROOM],
        sum[LOSS_NAMES_FULL], sum[LOSS_STALE_HANDLE], sum[LOSS_STATS_NO_ROOM]};
}
