// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/hot.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { PART = 4 }; /* patterns and clients are fewer than keys */

int hot_init(struct hot *h, uint32_t keys, enum hot_privacy privacy)
{
    *h = (struct hot){.privacy = privacy};
    for (int kind = 0; kind < HOT_KINDS; kind++) {
        uint32_t capacity = kind < HOT_PATTERNS ? keys : keys / PART;
        if (topk_init(&h->tops[kind], capacity) != 0) {
            hot_fini(h);
            return -1;
        }
    }
    return 0;
}

void hot_fini(struct hot *h)
{
    for (int kind = 0; kind < HOT_KINDS; kind++)
        topk_fini(&h->tops[kind]);
}

size_t hot_bytes(const struct hot *h)
{
    size_t bytes = sizeof *h;
    for (int kind = 0; kind < HOT_KINDS; kind++)
        bytes += topk_bytes(&h->tops[kind]);
    return bytes;
}

void hot_clear(struct hot *h, uint64_t now_unix_ns)
{
    for (int kind = 0; kind < HOT_KINDS; kind++)
        topk_clear(&h->tops[kind]);
    h->keys = (struct distinct){0};
    h->calls = h->second_calls = h->peak_calls = 0;
    h->begun_unix_ns = now_unix_ns;
}

/* ---- keys --------------------------------------------------------------------------------- */

size_t hot_pattern(const uint8_t *key, size_t length, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        bool digit = key[i] >= '0' && key[i] <= '9';
        if (!digit)
            out[n++] = (char)key[i];
        else if (i == 0 || key[i - 1] < '0' || key[i - 1] > '9')
            out[n++] = '*';
    }
    return n;
}

struct text {
    const void *bytes;
    size_t length;
    uint64_t hash;
};

static struct text told(const struct hot *h, const struct tap_key *k, struct text pattern,
                        char hashed[20])
{
    uint64_t hash = topk_hash(k->bytes, k->length);
    if (h->privacy == HOT_FOLDED)
        return pattern;
    if (h->privacy == HOT_WHOLE)
        return (struct text){k->bytes, k->length, hash};
    int length = snprintf(hashed, 20, "#%016llx", (unsigned long long)hash);
    return (struct text){hashed, (size_t)length, hash};
}

static void add_to(struct topk *t, struct text key, uint64_t weight, const uint64_t sums[HOT_SUMS])
{
    struct topk_entry *e = topk_add(t, key.hash, key.bytes, key.length, weight);
    for (int i = 0; e && i < HOT_SUMS; i++)
        e->sums[i] += sums[i];
}

static void add_key(struct hot *h, const struct tap_key *k)
{
    char folded[TAP_KEY_KEPT], hashed[20];
    const uint64_t sums[HOT_SUMS] = {1, k->value_bytes, k->outcome == TAP_MISS};
    struct text pattern = {folded, hot_pattern(k->bytes, k->length, folded), 0};
    pattern.hash = topk_hash(folded, pattern.length);
    struct text key = told(h, k, pattern, hashed);
    distinct_add_hash(&h->keys, key.hash);
    add_to(&h->tops[HOT_KEYS_BY_CALLS], key, 1, sums);
    if (k->value_bytes > 0)
        add_to(&h->tops[HOT_KEYS_BY_BYTES], key, k->value_bytes, sums);
    if (k->outcome == TAP_MISS)
        add_to(&h->tops[HOT_KEYS_BY_MISSES], key, 1, sums);
    if (h->privacy != HOT_HASHED)
        add_to(&h->tops[HOT_PATTERNS], pattern, 1, sums);
}

/* ---- clients ------------------------------------------------------------------------------ */

static void add_client(struct hot *h, const struct tap_address *client,
                       const struct tap_exchange *e)
{
    uint64_t sums[HOT_SUMS] = {1, e->request_bytes + e->reply_bytes, 0};
    uint64_t hash = topk_hash(client->ip, sizeof client->ip);
    for (uint32_t i = 0; i < e->key_count; i++)
        sums[HOT_MISSES] += e->keys[i].outcome == TAP_MISS;
    /* Bytes of the address stand for its text until it is told. */
    add_to(&h->tops[HOT_CLIENTS], (struct text){client->ip, sizeof client->ip, hash}, 1, sums);
}

void hot_add(struct hot *h, const struct tap_address *client, const struct tap_exchange *e)
{
    uint64_t second = e->asked_ns / UINT64_C(1000000000);
    if (second != h->second) {
        h->second = second;
        h->second_calls = 0;
    }
    if (++h->second_calls > h->peak_calls)
        h->peak_calls = h->second_calls;
    h->calls++;
    for (uint32_t i = 0; i < e->key_count; i++)
        add_key(h, &e->keys[i]);
    add_client(h, client, e);
}
