// SPDX-License-Identifier: Apache-2.0
/* What a span says: items appended to the payload of its slot, each committed by the release of
 * `used` behind its bytes. A death in between costs that item alone. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "client/names.h"
#include "client/peer.h"
#include "client/recorder.h"
#include "client/span.h"
#include "client/tracestate.h"
#include "lib/ring/ticks.h"

/* ---- the payload ------------------------------------------------------------------------- */

static void count_dropped(struct slab_span *s, struct recorder *r)
{
    if (s->dropped < UINT8_MAX)
        s->dropped++;
    recorder_lost(r, LOSS_ATTRIBUTE_NO_ROOM);
}

/* `bytes` of payload behind what is committed, or NULL. Counts nothing. */
static inline char *room(struct slab_slot *slot, const struct recorder *r, size_t bytes)
{
    uint32_t used = atomic_load_explicit(&slot->span.used, memory_order_relaxed);
    return bytes <= r->payload_bytes - used ? slot->payload + used : NULL;
}

static inline void commit(struct slab_slot *slot, size_t bytes)
{
    uint32_t used = atomic_load_explicit(&slot->span.used, memory_order_relaxed);
    /* pairs with the acquire in slab_look() */
    atomic_store_explicit(&slot->span.used, used + (uint32_t)bytes, memory_order_release);
}

/* The recorder of this thread if the handle is good, else NULL (a stale one is counted). */
static inline struct recorder *recorder_for(weft_span span)
{
    if (!span.slot)
        return NULL;
    struct recorder *r = recorder_thread.self;
    if (__builtin_expect(!span_of(span), 0)) {
        if (r)
            recorder_lost(r, LOSS_STALE_HANDLE);
        return NULL;
    }
    return __builtin_expect(r != NULL, 1) ? r : recorder_acquire();
}

static inline void put_head(char *at, enum slab_item_type type, unsigned flags, size_t length,
                            uint32_t key)
{
    struct slab_item item = {(uint8_t)type, (uint8_t)flags, (uint16_t)length, key};
    memcpy(at, &item, sizeof item);
}

/* The padding of a value is written too: the agent reads no byte that nobody wrote. */
static inline void put_bytes(char *at, const void *bytes, size_t length)
{
    uint64_t zero = 0;
    size_t padded = SLAB_ROUND8(length);
    if (padded != length)
        memcpy(at + padded - 8, &zero, 8);
    memcpy(at, bytes, length);
}

static inline void set_bytes(weft_span span, uint32_t key, enum slab_item_type type,
                             const void *bytes, size_t length, struct recorder *r)
{
    struct slab_slot *slot = span.slot;
    size_t need = sizeof(struct slab_item) + SLAB_ROUND8(length);
    char *at = length <= SLAB_ITEM_VALUE_MAX ? room(slot, r, need) : NULL;
    if (__builtin_expect(!at, 0)) {
        count_dropped(&slot->span, r);
        return;
    }
    if (type > SLAB_ITEM_BYTES)
        slot->span.flags |= SLAB_SPAN_MORE;
    put_head(at, type, 0, length, key);
    put_bytes(at + sizeof(struct slab_item), bytes, length);
    commit(slot, need);
}

/* ---- attributes -------------------------------------------------------------------------- */

void weft_set_word_recorded(weft_span span, struct weft_name *key, enum weft_type type,
                            uint64_t word)
{
    struct recorder *r = recorder_for(span);
    if (!r)
        return;
    struct slab_slot *slot = span.slot;
    char *at = room(slot, r, 16);
    if (__builtin_expect(!at, 0)) {
        count_dropped(&slot->span, r);
        return;
    }
    put_head(at, (enum slab_item_type)type, 0, sizeof word, names_number(r->process, key));
    memcpy(at + sizeof(struct slab_item), &word, sizeof word);
    commit(slot, 16);
}

void weft_set_bytes_recorded(weft_span span, struct weft_name *key, enum weft_type type,
                             const void *bytes, size_t length)
{
    struct recorder *r = recorder_for(span);
    if (r)
        set_bytes(span, names_number(r->process, key), (enum slab_item_type)type, bytes, length, r);
}

void weft_set_status(weft_span span, enum weft_status status, const char *message)
{
    struct recorder *r = recorder_for(span);
    if (!r || (unsigned)status > WEFT_ERROR)
        return;
    if (message)
        set_bytes(span, 0, SLAB_ITEM_STATUS_MESSAGE, message, strlen(message), r);
    span_of(span)->status = (uint8_t)status;
}

void weft_set_name(weft_span span, struct weft_name *name)
{
    struct recorder *r = recorder_for(span);
    if (r)
        span_of(span)->name = names_number(r->process, name);
}

void weft_span_peer_recorded(weft_span span, int fd)
{
    struct recorder *r = recorder_for(span);
    struct slab_peer peer;
    if (!r)
        return;
    int saved = errno;
    if (peer_of(r->peers, fd, &peer))
        set_bytes(span, 0, SLAB_ITEM_PEER, &peer, sizeof peer, r);
    errno = saved;
}

/* ---- events and links: one commit for the whole ------------------------------------------ */

static size_t value_length(const struct weft_attribute *a)
{
    return a->type == WEFT_TYPE_STRING || a->type == WEFT_TYPE_BYTES ? a->length : 8;
}

static size_t nested_bytes(const struct weft_attribute *attributes, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        size_t length = value_length(&attributes[i]);
        if (length > SLAB_ITEM_VALUE_MAX || (unsigned)attributes[i].type > WEFT_TYPE_BYTES)
            return SIZE_MAX;
        bytes += sizeof(struct slab_item) + SLAB_ROUND8(length);
    }
    return bytes;
}

static void put_nested(char *at, struct recorder *r, const struct weft_attribute *attributes,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct weft_attribute *a = &attributes[i];
        size_t length = value_length(a);
        put_head(at, (enum slab_item_type)a->type, SLAB_ITEM_NESTED, length,
                 names_number(r->process, a->key));
        bool inline_value = a->type != WEFT_TYPE_STRING && a->type != WEFT_TYPE_BYTES;
        put_bytes(at + sizeof(struct slab_item), inline_value ? &a->value : a->value.bytes, length);
        at += sizeof(struct slab_item) + SLAB_ROUND8(length);
    }
}

/* An event (value: its ticks) or a link (value: three words) and what belongs to it. */
static void set_with(weft_span span, enum slab_item_type type, struct weft_name *name,
                     const uint64_t *value, size_t value_bytes,
                     const struct weft_attribute *attributes, size_t count)
{
    struct recorder *r = recorder_for(span);
    if (!r)
        return;
    struct slab_slot *slot = span.slot;
    size_t own = sizeof(struct slab_item) + value_bytes;
    size_t nested = nested_bytes(attributes, count);
    char *at = nested < UINT32_MAX ? room(slot, r, own + nested) : NULL;
    if (!at) {
        count_dropped(&slot->span, r);
        return;
    }
    slot->span.flags |= SLAB_SPAN_MORE;
    put_head(at, type, 0, value_bytes, names_number(r->process, name));
    memcpy(at + sizeof(struct slab_item), value, value_bytes);
    put_nested(at + own, r, attributes, count);
    commit(slot, own + nested);
}

void weft_event(weft_span span, struct weft_name *name, const struct weft_attribute *attributes,
                size_t count)
{
    struct recorder *r = recorder_for(span);
    if (!r)
        return;
    uint64_t ticks = ticks_now(r->clock);
    set_with(span, SLAB_ITEM_EVENT, name, &ticks, sizeof ticks, attributes, count);
}

void weft_link(weft_span span, const struct weft_context *to,
               const struct weft_attribute *attributes, size_t count)
{
    if (!to || !(to->trace_hi | to->trace_lo))
        return;
    uint64_t ids[3] = {to->trace_hi, to->trace_lo, to->span_id};
    set_with(span, SLAB_ITEM_LINK, NULL, ids, sizeof ids, attributes, count);
}

/* ---- tracestate -------------------------------------------------------------------------- */

void span_set_tracestate(weft_span span, const char *text, size_t length)
{
    struct recorder *r = recorder_for(span);
    if (!r)
        return;
    set_bytes(span, 0, SLAB_ITEM_TRACESTATE, text, length, r);
    if (!tracestate_is_ours_alone(text, length))
        span_of(span)->flags |= SPAN_FLAG_TRACESTATE; /* the spans below take it over */
}

/* It is the first item, as it is set at the begin. */
const char *span_tracestate(weft_span span, size_t *length)
{
    const struct slab_slot *slot = span.slot;
    struct slab_item item;
    *length = 0;
    if (!(slot->span.flags & SPAN_FLAG_TRACESTATE) ||
        atomic_load_explicit(&slot->span.used, memory_order_relaxed) < sizeof item)
        return "";
    memcpy(&item, slot->payload, sizeof item);
    if (item.type != SLAB_ITEM_TRACESTATE)
        return "";
    *length = item.length;
    return slot->payload + sizeof item;
}

void span_copy_tracestate(weft_span from, weft_span to)
{
    size_t length;
    const char *text = span_tracestate(from, &length);
    if (length)
        span_set_tracestate(to, text, length);
}
