// SPDX-License-Identifier: Apache-2.0
/* What the tap knows of Redis' commands: where their keys and values stand among the arguments, and
 * which replies mean that something was looked for in vain. */
#ifndef WEFT_AGENT_TAP_REDIS_COMMANDS_H
#define WEFT_AGENT_TAP_REDIS_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Replies that are a miss, as bits; a command without any has neither hits nor misses. */
enum redis_miss {
    REDIS_NIL = 1,      /* nil, or nothing but nils */
    REDIS_EMPTY = 2,    /* an empty string or collection */
    REDIS_ZERO = 4,     /* the number 0 */
    REDIS_EACH_NIL = 8, /* one element for each key: nil is that one's miss */
};

/* Commands that change what the connection says next. */
enum redis_role {
    REDIS_PLAIN,
    REDIS_MULTI, /* what follows is queued ... */
    REDIS_EXEC,  /* ... and done here */
    REDIS_DISCARD,
    REDIS_RESET,
    REDIS_SUBSCRIBE, /* one reply for each channel; then messages come without being asked for */
    REDIS_UNSUBSCRIBE,
    REDIS_MONITOR,   /* all that others ask comes from now on */
    REDIS_REPLICATE, /* the connection becomes a replica's */
    REDIS_CLIENT_REPLY
};

struct redis_command {
    const char *name;           /* "get", "config|get" */
    int8_t first_key, last_key; /* argument's places, from the end if negative */
    int8_t key_step;
    int8_t key_count_at;      /* a number, and so many keys behind it; 0: none */
    int8_t value_at;          /* 0: none */
    bool keys_behind_streams; /* the first half of what is behind the word STREAMS */
    bool value_follows_key;
    bool values_behind_key; /* all of them count as the first key's value */
    bool waits;             /* for something to come: its time says nothing of the server */
    bool has_subcommands;
    uint8_t misses; /* enum redis_miss */
    uint8_t role;   /* enum redis_role */
};

enum { REDIS_NAME_MOST = 32 }; /* of a command with its subcommand */

/* By its name, "get" or "config|get", in any case. 0: "other". */
uint16_t redis_command_find(const char *name, size_t length);
const struct redis_command *redis_command_at(uint16_t command);
uint16_t redis_command_count(void);

#endif
