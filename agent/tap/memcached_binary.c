// SPDX-License-Identifier: Apache-2.0
/* Binary packets: a header of 24 bytes, extras, a key, a value. A reply repeats opcode and opaque.
 */
#include <string.h>

#include "agent/tap/memcached.h"

enum { STATUS_OK = 0, STATUS_NOT_FOUND = 1, EXTRAS_MOST = 20, SEARCHED_MOST = 1024 };
#define BODY_MOST (UINT32_C(1) << 31)

static uint64_t tag_of(const struct memcached_binary_header *h)
{
    return (uint64_t)h->opaque << 8 | h->opcode;
}

/* ---- requests ----------------------------------------------------------------------------- */

enum tap_read memcached_binary_begin(struct memcached_request *q, const struct tap_reading *r)
{
    struct memcached_binary_header h = memcached_header_of(q->header);
    const struct memcached_opcode *opcode = memcached_opcode_at(h.opcode);
    (void)r;
    if (!opcode || h.key > MEMCACHED_KEY_MOST || h.extras > EXTRAS_MOST || h.body > BODY_MOST ||
        h.body < (uint32_t)h.key + h.extras)
        return TAP_LOST;
    q->extras_left = h.extras;
    q->key_left = h.key;
    q->left = q->value_bytes = h.body - h.key - h.extras;
    q->command = memcached_command_find(opcode->name, strlen(opcode->name));
    q->quiet = opcode->quiet;
    q->tag = tag_of(&h);
    return TAP_GOES_ON;
}

enum tap_read memcached_binary_end(struct memcached_request *q, const struct tap_reading *r)
{
    const struct memcached_opcode *opcode = memcached_opcode_at(q->header[1]);
    struct tap_command command = {
        .asked_ns = r->now_ns,
        .request_bytes = q->bytes,
        .command = q->command,
        .tag = q->tag,
        .detail = (uint16_t)(MEMCACHED_BINARY | MEMCACHED_TAGGED |
                             (opcode->stats ? MEMCACHED_STATS : MEMCACHED_ONE_LINE) |
                             (opcode->quiet ? MEMCACHED_QUIET : 0)),
    };
    tap_pending_value(r->pending, q->value_bytes);
    return tap_pending_commit(r->pending, &command) ? TAP_GOES_ON : TAP_LOST;
}

/* ---- replies ------------------------------------------------------------------------------ */

static const char *error_of(uint16_t status)
{
    switch (status) {
    case 0x02: /* exists: of cas and add, no error */
    case 0x05: /* not stored */
        return NULL;
    case 0x03:
        return "TOO_LARGE";
    case 0x04:
        return "INVALID";
    case 0x06:
        return "NON_NUMERIC";
    case 0x08:
    case 0x20:
        return "AUTH";
    case 0x81:
        return "UNKNOWN_COMMAND";
    case 0x82:
        return "OUT_OF_MEMORY";
    case 0x85:
        return "BUSY";
    case 0x86:
        return "TEMPORARY";
    default:
        return "other";
    }
}

static bool key_is(const struct memcached_reply *p, const struct tap_key *key)
{
    return key && key->length == p->key_length && memcmp(key->bytes, p->line, key->length) == 0;
}

/* The command that this reply repeats opcode, opaque and perhaps key of. SIZE_MAX: none, or two. */
static size_t command_of(const struct memcached_reply *p, const struct tap_reading *r, uint64_t tag)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < SEARCHED_MOST; i++) {
        const struct tap_command *c = tap_pending_at(r->pending, i);
        if (!c || !(c->detail & MEMCACHED_BINARY))
            break;
        bool same_key =
            p->key_length > 0 && c->key_count == 1 && key_is(p, tap_pending_keys(r->pending, i));
        if (c->tag == tag && same_key)
            return i;
        if (c->tag == tag && (p->key_length == 0 || c->key_count != 1)) {
            if (found != SIZE_MAX)
                return SIZE_MAX;
            found = i;
        }
        if (!(c->detail & MEMCACHED_QUIET))
            break;
    }
    return found;
}

enum tap_read memcached_binary_reply(struct memcached_reply *p, const struct tap_reading *r)
{
    struct memcached_binary_header h = memcached_header_of(p->header);
    const struct memcached_opcode *opcode = memcached_opcode_at(h.opcode);
    size_t ahead = command_of(p, r, tag_of(&h));
    if (!opcode || ahead == SIZE_MAX)
        return TAP_LOST;
    memcached_quiet_before(p, r, ahead);
    if (opcode->stats && h.status == STATUS_OK && h.key > 0)
        return TAP_GOES_ON; /* one of several */
    bool missed = h.status == STATUS_NOT_FOUND;
    if (opcode->looks_up && (missed || h.status == STATUS_OK))
        memcached_judge(r, missed ? TAP_MISS : TAP_HIT, missed ? 0 : h.body - h.key - h.extras);
    memcached_answer(p, r, h.status == STATUS_OK || missed ? NULL : error_of(h.status));
    return TAP_GOES_ON;
}
