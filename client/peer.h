// SPDX-License-Identifier: Apache-2.0
/* Which TCP connection a descriptor is. Internal to libweft. */
#ifndef WEFT_CLIENT_PEER_H
#define WEFT_CLIENT_PEER_H

#include <stdbool.h>

#include "lib/ring/slab.h"

/* Both ends of the connected TCP socket `fd`; false where it is anything else. Makes one system
 * call where the descriptor is known, no allocation, takes no lock; errno may change. */
bool peer_of(int fd, struct slab_peer *out);

#endif
