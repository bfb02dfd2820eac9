// SPDX-License-Identifier: Apache-2.0
/* Redis' protocol (RESP2, RESP3, inline commands), as tap_redis has it: redis_request.c reads what
 * clients ask, redis_reply.c what the server says. Formats: the "Redis serialization protocol
 * specification" and the server's documentation of MULTI, SUBSCRIBE, CLIENT REPLY, MONITOR and
 * PSYNC. */
#ifndef WEFT_AGENT_TAP_REDIS_H
#define WEFT_AGENT_TAP_REDIS_H

#include "agent/tap/protocol.h"
#include "agent/tap/redis_commands.h"

enum { REDIS_INLINE_MOST = 512, REDIS_DEPTH_MOST = 16, REDIS_TEXT_MOST = 24 };

struct redis_request {
    uint8_t phase, reply_mode;
    uint8_t digits, word_length, name_length;
    uint16_t command, line_length;
    uint64_t number;
    uint64_t arguments, argument;          /* how many, and which comes */
    uint64_t length, left;                 /* of the argument */
    uint64_t keys_from, keys_to, key_step; /* arguments that are keys */
    uint64_t bytes;                        /* of the request so far */
    uint64_t values;                       /* of these, of values */
    char word[REDIS_NAME_MOST];            /* the argument's beginning */
    char name[REDIS_NAME_MOST];
    uint8_t line[REDIS_INLINE_MOST];
};

/* What is known of a reply, or of one of EXEC's elements. */
struct redis_value {
    bool is_nil, is_empty, is_zero;
    bool has_something; /* an element that is not nil */
    uint8_t error;      /* which of the kinds that are known; 0: it is none */
    uint64_t number;
    uint64_t bytes; /* of the strings in it */
};

struct redis_reply {
    uint8_t phase, type, depth, type_of_reply;
    uint8_t text_length, word_length;
    bool negative, is_push, subscribed;
    uint8_t base;            /* 1 within EXEC's reply, where each element is a command's */
    uint8_t attribute_depth; /* of the attribute that is passed over, + 1; 0: none is */
    uint32_t digits;
    uint32_t queued; /* commands that wait for EXEC; they are the oldest */
    uint64_t number, left;
    uint64_t elements[REDIS_DEPTH_MOST]; /* still to come, by depth */
    uint64_t element;                    /* which of `base`, and which of the value in it */
    uint64_t inner_element;
    uint64_t answered_ns, bytes;
    struct redis_value value;
    char text[REDIS_TEXT_MOST]; /* a line's beginning */
    char word[REDIS_TEXT_MOST]; /* the first string of an array: what kind of message it is */
};

enum tap_read redis_read_request(void *state, const struct tap_reading *r, const uint8_t *bytes,
                                 size_t length);
uint64_t redis_request_passing(const void *state);
void redis_request_pass(void *state, uint64_t bytes);

enum tap_read redis_read_reply(void *state, const struct tap_reading *r, const uint8_t *bytes,
                               size_t length);
uint64_t redis_reply_passing(const void *state);
void redis_reply_pass(void *state, uint64_t bytes);

#endif
