// SPDX-License-Identifier: Apache-2.0
/* A file of exchanges in a directory of its own, and made-up exchanges whose fields follow from one
 * number, so that a torn one is known. */
#ifndef WEFT_TESTS_UNIT_EXCHANGE_EXCHANGES_H
#define WEFT_TESTS_UNIT_EXCHANGE_EXCHANGES_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/exchange/exchange_reader.h"
#include "lib/exchange/exchange_writer.h"
#include "lib/ring/guard.h"
#include "tests/unit/directory.h"

static char exchanges_directory[] = "/dev/shm/weft-exchanges-XXXXXX";
static char exchanges_path[64];
static int exchanges_fd; /* of the directory */
static struct exchange_writer *writer;
static struct exchange_reader *reader;
static char why[256];
static uint64_t begun_ns; /* later than the file's making: what is asked from here on is kept */

static inline struct exchange_connection connection_of(uint16_t client_port)
{
    struct exchange_connection c = {.client_port = client_port, .cache_port = 6379};
    memcpy(c.client_ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1", 16);
    memcpy(c.cache_ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\2", 16);
    return c;
}

/* The n-th of a connection, asked n nanoseconds after the beginning. */
static inline struct exchange exchange_of(uint64_t n)
{
    static char key[32];
    int length = snprintf(key, sizeof key, "k%c:%llu", (char)('a' + n % 26), (unsigned long long)n);
    return (struct exchange){.connection = 1,
                             .order = (uint32_t)n,
                             .asked_unix_ns = begun_ns + n,
                             .answered_unix_ns = begun_ns + 2 * n,
                             .done_unix_ns = begun_ns + 3 * n,
                             .request_bytes = (uint32_t)n,
                             .reply_bytes = (uint32_t)n,
                             .keys = n % 1000,
                             .hits = n % 1000,
                             .misses = n % 1000,
                             .ending = n % 4,
                             .failed = n % 2,
                             .key = (const uint8_t *)key,
                             .key_length = (size_t)length};
}

/* The number of a record as exchange_of made it; UINT64_MAX: it is none of them. */
static inline uint64_t number_of(const struct exchange_record *r)
{
    uint64_t n = r->asked_unix_ns - begun_ns;
    char pattern[EXCHANGE_PATTERN_BYTES];
    snprintf(pattern, sizeof pattern, "k%c:*", (char)('a' + n % 26));
    bool whole = r->order == (uint32_t)n && r->answered_unix_ns == begun_ns + 2 * n &&
                 r->done_unix_ns == begun_ns + 3 * n && r->request_bytes == (uint32_t)n &&
                 r->reply_bytes == (uint32_t)n && r->keys == n % 1000 && r->hits == n % 1000 &&
                 r->misses == n % 1000 && r->ending == n % 4 && r->failed == n % 2 &&
                 strcmp(r->pattern, pattern) == 0;
    return whole ? n : UINT64_MAX;
}

static inline void exchanges_add(uint16_t client_port, uint64_t n)
{
    struct exchange_connection c = connection_of(client_port);
    struct exchange e = exchange_of(n);
    exchange_writer_add(writer, &c, &e);
}

static inline int exchanges_begin(uint64_t bytes)
{
    guard_install();
    strcpy(strrchr(exchanges_directory, '-'), "-XXXXXX");
    if (!mkdtemp(exchanges_directory))
        return -1;
    snprintf(exchanges_path, sizeof exchanges_path, "%s/" EXCHANGE_FILE_NAME, exchanges_directory);
    exchanges_fd = open(exchanges_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    writer = exchange_writer_create(exchanges_path, bytes, why, sizeof why);
    begun_ns = clock_unix_ns() + 1;
    reader = writer ? exchange_reader_open(exchanges_fd, why, sizeof why) : NULL;
    return reader ? 0 : -1;
}

static inline int exchanges_end(void)
{
    exchange_reader_close(&reader);
    exchange_writer_destroy(&writer);
    close(exchanges_fd);
    return directory_remove(exchanges_directory);
}

#endif
