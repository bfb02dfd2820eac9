// SPDX-License-Identifier: Apache-2.0
/* Three queues: commands, their keys, and the keys' bytes. Mostly a client asks and waits, so all
 * of them are empty again after each reply and begin anew at the front; nothing moves then. */
#include "agent/tap/pending.h"

#include <stdlib.h>
#include <string.h>

enum { COMMANDS_FIRST = 8, KEYS_FIRST = 8, BYTES_FIRST = 256 };

struct queue {
    uint8_t *items;
    size_t begin, end, capacity; /* in items */
};

struct entry {
    struct tap_command command;
    size_t keys_before; /* of all keys that were ever added */
    size_t bytes;       /* of its keys */
};

struct tap_pending {
    struct tap_budget *budget;
    struct queue entries; /* struct entry */
    struct queue keys;    /* struct tap_key */
    struct queue bytes;
    uint32_t asked;        /* commands, and gaps between them */
    size_t keys_ever;      /* added by commands that were committed */
    size_t keys_forgotten; /* of these */
    /* The newest command. */
    uint32_t new_keys, new_keys_not_kept;
    size_t new_bytes;
    bool last_not_kept; /* there is no key, or that which was added last is not kept */
};

static struct entry *entries(const struct tap_pending *p)
{
    return (struct entry *)(void *)p->entries.items;
}

static struct tap_key *keys(const struct tap_pending *p)
{
    return (struct tap_key *)(void *)p->keys.items;
}

/* ---- queues ------------------------------------------------------------------------------ */

static size_t taken(const struct tap_pending *p)
{
    return p->entries.capacity * sizeof(struct entry) + p->keys.capacity * sizeof(struct tap_key) +
           p->bytes.capacity;
}

static bool grow(struct tap_pending *p, struct queue *q, size_t item, size_t first)
{
    size_t more = q->capacity ? q->capacity : first;
    struct tap_budget *b = p->budget;
    if (taken(p) + more * item > TAP_PENDING_BYTES_MOST ||
        b->bytes + more * item > b->limit_bytes) {
        b->refused++;
        return false;
    }
    uint8_t *items = realloc(q->items, (q->capacity + more) * item);
    if (!items) {
        b->refused++;
        return false;
    }
    b->bytes += more * item;
    q->items = items;
    q->capacity += more;
    return true;
}

/* Room for one more item at the end. */
static bool reserve(struct tap_pending *p, struct queue *q, size_t item, size_t first)
{
    if (q->end < q->capacity)
        return true;
    if (q->begin > q->capacity / 2) {
        memmove(q->items, q->items + q->begin * item, (q->end - q->begin) * item);
        q->end -= q->begin;
        q->begin = 0;
        return true;
    }
    return grow(p, q, item, first);
}

static bool reserve_bytes(struct tap_pending *p, size_t length)
{
    const uint8_t *before = p->bytes.items;
    size_t began = p->bytes.begin;
    while (p->bytes.capacity - p->bytes.end < length) {
        if (p->bytes.begin > p->bytes.capacity / 2) {
            memmove(p->bytes.items, p->bytes.items + p->bytes.begin, p->bytes.end - p->bytes.begin);
            p->bytes.end -= p->bytes.begin;
            p->bytes.begin = 0;
        } else if (!grow(p, &p->bytes, 1, BYTES_FIRST)) {
            break;
        }
    }
    if (p->bytes.items != before || p->bytes.begin != began)
        for (size_t i = p->keys.begin; i < p->keys.end; i++)
            if (keys(p)[i].length > 0)
                keys(p)[i].bytes =
                    p->bytes.items + (size_t)(keys(p)[i].bytes - before) + p->bytes.begin - began;
    return p->bytes.capacity - p->bytes.end >= length;
}

static void release(struct tap_pending *p, struct queue *q, size_t item)
{
    free(q->items);
    p->budget->bytes -= q->capacity * item;
    *q = (struct queue){0};
}

/* ---- life -------------------------------------------------------------------------------- */

struct tap_pending *tap_pending_create(struct tap_budget *budget)
{
    if (budget->bytes + sizeof(struct tap_pending) > budget->limit_bytes) {
        budget->refused++;
        return NULL;
    }
    struct tap_pending *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    budget->bytes += sizeof *p;
    p->budget = budget;
    p->last_not_kept = true;
    return p;
}

void tap_pending_destroy(struct tap_pending **place)
{
    struct tap_pending *p = *place;
    if (!p)
        return;
    release(p, &p->entries, sizeof(struct entry));
    release(p, &p->keys, sizeof(struct tap_key));
    release(p, &p->bytes, 1);
    p->budget->bytes -= sizeof *p;
    free(p);
    *place = NULL;
}

/* Nothing waits: all begins anew at the front, and much memory is given back. */
static void begin_anew(struct tap_pending *p)
{
    enum { LITTLE_BYTES = 32 << 10 };
    if (taken(p) > LITTLE_BYTES) {
        release(p, &p->entries, sizeof(struct entry));
        release(p, &p->keys, sizeof(struct tap_key));
        release(p, &p->bytes, 1);
    }
    p->entries.begin = p->entries.end = 0;
    p->keys.begin = p->keys.end = 0;
    p->bytes.begin = p->bytes.end = 0;
    p->keys_ever = p->keys_forgotten = 0;
}

void tap_pending_clear(struct tap_pending *p)
{
    tap_pending_begin(p);
    begin_anew(p);
}

/* ---- the newest -------------------------------------------------------------------------- */

void tap_pending_begin(struct tap_pending *p)
{
    p->keys.end -= p->new_keys;
    p->bytes.end -= p->new_bytes;
    p->new_keys = p->new_keys_not_kept = 0;
    p->new_bytes = 0;
    p->last_not_kept = true;
}

static void append_bytes(struct tap_pending *p, const uint8_t *bytes, size_t length)
{
    struct tap_key *key = &keys(p)[p->keys.end - 1];
    size_t room = TAP_KEY_KEPT - key->length, kept = length < room ? length : room;
    key->full_length =
        key->full_length + length < UINT32_MAX ? (uint32_t)(key->full_length + length) : UINT32_MAX;
    if (kept == 0 || !reserve_bytes(p, kept))
        return;
    memcpy(p->bytes.items + p->bytes.end, bytes, kept);
    if (key->length == 0)
        key->bytes = p->bytes.items + p->bytes.end;
    p->bytes.end += kept;
    p->new_bytes += kept;
    key->length += (uint32_t)kept;
}

void tap_pending_key(struct tap_pending *p, const uint8_t *bytes, size_t length, bool more)
{
    if (!more) {
        p->last_not_kept = p->new_keys >= TAP_PENDING_KEYS_MOST ||
                           !reserve(p, &p->keys, sizeof(struct tap_key), KEYS_FIRST);
        if (p->last_not_kept) {
            p->new_keys_not_kept++;
            return;
        }
        keys(p)[p->keys.end++] = (struct tap_key){0};
        p->new_keys++;
    }
    if (!p->last_not_kept)
        append_bytes(p, bytes, length);
}

void tap_pending_value(struct tap_pending *p, uint64_t value_bytes)
{
    if (!p->last_not_kept)
        keys(p)[p->keys.end - 1].value_bytes = value_bytes;
}

bool tap_pending_commit(struct tap_pending *p, const struct tap_command *command)
{
    if (p->entries.end - p->entries.begin >= TAP_PENDING_MOST ||
        !reserve(p, &p->entries, sizeof(struct entry), COMMANDS_FIRST)) {
        tap_pending_begin(p);
        return false;
    }
    struct entry *e = &entries(p)[p->entries.end++];
    *e = (struct entry){*command, p->keys_ever, p->new_bytes};
    e->command.key_count = p->new_keys;
    e->command.keys_not_kept = p->new_keys_not_kept;
    e->command.order = p->asked++;
    p->keys_ever += p->new_keys;
    p->new_keys = p->new_keys_not_kept = 0;
    p->new_bytes = 0;
    p->last_not_kept = true;
    return true;
}

void tap_pending_commit_unanswered(struct tap_pending *p, const struct tap_command *command,
                                   const struct tap_sink *sink)
{
    sink->take(sink->context, &(struct tap_exchange){
                                  .command = command->command,
                                  .ending = TAP_NOT_ASKED_FOR,
                                  .order = p->asked++,
                                  .asked_ns = command->asked_ns,
                                  .request_bytes = command->request_bytes,
                                  .keys = p->new_keys ? &keys(p)[p->keys.end - p->new_keys] : NULL,
                                  .key_count = p->new_keys,
                                  .keys_not_kept = p->new_keys_not_kept,
                              });
    tap_pending_begin(p);
}

void tap_pending_missed(struct tap_pending *p)
{
    p->asked++;
}

/* ---- the oldest -------------------------------------------------------------------------- */

size_t tap_pending_count(const struct tap_pending *p)
{
    return p->entries.end - p->entries.begin;
}

struct tap_command *tap_pending_at(struct tap_pending *p, size_t ahead)
{
    return ahead < tap_pending_count(p) ? &entries(p)[p->entries.begin + ahead].command : NULL;
}

struct tap_command *tap_pending_oldest(struct tap_pending *p)
{
    return tap_pending_at(p, 0);
}

struct tap_key *tap_pending_keys(struct tap_pending *p, size_t ahead)
{
    if (ahead >= tap_pending_count(p))
        return NULL;
    const struct entry *e = &entries(p)[p->entries.begin + ahead];
    return e->command.key_count ? &keys(p)[p->keys.begin + (e->keys_before - p->keys_forgotten)]
                                : NULL;
}

void tap_pending_forget_outcomes(struct tap_pending *p)
{
    const struct tap_command *c = tap_pending_oldest(p);
    struct tap_key *of_oldest = tap_pending_keys(p, 0);
    for (uint32_t i = 0; c && i < c->key_count; i++)
        if (of_oldest[i].outcome != TAP_NO_OUTCOME) {
            of_oldest[i].outcome = TAP_NO_OUTCOME;
            of_oldest[i].value_bytes = 0;
        }
}

static void forget_oldest(struct tap_pending *p)
{
    const struct entry *e = &entries(p)[p->entries.begin++];
    p->bytes.begin += e->bytes;
    p->keys.begin += e->command.key_count;
    p->keys_forgotten += e->command.key_count;
    if (tap_pending_count(p) == 0 && p->new_keys == 0)
        begin_anew(p);
}

static void give(struct tap_pending *p, const struct tap_exchange *ending,
                 const struct tap_sink *sink)
{
    const struct tap_command *c = tap_pending_oldest(p);
    struct tap_exchange e = *ending;
    e.command = c->command;
    e.order = c->order;
    e.asked_ns = c->asked_ns;
    e.request_bytes = c->request_bytes;
    e.keys = tap_pending_keys(p, 0);
    e.key_count = c->key_count;
    e.keys_not_kept = c->keys_not_kept;
    sink->take(sink->context, &e);
    forget_oldest(p);
}

void tap_pending_answer(struct tap_pending *p, const struct tap_reply *reply,
                        const struct tap_sink *sink)
{
    give(p,
         &(struct tap_exchange){.ending = TAP_ANSWERED,
                                .failed = reply->failed,
                                .error = reply->error,
                                .answered_ns = reply->answered_ns,
                                .done_ns = reply->done_ns,
                                .reply_bytes = reply->reply_bytes},
         sink);
}

void tap_pending_withdraw(struct tap_pending *p, const struct tap_sink *sink)
{
    give(p, &(struct tap_exchange){.ending = TAP_WITHDRAWN}, sink);
}

void tap_pending_give_up(struct tap_pending *p, const struct tap_sink *sink)
{
    while (tap_pending_count(p) > 0) {
        tap_pending_forget_outcomes(p);
        give(p, &(struct tap_exchange){.ending = TAP_NOT_SEEN}, sink);
    }
}
