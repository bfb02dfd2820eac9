// SPDX-License-Identifier: Apache-2.0
/* memcached's protocols, as tap_memcached has them: lines of text with the meta commands, and
 * binary packets; a connection's messages are told apart by their first byte. memcached_request.c
 * reads what clients ask, memcached_reply.c what the server says, memcached_binary.c knows what
 * packets mean. Formats: doc/protocol.txt and doc/protocol-binary.txt of memcached 1.6.
 *
 * A quiet command is answered only where there is something to say. So a reply may be that of
 * a later command than the oldest: it is found by the reply's opaque or key, or because no
 * other command can have it; the quiet ones before it then had nothing to say. Where two may
 * have it the place is lost. */
#ifndef WEFT_AGENT_TAP_MEMCACHED_H
#define WEFT_AGENT_TAP_MEMCACHED_H

#include "agent/tap/protocol.h"

/* What a command is answered with. */
enum memcached_answer {
    MEMCACHED_ONE_LINE, /* OK, STORED, a number … */
    MEMCACHED_VALUES,   /* VALUE …, and END */
    MEMCACHED_STATS,    /* STAT …, and END; or one line */
    MEMCACHED_META_GET,
    MEMCACHED_META_SET,
    MEMCACHED_META_DELETE,
    MEMCACHED_META_ARITHMETIC,
    MEMCACHED_META_DEBUG,
    MEMCACHED_META_NOOP,
    MEMCACHED_NOTHING,   /* and the connection ends */
    MEMCACHED_EVERYTHING /* what others do, from now on */
};

struct memcached_command {
    const char *name;
    uint8_t key_at;    /* which word is the first key; 0: there is none */
    bool many_keys;    /* and all behind it */
    uint8_t length_at; /* which word is the length of a value; 0: no value follows */
    bool knows_noreply;
    uint8_t answer; /* enum memcached_answer */
    bool looks_up;  /* NOT_FOUND, EN, NF and no VALUE are misses */
};

/* By its name. 0: "other". */
uint16_t memcached_command_find(const char *name, size_t length);
const struct memcached_command *memcached_command_at(uint16_t command);
uint16_t memcached_command_count(void);

/* tap_command.detail */
enum {
    MEMCACHED_ANSWER = 0xff, /* mask of enum memcached_answer */
    MEMCACHED_QUIET = 1 << 8,
    MEMCACHED_TAGGED = 1 << 9, /* the reply names the opaque or key: tap_command.tag */
    MEMCACHED_BINARY = 1 << 10
};

/* A tag is a hash of what stands for the command in its reply. */
uint64_t memcached_tag(char kind, const void *bytes, size_t length);

enum {
    MEMCACHED_HEADER = 24, /* of a binary message */
    MEMCACHED_REQUEST_MAGIC = 0x80,
    MEMCACHED_REPLY_MAGIC = 0x81,
    MEMCACHED_WORD_MOST = 256,
    MEMCACHED_LINE_MOST = 1024,
    MEMCACHED_KEY_MOST = 250
};

struct memcached_binary_header {
    uint8_t opcode, extras;
    uint16_t key, status;
    uint32_t body, opaque;
};
struct memcached_binary_header memcached_header_of(const uint8_t bytes[MEMCACHED_HEADER]);

struct memcached_opcode {
    const char *name;
    bool quiet, looks_up, stats;
};
/* NULL: there is no such. */
const struct memcached_opcode *memcached_opcode_at(uint8_t opcode);

struct memcached_request {
    uint8_t phase;
    uint8_t header_length;
    uint8_t words; /* before this one; it stays at 255 */
    uint16_t word_length;
    bool in_word, quiet, tagged, no_reply;
    uint16_t command;
    uint64_t tag; /* of the opaque if there is one, else of the key */
    bool has_opaque;
    uint64_t key_tag;
    uint64_t value_bytes, left, bytes;
    char word[MEMCACHED_WORD_MOST];
    uint8_t header[MEMCACHED_HEADER];
    uint16_t key_left;
    uint8_t extras_left;
};

struct memcached_reply {
    uint8_t phase, header_length, extras_left;
    uint16_t line_length, key_left, key_length;
    uint32_t keys_seen; /* of the oldest command: those before are judged */
    bool has_begun;     /* a reply of several parts */
    bool answers;       /* what is being passed over ends the oldest command's reply */
    uint64_t left, bytes, answered_ns;
    uint8_t header[MEMCACHED_HEADER];
    char line[MEMCACHED_LINE_MOST]; /* or a binary reply's key */
};

enum tap_read memcached_read_request(void *state, const struct tap_reading *r, const uint8_t *bytes,
                                     size_t length);
enum tap_read memcached_read_reply(void *state, const struct tap_reading *r, const uint8_t *bytes,
                                   size_t length);

uint64_t memcached_request_passing(const void *state);
uint64_t memcached_reply_passing(const void *state);
void memcached_request_pass(void *state, uint64_t bytes);
void memcached_reply_pass(void *state, uint64_t bytes);

/* memcached_binary.c: what binary messages mean. A request's header is whole; all of it is; a reply
 * with its key (in `line`) is. */
enum tap_read memcached_binary_begin(struct memcached_request *q, const struct tap_reading *r);
enum tap_read memcached_binary_end(struct memcached_request *q, const struct tap_reading *r);
enum tap_read memcached_binary_reply(struct memcached_reply *p, const struct tap_reading *r);

/* memcached_reply.c: the oldest command has its answer, `error` (NULL: none) among it; the quiet
 * ones before the one `ahead` places behind it had nothing to say; all keys of the oldest. */
void memcached_answer(struct memcached_reply *p, const struct tap_reading *r, const char *error);
void memcached_quiet_before(struct memcached_reply *p, const struct tap_reading *r, size_t ahead);
void memcached_judge(const struct tap_reading *r, enum tap_outcome outcome, uint64_t value_bytes);

#endif
