// SPDX-License-Identifier: Apache-2.0
/* nanomsg's raw REQ and REP sockets, as the link uses them.
 *
 * Raw sockets leave request ids to us, so several requests can be under way: in a raw REQ the
 * SP header of a message is its id (big-endian, top bit set); a raw REP gets it with the peer's
 * number in front and must send the same back. Nothing here blocks.
 */
#ifndef WEFT_LINK_SOCKET_H
#define WEFT_LINK_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINK_ROUTE_MAX = 32 };

/* The SP header: where a request came from and which it is. */
struct link_route {
    uint8_t bytes[LINK_ROUTE_MAX];
    size_t length;
};

struct link_route link_route_of_request(uint32_t id); /* the lower 31 bits count */
/* The id that an answer carries; false if its route is none. */
bool link_route_request(const struct link_route *route, uint32_t *id);

/* A socket with our limits and options set, for that address; -errno. `protocol`: NN_REQ, NN_REP,
 * NN_PUB, NN_SUB. */
int link_socket_open(int protocol, const char *address);

/* Sends up to two pieces as one message; nanomsg copies them. 0, or -errno: -EAGAIN where there
 * is no peer, or it is not ready for more. Of a REP, also when its peer is gone: 0. */
struct link_piece {
    const void *bytes;
    size_t length;
};
int link_socket_send(int socket, const struct link_route *route, const struct link_piece *pieces,
                     int count);

/* A received message; `bytes` is freed by link_message_fini. */
struct link_message {
    void *bytes;
    size_t length;
    struct link_route route;
};
/* 0, or -errno (-EAGAIN: none is here). */
int link_socket_receive(int socket, struct link_message *message);
void link_message_fini(struct link_message *message);

/* A descriptor that polls readable while the socket can be received from; -errno. */
int link_socket_receive_fd(int socket);

#endif
