// SPDX-License-Identifier: Apache-2.0
/* What clients ask of a Redis: arrays of bulk strings (the RESP specification), or inline commands,
 * which are words in a line. */
#include <string.h>
#include <strings.h>

#include "agent/tap/redis.h"

enum phase {
    BEGIN,
    COUNT, /* behind '*' */
    COUNT_END,
    DOLLAR,
    LENGTH, /* behind '$' */
    LENGTH_END,
    ARGUMENT,
    ARGUMENT_END,
    ARGUMENT_LINE_END,
    INLINE,
    DEAF /* a replica's, or a monitor's: no commands any more */
};

enum reply_mode { REPLIES, NO_REPLY_NEXT, NO_REPLIES };

#define ARGUMENTS_MOST (UINT64_C(1) << 31)
#define LENGTH_MOST    (UINT64_C(1) << 40)

/* ---- arguments ---------------------------------------------------------------------------- */

static bool is_key(const struct redis_request *q)
{
    return q->argument >= q->keys_from && q->argument <= q->keys_to &&
           (q->argument - q->keys_from) % q->key_step == 0;
}

static void gather(struct redis_request *q, const uint8_t *bytes, size_t length)
{
    size_t room = sizeof q->word - q->word_length;
    size_t kept = length < room ? length : room;
    memcpy(q->word + q->word_length, bytes, kept);
    q->word_length = (uint8_t)(q->word_length + kept);
}

static void begin_argument(struct redis_request *q, const struct tap_reading *r)
{
    q->word_length = 0;
    if (q->argument == 0)
        tap_pending_begin(r->pending);
    else if (is_key(q))
        tap_pending_key(r->pending, NULL, 0, false);
}

static void argument_bytes(struct redis_request *q, const struct tap_reading *r,
                           const uint8_t *bytes, size_t length)
{
    if (is_key(q))
        tap_pending_key(r->pending, bytes, length, true);
    else if (q->word_length < sizeof q->word)
        gather(q, bytes, length);
}

static void begin_command(struct redis_request *q, uint64_t arguments)
{
    q->arguments = arguments;
    q->argument = 0;
    q->keys_from = UINT64_MAX;
    q->keys_to = 0;
    q->key_step = 1;
}

static void set_command(struct redis_request *q, uint16_t command)
{
    const struct redis_command *c = redis_command_at(command);
    q->command = command;
    q->keys_from = c->first_key > 0 ? (uint64_t)c->first_key : UINT64_MAX;
    q->key_step = c->key_step > 0 ? (uint64_t)c->key_step : 1;
    int64_t last = c->last_key < 0 ? (int64_t)q->arguments + c->last_key : c->last_key;
    q->keys_to = last > 0 ? (uint64_t)last : 0;
}

static void take_name(struct redis_request *q)
{
    memcpy(q->name, q->word, q->word_length);
    q->name_length = q->word_length;
    set_command(q, redis_command_find(q->name, q->name_length));
}

/* "config" and "get" make "config|get"; if that is none, it stays "config". */
static void take_subcommand(struct redis_request *q)
{
    size_t length = q->name_length + 1U + q->word_length;
    if (length > sizeof q->name)
        return;
    q->name[q->name_length] = '|';
    memcpy(q->name + q->name_length + 1, q->word, q->word_length);
    uint16_t command = redis_command_find(q->name, length);
    if (command)
        set_command(q, command);
}

static void keys_behind(struct redis_request *q, uint64_t count)
{
    q->keys_from = q->argument + 1;
    q->keys_to = count < q->arguments ? q->argument + count : q->arguments;
    q->key_step = 1;
}

static uint64_t number_in_word(const struct redis_request *q)
{
    uint64_t number = 0;
    for (size_t i = 0; i < q->word_length; i++) {
        if (q->word[i] < '0' || q->word[i] > '9' || number > ARGUMENTS_MOST)
            return 0;
        number = number * 10 + (uint64_t)(q->word[i] - '0');
    }
    return number;
}

static bool word_is(const struct redis_request *q, const char *word)
{
    return q->word_length == strlen(word) && strncasecmp(q->word, word, q->word_length) == 0;
}

static void take_reply_mode(struct redis_request *q)
{
    if (word_is(q, "on"))
        q->reply_mode = REPLIES;
    else if (word_is(q, "off"))
        q->reply_mode = NO_REPLIES;
    else if (word_is(q, "skip"))
        q->reply_mode = NO_REPLY_NEXT;
}

static void take_value(struct redis_request *q, const struct tap_reading *r,
                       const struct redis_command *c)
{
    if (c->value_at > 0 && q->argument == (uint64_t)c->value_at)
        tap_pending_value(r->pending, q->length);
    else if (c->value_follows_key && q->argument > q->keys_from && !is_key(q))
        tap_pending_value(r->pending, q->length);
    else if (c->values_behind_key && q->argument > q->keys_from)
        tap_pending_value(r->pending, q->values += q->length);
}

static void end_argument(struct redis_request *q, const struct tap_reading *r)
{
    if (q->argument == 0) {
        take_name(q);
        return;
    }
    const struct redis_command *c = redis_command_at(q->command);
    if (q->argument == 1 && c->has_subcommands)
        take_subcommand(q);
    else if (c->key_count_at > 0 && q->argument == (uint64_t)c->key_count_at)
        keys_behind(q, number_in_word(q));
    else if (c->keys_behind_streams && q->keys_from == UINT64_MAX && word_is(q, "streams"))
        keys_behind(q, (q->arguments - 1 - q->argument) / 2);
    else if (c->role == REDIS_CLIENT_REPLY && q->argument == 2)
        take_reply_mode(q);
    else
        take_value(q, r, c);
}

/* ---- commands ----------------------------------------------------------------------------- */

static enum tap_read end_command(struct redis_request *q, const struct tap_reading *r)
{
    const struct redis_command *c = redis_command_at(q->command);
    struct tap_command command = {
        .asked_ns = r->now_ns,
        .request_bytes = q->bytes,
        .command = q->command,
        .tag = q->arguments - 1,
    };
    bool answered = q->reply_mode == REPLIES;
    if (q->reply_mode == NO_REPLY_NEXT && c->role != REDIS_CLIENT_REPLY)
        q->reply_mode = REPLIES;
    q->phase = c->role == REDIS_REPLICATE || c->role == REDIS_MONITOR ? DEAF : BEGIN;
    q->bytes = q->values = 0;
    if (answered)
        return tap_pending_commit(r->pending, &command) ? TAP_GOES_ON : TAP_LOST;
    tap_pending_commit_unanswered(r->pending, &command, r->sink);
    return TAP_GOES_ON;
}

static enum tap_read next_argument(struct redis_request *q, const struct tap_reading *r)
{
    end_argument(q, r);
    q->phase = DOLLAR;
    return ++q->argument == q->arguments ? end_command(q, r) : TAP_GOES_ON;
}

/* Words between blanks; quotes, which redis-cli's line would take, only where there are no blanks
 * within. */
static enum tap_read end_inline(struct redis_request *q, const struct tap_reading *r)
{
    size_t length = q->line_length, at = 0, words = 0;
    for (size_t i = 0; i < length; i++)
        words += q->line[i] != ' ' && (i == 0 || q->line[i - 1] == ' ');
    q->phase = BEGIN;
    if (words == 0)
        return TAP_GOES_ON;
    begin_command(q, words);
    for (; q->argument < words; q->argument++) {
        while (q->line[at] == ' ')
            at++;
        size_t from = at;
        while (at < length && q->line[at] != ' ')
            at++;
        q->length = at - from;
        begin_argument(q, r);
        argument_bytes(q, r, q->line + from, at - from);
        end_argument(q, r);
        /* Anything may be a line of words: only what Redis knows is believed. */
        if (q->argument == 0 && q->command == 0)
            return TAP_LOST;
    }
    return end_command(q, r);
}

/* ---- bytes -------------------------------------------------------------------------------- */

static enum tap_read begin(struct redis_request *q, uint8_t byte)
{
    q->number = 0;
    q->digits = 0;
    q->line_length = 0;
    if (byte == '*') {
        q->phase = COUNT;
        return TAP_GOES_ON;
    }
    if (byte == '\r' || byte == '\n') /* an empty line, as `telnet` users send */
        return TAP_GOES_ON;
    if ((byte | 0x20) < 'a' || (byte | 0x20) > 'z')
        return TAP_LOST;
    q->phase = INLINE;
    q->line[q->line_length++] = byte;
    return TAP_GOES_ON;
}

/* A digit of a count or length; '-' is that of "*-1", which is as empty as "*0". */
static enum tap_read number_byte(struct redis_request *q, uint8_t byte, uint8_t end_phase,
                                 uint64_t most)
{
    if (byte >= '0' && byte <= '9' && q->number <= most) {
        q->number = q->number * 10 + byte - '0';
        q->digits++;
        return TAP_GOES_ON;
    }
    if (byte == '\r' && q->digits > 0 && q->number <= most) {
        q->phase = end_phase;
        return TAP_GOES_ON;
    }
    return TAP_LOST;
}

static enum tap_read count_end(struct redis_request *q, uint8_t byte)
{
    begin_command(q, q->number);
    q->phase = q->arguments ? DOLLAR : BEGIN;
    return byte == '\n' ? TAP_GOES_ON : TAP_LOST;
}

static enum tap_read dollar(struct redis_request *q, uint8_t byte)
{
    q->number = 0;
    q->digits = 0;
    q->phase = LENGTH;
    return byte == '$' ? TAP_GOES_ON : TAP_LOST;
}

static enum tap_read length_end(struct redis_request *q, const struct tap_reading *r, uint8_t byte)
{
    q->left = q->length = q->number;
    q->phase = q->left ? ARGUMENT : ARGUMENT_END;
    begin_argument(q, r);
    return byte == '\n' ? TAP_GOES_ON : TAP_LOST;
}

static enum tap_read inline_byte(struct redis_request *q, const struct tap_reading *r, uint8_t byte)
{
    if (byte == '\n') {
        if (q->line[q->line_length - 1] == '\r')
            q->line_length--;
        return end_inline(q, r);
    }
    if (q->line_length == sizeof q->line)
        return TAP_LOST;
    q->line[q->line_length++] = byte == '\t' ? ' ' : byte;
    return TAP_GOES_ON;
}

static enum tap_read one_byte(struct redis_request *q, const struct tap_reading *r, uint8_t byte)
{
    switch (q->phase) {
    case BEGIN:
        return begin(q, byte);
    case COUNT:
        return number_byte(q, byte, COUNT_END, ARGUMENTS_MOST);
    case COUNT_END:
        return count_end(q, byte);
    case DOLLAR:
        return dollar(q, byte);
    case LENGTH:
        return number_byte(q, byte, LENGTH_END, LENGTH_MOST);
    case LENGTH_END:
        return length_end(q, r, byte);
    case ARGUMENT_END:
        q->phase = ARGUMENT_LINE_END;
        return byte == '\r' ? TAP_GOES_ON : TAP_LOST;
    case ARGUMENT_LINE_END:
        return byte == '\n' ? next_argument(q, r) : TAP_LOST;
    default:
        return inline_byte(q, r, byte);
    }
}

enum tap_read redis_read_request(void *state, const struct tap_reading *r, const uint8_t *bytes,
                                 size_t length)
{
    struct redis_request *q = state;
    while (length > 0) {
        size_t n = 1;
        if (q->phase == DEAF)
            return TAP_GOES_ON;
        if (q->phase == ARGUMENT) {
            n = q->left < length ? (size_t)q->left : length;
            argument_bytes(q, r, bytes, n);
            q->left -= n;
            q->bytes += n;
            if (q->left == 0)
                q->phase = ARGUMENT_END;
        } else {
            q->bytes++;
            if (one_byte(q, r, *bytes) != TAP_GOES_ON)
                return TAP_LOST;
        }
        bytes += n;
        length -= n;
    }
    return TAP_GOES_ON;
}

uint64_t redis_request_passing(const void *state)
{
    const struct redis_request *q = state;
    if (q->phase == DEAF)
        return UINT64_MAX;
    /* No name, number or word is so long: it is a value. */
    return q->phase == ARGUMENT && q->word_length == sizeof q->word ? q->left : 0;
}

void redis_request_pass(void *state, uint64_t bytes)
{
    struct redis_request *q = state;
    if (q->phase != ARGUMENT)
        return;
    q->left -= bytes;
    q->bytes += bytes;
    if (q->left == 0)
        q->phase = ARGUMENT_END;
}
