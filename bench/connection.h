// SPDX-License-Identifier: Apache-2.0
/* A TCP connection within a benchmark, on loopback. */
#ifndef WEFT_BENCH_CONNECTION_H
#define WEFT_BENCH_CONNECTION_H

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* A connected socket, which nobody ever accepts. */
static inline int connection_make(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof in;
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&in, sizeof in) == 0 && listen(listener, 1) == 0 &&
        getsockname(listener, (struct sockaddr *)&in, &bytes) == 0 &&
        connect(fd, (struct sockaddr *)&in, sizeof in) == 0)
        return fd;
    perror("a connection on loopback");
    exit(1);
}

#endif
