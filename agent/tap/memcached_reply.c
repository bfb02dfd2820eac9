// SPDX-License-Identifier: Apache-2.0
/* What a memcached replies: lines, of which some are followed by a value; or binary packets. */
#include <stdlib.h>
#include <string.h>

#include "agent/tap/memcached.h"

enum phase {
    BEGIN,
    LINE,
    VALUE, /* with the end of its line */
    HEADER,
    EXTRAS,
    KEY,
    BODY,
    DEAF
};

enum { SEARCHED_MOST = 256, VALUE_LINE_END = 2 };
#define VALUE_MOST (UINT64_C(1) << 31)

/* ---- answers ------------------------------------------------------------------------------ */

void memcached_judge(const struct tap_reading *r, enum tap_outcome outcome, uint64_t value_bytes)
{
    const struct tap_command *c = tap_pending_oldest(r->pending);
    struct tap_key *keys = tap_pending_keys(r->pending, 0);
    for (uint32_t i = 0; i < c->key_count; i++) {
        keys[i].outcome = outcome;
        if (value_bytes > 0)
            keys[i].value_bytes = value_bytes;
    }
}

void memcached_answer(struct memcached_reply *p, const struct tap_reading *r, const char *error)
{
    struct tap_reply reply = {
        .answered_ns = p->answered_ns,
        .done_ns = r->now_ns,
        .reply_bytes = p->bytes,
        .failed = error != NULL,
        .error = error,
    };
    tap_pending_answer(r->pending, &reply, r->sink);
    p->keys_seen = 0;
    p->has_begun = false;
    p->bytes = 0;
}

/* A quiet lookup says nothing of what is not there; other quiet commands nothing of what went well.
 */
void memcached_quiet_before(struct memcached_reply *p, const struct tap_reading *r, size_t ahead)
{
    for (size_t i = 0; i < ahead; i++) {
        const struct tap_command *c = tap_pending_oldest(r->pending);
        const char *name = memcached_command_at(c->command)->name;
        bool gets = strcmp(name, "mg") == 0 || strcmp(name, "get") == 0 || strcmp(name, "gat") == 0;
        if (gets)
            memcached_judge(r, TAP_MISS, 0);
        tap_pending_answer(r->pending, &(struct tap_reply){0}, r->sink);
    }
    (void)p;
}

/* ---- lines -------------------------------------------------------------------------------- */

struct words {
    const char *at, *end;
};

/* The next word; its length, 0 at the line's end. */
static size_t next_word(struct words *w, const char **word)
{
    while (w->at < w->end && *w->at == ' ')
        w->at++;
    *word = w->at;
    while (w->at < w->end && *w->at != ' ')
        w->at++;
    return (size_t)(w->at - *word);
}

static bool is(const char *word, size_t length, const char *what)
{
    return strlen(what) == length && memcmp(word, what, length) == 0;
}

static bool number_of(const char *word, size_t length, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < length; i++) {
        if (word[i] < '0' || word[i] > '9' || *number > VALUE_MOST)
            return false;
        *number = *number * 10 + (uint64_t)(word[i] - '0');
    }
    return length > 0;
}

/* NULL: it is no error. */
static const char *error_of(const char *word, size_t length)
{
    static const char *const errors[] = {"ERROR", "CLIENT_ERROR", "SERVER_ERROR"};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (is(word, length, errors[i]))
            return errors[i];
    return is(word, length, "CLIENT_ERROR:") || is(word, length, "ERROR:") ? "ERROR" : NULL;
}

static bool is_one_of(const char *word, size_t length, const char *const *list)
{
    for (; *list; list++)
        if (is(word, length, *list))
            return true;
    return false;
}

/* Whether the command may be answered by a line that begins so. */
static bool fits(const struct tap_command *c, const char *word, size_t length)
{
    static const char *const one_line[] = {
        "STORED", "NOT_STORED", "EXISTS",   "NOT_FOUND", "DELETED", "TOUCHED", "OK",   "VERSION",
        "RESET",  "BUSY",       "BADCLASS", "NOSPARE",   "NOTFULL", "UNSAFE",  "SAME", NULL};
    static const char *const get[] = {"VA", "HD", "EN", NULL};
    static const char *const set[] = {"HD", "NS", "EX", "NF", NULL};
    static const char *const delete[] = {"HD", "NF", "EX", NULL};
    static const char *const arithmetic[] = {"HD", "VA", "NF", "NS", "EX", NULL};
    static const char *const debug[] = {"ME", "EN", NULL};
    uint64_t number;
    if (error_of(word, length))
        return true;
    if (c->detail & MEMCACHED_BINARY)
        return false;
    bool quiet_get = c->detail & MEMCACHED_QUIET && is(word, length, "EN");
    switch (c->detail & MEMCACHED_ANSWER) {
    case MEMCACHED_VALUES:
        return is(word, length, "VALUE") || is(word, length, "END");
    case MEMCACHED_STATS:
        return is(word, length, "STAT") || is(word, length, "END") ||
               is_one_of(word, length, one_line);
    case MEMCACHED_META_GET:
        return is_one_of(word, length, get) && !quiet_get;
    case MEMCACHED_META_SET:
        return is_one_of(word, length, set);
    case MEMCACHED_META_DELETE:
        return is_one_of(word, length, delete);
    case MEMCACHED_META_ARITHMETIC:
        return is_one_of(word, length, arithmetic);
    case MEMCACHED_META_DEBUG:
        return is_one_of(word, length, debug);
    case MEMCACHED_META_NOOP:
        return is(word, length, "MN");
    default:
        return is_one_of(word, length, one_line) || number_of(word, length, &number);
    }
}

/* The opaque or key that a meta command's reply repeats among its flags. False: none. */
static bool tag_of(struct words w, uint64_t *tag)
{
    const char *word;
    size_t length;
    bool found = false;
    while ((length = next_word(&w, &word)) > 0) {
        if (word[0] == 'O') {
            *tag = memcached_tag('O', word + 1, length - 1);
            return true;
        }
        if (word[0] == 'k') {
            *tag = memcached_tag('k', word + 1, length - 1);
            found = true;
        }
    }
    return found;
}

/* Whose answer the line is: the place of the command. SIZE_MAX: nobody's, or one of several's. */
static size_t command_of(const struct tap_reading *r, const char *first, size_t length,
                         struct words rest)
{
    uint64_t tag = 0;
    bool tagged = length == 2 && tag_of(rest, &tag);
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < SEARCHED_MOST; i++) {
        const struct tap_command *c = tap_pending_at(r->pending, i);
        if (!c)
            break;
        bool may = fits(c, first, length);
        bool own_tag = c->detail & MEMCACHED_TAGGED && !(c->detail & MEMCACHED_BINARY);
        if (may && tagged && own_tag && c->tag == tag)
            return i;
        if (may && !(tagged && own_tag)) {
            if (found != SIZE_MAX)
                return SIZE_MAX;
            found = i;
        }
        if (!(c->detail & MEMCACHED_QUIET))
            break;
    }
    return found;
}

/* "VALUE key flags bytes [cas]": keys of the command before this one were not there. */
static enum tap_read value_line(struct memcached_reply *p, const struct tap_reading *r,
                                struct words w)
{
    struct tap_command *c = tap_pending_oldest(r->pending);
    struct tap_key *keys = tap_pending_keys(r->pending, 0);
    const char *key, *flags, *bytes;
    uint64_t length;
    size_t key_length = next_word(&w, &key);
    (void)next_word(&w, &flags);
    size_t digits = next_word(&w, &bytes);
    if (!number_of(bytes, digits, &length))
        return TAP_LOST;
    for (; p->keys_seen < c->key_count; p->keys_seen++) {
        struct tap_key *k = &keys[p->keys_seen];
        bool same = k->length == key_length && memcmp(k->bytes, key, key_length) == 0;
        k->outcome = same ? TAP_HIT : TAP_MISS;
        k->value_bytes = same ? length : 0;
        if (same)
            break;
    }
    if (p->keys_seen == c->key_count && c->keys_not_kept == 0)
        return TAP_LOST;
    p->keys_seen += p->keys_seen < c->key_count;
    p->left = length + VALUE_LINE_END;
    p->phase = VALUE;
    return TAP_GOES_ON;
}

static void end_values(struct memcached_reply *p, const struct tap_reading *r)
{
    struct tap_command *c = tap_pending_oldest(r->pending);
    struct tap_key *keys = tap_pending_keys(r->pending, 0);
    for (; p->keys_seen < c->key_count; p->keys_seen++)
        keys[p->keys_seen].outcome = TAP_MISS;
    memcached_answer(p, r, NULL);
}

/* "VA bytes flags…": what the answer is, it is when its value is over. */
static enum tap_read meta_value(struct memcached_reply *p, const struct tap_reading *r,
                                struct words w)
{
    const char *bytes;
    uint64_t length;
    size_t digits = next_word(&w, &bytes);
    if (!number_of(bytes, digits, &length))
        return TAP_LOST;
    memcached_judge(r, TAP_HIT, length);
    p->left = length + VALUE_LINE_END;
    p->phase = VALUE;
    p->answers = true;
    return TAP_GOES_ON;
}

static enum tap_outcome outcome_of(const struct tap_command *c, const char *word, size_t length)
{
    static const char *const misses[] = {"NOT_FOUND", "EN", "NF", NULL};
    static const char *const neither[] = {"EXISTS", "NS", "EX", "NOT_STORED", NULL};
    if (!memcached_command_at(c->command)->looks_up || is_one_of(word, length, neither))
        return TAP_NO_OUTCOME;
    return is_one_of(word, length, misses) ? TAP_MISS : TAP_HIT;
}

static enum tap_read end_line(struct memcached_reply *p, const struct tap_reading *r)
{
    struct words w = {p->line, p->line + p->line_length};
    const char *word;
    size_t length = next_word(&w, &word);
    size_t ahead = p->has_begun ? 0 : command_of(r, word, length, w);
    p->phase = BEGIN;
    if (ahead == SIZE_MAX)
        return TAP_LOST;
    memcached_quiet_before(p, r, ahead);
    const struct tap_command *c = tap_pending_oldest(r->pending);
    const char *error = error_of(word, length);
    p->has_begun = true;
    if (!c || (ahead == 0 && !fits(c, word, length)))
        return TAP_LOST;
    if ((c->detail & MEMCACHED_ANSWER) == MEMCACHED_EVERYTHING)
        p->phase = DEAF;
    if (error) {
        memcached_answer(p, r, error);
    } else if (is(word, length, "VALUE")) {
        return value_line(p, r, w);
    } else if (is(word, length, "VA")) {
        return meta_value(p, r, w);
    } else if ((c->detail & MEMCACHED_ANSWER) == MEMCACHED_VALUES) {
        end_values(p, r);
    } else if (!is(word, length, "STAT")) {
        memcached_judge(r, outcome_of(c, word, length), 0);
        memcached_answer(p, r, NULL);
    }
    return TAP_GOES_ON;
}

/* ---- bytes -------------------------------------------------------------------------------- */

static enum tap_read begin(struct memcached_reply *p, const struct tap_reading *r, uint8_t byte)
{
    const struct tap_command *oldest = tap_pending_oldest(r->pending);
    if (!oldest)
        return TAP_LOST; /* nobody asked */
    if ((oldest->detail & MEMCACHED_ANSWER) == MEMCACHED_EVERYTHING) {
        p->answered_ns = r->now_ns;
        memcached_answer(p, r, NULL);
        p->phase = DEAF;
        return TAP_GOES_ON;
    }
    if (!p->has_begun) {
        p->answered_ns = r->now_ns;
        p->bytes = 1;
    }
    p->line_length = 0;
    p->header_length = 0;
    p->answers = false;
    p->phase = byte == MEMCACHED_REPLY_MAGIC ? HEADER : LINE;
    if (p->phase == HEADER)
        p->header[p->header_length++] = byte;
    else
        p->line[p->line_length++] = (char)byte;
    return TAP_GOES_ON;
}

static enum tap_read line_byte(struct memcached_reply *p, const struct tap_reading *r, uint8_t byte)
{
    if (byte == '\n') {
        if (p->line[p->line_length - 1] == '\r')
            p->line_length--;
        return end_line(p, r);
    }
    if (p->line_length == sizeof p->line)
        return TAP_LOST;
    p->line[p->line_length++] = (char)byte;
    return TAP_GOES_ON;
}

static enum tap_read header_byte(struct memcached_reply *p, uint8_t byte)
{
    p->header[p->header_length++] = byte;
    if (p->header_length < MEMCACHED_HEADER)
        return TAP_GOES_ON;
    struct memcached_binary_header h = memcached_header_of(p->header);
    if (h.body < (uint32_t)h.key + h.extras || h.key > sizeof p->line)
        return TAP_LOST;
    p->extras_left = h.extras;
    p->key_left = h.key;
    p->key_length = 0;
    p->left = h.body - h.key - h.extras;
    p->phase = EXTRAS;
    return TAP_GOES_ON;
}

/* Through parts of a packet that are empty. */
static enum tap_read end_parts(struct memcached_reply *p, const struct tap_reading *r)
{
    if (p->phase == EXTRAS && p->extras_left == 0)
        p->phase = KEY;
    if (p->phase == KEY && p->key_left == 0)
        p->phase = BODY;
    if (p->phase != BODY || p->left > 0)
        return TAP_GOES_ON;
    p->phase = BEGIN;
    return memcached_binary_reply(p, r);
}

static void end_value(struct memcached_reply *p, const struct tap_reading *r)
{
    if (p->left > 0)
        return;
    p->phase = BEGIN;
    if (p->answers)
        memcached_answer(p, r, NULL);
}

static enum tap_read one_byte(struct memcached_reply *p, const struct tap_reading *r, uint8_t byte)
{
    switch (p->phase) {
    case BEGIN:
        return begin(p, r, byte);
    case LINE:
        return line_byte(p, r, byte);
    case HEADER:
        return header_byte(p, byte);
    case EXTRAS:
        p->extras_left--;
        return TAP_GOES_ON;
    default: /* KEY */
        p->line[p->key_length++] = (char)byte;
        p->key_left--;
        return TAP_GOES_ON;
    }
}

enum tap_read memcached_read_reply(void *state, const struct tap_reading *r, const uint8_t *bytes,
                                   size_t length)
{
    struct memcached_reply *p = state;
    while (length > 0) {
        size_t n = 1;
        if (p->phase == DEAF)
            return TAP_GOES_ON;
        p->bytes++;
        if (p->phase == VALUE || p->phase == BODY) {
            n = p->left < length ? (size_t)p->left : length;
            p->left -= n;
            p->bytes += n - 1;
            if (p->phase == VALUE)
                end_value(p, r);
        } else if (one_byte(p, r, *bytes) != TAP_GOES_ON) {
            return TAP_LOST;
        }
        if (p->phase >= EXTRAS && p->phase <= BODY && end_parts(p, r) != TAP_GOES_ON)
            return TAP_LOST;
        bytes += n;
        length -= n;
    }
    return TAP_GOES_ON;
}

uint64_t memcached_reply_passing(const void *state)
{
    const struct memcached_reply *p = state;
    if (p->phase == DEAF)
        return UINT64_MAX;
    /* The last byte is read, so that the reply ends with a packet's time. */
    return (p->phase == VALUE || p->phase == BODY) && p->left > 0 ? p->left - 1 : 0;
}

void memcached_reply_pass(void *state, uint64_t bytes)
{
    struct memcached_reply *p = state;
    if (p->phase != VALUE && p->phase != BODY)
        return;
    p->left -= bytes;
    p->bytes += bytes;
}
