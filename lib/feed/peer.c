// SPDX-License-Identifier: Apache-2.0
#include "lib/feed/peer.h"

#include <sys/socket.h>

bool feed_peer_uid(int socket, uid_t *uid)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return false;
    *uid = peer.uid;
    return true;
}
