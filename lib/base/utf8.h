// SPDX-License-Identifier: Apache-2.0
#ifndef WEFT_BASE_UTF8_H
#define WEFT_BASE_UTF8_H

#include <stddef.h>

/* How many bytes of well-formed UTF-8 (RFC 3629) a character of two or more takes; 0: none. `left`,
 * at least 1: how many bytes there are. */
size_t utf8_length(const unsigned char *s, size_t left);

#endif
