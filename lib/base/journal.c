// SPDX-License-Identifier: Apache-2.0
/* Writing, dropping, and what can be asked; opening is in journal_open.c, reading in
 * journal_cursor.c. */
#include "lib/base/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#define XXH_INLINE_ALL /* its state may live on the stack only so */
#include <xxhash.h>

#include "lib/base/journal_internal.h"

enum { PARTS_MOST = 15 };

static int sync_fd(struct journal *j, int fd)
{
    int result = fdatasync(fd) < 0 ? -errno : 0;
    pthread_mutex_lock(&j->lock);
    if (result < 0 && j->sync_error == 0)
        j->sync_error = result;
    result = j->sync_error;
    pthread_mutex_unlock(&j->lock);
    return result;
}

int journal_sync(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    struct journal_file *file = j->file;
    int result = j->sync_error;
    if (file)
        file->references++;
    pthread_mutex_unlock(&j->lock);
    if (!file)
        return result;
    result = sync_fd(j, file->fd);
    pthread_mutex_lock(&j->lock);
    journal_release_file(file);
    pthread_mutex_unlock(&j->lock);
    return result;
}

/* Writes all parts at `offset`; on error the file is cut back to it. */
static int write_parts(int fd, struct iovec *parts, int count, uint64_t offset)
{
    uint64_t at = offset;
    while (count) {
        ssize_t n = pwritev(fd, parts, count, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int error = n < 0 ? -errno : -EIO;
            /* Should that fail too, the rest is overwritten by the next frame. */
            int ignored = ftruncate(fd, (off_t)offset);
            (void)ignored;
            return error;
        }
        at += (uint64_t)n;
        for (; count && (size_t)n >= parts->iov_len; parts++, count--)
            n -= (ssize_t)parts->iov_len;
        if (count) {
            parts->iov_base = (char *)parts->iov_base + n;
            parts->iov_len -= (size_t)n;
        }
    }
    return 0;
}

/* ---- appending --------------------------------------------------------------------------- */

static uint64_t checksum_parts(uint64_t seed, const struct iovec *parts, int count)
{
    XXH3_state_t state;
    memset(&state, 0, sizeof state);
    XXH3_64bits_reset_withSeed(&state, seed);
    for (int i = 0; i < count; i++)
        XXH3_64bits_update(&state, parts[i].iov_base, parts[i].iov_len);
    return XXH3_64bits_digest(&state);
}

/* The header of a frame made of `parts`, to stand at `offset`. */
static void make_frame_header(uint8_t bytes[JOURNAL_FRAME_HEADER_BYTES], uint32_t marker,
                              uint64_t segment_seed, uint64_t offset, const struct iovec *parts,
                              int count, uint32_t length)
{
    uint64_t seed = journal_frame_seed(segment_seed, offset, marker, length);
    struct journal_frame_header header = {
        .marker = marker, .length = length, .checksum = checksum_parts(seed, parts, count)};
    journal_frame_header_write(bytes, &header);
}

/* Header and preamble of a new segment; the number of bytes, or -errno. */
static int64_t write_segment_start(struct journal *j, int fd, const struct journal_header *header)
{
    uint8_t bytes[JOURNAL_FRAMES_OFFSET], frame[JOURNAL_FRAME_HEADER_BYTES];
    struct buffer preamble = {0};
    if (j->preamble)
        j->preamble(j->context, &preamble);
    int64_t result = -ENOMEM;
    if (!preamble.failed && preamble.length <= j->max_frame_bytes) {
        journal_header_write(bytes, header);
        journal_header_write(bytes + JOURNAL_HEADER_BYTES, header);
        struct iovec body = {preamble.data, preamble.length};
        make_frame_header(frame, JOURNAL_MARK_PREAMBLE, header->seed, JOURNAL_FRAMES_OFFSET, &body,
                          1, (uint32_t)preamble.length);
        struct iovec parts[] = {{bytes, sizeof bytes}, {frame, sizeof frame}, body};
        int written = write_parts(fd, parts, 3, 0);
        result = (int64_t)(sizeof bytes + sizeof frame + preamble.length);
        if (written < 0)
            result = written;
    } else if (!preamble.failed) {
        result = -EMSGSIZE;
    }
    buffer_fini(&preamble);
    return result;
}

/* Makes the file of the next segment. Its name is durable when this returns (see never_sync). */
static int create_segment_file(struct journal *j, struct journal_header *header, uint64_t *bytes)
{
    char name[JOURNAL_NAME_MAX];
    *header = (struct journal_header){.segment = j->next_segment};
    if (getrandom(&header->seed, sizeof header->seed, 0) != sizeof header->seed)
        return -EIO;
    journal_segment_name(j, header->segment, name);
    int fd = openat(j->directory_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int64_t result = write_segment_start(j, fd, header);
    *bytes = (uint64_t)result;
    if (result >= 0 && !j->never_sync && (fdatasync(fd) < 0 || fsync(j->directory_fd) < 0))
        result = -errno;
    if (result < 0) {
        unlinkat(j->directory_fd, name, 0);
        close(fd);
        return (int)result;
    }
    return fd;
}

/* Starts the next segment; what is in the one before is made durable first. */
static int start_segment(struct journal *j)
{
    struct journal_header header;
    uint64_t bytes = 0;
    if (j->file && !j->never_sync) {
        int synced = sync_fd(j, j->file->fd);
        if (synced < 0)
            return synced;
    }
    struct journal_file *file = malloc(sizeof *file);
    if (!file)
        return -ENOMEM;
    *file = (struct journal_file){create_segment_file(j, &header, &bytes), 1};
    if (file->fd < 0) {
        int error = file->fd;
        free(file);
        return error;
    }
    pthread_mutex_lock(&j->lock);
    int result = journal_add_segment(j, header.segment, bytes);
    if (result < 0) {
        journal_release_file(file);
    } else {
        if (j->file)
            journal_release_file(j->file);
        j->file = file;
        j->seed = header.seed;
        j->next_segment++;
    }
    pthread_mutex_unlock(&j->lock);
    return result;
}

/* The segment being written, as it is now: another thread may drop those before it. */
static struct journal_segment written_segment(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    struct journal_segment segment = j->segments[j->segment_count - 1];
    pthread_mutex_unlock(&j->lock);
    return segment;
}

static int get_sync_error(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    int error = j->sync_error;
    pthread_mutex_unlock(&j->lock);
    return error;
}

/* A segment with room for so many bytes more, or an empty one. */
static int prepare_segment(struct journal *j, uint64_t frame_bytes)
{
    int error = get_sync_error(j);
    if (error)
        return error;
    if (j->file) {
        uint64_t used = written_segment(j).bytes;
        bool empty = used <= JOURNAL_FRAMES_OFFSET + JOURNAL_FRAME_HEADER_BYTES;
        if (empty || used + frame_bytes <= j->segment_bytes)
            return 0;
    }
    return start_segment(j);
}

int journal_append(struct journal *j, const struct iovec *parts, int count,
                   struct journal_position *at)
{
    uint8_t header[JOURNAL_FRAME_HEADER_BYTES];
    struct iovec frame[1 + PARTS_MOST] = {{header, sizeof header}};
    uint64_t length = 0;
    if (count < 0 || count > PARTS_MOST)
        return -EINVAL;
    for (int i = 0; i < count; i++) {
        frame[1 + i] = parts[i];
        length += parts[i].iov_len;
    }
    if (length > j->max_frame_bytes)
        return -EMSGSIZE;
    int result = prepare_segment(j, sizeof header + length);
    if (result < 0)
        return result;
    struct journal_segment segment = written_segment(j);
    uint64_t offset = segment.bytes;
    make_frame_header(header, JOURNAL_MARK_FRAME, j->seed, offset, parts, count, (uint32_t)length);
    result = write_parts(j->file->fd, frame, 1 + count, offset);
    if (result < 0)
        return result;
    if (at)
        *at = (struct journal_position){segment.number, offset};
    pthread_mutex_lock(&j->lock);
    j->segments[j->segment_count - 1].bytes = offset + sizeof header + length;
    j->stats.frames_appended++;
    pthread_mutex_unlock(&j->lock);
    return 0;
}

/* ---- dropping and asking ----------------------------------------------------------------- */

int journal_drop_before(struct journal *j, uint64_t segment)
{
    int result = 0;
    size_t kept = 0;
    pthread_mutex_lock(&j->lock);
    for (size_t i = 0; i < j->segment_count; i++) {
        char name[JOURNAL_NAME_MAX];
        bool written = j->file && i == j->segment_count - 1;
        bool drop = j->segments[i].number < segment && !written;
        journal_segment_name(j, j->segments[i].number, name);
        if (drop && unlinkat(j->directory_fd, name, 0) < 0 && errno != ENOENT) {
            result = -errno;
            drop = false;
        }
        if (!drop)
            j->segments[kept++] = j->segments[i];
    }
    j->segment_count = kept;
    pthread_mutex_unlock(&j->lock);
    return result;
}

int journal_drop_all(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    if (j->file)
        journal_release_file(j->file);
    j->file = NULL;
    pthread_mutex_unlock(&j->lock);
    return journal_drop_before(j, UINT64_MAX);
}

static struct journal_segment *find_segment(const struct journal *j, uint64_t number)
{
    for (size_t i = 0; i < j->segment_count; i++) {
        if (j->segments[i].number == number)
            return &j->segments[i];
    }
    return NULL;
}

/* The const of those who ask is the caller's: the lock is not part of what it promises. */
static struct journal *lock_of(const struct journal *j)
{
    struct journal *unlocked = (struct journal *)j;
    pthread_mutex_lock(&unlocked->lock);
    return unlocked;
}

uint64_t journal_first_segment(const struct journal *journal)
{
    struct journal *j = lock_of(journal);
    uint64_t number = j->segment_count ? j->segments[0].number : j->next_segment;
    pthread_mutex_unlock(&j->lock);
    return number;
}

uint64_t journal_last_segment(const struct journal *journal)
{
    struct journal *j = lock_of(journal);
    uint64_t number = j->file ? j->next_segment - 1 : j->next_segment;
    pthread_mutex_unlock(&j->lock);
    return number;
}

uint64_t journal_segment_bytes(const struct journal *journal, uint64_t segment)
{
    struct journal *j = lock_of(journal);
    const struct journal_segment *found = find_segment(j, segment);
    uint64_t bytes = found ? found->bytes : 0;
    pthread_mutex_unlock(&j->lock);
    return bytes;
}

int64_t journal_segment_mtime_s(const struct journal *j, uint64_t segment)
{
    char name[JOURNAL_NAME_MAX];
    struct stat st;
    journal_segment_name(j, segment, name);
    return fstatat(j->directory_fd, name, &st, 0) == 0 ? st.st_mtime : 0;
}

void journal_stats(const struct journal *journal, struct journal_stats *out)
{
    struct journal *j = lock_of(journal);
    *out = j->stats;
    out->segments = (uint32_t)j->segment_count;
    out->bytes = 0;
    for (size_t i = 0; i < j->segment_count; i++)
        out->bytes += j->segments[i].bytes;
    pthread_mutex_unlock(&j->lock);
}
