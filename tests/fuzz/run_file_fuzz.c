// SPDX-License-Identifier: Apache-2.0
/* A run file from a hostile hand: refused with a reason, or its texts end and its end is a
 * sentence. The input is what stands in the header's texts and behind the header, or all of it. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/run/ending.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool fine)
{
    if (!fine)
        abort();
}

static size_t lay_out(char *image, size_t room, const uint8_t *data, size_t size)
{
    struct run_file good = {.magic = RUN_MAGIC, .version = RUN_VERSION, .service = "s"};
    size_t texts = size / 2;
    if (data[0] & 1) {
        memcpy(image, data, size);
        return size;
    }
    texts = texts > sizeof good - 256 ? sizeof good - 256 : texts;
    memcpy((char *)&good + 256, data, texts);
    memcpy(image, &good, sizeof good);
    size_t behind = size - texts > room - sizeof good ? room - sizeof good : size - texts;
    memcpy(image + sizeof good, data + texts, behind);
    return sizeof good + behind;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char image[1 << 15];
    struct run_file f;
    struct run_life life;
    char text[ENDING_TEXT_MAX];
    bool system;
    if (size == 0 || size > sizeof image)
        return 0;
    int fd = memfd_create("run", MFD_CLOEXEC);
    size_t length = lay_out(image, sizeof image, data, size);
    check(fd >= 0 && write(fd, image, length) == (ssize_t)length);
    if (!run_file_read(fd, &f, &life, &system)) {
        check(strlen(f.service) > 0 && strlen(f.service) < RUN_TEXT_MAX &&
              strlen(f.cell) < RUN_TEXT_MAX && strlen(f.command) < sizeof f.command);
        ending_text(&life.ended, text);
        check(strlen(text) > 0 && strlen(text) < ENDING_TEXT_MAX);
        ending_ready_text(&life.ready, text);
        check(strlen(text) < ENDING_TEXT_MAX);
    }
    close(fd);
    return 0;
}
