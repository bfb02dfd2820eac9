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

enum kind { KIND_CONNECTION, KIND_NOT_YET, KIND_OTHER };

static enum kind ask(int fd, struct slab_peer *out)
{
    struct sockaddr_storage local, peer;
    socklen_t local_bytes = sizeof local, peer_bytes = sizeof peer, int_bytes = sizeof(int);
    int protocol = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &int_bytes) != 0 ||
        protocol != IPPROTO_TCP)
        return KIND_OTHER;
    return getpeername(fd, (struct sockaddr *)&peer, &peer_bytes) == 0 &&
                   getsockname(fd, (struct sockaddr *)&local, &local_bytes) == 0 &&
                   read_end(&local, out->local_ip, &out->local_port) &&
                   read_end(&peer, out->peer_ip, &out->peer_port)
               ? KIND_CONNECTION
               : KIND_NOT_YET;
}

/* 0: it is no socket, or the kernel has no cookies. */
static uint64_t cookie_of(int fd)
{
    uint64_t cookie;
    socklen_t bytes = sizeof cookie;
    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &bytes) == 0 ? cookie : 0;
}

/* What is not connected yet may be later, and is not kept. Nor is what another thread made of the
 * descriptor meanwhile. */
static enum kind ask_and_keep(struct peer_place *place, int fd, uint64_t cookie,
                              struct slab_peer *out)
{
    enum kind kind = ask(fd, out);
    if (kind == KIND_NOT_YET || cookie == 0 || cookie_of(fd) != cookie)
        return kind;
    *place = (struct peer_place){.cookie = cookie};
    if (kind == KIND_CONNECTION)
        place->peer = *out;
    return kind;
}

bool peer_of(struct peer_place places[PEER_PLACES], int fd, struct slab_peer *out)
{
    struct peer_place *place = &places[(unsigned)fd % PEER_PLACES];
    uint64_t cookie = cookie_of(fd);
    if (cookie == 0 || place->cookie != cookie)
        return ask_and_keep(place, fd, cookie, out) == KIND_CONNECTION;
    *out = place->peer;
    return place->peer.peer_port != 0;
}
