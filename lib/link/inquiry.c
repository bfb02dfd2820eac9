// SPDX-License-Identifier: Apache-2.0
#include "lib/link/inquiry.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft.pb-c.h"

enum { END_BYTES = 18 };

/* ---- ends -------------------------------------------------------------------------------- */

static void write_end(uint8_t out[END_BYTES], const struct inquiry_end *end)
{
    memcpy(out, end->ip, 16);
    out[16] = (uint8_t)(end->port >> 8);
    out[17] = (uint8_t)end->port;
}

static bool read_end(struct inquiry_end *end, ProtobufCBinaryData bytes)
{
    if (bytes.len != END_BYTES)
        return false;
    memcpy(end->ip, bytes.data, 16);
    end->port = (uint16_t)(bytes.data[16] << 8 | bytes.data[17]);
    return true;
}

bool inquiry_end_is_loopback(const struct inquiry_end *end)
{
    struct in6_addr ip;
    memcpy(&ip, end->ip, sizeof ip);
    return IN6_IS_ADDR_LOOPBACK(&ip) || (IN6_IS_ADDR_V4MAPPED(&ip) && end->ip[12] == 127);
}

static bool same_end(const struct inquiry_end *a, const struct inquiry_end *b)
{
    return a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

/* ---- watches ----------------------------------------------------------------------------- */

int inquiry_watch_write(struct buffer *out, const struct inquiry_watch *w)
{
    uint32_t count = w->cache_count;
    uint8_t(*ends)[END_BYTES] = calloc(count + 1, sizeof *ends);
    ProtobufCBinaryData *caches = calloc(count + 1, sizeof *caches);
    Weft__Watch message = WEFT__WATCH__INIT;
    message.epoch = w->epoch;
    message.received = w->received;
    message.caches = caches;
    message.n_caches = count;
    uint8_t *to = NULL;
    if (ends && caches) {
        for (uint32_t i = 0; i < count; i++) {
            write_end(ends[i], &w->caches[i]);
            caches[i] = (ProtobufCBinaryData){END_BYTES, ends[i]};
        }
        to = (uint8_t *)buffer_reserve(out, weft__watch__get_packed_size(&message) + 1);
    }
    if (to)
        out->length += weft__watch__pack(&message, to);
    free(caches);
    free(ends);
    return to ? 0 : -1;
}

int inquiry_watch_read(struct inquiry_watch *w, const void *bytes, size_t length)
{
    Weft__Watch *message = weft__watch__unpack(NULL, length, bytes);
    if (!message || message->n_caches > INQUIRY_CACHES_MOST) {
        if (message)
            weft__watch__free_unpacked(message, NULL);
        return -1;
    }
    *w = (struct inquiry_watch){.epoch = message->epoch, .received = message->received};
    for (size_t i = 0; i < message->n_caches; i++)
        w->cache_count += read_end(&w->caches[w->cache_count], message->caches[i]);
    weft__watch__free_unpacked(message, NULL);
    return 0;
}

/* ---- writing ----------------------------------------------------------------------------- */

static bool same_connection(const struct inquiry *a, const struct inquiry *b)
{
    return same_end(&a->client, &b->client) && same_end(&a->cache, &b->cache) &&
           strcmp(a->agent, b->agent) == 0;
}

/* A connection's message, and what it points to. */
struct connection_message {
    Weft__Inquiry message;
    uint8_t client[END_BYTES], cache[END_BYTES];
};

/* The memory of a whole answer: columns of all inquiries, of which each message has a part. */
struct columns {
    uint64_t *trace_hi, *trace_lo, *span_id, *start, *duration;
    struct connection_message *messages; /* as many as there are inquiries, at most */
    Weft__Inquiry **pointers;
    size_t message_count;
};

static bool columns_init(struct columns *c, size_t count)
{
    uint64_t *words = calloc(5 * (count + 1), sizeof *words);
    *c = (struct columns){.trace_hi = words};
    c->messages = calloc(count + 1, sizeof *c->messages);
    c->pointers = calloc(count + 1, sizeof(Weft__Inquiry *));
    if (!words || !c->messages || !c->pointers)
        return false;
    c->trace_lo = words + count;
    c->span_id = words + 2 * count;
    c->start = words + 3 * count;
    c->duration = words + 4 * count;
    return true;
}

static void columns_fini(struct columns *c)
{
    free(c->trace_hi);
    free(c->messages);
    free(c->pointers);
}

static void begin_message(struct columns *c, const struct inquiry *first, size_t at)
{
    struct connection_message *m = &c->messages[c->message_count];
    weft__inquiry__init(&m->message);
    write_end(m->client, &first->client);
    write_end(m->cache, &first->cache);
    m->message.client = (ProtobufCBinaryData){END_BYTES, m->client};
    m->message.cache = (ProtobufCBinaryData){END_BYTES, m->cache};
    m->message.agent = (char *)first->agent;
    m->message.clock_offset_ns = first->clock_offset_ns;
    m->message.trace_hi = c->trace_hi + at;
    m->message.trace_lo = c->trace_lo + at;
    m->message.span_id = c->span_id + at;
    m->message.start_unix_ns = c->start + at;
    m->message.duration_ns = c->duration + at;
    c->pointers[c->message_count++] = &m->message;
}

static void add_inquiry(struct columns *c, const struct inquiry *i, size_t at)
{
    c->trace_hi[at] = i->trace_id.hi;
    c->trace_lo[at] = i->trace_id.lo;
    c->span_id[at] = i->span_id;
    c->start[at] = i->start_unix_ns;
    c->duration[at] = i->duration_ns;
    Weft__Inquiry *m = c->pointers[c->message_count - 1];
    m->n_trace_hi++;
    m->n_trace_lo++;
    m->n_span_id++;
    m->n_start_unix_ns++;
    m->n_duration_ns++;
}

int inquiries_write(struct buffer *out, uint64_t epoch, uint64_t first,
                    const struct inquiry *inquiries, size_t count)
{
    struct columns c;
    uint8_t *to = NULL;
    if (columns_init(&c, count)) {
        for (size_t i = 0; i < count; i++) {
            if (i == 0 || !same_connection(&inquiries[i - 1], &inquiries[i]))
                begin_message(&c, &inquiries[i], i);
            add_inquiry(&c, &inquiries[i], i);
        }
        Weft__Inquiries message = WEFT__INQUIRIES__INIT;
        message.epoch = epoch;
        message.first = first;
        message.inquiries = c.pointers;
        message.n_inquiries = c.message_count;
        to = (uint8_t *)buffer_reserve(out, weft__inquiries__get_packed_size(&message) + 1);
        if (to)
            out->length += weft__inquiries__pack(&message, to);
    }
    columns_fini(&c);
    return to ? 0 : -1;
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool is_sound(const Weft__Inquiry *m)
{
    size_t n = m->n_span_id;
    struct inquiry_end end;
    return read_end(&end, m->client) && read_end(&end, m->cache) && m->n_trace_hi == n &&
           m->n_trace_lo == n && m->n_start_unix_ns == n && m->n_duration_ns == n &&
           strlen(m->agent) <= LINK_AGENT_ID_MAX;
}

static bool all_sound(const Weft__Inquiries *message)
{
    size_t count = 0;
    for (size_t i = 0; i < message->n_inquiries; i++) {
        if (!is_sound(message->inquiries[i]))
            return false;
        count += message->inquiries[i]->n_span_id;
    }
    return count <= INQUIRIES_MOST;
}

static void take_all(const Weft__Inquiry *m,
                     void (*take)(void *context, const struct inquiry *inquiry), void *context)
{
    struct inquiry i;
    read_end(&i.client, m->client);
    read_end(&i.cache, m->cache);
    snprintf(i.agent, sizeof i.agent, "%s", m->agent);
    i.clock_offset_ns = m->clock_offset_ns;
    for (size_t n = 0; n < m->n_span_id; n++) {
        i.trace_id = (struct trace_id){m->trace_hi[n], m->trace_lo[n]};
        i.span_id = m->span_id[n];
        i.start_unix_ns = m->start_unix_ns[n];
        i.duration_ns = m->duration_ns[n];
        take(context, &i);
    }
}

int inquiries_read(const void *bytes, size_t length, uint64_t *epoch, uint64_t *first,
                   void (*take)(void *context, const struct inquiry *inquiry), void *context)
{
    Weft__Inquiries *message = weft__inquiries__unpack(NULL, length, bytes);
    if (!message)
        return -1;
    bool sound = all_sound(message);
    if (sound) {
        *epoch = message->epoch;
        *first = message->first;
        for (size_t i = 0; i < message->n_inquiries; i++)
            take_all(message->inquiries[i], take, context);
    }
    weft__inquiries__free_unpacked(message, NULL);
    return sound ? 0 : -1;
}
