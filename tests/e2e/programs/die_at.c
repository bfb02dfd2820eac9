// SPDX-License-Identifier: Apache-2.0
/* For LD_PRELOAD: kill -9 at a moment of one's choosing, where a process commits something.
 *
 *     DIE_AT="CALL SUFFIX COUNT MODE"
 *
 * At the COUNTth CALL (pwritev or fdatasync) on a file whose name ends in SUFFIX the process is
 * gone: `before` the call, `after` it, or, of a pwritev, `half` of the way. */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static ssize_t (*real_pwritev)(int fd, const struct iovec *parts, int count, off_t offset);
static int (*real_fdatasync)(int fd);
static struct {
    char call[16], suffix[32], mode[8];
    int count;
} moment;
static atomic_int seen;

__attribute__((constructor)) static void prepare(void)
{
    const char *text = getenv("DIE_AT");
    void *write = dlsym(RTLD_NEXT, "pwritev"), *sync = dlsym(RTLD_NEXT, "fdatasync");
    memcpy(&real_pwritev, &write, sizeof write);
    memcpy(&real_fdatasync, &sync, sizeof sync);
    if (!text || sscanf(text, "%15s %31s %d %7s", moment.call, moment.suffix, &moment.count,
                        moment.mode) != 4)
        moment.count = 0;
}

static int is_file(int fd)
{
    char link[32], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    size_t suffix = strlen(moment.suffix);
    return n >= (ssize_t)suffix && memcmp(path + n - suffix, moment.suffix, suffix) == 0;
}

static int is_moment(const char *call, int fd)
{
    return moment.count && strcmp(call, moment.call) == 0 && is_file(fd) &&
           atomic_fetch_add(&seen, 1) + 1 == moment.count;
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
