// SPDX-License-Identifier: Apache-2.0
/* Foreign text on its way into a picture: names of services, titles, labels of marks. What is made
 * is in the arena; NULL only where memory is out, but for text_shown and text_padded, which then
 * say "?". */
#ifndef WEFT_COLLECTOR_PICTURE_TEXT_H
#define WEFT_COLLECTOR_PICTURE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>

#include "lib/base/arena.h"
#include "lib/base/buffer.h"

char *text_format(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *text_vformat(struct arena *a, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* How many characters it is when shown. */
unsigned text_characters(const char *text);
/* At most so many characters, "…" for what is cut off; without control characters, backslashes and
 * bytes that are not UTF-8; for librrd's words with its colons escaped. */
const char *text_shown(struct arena *a, const char *text, unsigned characters, bool escape);
/* The same, escaped, filled up with spaces. */
const char *text_padded(struct arena *a, const char *text, unsigned characters);
/* As content of an XML element. */
void text_xml(struct buffer *out, const char *text);

#endif
