// SPDX-License-Identifier: Apache-2.0
#include "client/peer.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* One end, as a slab has it. */
static bool read_end(const struct sockaddr_storage *from, uint8_t ip[16], uint16_t *port)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)from;
        memcpy(ip, mapped, sizeof mapped);
        memcpy(ip + sizeof mapped, &in->sin_addr, 4);
        *port = ntohs(in->sin_port);
        return true;
    }
    if (from->ss_family != AF_INET6)
        return false;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
    memcpy(ip, &in6->sin6_addr, 16);
    *port = ntohs(in6->sin6_port);
    return true;
}

static bool is_tcp(int fd)
{
    int protocol = 0;
    socklen_t bytes = sizeof protocol;
    return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &bytes) == 0 &&
           protocol == IPPROTO_TCP;
}

bool peer_of(int fd, struct slab_peer *out)
{
    struct sockaddr_storage local, peer;
    socklen_t local_bytes = sizeof local, peer_bytes = sizeof peer;
    return is_tcp(fd) && getpeername(fd, (struct sockaddr *)&peer, &peer_bytes) == 0 &&
           getsockname(fd, (struct sockaddr *)&local, &local_bytes) == 0 &&
           read_end(&local, out->local_ip, &out->local_port) &&
           read_end(&peer, out->peer_ip, &out->peer_port);
}
