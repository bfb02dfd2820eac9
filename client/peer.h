// SPDX-License-Identifier: Apache-2.0
/* Which TCP connection a descriptor is. Internal to libweft.
 *
 * A thread keeps both ends of each connection that it was asked about, by descriptor. A descriptor
 * may be closed and be another connection's a moment later, which nobody tells us; so each time the
 * kernel is asked for the socket's cookie, a number that no other socket ever has, and what is kept
 * counts only under the cookie under which it was read. That is one short system call instead of
 * three. Where the kernel has no cookies all of it is asked each time.
 *
 * A socket that is dissolved and connected again keeps its cookie: such a one is taken for its
 * first connection (connect(2), AF_UNSPEC; clients of caches do not). */
#ifndef WEFT_CLIENT_PEER_H
#define WEFT_CLIENT_PEER_H

#include <stdbool.h>

#include "lib/ring/slab.h"

/* Descriptors share places by their lower bits: the later takes it. */
enum { PEER_PLACES = 1024 };

struct peer_place {
    uint64_t cookie;       /* 0: nothing is kept here */
    struct slab_peer peer; /* peer_port 0: it is no TCP connection */
};

/* Both ends of the connected TCP socket `fd`; false where it is anything else. `places`: this
 * thread's. Takes no lock, allocates nothing; errno may change. */
bool peer_of(struct peer_place places[PEER_PLACES], int fd, struct slab_peer *out);

#endif
