// SPDX-License-Identifier: Apache-2.0
#include "agent/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/journal.h"
#include "lib/base/log.h"

#define SEGMENT_LEAST (1u << 20)
#define SEGMENT_MOST  (16u << 20)

struct frame_head {
    uint64_t epoch, number;
    uint32_t spans;
    uint32_t cursors_length;
};

/* A batch on disk, in the order of frames: epochs and numbers rise. */
struct entry {
    struct link_sequence sequence;
    uint64_t segment;
    uint32_t spans;
    bool acknowledged;
};

struct spool {
    struct spool_options options;
    struct journal *journal;
    bool open;                     /* all of it was read */
    struct journal_cursor *cursor; /* what is sent next */
    bool peeked;                   /* `next` holds the cursor's frame */
    struct spool_batch next;
    struct link_sequence fetched; /* the last that spool_next came upon */
    struct entry *entries;        /* a ring of `capacity`, a power of two */
    size_t first, count, capacity;
    uint64_t waiting;
    struct link_sequence sequence;
};

/* ---- entries ----------------------------------------------------------------------------- */

static bool is_before(struct link_sequence a, struct link_sequence b)
{
    return a.epoch != b.epoch ? a.epoch < b.epoch : a.number < b.number;
}

static struct entry *entry_at(const struct spool *s, size_t i)
{
    return &s->entries[(s->first + i) & (s->capacity - 1)];
}

static int make_room(struct spool *s)
{
    if (s->count < s->capacity)
        return 0;
    size_t capacity = s->capacity ? s->capacity * 2 : 64;
    struct entry *entries = calloc(capacity, sizeof *entries);
    if (!entries)
        return -ENOMEM;
    for (size_t i = 0; i < s->count; i++)
        entries[i] = *entry_at(s, i);
    free(s->entries);
    s->entries = entries;
    s->capacity = capacity;
    s->first = 0;
    return 0;
}

/* Room was made before. */
static void add_entry(struct spool *s, struct entry entry)
{
    s->entries[(s->first + s->count++) & (s->capacity - 1)] = entry;
    s->waiting++;
}

static struct entry *find(const struct spool *s, struct link_sequence sequence)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (is_before(entry_at(s, middle)->sequence, sequence))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == s->count || is_before(sequence, entry_at(s, low)->sequence))
        return NULL;
    return entry_at(s, low);
}

static void drop_first(struct spool *s)
{
    s->first = (s->first + 1) & (s->capacity - 1);
    s->count--;
}

/* ---- frames ------------------------------------------------------------------------------ */

/* False where the frame is not one of ours; its checksum was good all the same. */
static bool read_frame(const void *body, uint32_t length, struct frame_head *head,
                       const char **cursors, struct spool_batch *batch)
{
    if (length < sizeof *head)
        return false;
    memcpy(head, body, sizeof *head);
    if (head->cursors_length > length - sizeof *head)
        return false;
    *cursors = (const char *)body + sizeof *head;
    *batch = (struct spool_batch){.sequence = {head->epoch, head->number},
                                  .spans = head->spans,
                                  .sealed = *cursors + head->cursors_length,
                                  .length = length - sizeof *head - head->cursors_length};
    return true;
}

/* ---- opening ----------------------------------------------------------------------------- */

static void report_damage(struct spool *s, uint64_t malformed)
{
    struct journal_stats stats;
    journal_stats(s->journal, &stats);
    uint64_t damaged = malformed + stats.damaged_frames + (stats.torn_bytes > 0);
    if (damaged)
        s->options.lost(s->options.context, LOSS_SPOOL_TORN, damaged);
}

/* Indexes everything that is there. */
static int read_entries(struct spool *s, uint64_t *malformed)
{
    const void *body;
    uint32_t length;
    struct journal_position at;
    int result;
    while ((result = journal_next(s->cursor, &body, &length, &at)) == 1) {
        struct frame_head head;
        struct spool_batch batch;
        const char *cursors;
        if (!read_frame(body, length, &head, &cursors, &batch) ||
            (s->count && !is_before(entry_at(s, s->count - 1)->sequence, batch.sequence))) {
            ++*malformed;
            continue;
        }
        if (make_room(s) != 0)
            return -ENOMEM;
        add_entry(s, (struct entry){batch.sequence, at.segment, batch.spans, false});
        s->options.cursors(s->options.context, cursors, head.cursors_length);
        if (batch.sequence.epoch >= s->sequence.epoch)
            s->sequence.epoch = batch.sequence.epoch + 1;
    }
    return result;
}

/* The epoch that the last agent wrote down: what it spooled may be acknowledged and gone, and the
 * clock may have been set back since. */
static uint64_t read_epoch(const char *path)
{
    char text[32] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    return length > 0 ? strtoull(text, NULL, 10) : 0;
}

/* Whole or not at all: a new file takes the old one's place. */
static int write_epoch(const char *path, uint64_t epoch)
{
    char text[32], fresh[PATH_MAX + 8];
    int length = snprintf(text, sizeof text, "%" PRIu64 "\n", epoch);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    errno = ENOSPC; /* what a short write means */
    int error = write(fd, text, (size_t)length) == length && fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return error == 0 && rename(fresh, path) < 0 ? -errno : error;
}

/* Later than every epoch before. A full disk does not keep the agent from starting: then the
 * clock alone stands for it. */
static void begin_epoch(struct spool *s)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/epoch", s->options.directory);
    uint64_t noted = read_epoch(path);
    if (s->sequence.epoch <= noted)
        s->sequence.epoch = noted + 1;
    int error = write_epoch(path, s->sequence.epoch);
    if (error != 0)
        LOG_WARN("%s: %s", path, strerror(-error));
}

/* A 32nd of the limit; where that is little, at least a quarter must be free to be dropped. */
static uint64_t segment_bytes(uint64_t limit_bytes)
{
    uint64_t bytes = limit_bytes / 32;
    bytes = bytes < SEGMENT_LEAST ? SEGMENT_LEAST : bytes;
    bytes = bytes > SEGMENT_MOST ? SEGMENT_MOST : bytes;
    return bytes < limit_bytes / 4 ? bytes : limit_bytes / 4;
}

static int open_all(struct spool *s)
{
    int error;
    uint64_t malformed = 0;
    struct journal_options options = {
        .directory = s->options.directory,
        .suffix = "spool",
        .segment_bytes = segment_bytes(s->options.limit_bytes),
        .max_frame_bytes = 2 * LINK_MESSAGE_MAX,
        .never_sync = true,
    };
    const struct journal_position beginning = {0, 0};
    s->journal = journal_open(&options, &error);
    if (!s->journal)
        return error;
    s->cursor = journal_read(s->journal, beginning, &error);
    if (!s->cursor || (error = read_entries(s, &malformed)) != 0)
        return error;
    report_damage(s, malformed);
    begin_epoch(s);
    journal_cursor_close(&s->cursor);
    s->cursor = journal_read(s->journal, beginning, &error);
    s->open = s->cursor != NULL;
    return s->open ? 0 : error;
}

struct spool *spool_open(const struct spool_options *options, char *why, size_t why_size)
{
    struct spool *s = calloc(1, sizeof *s);
    int error = -ENOMEM;
    if (s) {
        s->options = *options;
        s->sequence.epoch = clock_unix_ns();
        s->sequence.number = 1;
        error = open_all(s);
    }
    if (error == 0)
        return s;
    snprintf(why, why_size, "spool %s: %s", options->directory,
             error == -EBUSY ? "another agent has it; stop that one, or set `spool`"
                             : strerror(-error));
    spool_close(&s);
    return NULL;
}

void spool_close(struct spool **spool)
{
    struct spool *s = *spool;
    if (!s)
        return;
    journal_cursor_close(&s->cursor);
    if (s->open && s->waiting == 0) /* so nothing is sent again by the next one */
        journal_drop_all(s->journal);
    journal_close(&s->journal);
    free(s->entries);
    free(s);
    *spool = NULL;
}

/* ---- putting ----------------------------------------------------------------------------- */

struct link_sequence spool_sequence(const struct spool *s)
{
    return s->sequence;
}

/* Deletes segments from which nothing waits any more. */
static void drop_done(struct spool *s)
{
    while (s->count && entry_at(s, 0)->acknowledged)
        drop_first(s);
    uint64_t needed = s->count ? entry_at(s, 0)->segment : journal_last_segment(s->journal);
    if (needed > journal_first_segment(s->journal))
        journal_drop_before(s->journal, needed);
}

static void drop_oldest_segment(struct spool *s)
{
    uint64_t segment = journal_first_segment(s->journal), lost = 0;
    while (s->count && entry_at(s, 0)->segment <= segment) {
        if (!entry_at(s, 0)->acknowledged) {
            lost += entry_at(s, 0)->spans;
            s->waiting--;
        }
        drop_first(s);
    }
    journal_drop_before(s->journal, segment + 1);
    if (lost)
        s->options.lost(s->options.context, LOSS_SPOOL_FULL, lost);
}

static void keep_within_limit(struct spool *s, uint64_t more)
{
    while (spool_bytes(s) + more > s->options.limit_bytes &&
           journal_first_segment(s->journal) < journal_last_segment(s->journal))
        drop_oldest_segment(s);
}

int spool_put(struct spool *s, uint32_t spans, const void *cursors, size_t cursors_length,
              const void *sealed, size_t length)
{
    struct frame_head head = {.epoch = s->sequence.epoch,
                              .number = s->sequence.number,
                              .spans = spans,
                              .cursors_length = (uint32_t)cursors_length};
    const struct iovec parts[] = {{&head, sizeof head},
                                  {(void *)(uintptr_t)cursors, cursors_length},
                                  {(void *)(uintptr_t)sealed, length}};
    struct journal_position at;
    keep_within_limit(s, sizeof head + cursors_length + length);
    int error = make_room(s);
    if (error == 0)
        error = journal_append(s->journal, parts, 3, &at);
    if (error != 0)
        return error;
    add_entry(s, (struct entry){s->sequence, at.segment, spans, false});
    s->sequence.number++;
    return 0;
}

/* ---- sending ----------------------------------------------------------------------------- */

/* Batches that the cursor passed over on its way to `found` were damaged since they were put. */
static void settle_damaged(struct spool *s, struct link_sequence found)
{
    uint64_t damaged = 0;
    for (size_t i = 0; i < s->count && is_before(entry_at(s, i)->sequence, found); i++) {
        struct entry *entry = entry_at(s, i);
        if (entry->acknowledged || !is_before(s->fetched, entry->sequence))
            continue;
        entry->acknowledged = true;
        s->waiting--;
        damaged++;
    }
    s->fetched = found;
    if (damaged) {
        s->options.lost(s->options.context, LOSS_SPOOL_TORN, damaged);
        drop_done(s);
    }
}

int spool_next(struct spool *s, struct spool_batch *batch)
{
    const void *body;
    uint32_t length;
    struct journal_position at;
    while (!s->peeked) {
        struct frame_head head;
        const char *cursors;
        int result = journal_next(s->cursor, &body, &length, &at);
        if (result != 1)
            return result;
        const struct entry *entry;
        s->peeked = read_frame(body, length, &head, &cursors, &s->next) &&
                    (entry = find(s, s->next.sequence)) && !entry->acknowledged;
        if (s->peeked)
            settle_damaged(s, s->next.sequence);
    }
    *batch = s->next;
    return 1;
}

void spool_sent(struct spool *s)
{
    s->peeked = false;
}

uint32_t spool_acknowledge(struct spool *s, struct link_sequence sequence)
{
    struct entry *entry = find(s, sequence);
    if (!entry || entry->acknowledged)
        return 0;
    uint32_t spans = entry->spans;
    entry->acknowledged = true;
    s->waiting--;
    drop_done(s);
    return spans;
}

struct link_sequence spool_oldest(const struct spool *s)
{
    return s->count ? entry_at(s, 0)->sequence : s->sequence;
}

uint64_t spool_bytes(const struct spool *s)
{
    struct journal_stats stats;
    journal_stats(s->journal, &stats);
    return stats.bytes;
}

uint64_t spool_waiting(const struct spool *s)
{
    return s->waiting;
}
