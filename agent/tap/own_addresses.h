// SPDX-License-Identifier: Apache-2.0
/* The addresses of this host, as its interfaces have them now; those of loopback are always its
 * own. One thread. */
#ifndef WEFT_AGENT_TAP_OWN_ADDRESSES_H
#define WEFT_AGENT_TAP_OWN_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct own_addresses {
    uint8_t (*ips)[16]; /* IPv4 as ::ffff:a.b.c.d */
    size_t count;
};

/* Asks the kernel anew. -1: it cannot be asked (errno), and the list is as it was. */
int own_addresses_read(struct own_addresses *own);
void own_addresses_fini(struct own_addresses *own);

bool own_addresses_has(const struct own_addresses *own, const uint8_t ip[16]);

#endif
