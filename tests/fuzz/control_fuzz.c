// SPDX-License-Identifier: Apache-2.0
/* Control messages: as they come, and signed, so that what is behind the signature is met too. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/link/control.h"

static void check(const struct link_switches *s)
{
    if (s->count > LINK_SWITCHES_MAX)
        abort();
    for (size_t i = 0; i < s->count; i++) {
        if (strlen(s->items[i].service) > LINK_SERVICE_MAX || s->items[i].on != s->all_off)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t key[LINK_CONTROL_KEY_BYTES], secret[LINK_CONTROL_SECRET_BYTES];
    static const uint8_t seed[crypto_sign_SEEDBYTES];
    static struct link_switches switches;
    uint64_t counter;
    if (sodium_init() < 0 || crypto_sign_seed_keypair(key, secret, seed) < 0)
        abort();
    if (link_control_read(data, size, key, &counter, &switches))
        check(&switches);
    size_t prefix = strlen(LINK_CONTROL_PREFIX);
    uint8_t *signed_message = malloc(prefix + size + crypto_sign_BYTES);
    if (!signed_message)
        return 0;
    memcpy(signed_message, LINK_CONTROL_PREFIX, prefix);
    if (size)
        memcpy(signed_message + prefix, data, size);
    crypto_sign_detached(signed_message + prefix + size, NULL, signed_message, prefix + size,
                         secret);
    if (link_control_read(signed_message, prefix + size + crypto_sign_BYTES, key, &counter,
                          &switches))
        check(&switches);
    free(signed_message);
    return 0;
}
