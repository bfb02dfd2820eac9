// SPDX-License-Identifier: Apache-2.0
/* A client and a cache that say anything to each other: the readers of a protocol, over pieces of
 * any length, each in memory of its own. The input: pieces, each behind a byte whose highest bit
 * says who speaks, and whose others how much. What was read in one piece is read again byte by
 * byte, and gives the same. */
#ifndef WEFT_FUZZ_TAP_TALK_H
#define WEFT_FUZZ_TAP_TALK_H

#include <stdlib.h>
#include <string.h>

#include "agent/tap/protocol.h"

struct heard {
    uint64_t exchanges, hash;
};

static void tap_talk_mix(struct heard *h, const void *bytes, size_t length)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < length; i++)
        h->hash = (h->hash ^ p[i]) * UINT64_C(1099511628211);
}

static void tap_talk_take(void *context, const struct tap_exchange *e)
{
    struct heard *h = context;
    h->exchanges++;
    if (e->ending > TAP_WITHDRAWN || (e->failed && !e->error) || (e->key_count && !e->keys))
        abort();
    tap_talk_mix(h, &e->command, sizeof e->command);
    tap_talk_mix(h, &e->ending, sizeof e->ending);
    tap_talk_mix(h, &e->request_bytes, sizeof e->request_bytes);
    tap_talk_mix(h, &e->reply_bytes, sizeof e->reply_bytes);
    for (uint32_t i = 0; i < e->key_count; i++) {
        const struct tap_key *k = &e->keys[i];
        if (k->length > TAP_KEY_KEPT || k->length > k->full_length)
            abort();
        tap_talk_mix(h, k->bytes, k->length);
        tap_talk_mix(h, &k->value_bytes, sizeof k->value_bytes);
        tap_talk_mix(h, &k->outcome, sizeof k->outcome);
    }
}

struct tap_talk {
    const struct tap_protocol *protocol;
    struct tap_budget budget;
    struct tap_sink sink;
    struct tap_pending *pending;
    void *request, *reply;
};

/* False: they have lost each other. */
static bool tap_talk_say(struct tap_talk *t, bool client, const uint8_t *bytes, size_t length,
                         size_t most)
{
    const struct tap_reading r = {t->pending, &t->sink, 1};
    enum tap_read result = TAP_GOES_ON;
    while (length > 0 && result == TAP_GOES_ON) {
        size_t n = length < most ? length : most;
        uint8_t *copy = malloc(n);
        memcpy(copy, bytes, n);
        result = client ? t->protocol->request(t->request, &r, copy, n)
                        : t->protocol->reply(t->reply, &r, copy, n);
        free(copy);
        bytes += n;
        length -= n;
    }
    return result == TAP_GOES_ON;
}

static struct heard tap_talk_hear(const struct tap_protocol *protocol, const uint8_t *data,
                                  size_t size, size_t most)
{
    struct heard h = {0};
    struct tap_talk t = {.protocol = protocol,
                         .budget = {.limit_bytes = 1 << 20},
                         .sink = {tap_talk_take, &h},
                         .request = calloc(1, protocol->request_bytes),
                         .reply = calloc(1, protocol->reply_bytes)};
    t.pending = tap_pending_create(&t.budget);
    (void)protocol->may_begin(data, size);
    (void)protocol->reply_may_begin(data, size);
    while (size > 1) {
        size_t length = data[0] & 127U;
        length = length < size - 1 ? length : size - 1;
        if (!tap_talk_say(&t, data[0] >> 7, data + 1, length, most))
            break;
        data += 1 + length;
        size -= 1 + length;
    }
    tap_pending_give_up(t.pending, &t.sink);
    tap_pending_destroy(&t.pending);
    free(t.request);
    free(t.reply);
    if (t.budget.bytes != 0)
        abort();
    return h;
}

static void tap_talk_fuzz(const struct tap_protocol *protocol, const uint8_t *data, size_t size)
{
    struct heard whole = tap_talk_hear(protocol, data, size, 128);
    struct heard pieces = tap_talk_hear(protocol, data, size, 1);
    if (whole.exchanges != pieces.exchanges || whole.hash != pieces.hash)
        abort();
}

#endif
