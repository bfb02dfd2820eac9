// SPDX-License-Identifier: Apache-2.0
/* Opening, repairing and closing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/journal_internal.h"

enum { NUMBER_DIGITS = 20 };

void journal_segment_name(const struct journal *j, uint64_t number, char name[JOURNAL_NAME_MAX])
{
    snprintf(name, JOURNAL_NAME_MAX, "%020llu.%s", (unsigned long long)number, j->suffix);
}

/* ---- the list of segments ---------------------------------------------------------------- */

static bool parse_segment_name(const struct journal *j, const char *name, uint64_t *number)
{
    if (strspn(name, "0123456789") != NUMBER_DIGITS || name[NUMBER_DIGITS] != '.' ||
        strcmp(name + NUMBER_DIGITS + 1, j->suffix) != 0)
        return false;
    errno = 0;
    *number = strtoull(name, NULL, 10);
    return errno == 0 && *number != 0 && *number != UINT64_MAX;
}

int journal_add_segment(struct journal *j, uint64_t number, uint64_t bytes)
{
    if (j->segment_count == j->segment_capacity) {
        size_t capacity = j->segment_capacity ? j->segment_capacity * 2 : 16;
        struct journal_segment *segments = realloc(j->segments, capacity * sizeof *segments);
        if (!segments)
            return -ENOMEM;
        j->segments = segments;
        j->segment_capacity = capacity;
    }
    j->segments[j->segment_count++] = (struct journal_segment){number, bytes};
    return 0;
}

static int compare_segments(const void *a, const void *b)
{
    uint64_t x = ((const struct journal_segment *)a)->number;
    uint64_t y = ((const struct journal_segment *)b)->number;
    return (x > y) - (x < y);
}

static int list_segments(struct journal *j)
{
    int fd = openat(j->directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        int error = -errno;
        if (fd >= 0)
            close(fd);
        return error;
    }
    int result = 0;
    const struct dirent *entry;
    while (result == 0 && (entry = readdir(directory)) != NULL) {
        uint64_t number;
        struct stat st;
        if (!parse_segment_name(j, entry->d_name, &number))
            continue;
        if (fstatat(j->directory_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode))
            result = journal_add_segment(j, number, (uint64_t)st.st_size);
    }
    closedir(directory);
    if (j->segment_count)
        qsort(j->segments, j->segment_count, sizeof *j->segments, compare_segments);
    return result;
}

/* ---- opening ----------------------------------------------------------------------------- */

/* The directory and those above it that are missing. */
static int make_directory(const char *path)
{
    char copy[4096];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof copy)
        return length ? -ENAMETOOLONG : -ENOENT;
    memcpy(copy, path, length + 1);
    for (size_t i = 1; i <= length; i++) {
        if (copy[i] != '/' && copy[i] != '\0')
            continue;
        char kept = copy[i];
        copy[i] = '\0';
        if (mkdir(copy, 0700) < 0 && errno != EEXIST)
            return -errno;
        copy[i] = kept;
    }
    return 0;
}

/* Where the last whole frame of the segment ends. */
static int find_end(struct segment_reader *r, uint64_t bytes, uint64_t *end)
{
    uint64_t offset = JOURNAL_FRAMES_OFFSET;
    *end = offset;
    for (;;) {
        const void *body;
        struct journal_frame_header header;
        int result = segment_frame_at(r, offset, bytes, &body, &header);
        if (result == SEGMENT_END)
            return 0;
        if (result == SEGMENT_FRAME) {
            offset += JOURNAL_FRAME_HEADER_BYTES + header.length;
            *end = offset;
            continue;
        }
        if (result == SEGMENT_DAMAGE)
            result = segment_resync(r, offset + 1, bytes, &offset);
        if (result < 0)
            return result;
    }
}

/* Cuts a torn end off the last segment and makes the rest durable: a crash may have left whole
 * frames that were never synced, and from now on they count. */
static int repair(struct journal *j, struct journal_segment *segment, int fd)
{
    struct segment_reader reader;
    uint64_t end = 0;
    int result = segment_reader_init(&reader, fd, j->max_frame_bytes);
    if (result == 0)
        result = find_end(&reader, segment->bytes, &end);
    j->seed = reader.seed;
    segment_reader_fini(&reader);
    if (result < 0)
        return result;
    if (end < segment->bytes) {
        if (ftruncate(fd, (off_t)end) < 0)
            return -errno;
        j->stats.torn_bytes += segment->bytes - end;
        segment->bytes = end;
    }
    return fdatasync(fd) < 0 ? -errno : 0;
}

/* Goes on in the last segment; one whose header is damaged stays as it is, for readers to
 * count, and the next append starts another. */
static int open_last_segment(struct journal *j)
{
    j->next_segment = 1;
    if (j->segment_count == 0)
        return 0;
    struct journal_segment *last = &j->segments[j->segment_count - 1];
    char name[JOURNAL_NAME_MAX];
    j->next_segment = last->number + 1;
    journal_segment_name(j, last->number, name);
    int fd = openat(j->directory_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    int result = repair(j, last, fd);
    struct journal_file *file = result == 0 ? malloc(sizeof *file) : NULL;
    if (!file) {
        close(fd);
        return result == -EBADMSG ? 0 : result ? result : -ENOMEM;
    }
    *file = (struct journal_file){fd, 1};
    j->file = file;
    return 0;
}

static int open_journal(struct journal *j, const char *directory)
{
    int result = make_directory(directory);
    if (result < 0)
        return result;
    j->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (j->directory_fd < 0)
        return -errno;
    if (flock(j->directory_fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    result = list_segments(j);
    return result < 0 ? result : open_last_segment(j);
}

struct journal *journal_open(const struct journal_options *options, int *error)
{
    struct journal *j = calloc(1, sizeof *j);
    *error = -ENOMEM;
    if (!j)
        return NULL;
    pthread_mutex_init(&j->lock, NULL);
    j->directory_fd = -1;
    j->segment_bytes = options->segment_bytes;
    j->never_sync = options->never_sync;
    j->max_frame_bytes = options->max_frame_bytes;
    j->preamble = options->preamble;
    j->context = options->context;
    int length = snprintf(j->suffix, sizeof j->suffix, "%s", options->suffix);
    *error = length < (int)sizeof j->suffix ? open_journal(j, options->directory) : -ENAMETOOLONG;
    if (*error < 0)
        journal_close(&j);
    return j;
}

/* ---- the file being written -------------------------------------------------------------- */

void journal_release_file(struct journal_file *file)
{
    if (--file->references == 0) {
        close(file->fd);
        free(file);
    }
}

void journal_close(struct journal **journal)
{
    struct journal *j = *journal;
    if (!j)
        return;
    if (j->file)
        journal_release_file(j->file);
    if (j->directory_fd >= 0)
        close(j->directory_fd);
    pthread_mutex_destroy(&j->lock);
    free(j->segments);
    free(j);
    *journal = NULL;
}
