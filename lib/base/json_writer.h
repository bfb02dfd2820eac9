// SPDX-License-Identifier: Apache-2.0
/* Writes JSON into a buffer as it goes: no tree, no allocation of its own. The caller opens
 * and closes; commas come by themselves. Memory that is out shows in the buffer's `failed`.
 *
 *     json_open_object(&w);
 *     json_field_text(&w, "name", "cell");
 *     json_key(&w, "spans");
 *     json_open_array(&w);
 *     …
 *
 * Strings may hold any bytes: what is not UTF-8 becomes U+FFFD, one for each bad byte.
 * Numbers follow docs/api.md: what a double cannot hold exactly is written as a string.
 */
#ifndef WEFT_BASE_JSON_WRITER_H
#define WEFT_BASE_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"

struct json_writer {
    struct buffer *out; /* the caller's */
    bool comma;         /* one is due before the next key or item */
};

static inline struct json_writer json_writer_to(struct buffer *out)
{
    return (struct json_writer){.out = out};
}

void json_open_object(struct json_writer *w);
void json_close_object(struct json_writer *w);
void json_open_array(struct json_writer *w);
void json_close_array(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);

void json_put_string(struct json_writer *w, const void *bytes, size_t length);
void json_put_text(struct json_writer *w, const char *text); /* NULL: "" */
void json_put_bool(struct json_writer *w, bool value);
/* A number within ±2^53, beyond it a string of digits. */
void json_put_int(struct json_writer *w, int64_t value);
void json_put_uint(struct json_writer *w, uint64_t value);
void json_put_unix_ns(struct json_writer *w, uint64_t unix_ns); /* always a string of digits */
/* The shortest that reads back as the same; "NaN", "Infinity", "-Infinity" as strings. */
void json_put_double(struct json_writer *w, double value);
void json_put_base64(struct json_writer *w, const void *bytes, size_t length);
void json_put_hex64(struct json_writer *w, uint64_t value);               /* 16 digits */
void json_put_hex128(struct json_writer *w, uint64_t high, uint64_t low); /* 32 digits */

/* A key and its value. */
void json_field_string(struct json_writer *w, const char *key, const void *bytes, size_t length);
void json_field_text(struct json_writer *w, const char *key, const char *text);
void json_field_bool(struct json_writer *w, const char *key, bool value);
void json_field_int(struct json_writer *w, const char *key, int64_t value);
void json_field_uint(struct json_writer *w, const char *key, uint64_t value);
void json_field_unix_ns(struct json_writer *w, const char *key, uint64_t unix_ns);
void json_field_double(struct json_writer *w, const char *key, double value);
void json_field_hex64(struct json_writer *w, const char *key, uint64_t value);
void json_field_hex128(struct json_writer *w, const char *key, uint64_t high, uint64_t low);
/* A key and an opened object or array. */
void json_field_object(struct json_writer *w, const char *key);
void json_field_array(struct json_writer *w, const char *key);

#endif
