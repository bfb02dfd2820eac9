// SPDX-License-Identifier: Apache-2.0
#include "lib/run/run_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- writing ----------------------------------------------------------------------------- */

static void name_file(const struct run_file *f, char name[RUN_NAME_MAX])
{
    snprintf(name, RUN_NAME_MAX, "%u-%llu-%02x%02x%02x%02x" RUN_SUFFIX, f->pid,
             (unsigned long long)f->start_time, f->uuid[0], f->uuid[1], f->uuid[2], f->uuid[3]);
}

static bool write_all(int fd, const void *bytes, size_t length)
{
    ssize_t written = write(fd, bytes, length);
    if (written >= 0 && (size_t)written != length)
        errno = ENOSPC;
    return written >= 0 && (size_t)written == length;
}

int run_file_create(int directory, const struct run_file *f, char name[RUN_NAME_MAX])
{
    char temporary[RUN_NAME_MAX + 8];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    name_file(f, name);
    snprintf(temporary, sizeof temporary, ".new-%s", name);
    int fd = openat(directory, temporary,
                    O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -1;
    fcntl(fd, F_OFD_SETLK, &lock);
    if (write_all(fd, f, sizeof *f) && renameat(directory, temporary, directory, name) == 0)
        return fd;
    int error = errno;
    unlinkat(directory, temporary, 0);
    close(fd);
    errno = error;
    return -1;
}

int run_file_append(int fd, const struct run_record *r)
{
    return write_all(fd, r, sizeof *r) ? 0 : -1;
}

/* ---- reading ----------------------------------------------------------------------------- */

bool run_file_is_name(const char *name)
{
    size_t length = strlen(name), suffix = strlen(RUN_SUFFIX);
    return name[0] != '.' && length > suffix && length < RUN_NAME_MAX &&
           strcmp(name + length - suffix, RUN_SUFFIX) == 0;
}

static void learn(struct run_life *life, const struct run_record *r)
{
    if (r->event == RUN_READY && !life->is_ready) {
        life->is_ready = true;
        life->ready = *r;
    } else if (r->event == RUN_ENDED && !life->has_ended) {
        life->has_ended = true;
        life->ended = *r;
    } else if (r->event == RUN_RECORDS && !life->records) {
        life->records = true;
        memcpy(life->slab_uuid, r->uuid, sizeof life->slab_uuid);
    }
}

bool run_file_read_life(int fd, struct run_life *life)
{
    struct run_record records[RUN_RECORDS_MAX];
    ssize_t n = pread(fd, records, sizeof records, sizeof(struct run_file));
    if (n < 0)
        return false;
    memset(life, 0, sizeof *life);
    for (size_t i = 0; i < (size_t)n / sizeof *records; i++)
        learn(life, &records[i]);
    return true;
}

static bool ends(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

const char *run_file_read(int fd, struct run_file *f, struct run_life *life, bool *system)
{
    ssize_t n = pread(fd, f, sizeof *f, 0);
    *system = n < 0;
    if (n < 0)
        return "it cannot be read";
    if ((size_t)n < sizeof *f || f->magic != RUN_MAGIC)
        return "it is not a run file";
    if (f->version != RUN_VERSION)
        return "its format is another than this program's";
    if (!ends(f->host, sizeof f->host) || !ends(f->service, sizeof f->service) ||
        !ends(f->version_name, sizeof f->version_name) || !ends(f->cell, sizeof f->cell) ||
        !ends(f->command, sizeof f->command) || f->service[0] == '\0')
        return "its texts have no end, or it names no service";
    *system = !run_file_read_life(fd, life);
    return *system ? "it cannot be read" : NULL;
}
