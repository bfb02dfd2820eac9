// SPDX-License-Identifier: Apache-2.0
/* A journal in a directory of its own, and frames of which each knows its number. */
#ifndef WEFT_TESTS_BASE_JOURNALS_H
#define WEFT_TESTS_BASE_JOURNALS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/journal.h"
#include "tests/unit/directory.h"

struct fixture {
    char directory[64];
    struct journal_options options;
    struct journal *journal;
    unsigned preambles;
};

static inline void open_journal(struct fixture *f)
{
    int error;
    f->journal = journal_open(&f->options, &error);
    assert_int_equal(error, 0);
    assert_non_null(f->journal);
}

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->directory, sizeof f->directory, "/tmp/weft-journal-XXXXXX");
    if (!mkdtemp(f->directory))
        return -1;
    f->options = (struct journal_options){
        .directory = f->directory,
        .suffix = "journal",
        .segment_bytes = 1 << 20,
        .max_frame_bytes = 1 << 16,
    };
    open_journal(f);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    journal_close(&f->journal);
    directory_remove(f->directory);
    free(f);
    return 0;
}

static inline int append(struct journal *j, const void *body, size_t length)
{
    struct iovec parts[2] = {{(void *)body, length / 2},
                             {(char *)body + length / 2, length - length / 2}};
    return journal_append(j, parts, 2, NULL);
}

static inline int append_number(struct journal *j, uint32_t number)
{
    uint32_t body[10];
    for (int i = 0; i < 10; i++)
        body[i] = number;
    return append(j, body, sizeof body);
}

/* Reads all frames of append_number, returns how many, and marks those seen. */
static inline unsigned read_numbers(struct journal *j, uint8_t *seen, unsigned limit)
{
    int error;
    unsigned count = 0;
    const void *body;
    uint32_t length, last = 0;
    struct journal_cursor *c = journal_read(j, (struct journal_position){0, 0}, &error);
    assert_non_null(c);
    while ((error = journal_next(c, &body, &length, NULL)) == 1) {
        uint32_t numbers[10];
        assert_int_equal(length, sizeof numbers);
        memcpy(numbers, body, sizeof numbers);
        for (int i = 1; i < 10; i++)
            assert_int_equal(numbers[i], numbers[0]);
        assert_true(count == 0 || numbers[0] > last);
        assert_true(numbers[0] < limit);
        last = numbers[0];
        if (seen)
            seen[numbers[0]] = 1;
        count++;
    }
    assert_int_equal(error, 0);
    journal_cursor_close(&c);
    return count;
}

static inline void segment_path(const struct fixture *f, unsigned number, char path[128])
{
    snprintf(path, 128, "%s/%020u.journal", f->directory, number);
}

static inline size_t read_file(const char *path, uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(bytes, 1, size, file);
    fclose(file);
    return length;
}

static inline void write_file(const char *path, const uint8_t *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

#endif
