// SPDX-License-Identifier: Apache-2.0
/* What a Redis replies. A reply is a value, which may hold others; what matters of it is gathered
 * as it passes (struct redis_value), and its strings are passed over.
 *
 * Commands that are answered "+QUEUED" stay the oldest that wait; EXEC's reply then has an element
 * for each of them. Pushed messages (RESP3's '>', and RESP2's arrays on a connection that
 * subscribed) answer nobody. */
#include <string.h>

#include "agent/tap/redis.h"

enum phase {
    TYPE,
    LINE,
    LINE_END,
    STRING,
    STRING_END,
    STRING_LINE_END,
    DEAF /* what a replica or monitor is sent */
};

#define NUMBER_MOST (UINT64_C(1) << 60)

static const char *const error_kinds[] = {
    "ASK",        "BUSY",       "BUSYGROUP",  "BUSYKEY", "CLUSTERDOWN", "CROSSSLOT", "ERR",
    "EXECABORT",  "LOADING",    "MASTERDOWN", "MISCONF", "MOVED",       "NOAUTH",    "NOGROUP",
    "NOPERM",     "NOREPLICAS", "NOSCRIPT",   "OOM",     "READONLY",    "TRYAGAIN",  "UNBLOCKED",
    "UNKILLABLE", "WRONGPASS",  "WRONGTYPE",  "other",
};
enum { ERROR_KINDS = sizeof error_kinds / sizeof error_kinds[0] };

/* Its place among them, from 1. */
static uint8_t error_of(const char *text, size_t length)
{
    size_t word = 0;
    uint8_t i = 0;
    while (word < length && text[word] != ' ')
        word++;
    while (i + 1 < ERROR_KINDS &&
           (strlen(error_kinds[i]) != word || memcmp(error_kinds[i], text, word) != 0))
        i++;
    return (uint8_t)(i + 1);
}

static bool text_is(const char *text, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(text, word, length) == 0;
}

/* ---- what a value means to a command ------------------------------------------------------ */

static bool is_miss(const struct redis_command *c, const struct redis_value *v)
{
    return (c->misses & (REDIS_NIL | REDIS_EMPTY) && v->is_nil) ||
           (c->misses & REDIS_EMPTY && v->is_empty) || (c->misses & REDIS_ZERO && v->is_zero);
}

/* Of several keys a number tells something only where it is none or all of them. */
static enum tap_outcome outcome_of(const struct redis_command *c, const struct redis_value *v,
                                   uint32_t keys)
{
    if (!c->misses || v->error)
        return TAP_NO_OUTCOME;
    if (is_miss(c, v))
        return TAP_MISS;
    return keys == 1 || (c->misses & REDIS_ZERO && v->number == keys) ? TAP_HIT : TAP_NO_OUTCOME;
}

/* The value is that of the command `ahead` places behind the oldest. */
static void judge(const struct redis_value *v, struct tap_pending *pending, size_t ahead)
{
    const struct tap_command *waits = tap_pending_at(pending, ahead);
    const struct redis_command *c = redis_command_at(waits->command);
    struct tap_key *keys = tap_pending_keys(pending, ahead);
    if (c->misses & REDIS_EACH_NIL)
        return; /* done as the elements came */
    enum tap_outcome outcome = outcome_of(c, v, waits->key_count);
    for (uint32_t i = 0; i < waits->key_count; i++)
        keys[i].outcome = outcome;
    if (outcome == TAP_HIT && waits->key_count == 1 && v->bytes > 0)
        keys[0].value_bytes = v->bytes;
}

/* An element of a value that has one for each key. */
static void judge_element(const struct redis_reply *p, struct tap_pending *pending, size_t ahead,
                          bool is_nil, uint64_t bytes)
{
    const struct tap_command *waits = tap_pending_at(pending, ahead);
    struct tap_key *keys = tap_pending_keys(pending, ahead);
    if (!waits || !(redis_command_at(waits->command)->misses & REDIS_EACH_NIL) ||
        p->inner_element >= waits->key_count)
        return;
    keys[p->inner_element].outcome = is_nil ? TAP_MISS : TAP_HIT;
    keys[p->inner_element].value_bytes = bytes;
}

/* ---- whole replies ------------------------------------------------------------------------ */

static void answer_oldest(const struct redis_reply *p, const struct tap_reading *r, bool timed,
                          const struct redis_value *v, uint64_t bytes)
{
    struct tap_reply reply = {
        .answered_ns = timed ? p->answered_ns : 0,
        .done_ns = timed ? r->now_ns : 0,
        .reply_bytes = bytes,
        .failed = v->error != 0,
        .error = v->error ? error_kinds[v->error - 1] : NULL,
    };
    tap_pending_answer(r->pending, &reply, r->sink);
}

static void withdraw_queued(struct redis_reply *p, const struct tap_reading *r)
{
    for (; p->queued > 0; p->queued--)
        tap_pending_withdraw(r->pending, r->sink);
}

/* Each that was queued has had its element. */
static void answer_queued(struct redis_reply *p, const struct tap_reading *r)
{
    for (; p->queued > 0; p->queued--) {
        uint16_t error = tap_pending_oldest(r->pending)->detail;
        answer_oldest(p, r, false, &(struct redis_value){.error = (uint8_t)error}, 0);
    }
}

/* One for each channel that the command names. Without any (from all that there are) the first
 * counts, and what follows answers nobody. */
static bool is_last_confirmation(struct tap_command *waiting)
{
    return waiting->tag <= 1 || --waiting->tag == 0;
}

/* What comes unasked on a connection that subscribed. */
static bool is_message(const struct redis_reply *p, const struct redis_command *waiting)
{
    static const char *const messages[] = {"message", "pmessage", "smessage"};
    static const char *const confirmations[] = {"subscribe",    "unsubscribe", "psubscribe",
                                                "punsubscribe", "ssubscribe",  "sunsubscribe"};
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        if (text_is(p->word, p->word_length, messages[i]))
            return true;
    for (size_t i = 0; i < sizeof confirmations / sizeof confirmations[0]; i++)
        if (text_is(p->word, p->word_length, confirmations[i]))
            return !waiting || !text_is(waiting->name, strlen(waiting->name), confirmations[i]);
    return false;
}

static enum tap_read end_of_transaction(struct redis_reply *p, const struct tap_reading *r,
                                        const struct redis_command *command)
{
    if (command->role == REDIS_EXEC && p->base == 1)
        answer_queued(p, r);
    else if (command->role == REDIS_EXEC || command->role == REDIS_RESET ||
             (command->role == REDIS_DISCARD && !p->value.error))
        withdraw_queued(p, r);
    p->base = 0;
    answer_oldest(p, r, true, &p->value, p->bytes);
    return TAP_GOES_ON;
}

static void stay_queued(struct redis_reply *p, struct tap_command *waiting)
{
    p->queued++;
    waiting->detail = p->value.error;
}

static enum tap_read end_reply(struct redis_reply *p, const struct tap_reading *r)
{
    struct tap_command *waiting = tap_pending_at(r->pending, p->queued);
    const struct redis_command *c = waiting ? redis_command_at(waiting->command) : NULL;
    bool confirms = c && (c->role == REDIS_SUBSCRIBE || c->role == REDIS_UNSUBSCRIBE);
    p->phase = TYPE;
    if ((p->is_push || p->subscribed) && p->type_of_reply != '+' && is_message(p, c))
        return TAP_GOES_ON;
    if (p->is_push && !confirms)
        return TAP_GOES_ON;
    if (!waiting)
        return TAP_LOST;
    if (confirms && !p->value.error) {
        p->subscribed = true;
        if (!is_last_confirmation(waiting))
            return TAP_GOES_ON;
    } else if (text_is(p->text, p->text_length, "QUEUED") && p->type_of_reply == '+') {
        stay_queued(p, waiting);
        return TAP_GOES_ON;
    } else if (c->role == REDIS_EXEC || c->role == REDIS_DISCARD || c->role == REDIS_RESET) {
        return end_of_transaction(p, r, c);
    } else if (p->queued > 0 && p->value.error) {
        stay_queued(p, waiting);
        return TAP_GOES_ON;
    } else if (p->queued > 0) {
        return TAP_LOST; /* only "+QUEUED" can be said now */
    }
    if (c->role == REDIS_MONITOR || c->role == REDIS_REPLICATE)
        p->phase = DEAF;
    judge(&p->value, r->pending, 0);
    answer_oldest(p, r, !c->waits, &p->value, p->bytes);
    return TAP_GOES_ON;
}

/* ---- values ------------------------------------------------------------------------------- */

static void note_base(struct redis_reply *p, bool is_nil, bool is_empty, uint64_t bytes)
{
    struct redis_value *v = &p->value;
    v->is_nil = is_nil;
    v->is_empty = is_empty;
    v->is_zero = p->type == ':' && p->number == 0;
    v->number = p->type == ':' && !p->negative ? p->number : 0;
    v->bytes += bytes;
    v->error = p->type == '-' || p->type == '!' ? error_of(p->text, p->text_length) : 0;
}

/* A value without others in it, at the present depth. */
static void note_scalar(struct redis_reply *p, const struct tap_reading *r, bool is_nil,
                        uint64_t bytes)
{
    if (p->attribute_depth)
        return;
    if (p->depth == p->base) {
        note_base(p, is_nil, !is_nil && bytes == 0 && p->type == '$', bytes);
        return;
    }
    if (p->depth < p->base)
        return;
    p->value.has_something |= !is_nil;
    p->value.bytes += bytes;
    if (p->depth == p->base + 1) {
        judge_element(p, r->pending, p->base ? p->element : p->queued, is_nil, bytes);
        p->inner_element++;
    }
}

/* An element of EXEC's reply is whole. */
static void end_element(struct redis_reply *p, const struct tap_reading *r)
{
    struct tap_command *waits =
        p->element < p->queued ? tap_pending_at(r->pending, p->element) : NULL;
    if (waits) {
        judge(&p->value, r->pending, p->element);
        waits->detail = p->value.error;
    }
    p->element++;
    p->inner_element = 0;
    p->value = (struct redis_value){0};
}

/* The value at the present depth is whole, and perhaps with it the one around it. */
static enum tap_read end_value(struct redis_reply *p, const struct tap_reading *r)
{
    for (;;) {
        p->phase = TYPE;
        if (p->base == 1 && p->depth == 1 && !p->attribute_depth)
            end_element(p, r);
        if (p->depth == 0)
            return end_reply(p, r);
        if (--p->elements[p->depth - 1] > 0)
            return TAP_GOES_ON;
        p->depth--;
        if (p->attribute_depth == p->depth + 1U) { /* the value that it tells of comes now */
            p->attribute_depth = 0;
            return TAP_GOES_ON;
        }
        if (p->depth == p->base && !p->value.has_something && !p->value.is_empty)
            p->value.is_nil = true; /* nothing but nils */
    }
}

/* The reply that begins is EXEC's. */
static bool is_exec(const struct redis_reply *p, const struct tap_reading *r)
{
    const struct tap_command *waiting = tap_pending_at(r->pending, p->queued);
    return waiting && redis_command_at(waiting->command)->role == REDIS_EXEC;
}

static enum tap_read begin_values(struct redis_reply *p, const struct tap_reading *r)
{
    uint64_t count = p->number;
    if (p->negative) { /* RESP2's nil */
        note_scalar(p, r, true, 0);
        return end_value(p, r);
    }
    if (p->depth == 0 && p->type == '*')
        p->base = is_exec(p, r);
    if (p->type == '%' || p->type == '|')
        count *= 2;
    if (p->type == '|' && !p->attribute_depth && count > 0)
        p->attribute_depth = (uint8_t)(p->depth + 1);
    if (p->type == '|' && count == 0) {
        p->phase = TYPE;
        return TAP_GOES_ON;
    }
    if (!p->attribute_depth && p->depth == p->base)
        note_base(p, false, count == 0, 0);
    else if (!p->attribute_depth && p->depth > p->base)
        p->value.has_something = true;
    if (!p->attribute_depth && p->depth == p->base + 1)
        p->inner_element++;
    if (count == 0)
        return end_value(p, r);
    if (p->depth == REDIS_DEPTH_MOST)
        return TAP_LOST;
    p->elements[p->depth++] = count;
    p->phase = TYPE;
    return TAP_GOES_ON;
}

/* ---- bytes -------------------------------------------------------------------------------- */

static bool is_type(uint8_t byte)
{
    return byte != 0 && strchr("+-:$*_,#!=(%~>|", byte) != NULL;
}

static bool is_aggregate(uint8_t type)
{
    return type == '*' || type == '%' || type == '~' || type == '>' || type == '|';
}

static bool is_string(uint8_t type)
{
    return type == '$' || type == '!' || type == '=';
}

static void begin_reply(struct redis_reply *p, const struct tap_reading *r, uint8_t type)
{
    p->answered_ns = r->now_ns;
    p->bytes = 1;
    p->type_of_reply = type;
    p->is_push = type == '>';
    p->word_length = 0;
    p->value = (struct redis_value){0};
    p->element = p->inner_element = 0;
    p->base = 0;
}

static enum tap_read begin_value(struct redis_reply *p, const struct tap_reading *r, uint8_t type)
{
    if (!is_type(type))
        return TAP_LOST;
    if (p->depth == 0 && type != '|')
        begin_reply(p, r, type);
    if (p->depth == 0 && type != '|' && type != '>' && !p->subscribed &&
        tap_pending_count(r->pending) <= p->queued)
        return TAP_LOST; /* nobody asked */
    p->type = type;
    p->number = 0;
    p->digits = 0;
    p->negative = false;
    p->text_length = 0;
    p->phase = LINE;
    return TAP_GOES_ON;
}

static bool has_number(uint8_t type)
{
    return type == ':' || is_aggregate(type) || is_string(type);
}

static enum tap_read line_byte(struct redis_reply *p, uint8_t byte)
{
    if (byte == '\r') {
        p->phase = LINE_END;
        return has_number(p->type) && p->digits == 0 ? TAP_LOST : TAP_GOES_ON;
    }
    if (!has_number(p->type)) {
        if (p->text_length < sizeof p->text)
            p->text[p->text_length++] = (char)byte;
        return TAP_GOES_ON;
    }
    if ((byte == '-' || (byte == '+' && p->type == ':')) && p->digits == 0 && !p->negative) {
        p->negative = byte == '-';
        return TAP_GOES_ON;
    }
    if (byte < '0' || byte > '9' || ++p->digits > 20)
        return TAP_LOST;
    p->number = p->number > NUMBER_MOST / 10 ? NUMBER_MOST : p->number * 10 + byte - '0';
    return TAP_GOES_ON;
}

static enum tap_read line_end(struct redis_reply *p, const struct tap_reading *r, uint8_t byte)
{
    if (byte != '\n')
        return TAP_LOST;
    if (is_aggregate(p->type))
        return p->number < NUMBER_MOST / 2 ? begin_values(p, r) : TAP_LOST;
    if (is_string(p->type) && !p->negative) {
        p->left = p->number;
        p->phase = p->left ? STRING : STRING_END;
        return p->number < NUMBER_MOST ? TAP_GOES_ON : TAP_LOST;
    }
    note_scalar(p, r, p->type == '_' || (is_string(p->type) && p->negative), 0);
    return end_value(p, r);
}

static void string_bytes(struct redis_reply *p, const uint8_t *bytes, size_t length)
{
    bool is_first = p->depth == 1 && p->element == 0 && p->inner_element == 0;
    uint64_t at = p->number - p->left;
    if (is_first && at < sizeof p->word) {
        size_t room = sizeof p->word - (size_t)at, kept = length < room ? length : room;
        memcpy(p->word + at, bytes, kept);
        p->word_length = (uint8_t)(at + kept);
    }
    if (p->type == '!' && at < sizeof p->text) {
        size_t room = sizeof p->text - (size_t)at, kept = length < room ? length : room;
        memcpy(p->text + at, bytes, kept);
        p->text_length = (uint8_t)(at + kept);
    }
}

static enum tap_read one_byte(struct redis_reply *p, const struct tap_reading *r, uint8_t byte)
{
    switch (p->phase) {
    case TYPE:
        return begin_value(p, r, byte);
    case LINE:
        return line_byte(p, byte);
    case LINE_END:
        return line_end(p, r, byte);
    case STRING_END:
        p->phase = STRING_LINE_END;
        return byte == '\r' ? TAP_GOES_ON : TAP_LOST;
    default:
        if (byte != '\n')
            return TAP_LOST;
        note_scalar(p, r, false, p->number);
        return end_value(p, r);
    }
}

enum tap_read redis_read_reply(void *state, const struct tap_reading *r, const uint8_t *bytes,
                               size_t length)
{
    struct redis_reply *p = state;
    while (length > 0) {
        size_t n = 1;
        if (p->phase == DEAF)
            return TAP_GOES_ON;
        if (p->phase == STRING) {
            n = p->left < length ? (size_t)p->left : length;
            string_bytes(p, bytes, n);
            redis_reply_pass(p, n);
        } else {
            p->bytes++;
            if (one_byte(p, r, *bytes) != TAP_GOES_ON)
                return TAP_LOST;
        }
        bytes += n;
        length -= n;
    }
    return TAP_GOES_ON;
}

uint64_t redis_reply_passing(const void *state)
{
    const struct redis_reply *p = state;
    if (p->phase == DEAF)
        return UINT64_MAX;
    /* A word that says what kind of message comes must be seen. */
    bool says_kind = (p->is_push || p->subscribed) && p->depth == 1 && p->inner_element == 0;
    return p->phase == STRING && !says_kind ? p->left : 0;
}

void redis_reply_pass(void *state, uint64_t bytes)
{
    struct redis_reply *p = state;
    if (p->phase != STRING)
        return;
    p->left -= bytes;
    p->bytes += bytes;
    if (p->left == 0)
        p->phase = STRING_END;
}
