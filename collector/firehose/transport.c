// SPDX-License-Identifier: Apache-2.0
#include "collector/firehose/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SEND_BUFFER_BYTES = 512 << 10 }; /* the kernel doubles it, for its own bookkeeping */
enum { STATE_CLOSE = 7, STATE_CLOSE_WAIT = 8, STATE_LAST_ACK = 9 };

struct socket_transport {
    int fd;
    uint64_t received; /* when the stream began */
};

/* False where the socket is none of TCP. */
static bool read_info(int fd, struct tcp_info *info)
{
    socklen_t length = sizeof *info;
    memset(info, 0, sizeof *info);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &length) == 0;
}

static uint64_t socket_unacknowledged(void *context)
{
    struct socket_transport *s = context;
    int bytes = 0;
    return ioctl(s->fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? (uint64_t)bytes : 0;
}

static enum transport_peer by_hangup(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got > 0 || (got < 0 && errno == EAGAIN) ? PEER_THERE : PEER_BROKE;
}

static enum transport_peer socket_peer(void *context)
{
    struct socket_transport *s = context;
    struct tcp_info info;
    if (!read_info(s->fd, &info))
        return by_hangup(s->fd);
    if (info.tcpi_state == STATE_CLOSE_WAIT || info.tcpi_state == STATE_LAST_ACK)
        return PEER_LEFT;
    if (info.tcpi_state != STATE_CLOSE)
        return PEER_THERE;
    return info.tcpi_bytes_received == s->received + 1 ? PEER_LEFT : PEER_BROKE;
}

static void socket_cut(void *context)
{
    struct socket_transport *s = context;
    shutdown(s->fd, SHUT_RDWR);
}

static void socket_release(void *context)
{
    struct socket_transport *s = context;
    close(s->fd);
    free(s);
}

int transport_of_socket(struct transport *t, int fd)
{
    struct tcp_info info;
    struct socket_transport *s = malloc(sizeof *s);
    if (!s)
        return -1;
    s->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (s->fd < 0) {
        free(s);
        return -1;
    }
    int buffer = SEND_BUFFER_BYTES;
    setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    s->received = read_info(s->fd, &info) ? info.tcpi_bytes_received : 0;
    *t = (struct transport){socket_unacknowledged, socket_peer, socket_cut, socket_release, s};
    return 0;
}

/* ---- unknown ----------------------------------------------------------------------------- */

static uint64_t none_unacknowledged(void *context)
{
    (void)context;
    return 0;
}

static enum transport_peer always_there(void *context)
{
    (void)context;
    return PEER_THERE;
}

static void nothing(void *context)
{
    (void)context;
}

struct transport transport_unknown(void)
{
    return (struct transport){none_unacknowledged, always_there, nothing, nothing, NULL};
}
