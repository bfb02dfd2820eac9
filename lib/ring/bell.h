// SPDX-License-Identifier: Apache-2.0
/* The bell: a datagram to the agent's socket in the slab directory, sent when a ring is half
 * full, at most once per sweep. It carries nothing; the agent sweeps at once. */
#ifndef WEFT_RING_BELL_H
#define WEFT_RING_BELL_H

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BELL_NAME      "agent.bell"
#define BELL_DIRECTORY "/run/weft"
#define BELL_PATH_MAX  (sizeof((struct sockaddr_un *)0)->sun_path)

/* 0, or -1 where the path is too long for a socket's. */
static inline int bell_address(const char *directory, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n = snprintf(address->sun_path, BELL_PATH_MAX, "%s/" BELL_NAME,
                     directory && *directory ? directory : BELL_DIRECTORY);
    return n > 0 && (size_t)n < BELL_PATH_MAX ? 0 : -1;
}

/* Never waits; nobody may be listening. No descriptor is kept in the service. */
static inline void bell_ring(const char *directory)
{
    struct sockaddr_un address;
    if (bell_address(directory, &address) != 0)
        return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address,
                 sizeof address);
    close(fd);
}

#endif
