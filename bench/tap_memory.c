// SPDX-License-Identifier: Apache-2.0
/* What it costs the tap to remember an exchange, and the agent to find some. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/measure.h"
#include "lib/base/clock.h"
#include "lib/exchange/exchange_reader.h"
#include "lib/exchange/exchange_writer.h"
#include "lib/ring/guard.h"

enum { EXCHANGES = 2000000, FINDS = 20000, REPEATS = 5, FOUND_MOST = 64 };
#define APART_NS UINT64_C(1000) /* a million exchanges a second */

static char directory[] = "/dev/shm/weft-bench-XXXXXX";
static char path[64], why[256];
static uint64_t now_ns;

static struct exchange_connection connection_of(uint32_t n)
{
    struct exchange_connection c = {.client_port = (uint16_t)n, .cache_port = 6379};
    memcpy(c.client_ip, &n, sizeof n);
    return c;
}

static void add(struct exchange_writer *w, uint32_t connections, uint32_t n)
{
    struct exchange_connection c = connection_of(n % connections);
    now_ns += APART_NS;
    exchange_writer_add(w, &c,
                        &(struct exchange){.connection = n % connections,
                                           .order = n / connections,
                                           .asked_unix_ns = now_ns,
                                           .answered_unix_ns = now_ns + 20000,
                                           .done_unix_ns = now_ns + 21000,
                                           .request_bytes = 40,
                                           .reply_bytes = 120,
                                           .keys = 1,
                                           .hits = 1,
                                           .command = 1,
                                           .key = (const uint8_t *)"user:1234567:inbox",
                                           .key_length = 18});
}

static double find(struct exchange_reader *r, uint32_t connections)
{
    static struct exchange_record found[FOUND_MOST];
    double begun = measure_cpu_ns();
    bool complete;
    for (uint32_t i = 0; i < FINDS; i++) {
        struct exchange_connection c = connection_of(i % connections);
        exchange_reader_find(r, &c, now_ns - 10 * connections * APART_NS, now_ns, found, FOUND_MOST,
                             &complete);
    }
    return (measure_cpu_ns() - begun) / FINDS;
}

static void measure(uint32_t connections)
{
    double adding[REPEATS], finding[REPEATS];
    for (int i = 0; i < REPEATS; i++) {
        struct exchange_writer *w = exchange_writer_create(path, 64 << 20, why, sizeof why);
        int fd = open(directory, O_RDONLY | O_DIRECTORY);
        struct exchange_reader *r = w ? exchange_reader_open(fd, why, sizeof why) : NULL;
        if (!r) {
            fprintf(stderr, "%s\n", why);
            exit(1);
        }
        now_ns = clock_unix_ns();
        double begun = measure_cpu_ns();
        for (uint32_t n = 0; n < EXCHANGES; n++)
            add(w, connections, n);
        adding[i] = (measure_cpu_ns() - begun) / EXCHANGES;
        finding[i] = find(r, connections);
        exchange_reader_close(&r);
        exchange_writer_destroy(&w);
        close(fd);
    }
    printf("| %u | %.0f | %.1f |\n", connections, measure_quantile(adding, REPEATS, 0.5),
           measure_quantile(finding, REPEATS, 0.5) / 1e3);
}

int main(void)
{
    static const uint32_t connections[] = {1, 100, 16384};
    guard_install();
    if (!mkdtemp(directory))
        return 1;
    snprintf(path, sizeof path, "%s/" EXCHANGE_FILE_NAME, directory);
    printf("64 MiB, %d exchanges, medians of %d\n\n"
           "| connections | ns to remember an exchange | µs to find the last ten of one |\n"
           "| ---: | ---: | ---: |\n",
           EXCHANGES, REPEATS);
    for (size_t i = 0; i < sizeof connections / sizeof connections[0]; i++)
        measure(connections[i]);
    rmdir(directory);
    return 0;
}
