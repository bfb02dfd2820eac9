// SPDX-License-Identifier: Apache-2.0
/* Which cache somebody means. */
#ifndef WEFT_CLI_CACHES_FIND_H
#define WEFT_CLI_CACHES_FIND_H

#include <stddef.h>

/* Its number, from that number or its address as the collector knows it. 0 with a sentence. */
long long caches_find(const char *cache, char *why, size_t why_size);

#endif
