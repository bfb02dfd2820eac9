// SPDX-License-Identifier: Apache-2.0
/* Envelopes of strangers: parsing, and opening with and without a key. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/link/cover.h"
#include "lib/link/envelope.h"
#include "lib/link/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[LINK_KEY_BYTES] = {1};
    struct envelope e;
    if (!envelope_parse(data, size, &e))
        return 0;
    if (envelope_length(&e) > size || !link_agent_id_is_valid(e.agent))
        abort();
    size_t length = envelope_plain_length(&e);
    uint8_t *plain = malloc(length);
    if (length && !plain)
        return 0;
    if (envelope_open(&e, key, plain)) /* nobody has that key */
        abort();
    if (envelope_open(&e, NULL, plain) && length >= LINK_COVER_BYTES) {
        struct link_cover cover;
        link_cover_read(plain, &cover);
    }
    free(plain);
    return 0;
}
