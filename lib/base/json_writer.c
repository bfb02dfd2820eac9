// SPDX-License-Identifier: Apache-2.0
#include "lib/base/json_writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/number.h"
#include "lib/base/utf8.h"

#define EXACT_MOST (UINT64_C(1) << 53) /* integers up to here are exact in a double */

static const char digits[] = "0123456789abcdef";

static void begin_item(struct json_writer *w)
{
    if (w->comma)
        buffer_byte(w->out, ',');
    w->comma = true;
}

static void open_with(struct json_writer *w, char bracket)
{
    begin_item(w);
    buffer_byte(w->out, bracket);
    w->comma = false;
}

static void close_with(struct json_writer *w, char bracket)
{
    buffer_byte(w->out, bracket);
    w->comma = true;
}

void json_open_object(struct json_writer *w)
{
    open_with(w, '{');
}

void json_close_object(struct json_writer *w)
{
    close_with(w, '}');
}

void json_open_array(struct json_writer *w)
{
    open_with(w, '[');
}

void json_close_array(struct json_writer *w)
{
    close_with(w, ']');
}

static void escape(struct buffer *out, unsigned char c)
{
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *n = named; *n; n += 2) {
        if ((unsigned char)n[0] == c) {
            buffer_append(out, (char[]){'\\', n[1]}, 2);
            return;
        }
    }
    buffer_append(out, (char[]){'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]}, 6);
}

static void append_escaped(struct buffer *out, const unsigned char *s, size_t length)
{
    size_t done = 0, i = 0;
    while (i < length) {
        unsigned char c = s[i];
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            i++;
            continue;
        }
        size_t character = c >= 0x80 ? utf8_length(s + i, length - i) : 0;
        if (character) {
            i += character;
            continue;
        }
        buffer_append(out, s + done, i - done);
        if (c >= 0x80)
            buffer_text(out, "\xef\xbf\xbd");
        else
            escape(out, c);
        done = ++i;
    }
    buffer_append(out, s + done, length - done);
}

void json_put_string(struct json_writer *w, const void *bytes, size_t length)
{
    begin_item(w);
    buffer_byte(w->out, '"');
    append_escaped(w->out, bytes, length);
    buffer_byte(w->out, '"');
}

void json_put_text(struct json_writer *w, const char *text)
{
    json_put_string(w, text ? text : "", text ? strlen(text) : 0);
}

void json_key(struct json_writer *w, const char *key)
{
    json_put_text(w, key);
    buffer_byte(w->out, ':');
    w->comma = false;
}

void json_put_bool(struct json_writer *w, bool value)
{
    begin_item(w);
    buffer_text(w->out, value ? "true" : "false");
}

/* Decimal digits with a sign, in quotes if asked. */
static void put_digits(struct json_writer *w, bool negative, uint64_t magnitude, bool quoted)
{
    char text[24], *p = text + sizeof text;
    if (quoted)
        *--p = '"';
    do {
        *--p = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude);
    if (negative)
        *--p = '-';
    if (quoted)
        *--p = '"';
    begin_item(w);
    buffer_append(w->out, p, (size_t)(text + sizeof text - p));
}

void json_put_int(struct json_writer *w, int64_t value)
{
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
    put_digits(w, value<0, magnitude, magnitude> EXACT_MOST);
}

void json_put_uint(struct json_writer *w, uint64_t value)
{
    put_digits(w, false, value, value > EXACT_MOST);
}

void json_put_unix_ns(struct json_writer *w, uint64_t unix_ns)
{
    put_digits(w, false, unix_ns, true);
}

void json_put_double(struct json_writer *w, double value)
{
    if (!isfinite(value)) {
        json_put_text(w, isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity");
        return;
    }
    char text[NUMBER_TEXT_MAX];
    number_text(value, text);
    begin_item(w);
    buffer_text(w->out, text);
}

void json_put_base64(struct json_writer *w, const void *bytes, size_t length)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *s = bytes;
    begin_item(w);
    char *p = buffer_reserve(w->out, 2 + (length / 3 + 1) * 4);
    if (!p)
        return;
    char *start = p;
    *p++ = '"';
    for (; length >= 3; s += 3, length -= 3) {
        *p++ = alphabet[s[0] >> 2];
        *p++ = alphabet[(s[0] & 3) << 4 | s[1] >> 4];
        *p++ = alphabet[(s[1] & 15) << 2 | s[2] >> 6];
        *p++ = alphabet[s[2] & 63];
    }
    if (length) {
        unsigned char second = length == 2 ? s[1] : 0;
        *p++ = alphabet[s[0] >> 2];
        *p++ = alphabet[(s[0] & 3) << 4 | second >> 4];
        *p++ = length == 2 ? alphabet[(second & 15) << 2] : '=';
        *p++ = '=';
    }
    *p++ = '"';
    w->out->length += (size_t)(p - start);
}

static void print_hex(char text[16], uint64_t value)
{
    for (int i = 15; i >= 0; i--, value >>= 4)
        text[i] = digits[value & 15];
}

void json_put_hex64(struct json_writer *w, uint64_t value)
{
    char text[18] = {[0] = '"', [17] = '"'};
    print_hex(text + 1, value);
    begin_item(w);
    buffer_append(w->out, text, sizeof text);
}

void json_put_hex128(struct json_writer *w, uint64_t high, uint64_t low)
{
    char text[34] = {[0] = '"', [33] = '"'};
    print_hex(text + 1, high);
    print_hex(text + 17, low);
    begin_item(w);
    buffer_append(w->out, text, sizeof text);
}

void json_field_string(struct json_writer *w, const char *key, const void *bytes, size_t length)
{
    json_key(w, key);
    json_put_string(w, bytes, length);
}

void json_field_text(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, key);
    json_put_text(w, text);
}

void json_field_bool(struct json_writer *w, const char *key, bool value)
{
    json_key(w, key);
    json_put_bool(w, value);
}

void json_field_int(struct json_writer *w, const char *key, int64_t value)
{
    json_key(w, key);
    json_put_int(w, value);
}

void json_field_uint(struct json_writer *w, const char *key, uint64_t value)
{
    json_key(w, key);
    json_put_uint(w, value);
}

void json_field_unix_ns(struct json_writer *w, const char *key, uint64_t unix_ns)
{
    json_key(w, key);
    json_put_unix_ns(w, unix_ns);
}

void json_field_double(struct json_writer *w, const char *key, double value)
{
    json_key(w, key);
    json_put_double(w, value);
}

void json_field_hex64(struct json_writer *w, const char *key, uint64_t value)
{
    json_key(w, key);
    json_put_hex64(w, value);
}

void json_field_hex128(struct json_writer *w, const char *key, uint64_t high, uint64_t low)
{
    json_key(w, key);
    json_put_hex128(w, high, low);
}

void json_field_object(struct json_writer *w, const char *key)
{
    json_key(w, key);
    json_open_object(w);
}

void json_field_array(struct json_writer *w, const char *key)
{
    json_key(w, key);
    json_open_array(w);
}
