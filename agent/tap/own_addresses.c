// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/own_addresses.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool read_ip(const struct sockaddr *from, uint8_t ip[16])
{
    if (from && from->sa_family == AF_INET) {
        memcpy(ip, mapped, sizeof mapped);
        memcpy(ip + sizeof mapped, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
        return true;
    }
    if (!from || from->sa_family != AF_INET6)
        return false;
    memcpy(ip, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, 16);
    return true;
}

int own_addresses_read(struct own_addresses *own)
{
    struct ifaddrs *list, *one;
    size_t most = 0;
    if (getifaddrs(&list) != 0)
        return -1;
    for (one = list; one; one = one->ifa_next)
        most++;
    uint8_t(*ips)[16] = calloc(most ? most : 1, sizeof *ips);
    if (!ips) {
        freeifaddrs(list);
        return -1;
    }
    size_t count = 0;
    for (one = list; one; one = one->ifa_next)
        count += read_ip(one->ifa_addr, ips[count]);
    freeifaddrs(list);
    free(own->ips);
    own->ips = ips;
    own->count = count;
    return 0;
}

void own_addresses_fini(struct own_addresses *own)
{
    free(own->ips);
    *own = (struct own_addresses){0};
}

bool own_addresses_has(const struct own_addresses *own, const uint8_t ip[16])
{
    static const uint8_t loopback[16] = {[15] = 1};
    if (memcmp(ip, loopback, sizeof loopback) == 0 ||
        (memcmp(ip, mapped, sizeof mapped) == 0 && ip[12] == 127))
        return true;
    for (size_t i = 0; i < own->count; i++)
        if (memcmp(own->ips[i], ip, sizeof own->ips[i]) == 0)
            return true;
    return false;
}
