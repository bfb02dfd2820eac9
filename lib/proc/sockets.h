// SPDX-License-Identifier: Apache-2.0
/* Which sockets there are in a network namespace, by inode, as /proc/PID/net tells; and which of
 * them a process has open. A descriptor of another user's process is seen with CAP_SYS_PTRACE
 * alone.
 *
 * One thread for each struct. Memory is bounded: of PROC_SOCKETS_MAX sockets. */
#ifndef WEFT_PROC_SOCKETS_H
#define WEFT_PROC_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROC_SOCKETS_MAX = 1 << 20 };

enum proc_socket_kind {
    PROC_TCP_ESTABLISHED,
    PROC_TCP_LISTENING,
    PROC_TCP_OTHER, /* opening, closing, or half closed */
    PROC_UDP,
    PROC_UNIX,
    PROC_UNIX_LISTENING,
    PROC_SOCKET_KINDS
};

struct proc_socket_counts {
    uint32_t by_kind[PROC_SOCKET_KINDS];
};

struct proc_socket {
    uint64_t inode;
    uint16_t port; /* of its own, of TCP and UDP */
    uint8_t kind;  /* enum proc_socket_kind */
};

/* Zeroed memory is an empty one. */
struct proc_sockets {
    struct proc_socket *list; /* by inode, once sorted */
    size_t count, capacity;
};

void proc_sockets_fini(struct proc_sockets *s);
/* Those of the namespace in which `pid` lives, in place of what was there. `all`: UDP, too. False:
 * some of it could not be read. */
bool proc_sockets_read(struct proc_sockets *s, uint32_t pid, bool all);
const struct proc_socket *proc_sockets_find(const struct proc_sockets *s, uint64_t inode);

/* Adds the sockets in the text of a file of /proc/net: "tcp", "tcp6", "udp", "udp6" or "unix". What
 * is malformed is passed over. False: no memory. */
bool proc_sockets_add(struct proc_sockets *s, const char *file, const char *text);
void proc_sockets_sort(struct proc_sockets *s);

/* Calls `visit` with the inode of each socket that the process has open; at most `most` descriptors
 * are looked at. False: they cannot be seen. */
bool proc_sockets_of(uint32_t pid, size_t most, void (*visit)(void *context, uint64_t inode),
                     void *context);

#endif
