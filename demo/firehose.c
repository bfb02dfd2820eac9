// SPDX-License-Identifier: Apache-2.0
/* The demo's firehose: a log of posts on disk that any number of cells follow, each from its own
 * place.
 *
 *     POST /append?user=N   stores the post in memcached and appends a line to the log:
 *                           "<post id> <user> <traceparent>\n"
 *     GET /read?offset=N    the log from byte N on, whole lines; waits up to a second for one.
 *                           &cell=C&taken=COUNT: who asks, and how many posts he has done
 */
#include <fcntl.h>
#include <libmemcached/memcached.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "demo/readers.h"
#include "demo/service.h"

enum { READ_MAX = 64 << 10 };

static uint16_t memcached_port;
static int log_fd;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t grown = PTHREAD_COND_INITIALIZER;
static off_t log_bytes;
static unsigned long next_id = 1;

static bool store(unsigned long id, const char *text, size_t length)
{
    char key[24];
    int key_length = snprintf(key, sizeof key, "post:%lu", id);
    struct memcached_st *memcached = service_memcached(memcached_port);
    weft_span span = weft_begin(WEFT_NAME("memcached set"), WEFT_CLIENT);
    weft_set_string(span, WEFT_NAME("db.system"), "memcached");
    weft_set_string(span, WEFT_NAME("peer.service"), "memcached");
    weft_set_string(span, WEFT_NAME("key"), key);
    weft_set_int(span, WEFT_NAME("bytes"), (int64_t)length);
    memcached_return_t result =
        memcached_set(memcached, key, (size_t)key_length, text, length, 0, 0);
    service_end(span, memcached_success(result) ? NULL : memcached_strerror(memcached, result));
    return memcached_success(result);
}

/* The log's line carries the producer span, so that deliveries hang under it. */
static bool publish(unsigned long id, long user)
{
    char line[128], traceparent[WEFT_TRACEPARENT_SIZE];
    WEFT_SCOPE(span, WEFT_NAME("publish"), WEFT_PRODUCER);
    weft_traceparent(span, traceparent);
    int length = snprintf(line, sizeof line, "%lu %ld %s\n", id, user, traceparent);
    pthread_mutex_lock(&mutex);
    bool written = write(log_fd, line, (size_t)length) == length;
    if (written) {
        log_bytes += length;
        readers_published();
    }
    weft_set_int(span, WEFT_NAME("offset"), log_bytes);
    pthread_cond_broadcast(&grown);
    pthread_mutex_unlock(&mutex);
    if (!written)
        weft_set_status(span, WEFT_ERROR, "the log cannot be written");
    return written;
}

static int append(struct service_request *request, struct buffer *answer)
{
    long user = service_query(request, "user", 0);
    pthread_mutex_lock(&mutex);
    unsigned long id = next_id++;
    pthread_mutex_unlock(&mutex);
    weft_set_int(request->span, WEFT_NAME("post.id"), (int64_t)id);
    if (user < 1 || !store(id, request->body, request->body_length) || !publish(id, user))
        return 500;
    buffer_printf(answer, "%lu\n", id);
    return 200;
}

static void wait_beyond(off_t offset)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    pthread_mutex_lock(&mutex);
    while (log_bytes <= offset && !service_ending() &&
           pthread_cond_timedwait(&grown, &mutex, &until) == 0)
        ;
    pthread_mutex_unlock(&mutex);
}

static int read_log(struct service_request *request, struct buffer *answer)
{
    off_t offset = service_query(request, "offset", 0);
    readers_read((unsigned)service_query(request, "cell", 0),
                 (unsigned long)service_query(request, "taken", 0));
    wait_beyond(offset);
    char *to = buffer_reserve(answer, READ_MAX);
    ssize_t n = to ? pread(log_fd, to, READ_MAX, offset) : -1;
    while (n > 0 && to[n - 1] != '\n')
        n--;
    answer->length += n > 0 ? (size_t)n : 0;
    weft_set_int(request->span, WEFT_NAME("bytes"), n);
    return n < 0 ? 500 : 200;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: weft-demo-firehose PORT MEMCACHED-PORT LOG\n");
        return 2;
    }
    memcached_port = (uint16_t)atoi(argv[2]);
    log_fd = open(argv[3], O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0) {
        perror(argv[3]);
        return 1;
    }
    log_bytes = lseek(log_fd, 0, SEEK_END);
    const struct service_route routes[] = {
        {"POST", "/append", WEFT_NAME("POST /append"), append},
        {"GET", "/read", WEFT_NAME("GET /read"), read_log},
    };
    return service_run((uint16_t)atoi(argv[1]), 8, routes, 2, NULL);
}
