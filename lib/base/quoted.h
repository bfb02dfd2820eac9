// SPDX-License-Identifier: Apache-2.0
/* Strings in double quotes as Go writes them, which is how TraceQL and PromQL have them. */
#ifndef WEFT_BASE_QUOTED_H
#define WEFT_BASE_QUOTED_H

#include "lib/base/buffer.h"

/* Quoted and escaped; what is UTF-8 stays, other bytes become \xHH. */
void quoted_put(struct buffer *out, const char *bytes, size_t length);

/* The escape behind a backslash at *from, which is moved behind it: what it stands for. How many
 * bytes (at most 4); 0: it stands for nothing. `quote` may be escaped, the other kind of quote not.
 */
size_t quoted_escape(const char **from, const char *end, char quote, char out[4]);

#endif
