// SPDX-License-Identifier: Apache-2.0
#include "collector/series/key.h"

#include <xxhash.h>

#include "collector/hash.h"

void series_key_add(struct series_key *k, struct batch_str name, struct batch_str value)
{
    if (value.length == 0)
        return;
    uint64_t seed = XXH3_64bits_withSeed(name.bytes, name.length, hash_seed[0]);
    XXH128_hash_t hash = XXH3_128bits_withSeed(value.bytes, value.length, seed ^ hash_seed[1]);
    k->lanes[0] += hash.low64;
    k->lanes[1] += hash.high64;
}

struct series_key series_key_of(const struct labels *labels)
{
    struct series_key k = {{0, 0}};
    for (uint32_t i = 0; i < labels->count; i++)
        series_key_add(&k, labels->items[i].name, labels->items[i].value);
    return k;
}
