// SPDX-License-Identifier: Apache-2.0
/* The shared-memory ABI between a tap (which writes) and the agent (which reads):
 * docs/format/exchanges.md describes it so that a stranger could write a reader.
 *
 *     0       +--------------------------+
 *             | header                   |  sizes; how far the tap has read; what it forgot
 *     words   +--------------------------+
 *             | words                    |  commands and errors, numbered from 1
 *     caches  +--------------------------+
 *             | caches                   |  whose addresses are this host's
 *     sets    +--------------------------+
 *             | connections, in sets     |  each with the position of its latest exchange
 *     records +--------------------------+
 *             | exchanges, a ring        |  each with the position of its connection's one before
 *             +--------------------------+
 *
 * Numbers are in the host's byte order (`magic` tells). Exchanges are numbered by their positions,
 * from 1; the one at position p is record (p - 1) modulo the number of records. All that the writer
 * changes are atomic words: a body first, then a release-store of the word that publishes it. */
#ifndef WEFT_EXCHANGE_EXCHANGE_FILE_H
#define WEFT_EXCHANGE_EXCHANGE_FILE_H

#include <stdatomic.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/exchange/exchange.h"

#define EXCHANGE_MAGIC   0x3143584554464557u /* "WEFTEXC1" where little-endian */
#define EXCHANGE_VERSION 1
#define EXCHANGE_PAGE    4096u

enum { EXCHANGE_WORDS_MOST = 65535, EXCHANGE_WAYS = 8 };

struct exchange_file {
    uint64_t magic;
    uint32_t version;
    uint32_t header_bytes;  /* sizeof(struct exchange_file) as the writer knew it */
    uint64_t seed;          /* of the hash of connections */
    uint64_t begun_unix_ns; /* when the file was made */
    uint64_t words_offset, word_capacity;
    uint64_t caches_offset, cache_capacity;
    uint64_t sets_offset, set_count; /* a power of two */
    uint64_t records_offset, record_count;
    uint8_t reserved[32];

    /* What changes. */
    _Atomic uint64_t seen_unix_ns; /* all packets before it are read */
    /* Connections whose last exchange was asked by then may be forgotten. At first: when the file
     * was made. Raised before a connection loses its place. */
    _Atomic uint64_t forgotten_unix_ns;
    _Atomic uint64_t word_count;        /* release after the word's text */
    _Atomic uint64_t caches_generation; /* a sequence lock: odd while the list is written */
    _Atomic uint64_t cache_count;
};

struct exchange_word {
    char protocol[EXCHANGE_PROTOCOL_BYTES]; /* filled up with zeros, the last byte is one */
    char text[EXCHANGE_WORD_BYTES];
};

struct exchange_cache {
    _Atomic uint64_t ip[2], port;
};

/* Where to find the exchanges of a connection: in the set that its hash names, in any way. */
struct exchange_way {
    _Atomic uint32_t version;       /* odd while the ends are written */
    _Atomic uint32_t ports;         /* client's | cache's << 16 */
    _Atomic uint64_t ips[4];        /* client's, cache's */
    _Atomic uint64_t latest;        /* position of its last exchange; 0: none */
    _Atomic uint64_t reach_unix_ns; /* none of its exchanges was asked later */
    /* The writer's own: which of the connections with these ends it is. */
    uint32_t met;
    uint32_t connection;
};

struct exchange_body {
    uint64_t previous;       /* position of the connection's exchange before; 0: none is known */
    uint64_t before_unix_ns; /* none of the exchanges before this one was asked later */
    uint64_t asked_unix_ns, answered_unix_ns, done_unix_ns;
    uint32_t request_bytes, reply_bytes;
    uint16_t keys, hits, misses;
    uint8_t ending; /* enum exchange_ending; | EXCHANGE_FAILED */
    uint8_t connection;
    uint32_t order;
    uint16_t command, error;              /* numbers of words; 0: none */
    char pattern[EXCHANGE_PATTERN_BYTES]; /* filled up with zeros, the last byte is one */
};
enum { EXCHANGE_FAILED = 0x80, EXCHANGE_BODY_WORDS = 15 };

struct exchange_slot {
    _Atomic uint64_t position; /* 0 while the body is written */
    _Atomic uint64_t body[EXCHANGE_BODY_WORDS];
};

_Static_assert(__builtin_offsetof(struct exchange_file, seen_unix_ns) == 128, "exchanges ABI");
_Static_assert(sizeof(struct exchange_file) <= EXCHANGE_PAGE, "exchanges ABI");
_Static_assert(__builtin_offsetof(struct exchange_file, words_offset) == 32, "exchanges ABI");
_Static_assert(__builtin_offsetof(struct exchange_file, record_count) == 88, "exchanges ABI");
_Static_assert(__builtin_offsetof(struct exchange_file, cache_count) == 160, "exchanges ABI");
_Static_assert(sizeof(struct exchange_word) == 48, "exchanges ABI");
_Static_assert(sizeof(struct exchange_cache) == 24, "exchanges ABI");
_Static_assert(sizeof(struct exchange_way) == 64, "exchanges ABI");
_Static_assert(__builtin_offsetof(struct exchange_way, latest) == 40, "exchanges ABI");
_Static_assert(__builtin_offsetof(struct exchange_body, request_bytes) == 40, "exchanges ABI");
_Static_assert(__builtin_offsetof(struct exchange_body, ending) == 54, "exchanges ABI");
_Static_assert(__builtin_offsetof(struct exchange_body, order) == 56, "exchanges ABI");
_Static_assert(__builtin_offsetof(struct exchange_body, pattern) == 64, "exchanges ABI");
_Static_assert(sizeof(struct exchange_body) == 8 * EXCHANGE_BODY_WORDS, "exchanges ABI");
_Static_assert(sizeof(struct exchange_slot) == 128, "exchanges ABI");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "lock-free atomics");

/* The ends of a connection as a way has them. */
struct exchange_ends {
    uint64_t ips[4];
    uint32_t ports;
};
static inline struct exchange_ends exchange_ends_of(const struct exchange_connection *c)
{
    struct exchange_ends ends;
    __builtin_memcpy(ends.ips, c->client_ip, 16);
    __builtin_memcpy(ends.ips + 2, c->cache_ip, 16);
    ends.ports = (uint32_t)c->client_port | (uint32_t)c->cache_port << 16;
    return ends;
}

static inline uint64_t exchange_set_of(const struct exchange_connection *c, uint64_t seed,
                                       uint64_t set_count)
{
    return XXH3_64bits_withSeed(c, sizeof *c, seed) & (set_count - 1);
}

/* Whether a way has these ends, as far as it can be told without looking at its version. */
static inline bool exchange_way_has(const struct exchange_way *way,
                                    const struct exchange_ends *ends)
{
    bool same = atomic_load_explicit(&way->ports, memory_order_relaxed) == ends->ports;
    for (int i = 0; i < 4 && same; i++)
        same = atomic_load_explicit(&way->ips[i], memory_order_relaxed) == ends->ips[i];
    return same;
}

#endif
