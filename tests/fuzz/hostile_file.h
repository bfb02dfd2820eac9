// SPDX-License-Identifier: Apache-2.0
/* A file that we once wrote, from a hostile hand: a good one is kept in memory and changed as the
 * fuzzer's input says. The target makes its checksums hold again, so that what stands behind them
 * is reached, and reads it in every way. */
#ifndef WEFT_TESTS_FUZZ_HOSTILE_FILE_H
#define WEFT_TESTS_FUZZ_HOSTILE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { IMAGE_MAX = 1 << 16 };

static uint8_t good[IMAGE_MAX], image[IMAGE_MAX];
static size_t image_length; /* 0: there is no good one yet */

static inline void check(bool fine)
{
    if (!fine)
        abort();
}

static inline int hostile_new_file(void)
{
    int fd = memfd_create("good", MFD_CLOEXEC);
    check(fd >= 0);
    return fd;
}

/* This is the good one. */
static inline void hostile_keep(int fd, size_t length)
{
    check(length <= IMAGE_MAX && pread(fd, good, length, 0) == (ssize_t)length);
    image_length = length;
}

/* Makes `image` of the good one and the input: where, how many bytes, and these; any number of
 * times. */
static inline void hostile_change(const uint8_t *data, size_t size)
{
    memcpy(image, good, image_length);
    while (size > 3) {
        size_t at = (size_t)(data[0] | data[1] << 8) % image_length, length = data[2] % 16 + 1;
        data += 3;
        size -= 3;
        length = length < size ? length : size;
        length = length < image_length - at ? length : image_length - at;
        memcpy(image + at, data, length);
        data += length;
        size -= length;
    }
}

/* The image as a file. */
static inline int hostile_file(void)
{
    int fd = memfd_create("changed", MFD_CLOEXEC);
    check(fd >= 0 && write(fd, image, image_length) == (ssize_t)image_length);
    return fd;
}

#endif
