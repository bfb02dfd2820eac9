// SPDX-License-Identifier: Apache-2.0
/* A client of a memcached that asks as fast as answers come: 16 connections in turn, gets of so
 * many keys.
 *
 *     bench_tap_client PORT COMMANDS KEYS
 *
 * Prints {"perSecond", "p50", "p99"}, milliseconds. Half of the keys are there. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/measure.h"

enum { CONNECTIONS = 16, KEYS = 10000, REQUEST_MOST = 4096, REPLY_MOST = 64 << 10 };

struct connection {
    int fd;
    double asked_ns;
    char tail[8]; /* of what was read: "END\r\n" ends a reply */
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int dial(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void say(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, text, length);
        if (n < 0)
            fail("write");
        text += n;
        length -= (size_t)n;
    }
}

static void fill(uint16_t port)
{
    char line[128], reply[REPLY_MOST];
    int fd = dial(port);
    for (int i = 0; i < KEYS; i += 2) {
        int n = snprintf(line, sizeof line, "set user:%d:feed 0 0 32\r\n%032d\r\n", i, i);
        say(fd, line, (size_t)n);
        if (read(fd, reply, sizeof reply) <= 0)
            fail("read");
    }
    close(fd);
}

static void ask(struct connection *c, unsigned *seed, int keys)
{
    char request[REQUEST_MOST];
    int n = snprintf(request, sizeof request, "get");
    for (int i = 0; i < keys; i++) {
        *seed = *seed * 1103515245U + 12345U;
        n +=
            snprintf(request + n, sizeof request - (size_t)n, " user:%u:feed", (*seed >> 8) % KEYS);
    }
    n += snprintf(request + n, sizeof request - (size_t)n, "\r\n");
    c->asked_ns = measure_wall_ns();
    say(c->fd, request, (size_t)n);
}

/* Whether the reply is whole now. */
static int hear(struct connection *c)
{
    static const char end[] = "END\r\n";
    char reply[REPLY_MOST];
    ssize_t n = read(c->fd, reply, sizeof reply);
    if (n <= 0)
        fail("read");
    for (ssize_t i = n > 5 ? n - 5 : 0; i < n; i++) {
        memmove(c->tail, c->tail + 1, 4);
        c->tail[4] = reply[i];
    }
    return memcmp(c->tail, end, 5) == 0;
}

int main(int argc, char **argv)
{
    struct connection connections[CONNECTIONS];
    struct pollfd polls[CONNECTIONS];
    if (argc != 4)
        return 2;
    uint16_t port = (uint16_t)atoi(argv[1]);
    size_t commands = strtoul(argv[2], NULL, 10), asked = 0, answered = 0;
    int keys = atoi(argv[3]);
    unsigned seed = 1;
    double *took = calloc(commands, sizeof *took);
    if (!took || keys < 1 || keys > 100)
        return 2;
    fill(port);
    double begun = measure_wall_ns();
    for (int i = 0; i < CONNECTIONS; i++, asked++) {
        connections[i] = (struct connection){.fd = dial(port)};
        polls[i] = (struct pollfd){.fd = connections[i].fd, .events = POLLIN};
        ask(&connections[i], &seed, keys);
    }
    while (answered < commands) {
        if (poll(polls, CONNECTIONS, 10000) <= 0)
            fail("poll");
        for (int i = 0; i < CONNECTIONS && answered < commands; i++) {
            if (!polls[i].revents || !hear(&connections[i]))
                continue;
            took[answered++] = measure_wall_ns() - connections[i].asked_ns;
            if (asked < commands + CONNECTIONS) {
                ask(&connections[i], &seed, keys);
                asked++;
            }
        }
    }
    double seconds = (measure_wall_ns() - begun) / 1e9;
    printf("{\"perSecond\":%.0f,\"p50\":%.4f,\"p99\":%.4f}\n", (double)commands / seconds,
           measure_quantile(took, commands, 0.5) / 1e6,
           measure_quantile(took, commands, 0.99) / 1e6);
    free(took);
    return 0;
}
