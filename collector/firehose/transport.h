// SPDX-License-Identifier: Apache-2.0
/* What a stream must know of the connection that it goes out by: how much has arrived, and how it
 * ended. */
#ifndef WEFT_COLLECTOR_FIREHOSE_TRANSPORT_H
#define WEFT_COLLECTOR_FIREHOSE_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

enum transport_peer {
    PEER_THERE,
    PEER_LEFT,  /* it closed in order: what it acknowledged, it has read */
    PEER_BROKE, /* it is gone, and has not read all that it acknowledged */
};

struct transport_state {
    enum transport_peer peer;
    uint64_t
        acknowledged; /* bytes of the connection that the other side has, counted from anywhere */
    uint64_t unacknowledged; /* bytes that were written behind those */
    uint64_t unread_most;    /* of those acknowledged: what may lie unread in a buffer over there */
};

/* Nothing here waits; any thread, one at a time. */
struct transport {
    void (*look)(void *context, struct transport_state *state);
    /* Breaks the connection, so that whoever writes to it gives up. */
    void (*cut)(void *context);
    void (*release)(void *context);
    void *context;
    bool counts; /* it tells `acknowledged`; else only what is behind the stream's own bytes */
};

/* The most that may be unread, where no more is known: Linux lets a socket's buffer grow to that
 * (tcp_rmem). */
enum { TRANSPORT_UNREAD_LEAST = 1 << 20, TRANSPORT_UNREAD_MOST = 32 << 20 };

/* Of a TCP socket: by a duplicate of its own, so that it may be asked to the last. The kernel's
 * buffer for it is bounded here too, as what is in it costs memory (and marks). -1 with errno set.
 *
 *   acknowledged   tcpi_bytes_acked: by the other side's kernel
 *   in order       a FIN came: Linux (as others) sends one only if all that had arrived was read,
 *                  else a reset. It is still seen after a reset that our own later writes caused:
 *                  the FIN counts as one of tcpi_bytes_received
 *   unread         no more than the largest window that it offered at any look, four times for
 *                  caution: a window is what is free of its buffer, and all of it was free once
 *
 * Of any other socket nothing is known, as of none. */
int transport_of_socket(struct transport *t, int fd);
/* That knows nothing: all that was written has arrived, the other side is there. */
struct transport transport_unknown(void);

#endif
