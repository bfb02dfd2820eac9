// SPDX-License-Identifier: Apache-2.0
#include "lib/link/envelope.h"

#include <sodium.h>
#include <string.h>
#include <xxhash.h>

#include "lib/base/little_endian.h"
#include "lib/link/keys.h"

enum {
    NONCE_OFFSET = 32,
    NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    SEAL_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    CHECKSUM_BYTES = 8,
    FLAG_SEALED = 1,
};

_Static_assert(NONCE_OFFSET + NONCE_BYTES == ENVELOPE_HEADER_BYTES, "the nonce ends the header");
_Static_assert(SEAL_BYTES <= 16 && CHECKSUM_BYTES <= 16, "ENVELOPE_OVERHEAD_MOST");

static const char magic[4] = {'w', 'e', 'f', 't'};

static size_t extra_bytes(bool sealed)
{
    return sealed ? SEAL_BYTES : CHECKSUM_BYTES;
}

static void write_header(uint8_t *header, const struct envelope *e, bool sealed, size_t body_length)
{
    size_t agent_length = strlen(e->agent);
    memset(header, 0, ENVELOPE_HEADER_BYTES);
    memcpy(header, magic, sizeof magic);
    header[4] = e->version;
    header[5] = e->type;
    header[6] = sealed ? FLAG_SEALED : 0;
    header[7] = (uint8_t)agent_length;
    put_u32(header + 8, (uint32_t)body_length);
    put_u64(header + 16, e->sequence.epoch);
    put_u64(header + 24, e->sequence.number);
    if (sealed)
        randombytes_buf(header + NONCE_OFFSET, NONCE_BYTES);
    memcpy(header + ENVELOPE_HEADER_BYTES, e->agent, agent_length);
}

int envelope_write(struct buffer *out, const struct envelope *e, const uint8_t *key,
                   const void *body, size_t length)
{
    size_t header_length = ENVELOPE_HEADER_BYTES + strlen(e->agent);
    size_t body_length = length + extra_bytes(key != NULL);
    if (body_length < length || body_length > UINT32_MAX)
        return -1;
    uint8_t *header = (uint8_t *)buffer_reserve(out, header_length + body_length);
    if (!header)
        return -1;
    uint8_t *sealed = header + header_length;
    write_header(header, e, key != NULL, body_length);
    if (key) {
        crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, body, length, header,
                                                   header_length, NULL, header + NONCE_OFFSET, key);
    } else {
        if (length)
            memcpy(sealed, body, length);
        put_u64(sealed + length, XXH3_64bits(header, header_length + length));
    }
    out->length += header_length + body_length;
    return 0;
}

bool envelope_parse(const void *bytes, size_t length, struct envelope *e)
{
    const uint8_t *header = bytes;
    if (length < ENVELOPE_HEADER_BYTES || memcmp(header, magic, sizeof magic) != 0)
        return false;
    size_t agent_length = header[7];
    *e = (struct envelope){
        .version = header[4],
        .type = header[5],
        .sealed = (header[6] & FLAG_SEALED) != 0,
        .sequence = {get_u64(header + 16), get_u64(header + 24)},
        .bytes = header,
        .header_length = ENVELOPE_HEADER_BYTES + agent_length,
        .body_length = get_u32(header + 8),
    };
    if (header[6] & ~FLAG_SEALED || agent_length > LINK_AGENT_ID_MAX || length < e->header_length ||
        e->body_length > length - e->header_length || e->body_length < extra_bytes(e->sealed))
        return false;
    memcpy(e->agent, header + ENVELOPE_HEADER_BYTES, agent_length);
    return strlen(e->agent) == agent_length && link_agent_id_is_valid(e->agent);
}

size_t envelope_plain_length(const struct envelope *e)
{
    return e->body_length - extra_bytes(e->sealed);
}

bool envelope_open(const struct envelope *e, const uint8_t *key, uint8_t *plain)
{
    const uint8_t *body = e->bytes + e->header_length;
    size_t length = envelope_plain_length(e);
    if (e->sealed != (key != NULL))
        return false;
    if (key)
        return crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, body, e->body_length,
                                                          e->bytes, e->header_length,
                                                          e->bytes + NONCE_OFFSET, key) == 0;
    if (get_u64(body + length) != XXH3_64bits(e->bytes, e->header_length + length))
        return false;
    if (length)
        memcpy(plain, body, length);
    return true;
}
