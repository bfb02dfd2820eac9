// SPDX-License-Identifier: Apache-2.0
/* What clients ask of a memcached: a line of words, and perhaps a value; or a binary packet. */
#include <string.h>

#include "agent/tap/memcached.h"

enum phase {
    BEGIN,
    LINE,     /* words */
    LINE_END, /* behind '\r' */
    VALUE,
    VALUE_END,
    VALUE_LINE_END,
    HEADER, /* of a binary packet, and its parts */
    EXTRAS,
    KEY,
    BODY,
    DEAF /* the connection is only told things from now on, or ends */
};

enum { WORDS_COUNTED = 255 };
#define VALUE_MOST (UINT64_C(1) << 31)

/* ---- words -------------------------------------------------------------------------------- */

static bool is_key(const struct memcached_request *q)
{
    const struct memcached_command *c = memcached_command_at(q->command);
    return q->words > 0 && c->key_at > 0 &&
           (q->words == c->key_at || (c->many_keys && q->words > c->key_at));
}

static bool is_meta(const struct memcached_request *q)
{
    uint8_t answer = memcached_command_at(q->command)->answer;
    return answer >= MEMCACHED_META_GET && answer <= MEMCACHED_META_DEBUG;
}

static void word_bytes(struct memcached_request *q, const struct tap_reading *r,
                       const uint8_t *bytes, size_t length)
{
    if (is_key(q))
        tap_pending_key(r->pending, bytes, length, q->in_word);
    size_t room = sizeof q->word - q->word_length, kept = length < room ? length : room;
    memcpy(q->word + q->word_length, bytes, kept);
    q->word_length = (uint16_t)(q->word_length + kept);
    q->in_word = true;
}

static bool number_in_word(const struct memcached_request *q, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < q->word_length; i++) {
        if (q->word[i] < '0' || q->word[i] > '9' || *number > VALUE_MOST)
            return false;
        *number = *number * 10 + (uint64_t)(q->word[i] - '0');
    }
    return q->word_length > 0 && *number <= VALUE_MOST;
}

/* A flag of a meta command, behind its key and length. */
static void take_flag(struct memcached_request *q)
{
    switch (q->word[0]) {
    case 'q':
        q->quiet = true;
        break;
    case 'O':
        q->has_opaque = q->tagged = true;
        q->tag = memcached_tag('O', q->word + 1, q->word_length - 1U);
        break;
    case 'k':
        q->tagged = true;
        if (!q->has_opaque)
            q->tag = q->key_tag;
        break;
    default:
        break;
    }
}

static enum tap_read take_word(struct memcached_request *q)
{
    static const char no_reply[] = "noreply";
    const struct memcached_command *c = memcached_command_at(q->command);
    if (q->words == 0) {
        q->command = memcached_command_find(q->word, q->word_length);
        return q->command ? TAP_GOES_ON : TAP_LOST;
    }
    q->no_reply = c->knows_noreply && !is_key(q) && q->word_length == sizeof no_reply - 1 &&
                  memcmp(q->word, no_reply, sizeof no_reply - 1) == 0;
    if (is_key(q) && is_meta(q))
        q->key_tag = memcached_tag('k', q->word, q->word_length);
    else if (q->words == c->length_at)
        return number_in_word(q, &q->value_bytes) ? TAP_GOES_ON : TAP_LOST;
    else if (is_meta(q) && q->words > c->key_at)
        take_flag(q);
    return TAP_GOES_ON;
}

static enum tap_read end_word(struct memcached_request *q)
{
    if (!q->in_word)
        return TAP_GOES_ON;
    enum tap_read result = take_word(q);
    q->in_word = false;
    q->word_length = 0;
    q->words = (uint8_t)(q->words + (q->words < WORDS_COUNTED));
    return result;
}

/* ---- commands ----------------------------------------------------------------------------- */

static enum tap_read end_command(struct memcached_request *q, const struct tap_reading *r)
{
    const struct memcached_command *c = memcached_command_at(q->command);
    struct tap_command command = {
        .asked_ns = r->now_ns,
        .request_bytes = q->bytes,
        .command = q->command,
        .tag = q->tag,
        .detail = (uint16_t)(c->answer | (q->quiet ? MEMCACHED_QUIET : 0) |
                             (q->tagged ? MEMCACHED_TAGGED : 0)),
    };
    bool ends = c->answer == MEMCACHED_NOTHING || c->answer == MEMCACHED_EVERYTHING;
    q->phase = ends ? DEAF : BEGIN;
    if (c->length_at > 0)
        tap_pending_value(r->pending, q->value_bytes);
    if (!q->no_reply && c->answer != MEMCACHED_NOTHING)
        return tap_pending_commit(r->pending, &command) ? TAP_GOES_ON : TAP_LOST;
    tap_pending_commit_unanswered(r->pending, &command, r->sink);
    return TAP_GOES_ON;
}

/* A value follows the line; a line that lacks a word is answered with an error, and nothing
 * follows. */
static enum tap_read end_line(struct memcached_request *q, const struct tap_reading *r)
{
    const struct memcached_command *c = memcached_command_at(q->command);
    if (c->length_at == 0 || q->words <= c->length_at) {
        q->value_bytes = 0;
        return end_command(q, r);
    }
    q->left = q->value_bytes;
    q->phase = q->left ? VALUE : VALUE_END;
    return TAP_GOES_ON;
}

/* ---- bytes -------------------------------------------------------------------------------- */

static enum tap_read begin(struct memcached_request *q, const struct tap_reading *r, uint8_t byte)
{
    *q = (struct memcached_request){.bytes = 1};
    tap_pending_begin(r->pending);
    if (byte == MEMCACHED_REQUEST_MAGIC) {
        q->header[q->header_length++] = byte;
        q->phase = HEADER;
        return TAP_GOES_ON;
    }
    if (byte < 'a' || byte > 'z')
        return TAP_LOST;
    q->phase = LINE;
    word_bytes(q, r, &byte, 1);
    return TAP_GOES_ON;
}

static size_t word_in(const uint8_t *bytes, size_t length)
{
    size_t n = 0;
    while (n < length && bytes[n] != ' ' && bytes[n] != '\r' && bytes[n] != '\n')
        n++;
    return n;
}

static enum tap_read line_byte(struct memcached_request *q, const struct tap_reading *r,
                               uint8_t byte)
{
    if (end_word(q) != TAP_GOES_ON)
        return TAP_LOST;
    if (byte == '\n')
        return end_line(q, r);
    q->phase = byte == '\r' ? LINE_END : LINE;
    return TAP_GOES_ON;
}

static enum tap_read header_byte(struct memcached_request *q, const struct tap_reading *r,
                                 uint8_t byte)
{
    q->header[q->header_length++] = byte;
    if (q->header_length < MEMCACHED_HEADER)
        return TAP_GOES_ON;
    if (memcached_binary_begin(q, r) != TAP_GOES_ON)
        return TAP_LOST;
    q->phase = EXTRAS;
    return TAP_GOES_ON;
}

/* Through parts of a packet that are empty. */
static enum tap_read end_parts(struct memcached_request *q, const struct tap_reading *r)
{
    if (q->phase == EXTRAS && q->extras_left == 0)
        q->phase = KEY;
    if (q->phase == KEY && q->key_left == 0)
        q->phase = BODY;
    if (q->phase != BODY || q->left > 0)
        return TAP_GOES_ON;
    q->phase = BEGIN;
    return memcached_binary_end(q, r);
}

static enum tap_read one_byte(struct memcached_request *q, const struct tap_reading *r,
                              uint8_t byte)
{
    switch (q->phase) {
    case BEGIN:
        return begin(q, r, byte);
    case LINE:
        return line_byte(q, r, byte);
    case LINE_END:
        return byte == '\n' ? end_line(q, r) : TAP_LOST;
    case VALUE_END:
        q->phase = VALUE_LINE_END;
        return byte == '\r' ? TAP_GOES_ON : TAP_LOST;
    case VALUE_LINE_END:
        return byte == '\n' ? end_command(q, r) : TAP_LOST;
    case HEADER:
        return header_byte(q, r, byte);
    default:
        q->extras_left--;
        return TAP_GOES_ON;
    }
}

static size_t least(uint64_t a, size_t b)
{
    return a < b ? (size_t)a : b;
}

/* What is taken in one piece. 0: the next byte decides. */
static size_t piece(struct memcached_request *q, const struct tap_reading *r, const uint8_t *bytes,
                    size_t length)
{
    size_t n = 0;
    if (q->phase == LINE && (n = word_in(bytes, length)) > 0) {
        word_bytes(q, r, bytes, n);
    } else if (q->phase == VALUE || q->phase == BODY) {
        n = least(q->left, length);
        q->left -= n;
        if (q->phase == VALUE && q->left == 0)
            q->phase = VALUE_END;
    } else if (q->phase == KEY) {
        n = least(q->key_left, length);
        tap_pending_key(r->pending, bytes, n, q->in_word);
        q->in_word = true;
        q->key_left = (uint16_t)(q->key_left - n);
    }
    return n;
}

enum tap_read memcached_read_request(void *state, const struct tap_reading *r, const uint8_t *bytes,
                                     size_t length)
{
    struct memcached_request *q = state;
    while (length > 0) {
        if (q->phase == DEAF)
            return TAP_GOES_ON;
        size_t n = piece(q, r, bytes, length);
        if (n > 0) {
            q->bytes += n;
        } else {
            n = 1;
            q->bytes++;
            if (one_byte(q, r, *bytes) != TAP_GOES_ON)
                return TAP_LOST;
        }
        if (q->phase >= EXTRAS && q->phase <= BODY && end_parts(q, r) != TAP_GOES_ON)
            return TAP_LOST;
        bytes += n;
        length -= n;
    }
    return TAP_GOES_ON;
}

uint64_t memcached_request_passing(const void *state)
{
    const struct memcached_request *q = state;
    if (q->phase == DEAF)
        return UINT64_MAX;
    if (q->phase == VALUE)
        return q->left;
    return q->phase == BODY ? q->left - 1 : 0; /* its last byte ends the command */
}

void memcached_request_pass(void *state, uint64_t bytes)
{
    struct memcached_request *q = state;
    if (q->phase != VALUE && q->phase != BODY)
        return;
    q->left -= bytes;
    q->bytes += bytes;
    if (q->phase == VALUE && q->left == 0)
        q->phase = VALUE_END;
}
