// SPDX-License-Identifier: Apache-2.0
#include "collector/archive/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collector/archive/entries.h"
#include "collector/archive/round.h"
#include "lib/base/log.h"

enum { PATH_BYTES = 4096 };

struct undo_page {
    _Atomic(uint32_t) is_open; /* released last, and cleared first */
    uint32_t head_bytes;
    char boot[UNDO_BOOT_BYTES], file[ENTRY_FILE_BYTES];
    char head[ROUND_HEAD_BYTES_MAX];
};

static void read_boot(char boot[UNDO_BOOT_BYTES])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, boot, UNDO_BOOT_BYTES - 1) : 0;
    memset(boot + (n > 0 ? n : 0), 0, (size_t)(UNDO_BOOT_BYTES - (n > 0 ? n : 0)));
    if (fd >= 0)
        close(fd);
}

static int open_file(const struct archive_undo *u, const char *file, int flags)
{
    char path[PATH_BYTES];
    int length = snprintf(path, sizeof path, "%s/%s", u->directory, file);
    return length < (int)sizeof path ? open(path, flags | O_CLOEXEC, 0600) : -1;
}

/* Room for it is there before it is mapped, as it must not be missing later. */
static void map(struct archive_undo *u)
{
    int fd = open_file(u, "undo", O_RDWR | O_CREAT);
    int error = fd < 0 ? errno : posix_fallocate(fd, 0, sizeof *u->page);
    void *page =
        error ? MAP_FAILED : mmap(NULL, sizeof *u->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (page != MAP_FAILED)
        u->page = page;
    else
        LOG_WARN_EVERY("archive: %s/undo: %s", u->directory, strerror(error ? error : errno));
}

/* Of this directory and this boot, and sound. */
static bool is_left_open(const struct archive_undo *u)
{
    const struct undo_page *p = u->page;
    return atomic_load_explicit(&p->is_open, memory_order_acquire) == 1 &&
           memcmp(p->boot, u->boot, sizeof p->boot) == 0 && memchr(p->file, '\0', sizeof p->file) &&
           !strchr(p->file, '/') && p->head_bytes <= sizeof p->head;
}

static void put_back(struct archive_undo *u)
{
    int fd = open_file(u, u->page->file, O_RDWR);
    bool same = fd >= 0 && round_head_bytes(fd) == u->page->head_bytes;
    if (same && pwrite(fd, u->page->head, u->page->head_bytes, 0) != (ssize_t)u->page->head_bytes)
        LOG_WARN_EVERY("archive: %s/%s: %s", u->directory, u->page->file, strerror(errno));
    if (fd >= 0)
        close(fd);
}

void archive_undo_open(struct archive_undo *u, const char *directory)
{
    *u = (struct archive_undo){.directory = directory};
    read_boot(u->boot);
    map(u);
    if (u->page && is_left_open(u))
        put_back(u);
    if (u->page)
        archive_undo_end(u);
}

void archive_undo_close(struct archive_undo *u)
{
    if (u->page)
        munmap(u->page, sizeof *u->page);
    *u = (struct archive_undo){0};
}

int archive_undo_begin(struct archive_undo *u, const char *file)
{
    if (!u->page)
        map(u);
    struct undo_page *p = u->page;
    int fd = p ? open_file(u, file, O_RDONLY) : -1;
    size_t bytes = fd >= 0 ? round_head_bytes(fd) : 0;
    bool noted =
        bytes > 0 && bytes <= sizeof p->head && pread(fd, p->head, bytes, 0) == (ssize_t)bytes;
    if (fd >= 0)
        close(fd);
    if (!noted)
        return -1;
    p->head_bytes = (uint32_t)bytes;
    snprintf(p->file, sizeof p->file, "%s", file);
    memcpy(p->boot, u->boot, sizeof p->boot);
    atomic_store_explicit(&p->is_open, 1, memory_order_release); /* pairs with is_left_open() */
    return 0;
}

void archive_undo_end(struct archive_undo *u)
{
    atomic_store_explicit(&u->page->is_open, 0, memory_order_release);
}
