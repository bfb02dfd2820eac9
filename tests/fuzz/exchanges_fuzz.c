// SPDX-License-Identifier: Apache-2.0
/* A file of exchanges by a hostile hand: a small good one is made, then the input overwrites pieces
 * of it (and may shrink it) before and after it is opened. The reader must end, and say only texts
 * that can be printed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/exchange/exchange_file.h"
#include "lib/exchange/exchange_reader.h"
#include "lib/exchange/exchange_writer.h"
#include "lib/ring/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES = 1 << 20, CONNECTIONS = 3, MOST = 32 };

static char directory[] = "/dev/shm/weft-fuzz-XXXXXX";
static char path[64];
static int directory_fd;
static struct exchange_file known; /* where things are in the good one */
static char *good;

static void check(bool fine)
{
    if (!fine)
        abort();
}

static struct exchange_connection connection_of(unsigned i)
{
    return (struct exchange_connection){{1}, {2}, (uint16_t)(40000 + i), 6379};
}

static void fill(struct exchange_writer *w)
{
    const struct exchange_address caches[2] = {{{1}, 6379}, {{2}, 11211}};
    uint16_t get = exchange_writer_word(w, "redis", "get");
    uint16_t error = exchange_writer_word(w, "", "WRONGTYPE");
    exchange_writer_caches(w, caches, 2);
    exchange_writer_seen(w, 1);
    for (unsigned i = 0; i < 300; i++) {
        struct exchange_connection c = connection_of(i % CONNECTIONS);
        struct exchange e = {.order = i,
                             .asked_unix_ns = UINT64_MAX / 2 + i,
                             .command = get,
                             .error = error,
                             .key = (const uint8_t *)"user:4711\n",
                             .key_length = 10};
        exchange_writer_add(w, &c, &e);
    }
}

static void remove_directory(void)
{
    unlink(path);
    rmdir(directory);
}

static void make_good_one(void)
{
    char why[256];
    if (good)
        return;
    check(mkdtemp(directory));
    atexit(remove_directory);
    guard_install();
    snprintf(path, sizeof path, "%s/" EXCHANGE_FILE_NAME, directory);
    directory_fd = open(directory, O_RDONLY | O_DIRECTORY);
    struct exchange_writer *w = exchange_writer_create(path, BYTES, why, sizeof why);
    check(w);
    fill(w);
    int fd = open(path, O_RDONLY);
    good = malloc(BYTES);
    check(good && pread(fd, good, BYTES, 0) == BYTES);
    close(fd);
    memcpy(&known, good, sizeof known);
    exchange_writer_destroy(&w);
}

/* The parts that a reader looks at: the header, words, caches, one set, the records in use. */
static size_t place_of(unsigned choice, unsigned within)
{
    struct exchange_connection c = connection_of(choice / 8 % CONNECTIONS);
    const size_t parts[][2] = {
        {0, sizeof known},
        {known.words_offset, 3 * sizeof(struct exchange_word)},
        {known.caches_offset, 3 * sizeof(struct exchange_cache)},
        {known.sets_offset + exchange_set_of(&c, known.seed, known.set_count) * EXCHANGE_WAYS *
                                 sizeof(struct exchange_way),
         EXCHANGE_WAYS * sizeof(struct exchange_way)},
        {known.records_offset, 300 * sizeof(struct exchange_slot)},
    };
    const size_t *part = parts[choice % 8 % 5];
    return part[0] + within % part[1];
}

/* Pieces: which part, where in it (2 bytes), how long, the bytes. */
static void damage(char *file, const uint8_t *data, size_t size)
{
    while (size > 4) {
        size_t at = place_of(data[0], data[1] | (unsigned)data[2] << 8), length = data[3] % 17;
        data += 4;
        size -= 4;
        length = length < size ? length : size;
        memcpy(file + at, data, length);
        data += length;
        size -= length;
    }
}

static void check_text(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    check(length < size);
    for (size_t i = 0; i < length; i++)
        check(text[i] >= ' ' && text[i] <= '~');
}

static void find_all(struct exchange_reader *r)
{
    static struct exchange_record found[MOST];
    for (unsigned i = 0; i <= CONNECTIONS; i++) {
        struct exchange_connection c = connection_of(i);
        bool complete;
        size_t count = exchange_reader_find(r, &c, 0, UINT64_MAX, found, MOST, &complete);
        check(count <= MOST);
        for (size_t k = 0; k < count; k++) {
            check_text(found[k].protocol, sizeof found[k].protocol);
            check_text(found[k].command, sizeof found[k].command);
            check_text(found[k].error, sizeof found[k].error);
            check_text(found[k].pattern, sizeof found[k].pattern);
            check(found[k].ending <= EXCHANGE_WITHDRAWN);
        }
    }
}

static void read_all(struct exchange_reader *r)
{
    struct exchange_address list[4];
    find_all(r);
    check(exchange_reader_caches(r, list, 4) <= 4);
    exchange_reader_caches_generation(r);
    exchange_reader_seen_unix_ns(r);
    check(!exchange_reader_is_current(r)); /* nobody has its lock */
}

static char *map_good_one(int fd)
{
    check(ftruncate(fd, 0) == 0 && ftruncate(fd, BYTES) == 0);
    char *file = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(file != MAP_FAILED);
    memcpy(file, good, known.records_offset + 300 * sizeof(struct exchange_slot));
    return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[256];
    make_good_one();
    if (size < 1)
        return 0;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    check(fd >= 0);
    char *file = map_good_one(fd);
    if (data[0] & 1)
        damage(file, data + 1, size - 1);
    struct exchange_reader *r = exchange_reader_open(directory_fd, why, sizeof why);
    check(r || (data[0] & 1));
    if (r) {
        damage(file, data + 1, size - 1);
        read_all(r);
        if (data[0] & 2)
            check(ftruncate(fd, (data[0] >> 2) * 4096) == 0);
        read_all(r);
    }
    exchange_reader_close(&r);
    munmap(file, BYTES);
    close(fd);
    return 0;
}
