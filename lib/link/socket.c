// SPDX-License-Identifier: Apache-2.0
#include "lib/link/socket.h"

#include <errno.h>
#include <nanomsg/nn.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/tcp.h>
#include <string.h>

#include "lib/link/link.h"

enum { CONTROL_BYTES = 128, REQUEST_ID_BYTES = 4 };
#define REQUEST_BIT 0x80000000u

_Static_assert(NN_CMSG_SPACE(sizeof(size_t) + LINK_ROUTE_MAX) <= CONTROL_BYTES, "room for a route");

struct link_route link_route_of_request(uint32_t id)
{
    id |= REQUEST_BIT;
    return (struct link_route){
        .bytes = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id},
        .length = REQUEST_ID_BYTES};
}

bool link_route_request(const struct link_route *route, uint32_t *id)
{
    const uint8_t *b = route->bytes;
    if (route->length != REQUEST_ID_BYTES || !(b[0] & 0x80))
        return false;
    *id = ((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]) & ~REQUEST_BIT;
    return true;
}

int link_socket_open(int protocol, const char *address)
{
    bool raw = protocol == NN_REQ || protocol == NN_REP;
    int socket = nn_socket(raw ? AF_SP_RAW : AF_SP, protocol);
    if (socket < 0)
        return -nn_errno();
    /* nanomsg aborts the program where IPv6 is allowed and the address is an IPv4 one. */
    int largest = LINK_MESSAGE_MAX, on = 1, v4_only = !strchr(address, '[');
    if (nn_setsockopt(socket, NN_SOL_SOCKET, NN_RCVMAXSIZE, &largest, sizeof largest) < 0 ||
        nn_setsockopt(socket, NN_SOL_SOCKET, NN_IPV4ONLY, &v4_only, sizeof v4_only) < 0 ||
        nn_setsockopt(socket, NN_TCP, NN_TCP_NODELAY, &on, sizeof on) < 0) {
        int error = -nn_errno();
        nn_close(socket);
        return error;
    }
    return socket;
}

/* nanomsg 1.1's form of an SP header: a size_t, then so many bytes. */
static size_t write_control(uint8_t control[CONTROL_BYTES], const struct link_route *route)
{
    size_t length = NN_CMSG_SPACE(sizeof(size_t) + route->length);
    struct nn_cmsghdr header = {
        .cmsg_len = NN_CMSG_LEN(sizeof(size_t) + route->length),
        .cmsg_level = PROTO_SP,
        .cmsg_type = SP_HDR,
    };
    memset(control, 0, CONTROL_BYTES);
    memcpy(control, &header, sizeof header);
    uint8_t *data = control + NN_CMSG_LEN(0);
    memcpy(data, &route->length, sizeof route->length);
    memcpy(data + sizeof(size_t), route->bytes, route->length);
    return length;
}

static bool read_control(const uint8_t *control, size_t length, struct link_route *route)
{
    struct nn_cmsghdr header;
    size_t data = NN_CMSG_LEN(0), route_length;
    if (length < data + sizeof route_length)
        return false;
    memcpy(&header, control, sizeof header);
    memcpy(&route_length, control + data, sizeof route_length);
    if (header.cmsg_level != PROTO_SP || header.cmsg_type != SP_HDR ||
        route_length > sizeof route->bytes || route_length > length - data - sizeof route_length)
        return false;
    memcpy(route->bytes, control + data + sizeof route_length, route_length);
    route->length = route_length;
    return true;
}

int link_socket_send(int socket, const struct link_route *route, const struct link_piece *pieces,
                     int count)
{
    _Alignas(16) uint8_t control[CONTROL_BYTES];
    struct nn_iovec parts[2];
    if (count > 2)
        return -EINVAL;
    for (int i = 0; i < count; i++)
        parts[i] = (struct nn_iovec){(void *)pieces[i].bytes, pieces[i].length};
    struct nn_msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    if (route) {
        message.msg_control = control;
        message.msg_controllen = write_control(control, route);
    }
    return nn_sendmsg(socket, &message, NN_DONTWAIT) < 0 ? -nn_errno() : 0;
}

int link_socket_receive(int socket, struct link_message *message)
{
    _Alignas(16) uint8_t control[CONTROL_BYTES];
    void *bytes = NULL;
    struct nn_iovec part = {&bytes, NN_MSG};
    struct nn_msghdr header = {.msg_iov = &part,
                               .msg_iovlen = 1,
                               .msg_control = control,
                               .msg_controllen = sizeof control};
    memset(control, 0, sizeof control);
    int length = nn_recvmsg(socket, &header, NN_DONTWAIT);
    if (length < 0)
        return -nn_errno();
    *message = (struct link_message){.bytes = bytes, .length = (size_t)length};
    if (!read_control(control, sizeof control, &message->route))
        message->route.length = 0; /* PUB/SUB has none */
    return 0;
}

void link_message_fini(struct link_message *message)
{
    if (message->bytes)
        nn_freemsg(message->bytes);
    message->bytes = NULL;
}

int link_socket_receive_fd(int socket)
{
    int fd = -1;
    size_t size = sizeof fd;
    return nn_getsockopt(socket, NN_SOL_SOCKET, NN_RCVFD, &fd, &size) < 0 ? -nn_errno() : fd;
}
