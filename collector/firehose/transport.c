// SPDX-License-Identifier: Apache-2.0
#include "collector/firehose/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SEND_BUFFER_BYTES = 512 << 10 }; /* the kernel doubles it, for its own bookkeeping */
enum { STATE_CLOSE = 7, STATE_CLOSE_WAIT = 8, STATE_LAST_ACK = 9 };
enum { CALM_MOST = 8 };

struct socket_transport {
    int fd;
    uint64_t received;   /* when the stream began */
    uint64_t window_max; /* offered so far */
};

/* False where the socket is none of TCP. */
static bool read_info(int fd, struct tcp_info *info)
{
    socklen_t length = sizeof *info;
    memset(info, 0, sizeof *info);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &length) == 0;
}

static enum transport_peer peer_of(const struct socket_transport *s, const struct tcp_info *info)
{
    if (info->tcpi_state == STATE_CLOSE_WAIT || info->tcpi_state == STATE_LAST_ACK)
        return PEER_LEFT;
    if (info->tcpi_state != STATE_CLOSE)
        return PEER_THERE;
    return info->tcpi_bytes_received == s->received + 1 ? PEER_LEFT : PEER_BROKE;
}

/* A window grows between two looks, and a buffer holds more than the window that is offered: so
 * generously that it is too much rather than too little. */
static uint64_t unread_most(const struct socket_transport *s)
{
    uint64_t most = 4 * s->window_max; /* 0: a kernel that does not tell */
    if (most == 0 || most > TRANSPORT_UNREAD_MOST)
        return TRANSPORT_UNREAD_MOST;
    return most > TRANSPORT_UNREAD_LEAST ? most : TRANSPORT_UNREAD_LEAST;
}

static void socket_look(void *context, struct transport_state *state)
{
    struct socket_transport *s = context;
    struct tcp_info info, after;
    int queued = 0;
    read_info(s->fd, &info);
    for (int i = 0; i < CALM_MOST; i++) { /* so that the two numbers are of one moment */
        ioctl(s->fd, SIOCOUTQ, &queued);
        read_info(s->fd, &after);
        bool calm = after.tcpi_bytes_acked == info.tcpi_bytes_acked;
        info = after;
        if (calm)
            break;
    }
    if (info.tcpi_snd_wnd > s->window_max)
        s->window_max = info.tcpi_snd_wnd;
    *state = (struct transport_state){
        .peer = peer_of(s, &info),
        .acknowledged = info.tcpi_bytes_acked,
        .unacknowledged = queued > 0 ? (uint64_t)queued : 0,
        .unread_most = unread_most(s),
    };
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
    *t = transport_unknown();
    if (!read_info(fd, &info))
        return 0;
    struct socket_transport *s = malloc(sizeof *s);
    if (!s)
        return -1;
    *s = (struct socket_transport){
        .fd = fcntl(fd, F_DUPFD_CLOEXEC, 0),
        .received = info.tcpi_bytes_received,
        .window_max = info.tcpi_snd_wnd,
    };
    if (s->fd < 0) {
        free(s);
        return -1;
    }
    int buffer = SEND_BUFFER_BYTES;
    setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    *t = (struct transport){socket_look, socket_cut, socket_release, s, true};
    return 0;
}

/* ---- unknown ----------------------------------------------------------------------------- */

static void look_at_nothing(void *context, struct transport_state *state)
{
    (void)context;
    *state = (struct transport_state){.unread_most = TRANSPORT_UNREAD_MOST};
}

static void nothing(void *context)
{
    (void)context;
}

struct transport transport_unknown(void)
{
    return (struct transport){look_at_nothing, nothing, nothing, NULL, false};
}
