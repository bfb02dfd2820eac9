// SPDX-License-Identifier: Apache-2.0
#include "collector/hash.h"

#include <sys/random.h>
#include <time.h>
#include <xxhash.h>

uint64_t hash_seed[2];

__attribute__((constructor)) static void seed(void)
{
    if (getrandom(hash_seed, sizeof hash_seed, GRND_NONBLOCK) == (ssize_t)sizeof hash_seed)
        return;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    hash_seed[0] = XXH3_64bits(&now, sizeof now);
    hash_seed[1] = XXH3_64bits(&hash_seed[0], sizeof hash_seed[0]);
}

uint64_t hash_bytes(const void *bytes, size_t length)
{
    return XXH3_64bits_withSeed(bytes, length, hash_seed[0]);
}
