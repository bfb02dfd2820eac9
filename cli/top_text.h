// SPDX-License-Identifier: Apache-2.0
/* Texts of other people in a terminal's columns: what could drive the terminal, hide, turn the
 * direction of a line or break its width stands there as "\xHH" for each byte. What is wide (as
 * Chinese is) takes two columns. The locale's LC_CTYPE decides what can be shown: where that is not
 * UTF-8, ASCII alone.
 *
 * Any thread. */
#ifndef WEFT_CLI_TOP_TEXT_H
#define WEFT_CLI_TOP_TEXT_H

#include "lib/base/buffer.h"

/* Appends the text in at most `columns` (SIZE_MAX: all of it), with a sign at its end where it was
 * cut. How many columns it takes. */
size_t top_text(struct buffer *out, const char *text, size_t columns);
/* The columns that it takes in full. */
size_t top_text_width(const char *text);
/* Filled with blanks to exactly `columns`: behind it, or before it. */
void top_text_left(struct buffer *out, const char *text, size_t columns);
void top_text_right(struct buffer *out, const char *text, size_t columns);

#endif
