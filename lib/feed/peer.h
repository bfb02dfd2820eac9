// SPDX-License-Identifier: Apache-2.0
/* Who is at the other end of a Unix socket. */
#ifndef WEFT_FEED_PEER_H
#define WEFT_FEED_PEER_H

#include <stdbool.h>
#include <sys/types.h>

/* The user whose process connected, or listened. False: the kernel does not say. */
bool feed_peer_uid(int socket, uid_t *uid);

#endif
