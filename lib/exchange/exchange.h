// SPDX-License-Identifier: Apache-2.0
/* What a tap remembers of an exchange between a client and a cache, and of which connection it was.
 * Written by exchange_writer.h, read by exchange_reader.h; the bytes between them are in
 * exchange_file.h and docs/format/exchanges.md. */
#ifndef WEFT_EXCHANGE_EXCHANGE_H
#define WEFT_EXCHANGE_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

/* The file, in the agent's directory. */
#define EXCHANGE_FILE_NAME "tap.exchanges"

/* Both ends of a TCP connection. IPv4 as ::ffff:a.b.c.d; ports in the host's byte order. */
struct exchange_connection {
    uint8_t client_ip[16], cache_ip[16];
    uint16_t client_port, cache_port;
};
_Static_assert(sizeof(struct exchange_connection) == 36, "no padding: it is hashed as bytes");

struct exchange_address {
    uint8_t ip[16];
    uint16_t port;
};
enum { EXCHANGE_CACHES_MOST = 1024 };

/* As enum tap_ending. */
enum exchange_ending {
    EXCHANGE_ANSWERED,
    EXCHANGE_NOT_ASKED_FOR, /* a command that wants no reply */
    EXCHANGE_NOT_SEEN,      /* its reply was not */
    EXCHANGE_WITHDRAWN      /* of a transaction that was not carried out */
};

enum {
    EXCHANGE_PROTOCOL_BYTES = 12, /* with their NUL */
    EXCHANGE_WORD_BYTES = 36,
    EXCHANGE_PATTERN_BYTES = 56
};

struct exchange_record {
    uint64_t asked_unix_ns; /* the request's last byte came by */
    /* The reply's first and last byte; 0 where not known. The time between asking and answering
     * is the cache's own. */
    uint64_t answered_unix_ns, done_unix_ns;
    uint32_t request_bytes, reply_bytes; /* UINT32_MAX: or more */
    uint16_t keys, hits, misses;         /* UINT16_MAX: or more */
    uint8_t ending;                      /* enum exchange_ending */
    bool failed;                         /* the reply is an error */
    /* Connections that had the same ends one after the other have different numbers here. */
    uint8_t connection;
    /* Counts the commands of one connection. What is missing between two is either under way still
     * or was not seen by the tap. The first one that the tap saw of a connection is 0, where it saw
     * the connection's beginning; otherwise it is not 0. */
    uint32_t order;
    char protocol[EXCHANGE_PROTOCOL_BYTES]; /* "redis", "memcached" */
    char command[EXCHANGE_WORD_BYTES];      /* "get" */
    char error[EXCHANGE_WORD_BYTES];        /* its kind; "": none */
    /* Of the first key: each run of digits as '*', what cannot be printed as \xNN, a backslash as
     * two; cut off where it is longer. "": no key, or keys may not be told. */
    char pattern[EXCHANGE_PATTERN_BYTES];
};

#endif
