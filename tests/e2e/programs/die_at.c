// SPDX-License-Identifier: Apache-2.0
/* For LD_PRELOAD: kill -9 at a moment of one's choosing, where a process commits something.
 *
 *     DIE_AT="CALL SUFFIX COUNT MODE"
 *
 * At the COUNTth CALL (pwritev, fdatasync, fsync, renameat or unlinkat) on a file whose name ends
 * in SUFFIX (of a renameat: the new one) the process is gone: `before` the call, `after` it, or, of
 * a pwritev, `half` of the way. */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static ssize_t (*real_pwritev)(int fd, const struct iovec *parts, int count, off_t offset);
static int (*real_fdatasync)(int fd), (*real_fsync)(int fd);
static int (*real_renameat)(int from, const char *old, int to, const char *fresh);
static int (*real_unlinkat)(int directory, const char *name, int flags);
static struct {
    char call[16], suffix[64], mode[8];
    int count;
} moment;
static atomic_int seen;

/* Pointers to functions and to data do not convert in C. */
static void find(const char *name, void *place)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    memcpy(place, &symbol, sizeof symbol);
}

__attribute__((constructor)) static void prepare(void)
{
    const char *text = getenv("DIE_AT");
    find("pwritev", &real_pwritev);
    find("fdatasync", &real_fdatasync);
    find("fsync", &real_fsync);
    find("renameat", &real_renameat);
    find("unlinkat", &real_unlinkat);
    if (!text || sscanf(text, "%15s %63s %d %7s", moment.call, moment.suffix, &moment.count,
                        moment.mode) != 4)
        moment.count = 0;
}

static int has_suffix(const char *name, size_t length)
{
    size_t suffix = strlen(moment.suffix);
    return length >= suffix && memcmp(name + length - suffix, moment.suffix, suffix) == 0;
}

static int is_moment_of(const char *call, const char *name, size_t length)
{
    return moment.count && strcmp(call, moment.call) == 0 && has_suffix(name, length) &&
           atomic_fetch_add(&seen, 1) + 1 == moment.count;
}

static int is_moment(const char *call, int fd)
{
    char link[32], path[4096];
    if (!moment.count || strcmp(call, moment.call) != 0)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    return n > 0 && is_moment_of(call, path, (size_t)n);
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static void write_half(int fd, const struct iovec *parts, int count, off_t offset)
{
    size_t all = 0;
    for (int i = 0; i < count; i++)
        all += parts[i].iov_len;
    for (size_t left = all / 2, i = 0; left > 0; i++) {
        size_t n = parts[i].iov_len < left ? parts[i].iov_len : left;
        if (pwrite(fd, parts[i].iov_base, n, offset) != (ssize_t)n)
            return;
        offset += (off_t)n;
        left -= n;
    }
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    if (!is_moment("pwritev", fd))
        return real_pwritev(fd, parts, count, offset);
    if (strcmp(moment.mode, "half") == 0)
        write_half(fd, parts, count, offset);
    else if (strcmp(moment.mode, "after") == 0)
        real_pwritev(fd, parts, count, offset);
    die();
    return -1;
}

int fdatasync(int fd)
{
    if (!is_moment("fdatasync", fd))
        return real_fdatasync(fd);
    if (strcmp(moment.mode, "after") == 0)
        real_fdatasync(fd);
    die();
    return -1;
}

int fsync(int fd)
{
    if (!is_moment("fsync", fd))
        return real_fsync(fd);
    if (strcmp(moment.mode, "after") == 0)
        real_fsync(fd);
    die();
    return -1;
}

int renameat(int from, const char *old, int to, const char *fresh)
{
    if (!is_moment_of("renameat", fresh, strlen(fresh)))
        return real_renameat(from, old, to, fresh);
    if (strcmp(moment.mode, "after") == 0)
        real_renameat(from, old, to, fresh);
    die();
    return -1;
}

int unlinkat(int directory, const char *name, int flags)
{
    if (!is_moment_of("unlinkat", name, strlen(name)))
        return real_unlinkat(directory, name, flags);
    if (strcmp(moment.mode, "after") == 0)
        real_unlinkat(directory, name, flags);
    die();
    return -1;
}
