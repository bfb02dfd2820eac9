// SPDX-License-Identifier: Apache-2.0
#include "lib/link/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The host of "tcp://HOST:PORT" without an IPv6 address's brackets; false where it is no such
 * address. nanomsg's "INTERFACE;HOST:PORT" is none. */
static bool split(const char *address, char *host, size_t size)
{
    static const char scheme[] = "tcp://";
    if (strncmp(address, scheme, sizeof scheme - 1) != 0 || strchr(address, ';'))
        return false;
    address += sizeof scheme - 1;
    const char *colon = strrchr(address, ':');
    if (!colon || colon == address)
        return false;
    const char *port = colon + 1;
    size_t digits = strspn(port, "0123456789");
    if (digits == 0 || digits > 5 || port[digits] || atoi(port) < 1 || atoi(port) > 65535)
        return false;
    size_t length = (size_t)(colon - address);
    if (address[0] == '[' && length > 2 && address[length - 1] == ']') {
        address++;
        length -= 2;
    }
    if (length >= size)
        return false;
    memcpy(host, address, length);
    host[length] = '\0';
    return true;
}

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (strcmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool link_address_check(const char *address, bool loopback_only, char *why, size_t why_size)
{
    char host[256];
    if (!split(address, host, sizeof host)) {
        snprintf(why, why_size, "found \"%s\", expected an address such as tcp://127.0.0.1:4042",
                 address);
        return false;
    }
    if (loopback_only && !is_loopback(host)) {
        snprintf(why, why_size,
                 "%s is beyond this host, and without keys the link is open: make keys (weft "
                 "keygen) or use an address of 127.0.0.1",
                 address);
        return false;
    }
    return true;
}
