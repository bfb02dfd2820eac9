// SPDX-License-Identifier: Apache-2.0
/* The link: agents to their collector, over nanomsg's raw REQ/REP (batches, hellos, reports
 * and their answers) and PUB/SUB (control). docs/format/link.md describes the bytes.
 *
 * Every message is sealed (XChaCha20-Poly1305, 24 random bytes of nonce, the envelope as
 * associated data) with the agent's own key, or travels open where neither side has keys,
 * which both sides allow on loopback addresses only.
 *
 * lib/link/address.h    which addresses an open link may use
 * lib/link/envelope.h   the envelope and the seal
 * lib/link/keys.h       key files
 * lib/link/session.h    what stands against replays
 * lib/link/control.h    switches, and the signed message that carries them
 * lib/link/inquiry.h    what the collector asks the agents of caches
 * lib/link/socket.h     nanomsg's raw sockets
 * lib/link/client.h     the agent's end
 * lib/link/server.h     the collector's end
 */
#ifndef WEFT_LINK_LINK_H
#define WEFT_LINK_LINK_H

#include <stdint.h>

#define LINK_VERSION       1  /* what this program speaks */
#define LINK_VERSION_LEAST 1  /* the oldest it still understands */
#define LINK_AGENT_ID_MAX  63 /* [A-Za-z0-9._-], as in a host name */
#define LINK_MESSAGE_MAX   (8u << 20)
#define LINK_BATCH_MAX     (LINK_MESSAGE_MAX - 512) /* of a sealed batch: it travels with a cover */

enum link_type {
    LINK_HELLO = 1,    /* agent: version, time, name; answered before anything else is sent */
    LINK_BATCH = 2,    /* an encoded batch with its epoch and sequence */
    LINK_INFLIGHT = 3, /* an encoded batch of the spans open now; replaces the agent's last one */
    LINK_REPORT = 4,   /* the agent's own numbers (weft.AgentReport) */
    LINK_ANSWER = 5,   /* collector: what became of a request */
    LINK_CONTROL = 6,  /* collector to all: switches */
    LINK_SPOOLED = 7,  /* within LINK_BATCH: the batch as it was sealed for the spool */
    LINK_WATCH = 8,    /* agent of caches: has anybody asked? Answered with inquiries */
};

/* What became of a request. */
enum link_verdict {
    LINK_ACCEPTED = 0,      /* a batch: durable. Forget it. */
    LINK_DUPLICATE = 1,     /* a batch: was durable already. Forget it. */
    LINK_BUSY = 2,          /* not now (queue or disk full): send again later */
    LINK_REFUSED = 3,       /* never: not decodable or too large. Count it, forget it. */
    LINK_BAD_KEY = 4,       /* the seal does not open with the key known for this agent */
    LINK_UNKNOWN_AGENT = 5, /* no key for this agent */
    LINK_TOO_OLD = 6,       /* the peer's version is below LINK_VERSION_LEAST, or above ours */
    LINK_HELLO_FIRST = 7,   /* say hello again (the collector was restarted) */
};

/* Batches are numbered 1, 2, 3 … within an epoch; the epoch is the unix nanosecond at which
 * the agent's spool was opened, so a later one is greater. */
struct link_sequence {
    uint64_t epoch, number;
};

#endif
