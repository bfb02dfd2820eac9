// SPDX-License-Identifier: Apache-2.0
#ifndef WEFT_EXCHANGE_EXCHANGE_PATTERN_H
#define WEFT_EXCHANGE_EXCHANGE_PATTERN_H

#include <stddef.h>

#include "lib/exchange/exchange.h"

/* The pattern of a key, as struct exchange_record says; filled up with zeros. */
void exchange_pattern(const uint8_t *key, size_t length, char out[EXCHANGE_PATTERN_BYTES]);

#endif
