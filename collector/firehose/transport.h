// SPDX-License-Identifier: Apache-2.0
/* What a stream must know of the connection that it goes out by: how much has arrived, and how it
 * ended. */
#ifndef WEFT_COLLECTOR_FIREHOSE_TRANSPORT_H
#define WEFT_COLLECTOR_FIREHOSE_TRANSPORT_H

#include <stdint.h>

enum transport_peer {
    PEER_THERE,
    PEER_LEFT,  /* it closed in order: what it acknowledged, it has read */
    PEER_BROKE, /* it is gone, and has not read all that it acknowledged */
};

/* Neither waits; any thread, one at a time. */
struct transport {
    /* Bytes written to the connection that the other side has not acknowledged. */
    uint64_t (*unacknowledged)(void *context);
    enum transport_peer (*peer)(void *context);
    /* Breaks the connection, so that whoever writes to it gives up. */
    void (*cut)(void *context);
    void (*release)(void *context);
    void *context;
};

/* Of a TCP (or Unix) socket: by a duplicate of its own, so that it may be asked to the last. The
 * kernel's buffer for it is bounded here too, as what is in it costs memory (and marks). -1 with
 * errno set.
 *
 *   acknowledged   SIOCOUTQ: by the other side's kernel
 *   in order       a FIN came: Linux (as others) sends one only if all that had arrived was read,
 *                  else a reset. It is still seen after a reset that our own later writes caused:
 *                  the FIN counts as one of tcpi_bytes_received
 *
 * On Unix sockets nothing is known of what was read; they count as broken off. */
int transport_of_socket(struct transport *t, int fd);
/* That knows nothing: all that was written has arrived, the other side is there. */
struct transport transport_unknown(void);

#endif
