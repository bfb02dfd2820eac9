// SPDX-License-Identifier: Apache-2.0
/* What the tests of the tap's parsers share: a conversation between a client and a cache, given to
 * a protocol's readers, whole or in pieces of any length; and the exchanges that come of it as
 * text, a line each:
 *
 *     get user:1 hit 5
 *     mget a hit 1, b miss
 *     set k 3 failed OOM
 *     set k 3 unanswered
 */
#ifndef WEFT_TESTS_TAP_TALK_H
#define WEFT_TESTS_TAP_TALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include "agent/tap/protocol.h"

enum { TALK_TEXT_MOST = 64 << 10 };

struct talk {
    const struct tap_protocol *protocol;
    struct tap_budget budget;
    struct tap_pending *pending;
    struct tap_sink sink;
    void *request, *reply;
    uint64_t now_ns;
    size_t piece; /* bytes are given so many at a time; 0: all at once */
    size_t text_length;
    char text[TALK_TEXT_MOST];
};

__attribute__((format(printf, 2, 3))) static inline void talk_note(struct talk *t,
                                                                   const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(t->text + t->text_length, sizeof t->text - t->text_length, format, arguments);
    va_end(arguments);
    assert_in_range(n, 0, sizeof t->text - t->text_length - 1);
    t->text_length += (size_t)n;
}

static inline void talk_take(void *context, const struct tap_exchange *e)
{
    static const char *const endings[] = {"", " unanswered", " not seen", " withdrawn"};
    struct talk *t = context;
    talk_note(t, "%s", t->protocol->command_name(e->command));
    for (uint32_t i = 0; i < e->key_count; i++) {
        const struct tap_key *k = &e->keys[i];
        talk_note(t, "%s %.*s", i ? "," : "", (int)k->length, (const char *)k->bytes);
        if (k->full_length != k->length)
            talk_note(t, "~%u", k->full_length);
        if (k->outcome != TAP_NO_OUTCOME)
            talk_note(t, k->outcome == TAP_HIT ? " hit" : " miss");
        if (k->value_bytes)
            talk_note(t, " %llu", (unsigned long long)k->value_bytes);
    }
    if (e->keys_not_kept)
        talk_note(t, " +%u", e->keys_not_kept);
    if (e->failed)
        talk_note(t, " failed %s", e->error);
    talk_note(t, "%s\n", endings[e->ending]);
}

static inline void talk_begin(struct talk *t, const struct tap_protocol *protocol, size_t piece)
{
    *t = (struct talk){.protocol = protocol, .budget = {.limit_bytes = 16 << 20}, .piece = piece};
    t->sink = (struct tap_sink){talk_take, t};
    t->pending = tap_pending_create(&t->budget);
    t->request = calloc(1, protocol->request_bytes);
    t->reply = calloc(1, protocol->reply_bytes);
}

static inline void talk_end(struct talk *t)
{
    tap_pending_destroy(&t->pending);
    free(t->request);
    free(t->reply);
    assert_int_equal(t->budget.bytes, 0);
}

/* Each piece lies in memory of its own, so that reading behind it is seen. */
static inline enum tap_read talk_say(struct talk *t, bool client, const char *bytes, size_t length)
{
    enum tap_read result = TAP_GOES_ON;
    while (length > 0 && result == TAP_GOES_ON) {
        size_t n = t->piece && t->piece < length ? t->piece : length;
        uint8_t *copy = malloc(n);
        memcpy(copy, bytes, n);
        struct tap_reading r = {t->pending, &t->sink, ++t->now_ns};
        result = client ? t->protocol->request(t->request, &r, copy, n)
                        : t->protocol->reply(t->reply, &r, copy, n);
        free(copy);
        bytes += n;
        length -= n;
    }
    return result;
}

struct talk_line {
    const char *client, *cache; /* one of them */
};

/* The conversation gives these exchanges, however packets cut it. */
static inline void assert_talk(const struct tap_protocol *protocol, const struct talk_line *lines,
                               size_t count, const char *exchanges)
{
    for (size_t piece = 0; piece < 24; piece++) {
        struct talk t;
        talk_begin(&t, protocol, piece);
        for (size_t i = 0; i < count; i++) {
            const char *said = lines[i].client ? lines[i].client : lines[i].cache;
            if (talk_say(&t, lines[i].client != NULL, said, strlen(said)) != TAP_GOES_ON)
                fail_msg("piece %zu, line %zu is not understood: %s", piece, i, said);
        }
        tap_pending_give_up(t.pending, &t.sink);
        assert_string_equal(t.text, exchanges);
        talk_end(&t);
    }
}

#define CLIENT(text)                                                                               \
    {                                                                                              \
        .client = (text)                                                                           \
    }
#define CACHE(text)                                                                                \
    {                                                                                              \
        .cache = (text)                                                                            \
    }
#define assert_gives(protocol, exchanges, ...)                                                     \
    assert_talk(protocol, (const struct talk_line[]){__VA_ARGS__},                                 \
                sizeof((const struct talk_line[]){__VA_ARGS__}) / sizeof(struct talk_line),        \
                exchanges)

/* Whether these bytes, as the first of a connection, are understood. */
static inline bool talk_understands(const struct tap_protocol *protocol, const char *client)
{
    struct talk t;
    talk_begin(&t, protocol, 0);
    bool understood = talk_say(&t, true, client, strlen(client)) == TAP_GOES_ON;
    talk_end(&t);
    return understood;
}

#endif
