// SPDX-License-Identifier: Apache-2.0
/* The tap's side of the file in which it remembers exchanges (docs/format/exchanges.md): of fixed
 * size, allocated as a whole when it is made, so that writing to it cannot fail. New exchanges
 * overwrite the oldest.
 *
 * Adding is some stores into mapped memory: no lock, no allocation, no system call. One thread. */
#ifndef WEFT_EXCHANGE_EXCHANGE_WRITER_H
#define WEFT_EXCHANGE_EXCHANGE_WRITER_H

#include <stddef.h>

#include "lib/exchange/exchange.h"

struct exchange_writer;

enum { EXCHANGE_FILE_BYTES_LEAST = 1 << 20 };

/* Makes the file, in place of one that a dead tap left. NULL with a sentence in `why`: also where
 * a living tap has one of that name. */
struct exchange_writer *exchange_writer_create(const char *path, uint64_t bytes, char *why,
                                               size_t why_size);
/* Removes the file, unless it is another one by now. */
void exchange_writer_destroy(struct exchange_writer **w);

/* Whether the file is still there, by its name: who removes or replaces it takes it from the agent.
 */
bool exchange_writer_is_there(const struct exchange_writer *w);

/* A number for a command of a protocol, or for the kind of an error (protocol ""). Slow: keep it.
 * 0, which reads as "": the table is full. */
uint16_t exchange_writer_word(struct exchange_writer *w, const char *protocol, const char *text);

struct exchange {
    /* Which of all connections that the tap met, so that one which has the ends of another before
     * it is known from that. */
    uint64_t connection;
    uint32_t order; /* and the rest as in struct exchange_record */
    uint64_t asked_unix_ns, answered_unix_ns, done_unix_ns;
    uint64_t request_bytes, reply_bytes;
    uint64_t keys, hits, misses;
    uint16_t command, error; /* words */
    uint8_t ending;
    bool failed;
    const uint8_t *key; /* the first; its pattern is kept */
    size_t key_length;  /* 0: there is none, or it may not be told */
};

void exchange_writer_add(struct exchange_writer *w, const struct exchange_connection *c,
                         const struct exchange *e);
/* All packets before this moment have been read, and what they told was added. */
void exchange_writer_seen(struct exchange_writer *w, uint64_t unix_ns);
/* What exchange_reader_caches shall say; no more than EXCHANGE_CACHES_MOST are told. Nothing is
 * written where the list is as it was. */
void exchange_writer_caches(struct exchange_writer *w, const struct exchange_address *list,
                            size_t count);

#endif
