// SPDX-License-Identifier: Apache-2.0
/* A journal whose file was damaged: a good segment of numbered frames is cut and overwritten as
 * the input says, then opened, read and appended to. Whatever the damage, only frames that were
 * written come back, in their order, and appending works. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/journal.h"

enum { FRAMES = 12, SEGMENT_MOST = 8192 };

static char directory[] = "/tmp/weft-fuzz-journal-XXXXXX";
static char path[128];
static uint8_t good[SEGMENT_MOST];
static size_t good_length;

static struct journal *open_journal(void)
{
    int error;
    struct journal_options options = {.directory = directory,
                                      .suffix = "fuzz",
                                      .segment_bytes = 1 << 20,
                                      .max_frame_bytes = 4096};
    struct journal *j = journal_open(&options, &error);
    if (!j)
        abort();
    return j;
}

/* Frame i: i + 1 times the byte i + 1, three times over. */
static void append(struct journal *j, unsigned i)
{
    uint8_t body[3 * (FRAMES + 1)];
    size_t length = 3 * (i + 1);
    memset(body, (int)i + 1, length);
    struct iovec part = {body, length};
    if (journal_append(j, &part, 1, NULL) < 0)
        abort();
}

static void remove_directory(void)
{
    unlink(path);
    rmdir(directory);
}

static void make_good_segment(void)
{
    if (!mkdtemp(directory))
        abort();
    atexit(remove_directory);
    struct journal *j = open_journal();
    for (unsigned i = 0; i < FRAMES; i++)
        append(j, i);
    journal_close(&j);
    snprintf(path, sizeof path, "%s/%020d.fuzz", directory, 1);
    int fd = open(path, O_RDONLY);
    ssize_t length = read(fd, good, sizeof good);
    close(fd);
    if (length <= 0)
        abort();
    good_length = (size_t)length;
}

/* Five bytes each: where, and four to stand there; the first two bytes cut the end off. */
static void write_damaged(const uint8_t *data, size_t size)
{
    static uint8_t bytes[SEGMENT_MOST];
    size_t length = good_length;
    memcpy(bytes, good, good_length);
    if (size >= 2) {
        length -= (size_t)(data[0] | data[1] << 8) % (good_length + 1);
        for (size_t i = 2; i + 6 <= size; i += 6)
            memcpy(bytes + (size_t)(data[i] | data[i + 1] << 8) % (SEGMENT_MOST - 4), data + i + 2,
                   4);
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, bytes, length) != (ssize_t)length)
        abort();
    close(fd);
}

static void read_all(struct journal *j)
{
    int error;
    const void *body;
    uint32_t length, last = 0;
    struct journal_cursor *c = journal_read(j, (struct journal_position){0, 0}, &error);
    if (!c)
        abort();
    while ((error = journal_next(c, &body, &length, NULL)) == 1) {
        const uint8_t *bytes = body;
        if (length == 0 || length % 3 || length / 3 > FRAMES + 1 || length <= last)
            abort();
        for (uint32_t i = 0; i < length; i++) {
            if (bytes[i] != length / 3)
                abort();
        }
        last = length;
    }
    if (error < 0 || last != 3 * (FRAMES + 1))
        abort();
    journal_cursor_close(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (good_length == 0)
        make_good_segment();
    write_damaged(data, size);
    struct journal *j = open_journal();
    append(j, FRAMES);
    read_all(j);
    journal_close(&j);
    char second[128];
    snprintf(second, sizeof second, "%s/%020d.fuzz", directory, 2); /* after a ruined header */
    unlink(second);
    return 0;
}
