// SPDX-License-Identifier: Apache-2.0
/* An exchange: one command that a client sent to a cache, and the cache's reply, as the wire showed
 * them. Parsers make them (protocol.h), sinks take them; everything that the tap tells is made of
 * exchanges.
 *
 * Times are the kernel's, of packets, in Unix nanoseconds. The service time of a cache is from the
 * packet with the request's last byte to the packet with the reply's first. */
#ifndef WEFT_AGENT_TAP_EXCHANGE_H
#define WEFT_AGENT_TAP_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

/* Of a key more is not kept; full_length says how long it was. (memcached's are 250 at most.) */
enum { TAP_KEY_KEPT = 256 };

enum tap_outcome {
    TAP_NO_OUTCOME, /* the command does not look for anything, or the reply was not seen */
    TAP_HIT,
    TAP_MISS
};

struct tap_key {
    const uint8_t *bytes; /* not terminated; any bytes */
    uint32_t length, full_length;
    uint64_t value_bytes; /* read or written under it; 0 where the wire does not say */
    enum tap_outcome outcome;
};

enum tap_ending {
    TAP_ANSWERED,
    TAP_NOT_ASKED_FOR, /* a command without a reply: noreply, quiet ones, CLIENT REPLY OFF */
    TAP_NOT_SEEN,      /* the connection ended, or bytes were lost, before its reply came */
    TAP_WITHDRAWN      /* queued in a transaction that was not carried out */
};

struct tap_exchange {
    uint16_t command;  /* index into the protocol's commands */
    uint8_t ending;    /* enum tap_ending */
    bool failed;       /* the reply is an error */
    const char *error; /* its kind, of a fixed set of words: "WRONGTYPE", "SERVER_ERROR", "other";
                          or NULL */
    /* Which of its connection's commands it is, as they were asked. A number that is missing is one
     * that has not ended yet, or stands for commands that were not read; the first is 0 where the
     * connection was followed from its beginning. */
    uint32_t order;
    uint64_t asked_ns; /* the request's last byte */
    /* The reply's first and last byte. 0 unless TAP_ANSWERED, and where the time between says
     * nothing of the cache: the command waits for something to come, or was queued in a
     * transaction. */
    uint64_t answered_ns, done_ns;
    uint64_t request_bytes, reply_bytes;
    const struct tap_key *keys; /* all as the request names them, repeated ones too */
    uint32_t key_count;
    uint32_t keys_not_kept; /* named by the request, beyond what is remembered of one */
};

/* `exchange` and all that it points to are valid during the call. */
struct tap_sink {
    void (*take)(void *context, const struct tap_exchange *exchange);
    void *context;
};

#endif
