// SPDX-License-Identifier: Apache-2.0
/* A conversation between a client and a cache, made up by chance, of which every reply's command is
 * known. Its segments are as a capture has them that misses nothing; tests then lose some, repeat
 * them, change their order.
 *
 * The n-th command's first key is "key:n", and what it is answered follows from n (truth_of), so
 * that an exchange says for itself whether it is right.
 *
 * The cache serves as real ones do: it reads what has come, up to a bound, serves all of it, and
 * writes the replies. Between it and the client is a way that takes time; the capture stands at one
 * of its ends. */
#ifndef WEFT_TESTS_TAP_CONVERSATION_H
#define WEFT_TESTS_TAP_CONVERSATION_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include "agent/tap/protocol.h"
#include "tests/unit/agent/tap/chance.h"
#include "tests/unit/agent/tap/wire.h"

enum { TRUTH_KEYS_MOST = 3 };

struct truth {
    const char *command;
    unsigned keys;
    enum tap_outcome outcome[TRUTH_KEYS_MOST];
    uint32_t value_bytes[TRUTH_KEYS_MOST];
    bool failed;
};

enum dialect { REDIS_SPEECH, MEMCACHED_TEXT, MEMCACHED_PACKETS };

static inline const struct tap_protocol *protocol_of_dialect(enum dialect dialect)
{
    return dialect == REDIS_SPEECH ? &tap_redis : &tap_memcached;
}

static inline struct truth truth_of(enum dialect dialect, uint32_t n)
{
    struct chance c = chance_of(n + 77);
    uint32_t kind = chance_below(&c, dialect == MEMCACHED_PACKETS ? 2 : 5);
    struct truth t = {.keys = kind == 2 ? TRUTH_KEYS_MOST : 1};
    for (unsigned i = 0; i < t.keys; i++) {
        bool hit = chance_of_percent(&c, 60);
        t.outcome[i] = hit ? TAP_HIT : TAP_MISS;
        t.value_bytes[i] = hit ? 1 + (n * 7 + i) % (chance_of_percent(&c, 5) ? 6000 : 300) : 0;
    }
    switch (kind) {
    case 0:
        t.command = "get";
        break;
    case 1:
        t.command = "set";
        t.outcome[0] = TAP_NO_OUTCOME;
        t.value_bytes[0] = 1 + n * 3 % 500;
        break;
    case 2:
        t.command = dialect == REDIS_SPEECH ? "mget" : "get";
        break;
    case 3:
        t.command = dialect == REDIS_SPEECH ? "exists" : "delete";
        t.value_bytes[0] = 0;
        break;
    default:
        t.command = dialect == REDIS_SPEECH ? "lpush" : "touch";
        t.value_bytes[0] = 0;
        if (dialect == REDIS_SPEECH) {
            t.failed = t.outcome[0] == TAP_MISS;
            t.outcome[0] = TAP_NO_OUTCOME;
            t.value_bytes[0] = 2;
        }
    }
    return t;
}

/* ---- text --------------------------------------------------------------------------------- */

struct text {
    uint8_t *bytes;
    size_t length, capacity;
};

static inline void text_append(struct text *t, const void *bytes, size_t length)
{
    while (t->length + length > t->capacity) {
        t->capacity = t->capacity ? 2 * t->capacity : 4096;
        t->bytes = realloc(t->bytes, t->capacity);
    }
    memcpy(t->bytes + t->length, bytes, length);
    t->length += length;
}

__attribute__((format(printf, 2, 3))) static inline void text_print(struct text *t,
                                                                    const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    text_append(t, line, (size_t)n);
}

/* What looks like the protocol, but is within a value. */
static inline void text_value(struct text *t, uint32_t n, size_t length)
{
    static const char filler[] = "VALUE END $3 +OK STORED x\r\n:0\r\n";
    for (size_t i = 0; i < length; i++)
        text_append(t, &filler[(i + n) % (sizeof filler - 1)], 1);
}

static inline void text_key(char out[32], uint32_t n, unsigned i)
{
    if (i == 0)
        snprintf(out, 32, "key:%u", n);
    else
        snprintf(out, 32, "key:%u:%u", n, i);
}

static inline void text_bulk(struct text *t, const char *word)
{
    text_print(t, "$%zu\r\n%s\r\n", strlen(word), word);
}

static inline void ask_redis(struct text *t, uint32_t n, const struct truth *truth)
{
    char key[32];
    bool has_value = truth->command[0] == 's' || truth->command[0] == 'l';
    text_print(t, "*%u\r\n", 1 + truth->keys + has_value);
    text_bulk(t, truth->command);
    for (unsigned i = 0; i < truth->keys; i++) {
        text_key(key, n, i);
        text_bulk(t, key);
    }
    if (has_value) {
        text_print(t, "$%u\r\n", truth->value_bytes[0]);
        text_value(t, n, truth->value_bytes[0]);
        text_print(t, "\r\n");
    }
}

static inline void answer_redis(struct text *t, uint32_t n, const struct truth *truth)
{
    if (truth->failed)
        text_print(t, "-WRONGTYPE no list\r\n");
    else if (truth->command[0] == 's')
        text_print(t, "+OK\r\n");
    else if (truth->command[0] == 'e')
        text_print(t, ":%d\r\n", truth->outcome[0] == TAP_HIT);
    else if (truth->command[0] == 'l')
        text_print(t, ":%u\r\n", n);
    if (truth->command[0] != 'g' && truth->command[0] != 'm')
        return;
    if (truth->command[0] == 'm')
        text_print(t, "*%u\r\n", truth->keys);
    for (unsigned i = 0; i < truth->keys; i++) {
        if (truth->outcome[i] == TAP_MISS) {
            text_print(t, "$-1\r\n");
            continue;
        }
        text_print(t, "$%u\r\n", truth->value_bytes[i]);
        text_value(t, n, truth->value_bytes[i]);
        text_print(t, "\r\n");
    }
}

static inline void ask_memcached(struct text *t, uint32_t n, const struct truth *truth)
{
    char key[32];
    text_print(t, "%s", truth->command);
    for (unsigned i = 0; i < truth->keys; i++) {
        text_key(key, n, i);
        text_print(t, " %s", key);
    }
    if (truth->command[0] == 's') {
        text_print(t, " 0 0 %u\r\n", truth->value_bytes[0]);
        text_value(t, n, truth->value_bytes[0]);
    } else if (truth->command[0] == 't') {
        text_print(t, " 0");
    }
    text_print(t, "\r\n");
}

static inline void answer_memcached(struct text *t, uint32_t n, const struct truth *truth)
{
    char key[32];
    bool hit = truth->outcome[0] == TAP_HIT;
    if (truth->command[0] == 's')
        text_print(t, "STORED\r\n");
    else if (truth->command[0] == 'd')
        text_print(t, hit ? "DELETED\r\n" : "NOT_FOUND\r\n");
    else if (truth->command[0] == 't')
        text_print(t, hit ? "TOUCHED\r\n" : "NOT_FOUND\r\n");
    if (truth->command[0] != 'g')
        return;
    for (unsigned i = 0; i < truth->keys; i++) {
        if (truth->outcome[i] == TAP_MISS)
            continue;
        text_key(key, n, i);
        text_print(t, "VALUE %s 0 %u\r\n", key, truth->value_bytes[i]);
        text_value(t, n, truth->value_bytes[i]);
        text_print(t, "\r\n");
    }
    text_print(t, "END\r\n");
}

/* doc/protocol-binary.txt; `third` is a request's nothing or a reply's status. */
static inline void text_packet(struct text *t, unsigned magic, unsigned opcode, uint32_t opaque,
                               size_t key, size_t extras, unsigned third, size_t value)
{
    struct wire w = {0};
    wire_8(&w, magic);
    wire_8(&w, opcode);
    wire_16(&w, (unsigned)key);
    wire_8(&w, (unsigned)extras);
    wire_8(&w, 0);
    wire_16(&w, third);
    wire_32(&w, (uint32_t)(key + extras + value));
    wire_32(&w, opaque);
    wire_zeros(&w, 8 + extras);
    text_append(t, w.bytes, w.length);
}

static inline void ask_packets(struct text *t, uint32_t n, const struct truth *truth)
{
    char key[32];
    text_key(key, n, 0);
    bool set = truth->command[0] == 's';
    text_packet(t, 0x80, set, n, strlen(key), set ? 8 : 0, 0, set ? truth->value_bytes[0] : 0);
    text_append(t, key, strlen(key));
    if (set)
        text_value(t, n, truth->value_bytes[0]);
}

static inline void answer_packets(struct text *t, uint32_t n, const struct truth *truth)
{
    bool set = truth->command[0] == 's', hit = truth->outcome[0] == TAP_HIT;
    size_t value = set ? 0 : hit ? truth->value_bytes[0] : 9;
    text_packet(t, 0x81, set, n, 0, !set && hit ? 4 : 0, !set && !hit, value);
    if (value)
        text_value(t, n, value);
}

static inline void ask(enum dialect d, struct text *t, uint32_t n)
{
    struct truth truth = truth_of(d, n);
    (d == REDIS_SPEECH     ? ask_redis
     : d == MEMCACHED_TEXT ? ask_memcached
                           : ask_packets)(t, n, &truth);
}

static inline void answer(enum dialect d, struct text *t, uint32_t n)
{
    struct truth truth = truth_of(d, n);
    (d == REDIS_SPEECH     ? answer_redis
     : d == MEMCACHED_TEXT ? answer_memcached
                           : answer_packets)(t, n, &truth);
}

/* ---- who speaks when ----------------------------------------------------------------------- */

enum manner {
    ASKS_AND_WAITS,  /* one command at a time */
    ASKS_IN_BATCHES, /* several at a time, and waits for all their answers */
    KEEPS_ASKING,    /* whenever fewer than its most are under way */
    ASKS_MUCH_AND_RESTS
};

struct said {
    bool from_client;
    uint32_t from, to; /* of the bytes of its side */
    uint32_t acknowledged;
    uint8_t flags;
    uint64_t at_ns;
};

struct conversation {
    enum dialect dialect;
    enum manner manner;
    uint32_t commands, under_way_most;
    bool captured_at_client;
    uint32_t client_first, cache_first; /* sequence numbers of the first bytes */
    struct text asked, answered;
    uint32_t *asked_ends, *answered_ends; /* by command */
    struct said *said;
    uint32_t said_count, said_capacity;
    /* while it is made */
    struct chance chance;
    uint64_t now_ns;
    uint32_t asked_count, served_count, heard_count;
    uint32_t client_sent, cache_has; /* bytes of requests */
    uint32_t cache_sent, client_has; /* bytes of replies */
    struct said to_cache[64], to_client[64];
    uint32_t to_cache_count, to_client_count;
};

static inline void conversation_capture(struct conversation *v, const struct said *s)
{
    if (v->said_count == v->said_capacity) {
        v->said_capacity = v->said_capacity ? 2 * v->said_capacity : 256;
        v->said = realloc(v->said, v->said_capacity * sizeof *v->said);
    }
    v->said[v->said_count] = *s;
    v->said[v->said_count++].at_ns = v->now_ns;
}

static inline void conversation_send(struct conversation *v, const struct said *s)
{
    struct said *way = s->from_client ? v->to_cache : v->to_client;
    uint32_t *count = s->from_client ? &v->to_cache_count : &v->to_client_count;
    way[(*count)++] = *s;
    if (s->from_client == v->captured_at_client)
        conversation_capture(v, s);
}

/* The next segment comes to the other side. */
static inline void conversation_arrive(struct conversation *v, bool at_cache)
{
    struct said *way = at_cache ? v->to_cache : v->to_client;
    uint32_t *count = at_cache ? &v->to_cache_count : &v->to_client_count;
    if (*count == 0)
        return;
    struct said s = way[0];
    memmove(way, way + 1, --*count * sizeof *way);
    *(at_cache ? &v->cache_has : &v->client_has) = s.to;
    while (v->heard_count < v->served_count && v->answered_ends[v->heard_count] <= v->client_has)
        v->heard_count++;
    if (s.from_client != v->captured_at_client)
        conversation_capture(v, &s);
}

static inline uint32_t conversation_cut(struct conversation *v, uint32_t from, uint32_t to)
{
    uint32_t most = chance_of_percent(&v->chance, 30) ? 1 + chance_below(&v->chance, 40) : 1460;
    return to - from < most ? to : from + most;
}

static inline void conversation_client(struct conversation *v)
{
    uint32_t under_way = v->asked_count - v->heard_count;
    if (v->manner == ASKS_MUCH_AND_RESTS && under_way == 0)
        v->now_ns += UINT64_C(60000000);
    uint32_t more = v->manner == KEEPS_ASKING     ? chance_below(&v->chance, 3)
                    : under_way > 0               ? 0
                    : v->manner == ASKS_AND_WAITS ? 1
                                                  : 1 + chance_below(&v->chance, v->under_way_most);
    for (; more > 0 && under_way < v->under_way_most && v->asked_count < v->commands;
         more--, under_way++) {
        ask(v->dialect, &v->asked, v->asked_count);
        v->asked_ends[v->asked_count++] = (uint32_t)v->asked.length;
    }
    while (v->client_sent < v->asked.length && v->to_cache_count < 64) {
        uint32_t to = conversation_cut(v, v->client_sent, (uint32_t)v->asked.length);
        conversation_send(v, &(struct said){true, v->client_sent, to, v->client_has, TAP_ACK, 0});
        v->client_sent = to;
    }
}

/* A visit: what has come is read and served, up to a bound. */
static inline void conversation_serve(struct conversation *v)
{
    uint32_t begun = v->served_count ? v->asked_ends[v->served_count - 1] : 0, count = 0;
    while (v->served_count < v->asked_count && v->asked_ends[v->served_count] <= v->cache_has &&
           (v->dialect == REDIS_SPEECH ? v->asked_ends[v->served_count] - begun < 16384
                                       : count < 20)) {
        answer(v->dialect, &v->answered, v->served_count);
        v->answered_ends[v->served_count++] = (uint32_t)v->answered.length;
        count++;
    }
}

static inline void conversation_write(struct conversation *v)
{
    while (v->cache_sent < v->answered.length && v->to_client_count < 64) {
        uint32_t to = conversation_cut(v, v->cache_sent, (uint32_t)v->answered.length);
        conversation_send(v, &(struct said){false, v->cache_sent, to, v->cache_has, TAP_ACK, 0});
        v->cache_sent = to;
    }
}

static inline void conversation_step(struct conversation *v)
{
    v->now_ns += 1 + chance_below(&v->chance, 200000);
    switch (chance_below(&v->chance, 8)) {
    case 0:
    case 1:
        conversation_client(v);
        break;
    case 2:
    case 3:
        conversation_arrive(v, true);
        break;
    case 4:
    case 5:
        conversation_arrive(v, false);
        break;
    case 6:
        conversation_serve(v); /* and is busy with others before it writes */
        break;
    default:
        conversation_serve(v);
        conversation_write(v);
    }
}

/* SYN and FIN are in it. */
static inline void conversation_make(struct conversation *v, enum dialect dialect,
                                     enum manner manner, uint32_t commands, uint64_t seed)
{
    *v = (struct conversation){.dialect = dialect, .manner = manner, .commands = commands};
    v->chance = chance_of(seed);
    v->under_way_most = manner == ASKS_AND_WAITS ? 1
                        : manner == ASKS_MUCH_AND_RESTS
                            ? 300
                            : 2 + chance_below(&v->chance, seed % 3 ? 6 : 60);
    v->captured_at_client = chance_of_percent(&v->chance, 50);
    v->client_first = UINT32_MAX - chance_below(&v->chance, 20000);
    v->cache_first = (uint32_t)chance_next(&v->chance);
    v->asked_ends = calloc(commands, sizeof *v->asked_ends);
    v->answered_ends = calloc(commands, sizeof *v->answered_ends);
    v->now_ns = UINT64_C(1700000000000000000);
    conversation_capture(v, &(struct said){.from_client = true, .flags = TAP_SYN});
    conversation_capture(v, &(struct said){.flags = TAP_SYN | TAP_ACK});
    while (v->heard_count < commands)
        conversation_step(v);
    for (int side = 1; side >= 0; side--)
        conversation_capture(v,
                             &(struct said){.from_client = side,
                                            .from = side ? v->client_sent : v->cache_sent,
                                            .to = side ? v->client_sent : v->cache_sent,
                                            .acknowledged = side ? v->client_has : v->cache_has + 1,
                                            .flags = TAP_FIN | TAP_ACK});
}

static inline void conversation_free(struct conversation *v)
{
    free(v->asked.bytes);
    free(v->answered.bytes);
    free(v->asked_ends);
    free(v->answered_ends);
    free(v->said);
}

/* What is said by `s`, between client 1 and cache 2 on the given ports; `copy` holds its bytes. */
static inline struct tap_segment conversation_segment(const struct conversation *v,
                                                      const struct said *s, uint16_t client_port,
                                                      uint16_t cache_port, uint8_t *copy)
{
    struct tap_address client = {{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}, client_port};
    struct tap_address cache = {{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2}, cache_port};
    uint32_t first = s->from_client ? v->client_first : v->cache_first;
    uint32_t others = s->from_client ? v->cache_first : v->client_first;
    memcpy(copy, (s->from_client ? v->asked.bytes : v->answered.bytes) + s->from, s->to - s->from);
    return (struct tap_segment){
        .from = s->from_client ? client : cache,
        .to = s->from_client ? cache : client,
        .sequence = first + s->from - (s->flags & TAP_SYN ? 1 : 0),
        .acknowledged = s->flags & TAP_ACK ? others + s->acknowledged : 0,
        .flags = s->flags,
        .length = s->to - s->from,
        .captured = s->to - s->from,
        .bytes = copy,
    };
}

#endif
