// SPDX-License-Identifier: Apache-2.0
/* Addresses of the link: "tcp://HOST:PORT". */
#ifndef WEFT_LINK_ADDRESS_H
#define WEFT_LINK_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether it can be used; else false with a sentence in `why`. Where `loopback_only`, the host
 * must be 127.x.y.z, [::1] or localhost: an open link goes nowhere else. */
bool link_address_check(const char *address, bool loopback_only, char *why, size_t why_size);

#endif
