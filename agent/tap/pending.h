// SPDX-License-Identifier: Apache-2.0
/* The commands of one connection that wait for their replies, in the order in which they were sent,
 * each with its keys. Bounded: of a command that names more keys than fit, those beyond are counted
 * (keys_not_kept); commands beyond the bound are counted by `overflows`, and the connection has
 * then lost its order.
 *
 * One thread. */
#ifndef WEFT_AGENT_TAP_PENDING_H
#define WEFT_AGENT_TAP_PENDING_H

#include <stddef.h>

#include "agent/tap/exchange.h"

enum {
    TAP_PENDING_MOST = 1 << 17,        /* commands of a connection */
    TAP_PENDING_BYTES_MOST = 16 << 20, /* of keys and commands of a connection */
    TAP_PENDING_KEYS_MOST = 4096       /* keys of a command */
};

struct tap_command {
    uint64_t asked_ns;
    uint64_t request_bytes;
    uint64_t tag;     /* the protocol's own: memcached's opaque, what a reply must look like ... */
    uint16_t command; /* index into the protocol's commands */
    uint16_t detail;  /* the protocol's own */
    uint32_t key_count, keys_not_kept, order;
};

struct tap_pending; /* of a connection */

/* What all connections of a tap may take together; beyond it nothing more is remembered. */
struct tap_budget {
    size_t bytes, limit_bytes;
    uint64_t refused;
};

/* NULL: no memory, or the budget is used up. */
struct tap_pending *tap_pending_create(struct tap_budget *budget);
void tap_pending_destroy(struct tap_pending **p);
/* Forgets all; keeps its memory if that is little. */
void tap_pending_clear(struct tap_pending *p);

/* ---- the newest command, while its request is read --------------------------------------- */

/* Begins a command. One that was begun before and not committed is forgotten. */
void tap_pending_begin(struct tap_pending *p);
/* A key of it; may come in several calls for one key: `more` says that this one goes on with the
 * key that was added last. Kept up to TAP_KEY_KEPT bytes. */
void tap_pending_key(struct tap_pending *p, const uint8_t *bytes, size_t length, bool more);
/* What is written under the key that was added last. */
void tap_pending_value(struct tap_pending *p, uint64_t value_bytes);
/* It is complete. False: it was not remembered (bound or budget); its order is lost. `command`'s
 * counts of keys and its order are set here. */
bool tap_pending_commit(struct tap_pending *p, const struct tap_command *command);
/* It has no reply: the exchange goes to the sink at once, and the command is forgotten. */
void tap_pending_commit_unanswered(struct tap_pending *p, const struct tap_command *command,
                                   const struct tap_sink *sink);

/* Requests were not read: the order (tap_exchange) of what comes next shows it. */
void tap_pending_missed(struct tap_pending *p);

/* ---- the oldest, while its reply is read -------------------------------------------------- */

size_t tap_pending_count(const struct tap_pending *p);
/* NULL: none waits. Valid until the next call that changes p; so are its keys, whose outcome and
 * value_bytes the reader of replies may set. */
struct tap_command *tap_pending_oldest(struct tap_pending *p);
/* The command `ahead` places behind the oldest; NULL. */
struct tap_command *tap_pending_at(struct tap_pending *p, size_t ahead);
struct tap_key *tap_pending_keys(struct tap_pending *p, size_t ahead);

struct tap_reply {
    uint64_t answered_ns, done_ns, reply_bytes;
    bool failed;
    const char *error; /* as tap_exchange.error */
};
/* What a part of a reply has said of the oldest one's keys is forgotten. */
void tap_pending_forget_outcomes(struct tap_pending *p);
/* The oldest one's reply is complete: the exchange goes to the sink, the command is forgotten. */
void tap_pending_answer(struct tap_pending *p, const struct tap_reply *reply,
                        const struct tap_sink *sink);
/* The oldest one will not be carried out: TAP_WITHDRAWN. */
void tap_pending_withdraw(struct tap_pending *p, const struct tap_sink *sink);
/* All that wait go to the sink as TAP_NOT_SEEN. */
void tap_pending_give_up(struct tap_pending *p, const struct tap_sink *sink);

#endif
