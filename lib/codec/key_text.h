// SPDX-License-Identifier: Apache-2.0
#ifndef WEFT_CODEC_KEY_TEXT_H
#define WEFT_CODEC_KEY_TEXT_H

#include <stdbool.h>

#include "lib/base/buffer.h"
#include "lib/codec/batch_str.h"

/* A key, which may be any bytes, as text: UTF-8 without control characters as it is; in others each
 * byte that is none of it as "\xHH", and a backslash as two. Appended to `out`. True: it was
 * changed. */
bool key_text(struct buffer *out, struct batch_str key);

#endif
