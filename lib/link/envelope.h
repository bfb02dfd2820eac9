// SPDX-License-Identifier: Apache-2.0
/* The envelope around each message of the link, and its seal. docs/format/link.md.
 *
 *     0   magic "weft"          8   body length u32       24  number u64
 *     4   version u8            12  0 u32                 32  nonce, 24 bytes
 *     5   type u8               16  epoch u64             56  agent id
 *     6   flags u8: 1 sealed                              then the body
 *     7   agent id length u8
 *
 * Numbers are little-endian. All before the body is the seal's associated data. A sealed body
 * ends with the 16 bytes of its authenticator, an open one with XXH3-64 of header and body.
 */
#ifndef WEFT_LINK_ENVELOPE_H
#define WEFT_LINK_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/link/link.h"

enum {
    ENVELOPE_HEADER_BYTES = 56,
    ENVELOPE_OVERHEAD_MOST = ENVELOPE_HEADER_BYTES + LINK_AGENT_ID_MAX + 16,
};

struct envelope {
    uint8_t version;
    uint8_t type; /* enum link_type, as found: may be another number */
    bool sealed;
    char agent[LINK_AGENT_ID_MAX + 1];
    struct link_sequence sequence; /* LINK_SPOOLED: of the batch; else session and counter */
    /* Of a parsed one: where it lies in the bytes that were parsed. */
    const uint8_t *bytes;
    size_t header_length, body_length; /* the latter with authenticator or checksum */
};

/* Appends a whole envelope: version, type, agent and sequence of `e`, sealed where there is a
 * key. Never sealed twice with one nonce: it is random. 0, or -1 when memory is out. */
int envelope_write(struct buffer *out, const struct envelope *e, const uint8_t *key,
                   const void *body, size_t length);

/* Reads the header of the envelope that begins at `bytes`, which must hold it whole; `length`
 * may be longer. False if it is none. Nothing is authenticated yet. */
bool envelope_parse(const void *bytes, size_t length, struct envelope *e);
static inline size_t envelope_length(const struct envelope *e)
{
    return e->header_length + e->body_length;
}

/* How many bytes the opened body has. */
size_t envelope_plain_length(const struct envelope *e);
/* Opens a parsed envelope into `plain`, which has room for envelope_plain_length. `key`: NULL for
 * an open one. False if it is not sealed by that key, or damaged, or open where a key is
 * expected, or sealed where none is. */
bool envelope_open(const struct envelope *e, const uint8_t *key, uint8_t *plain);

#endif
