// SPDX-License-Identifier: Apache-2.0
/* The hot loop of the agent; what it costs most for is finding attribute values in the batch's
 * dictionary. Names cost an array access: a process keeps, for each number of its name table,
 * the index that the current batch gave it. */
#include "agent/convert.h"

#include <stdlib.h>
#include <string.h>

#include "agent/process_identity.h"
#include "agent/stats/spans.h"

/* ---- names ------------------------------------------------------------------------------- */

static struct name_mark *name_mark(struct batch_marks *m, uint32_t number)
{
    if (number >= m->name_capacity) {
        uint32_t capacity = m->name_capacity ? m->name_capacity : 256;
        while (capacity <= number)
            capacity *= 2;
        struct name_mark *names = realloc(m->names, capacity * sizeof *names);
        if (!names)
            return NULL;
        memset(names + m->name_capacity, 0, (capacity - m->name_capacity) * sizeof *names);
        m->names = names;
        m->name_capacity = capacity;
    }
    return &m->names[number];
}

static uint32_t name_index(struct conversion *c, uint32_t number)
{
    struct batch_marks *m = c->marks;
    if (number < m->name_capacity && m->names[number].serial == c->serial)
        return m->names[number].index;
    size_t length;
    const char *text = slab_name(c->process->reader, number, &length);
    if (!text)
        return 0;
    uint32_t index = batch_string(c->builder, text, length);
    struct name_mark *mark = name_mark(m, number);
    if (mark)
        *mark = (struct name_mark){c->serial, index};
    return index;
}

/* ---- the process ------------------------------------------------------------------------- */

static void describe(struct conversion *c)
{
    struct recording_process *p = c->process;
    struct process_identity identity;
    struct slab_item_view item;
    uint32_t used;
    const char *resource = slab_resource(p->reader, &used);
    size_t length;

    process_identity_read(&identity, p->reader);
    struct batch_process_info info = {.host = identity.host,
                                      .pid = p->file->pid,
                                      .start_unix_ns = p->file->open_unix_ns,
                                      .service = identity.service,
                                      .version = identity.version,
                                      .instance = identity.instance,
                                      .cell = identity.cell,
                                      .state = p->dead ? PROCESS_EXITED : PROCESS_ALIVE,
                                      .state_unix_ns = p->died_unix_ns};
    if (c->open_status == SPAN_DIED)
        info.state = PROCESS_DIED;
    memcpy(info.uuid, p->file->uuid, sizeof info.uuid);
    c->marks->index = batch_process(c->builder, &info);
    for (struct slab_walk w = slab_walk(resource, used); slab_item_next(&w, &item);) {
        const char *key = slab_name(p->reader, item.key, &length);
        if (key && !process_identity_has(key, length) && item.type == SLAB_ITEM_STRING)
            batch_process_attribute(c->builder, name_index(c, item.key), VALUE_STRING,
                                    batch_string(c->builder, item.value, item.length));
    }
}

uint32_t convert_process(struct conversion *c)
{
    if (c->marks->serial != c->serial) {
        c->marks->serial = c->serial;
        describe(c);
    }
    return c->marks->index;
}

/* ---- spans ------------------------------------------------------------------------------- */

static uint64_t word_of(const struct slab_item_view *item)
{
    uint64_t word = 0;
    memcpy(&word, item->value, item->length < sizeof word ? item->length : sizeof word);
    return word;
}

static void attribute(struct conversion *c, const struct slab_item_view *item)
{
    bool text = item->type == SLAB_ITEM_STRING || item->type == SLAB_ITEM_BYTES;
    uint64_t value = text ? batch_string(c->builder, item->value, item->length) : word_of(item);
    if (item->type == SLAB_ITEM_BOOL)
        value = value != 0;
    batch_attribute(c->builder, name_index(c, item->key), (enum value_type)item->type, value);
}

static void event(struct conversion *c, const struct slab_item_view *item)
{
    uint64_t ticks = word_of(item);
    if (ticks > c->process->last_ticks)
        c->process->last_ticks = ticks;
    batch_event(c->builder, name_index(c, item->key), host_clock_unix_ns(c->clock, ticks));
}

static void link_to(struct conversion *c, const struct slab_item_view *item)
{
    uint64_t ids[3];
    if (item->length != sizeof ids)
        return;
    memcpy(ids, item->value, sizeof ids);
    batch_link(c->builder, (struct trace_id){ids[0], ids[1]}, ids[2]);
}

static bool is_attribute(const struct slab_item_view *item)
{
    return item->type <= SLAB_ITEM_BYTES;
}

/* An event or a link and the attributes behind it; others of the span may stand in between. */
static void events_or_links(struct conversion *c, const struct slab_record *record, uint8_t type)
{
    struct slab_item_view item;
    bool inside = false;
    for (struct slab_walk w = slab_walk(record->payload, record->used);
         slab_item_next(&w, &item);) {
        bool nested = is_attribute(&item) && item.flags & SLAB_ITEM_NESTED;
        if (item.type == type && type == SLAB_ITEM_EVENT)
            event(c, &item);
        else if (item.type == type)
            link_to(c, &item);
        else if (nested && inside)
            attribute(c, &item);
        inside = item.type == type || (nested && inside);
    }
}

/* Without memory the span goes without its connection. */
static void connection(struct conversion *c, const char *value)
{
    struct slab_peer peer;
    struct connection_names **names = &c->marks->connections;
    if (!*names && !(*names = calloc(1, sizeof **names)))
        return;
    memcpy(&peer, value, sizeof peer);
    connection_names_add(*names, c->builder, c->serial, &peer);
}

/* What the span's own row needs from its payload. */
struct preview {
    uint32_t status_message, tracestate;
    const char *peer; /* struct slab_peer; NULL: none */
    bool events, links;
};

static struct preview look_ahead(struct conversion *c, const struct slab_record *record)
{
    struct preview seen = {0};
    struct slab_item_view item;
    for (struct slab_walk w = slab_walk(record->payload, record->used);
         slab_item_next(&w, &item);) {
        if (item.type == SLAB_ITEM_STATUS_MESSAGE)
            seen.status_message = batch_string(c->builder, item.value, item.length);
        else if (item.type == SLAB_ITEM_TRACESTATE)
            seen.tracestate = batch_string(c->builder, item.value, item.length);
        else if (item.type == SLAB_ITEM_PEER && item.length == sizeof(struct slab_peer))
            seen.peer = item.value;
        seen.events |= item.type == SLAB_ITEM_EVENT;
        seen.links |= item.type == SLAB_ITEM_LINK;
    }
    return seen;
}

static uint64_t duration_of(const struct conversion *c, const struct slab_record *record,
                            uint64_t start_unix_ns)
{
    const struct slab_span *s = &record->span;
    if (!record->open)
        return host_clock_duration_ns(c->clock, s->end_ticks - s->start_ticks);
    return c->open_end_unix_ns > start_unix_ns ? c->open_end_unix_ns - start_unix_ns : 0;
}

void convert_record(void *context, const struct slab_record *record)
{
    struct conversion *c = context;
    struct recording_process *p = c->process;
    const struct slab_span *s = &record->span;
    struct preview seen = {0};
    if (s->flags & SLAB_SPAN_MORE)
        seen = look_ahead(c, record);
    uint64_t last = record->open ? s->start_ticks : s->end_ticks;
    if (last > p->last_ticks)
        p->last_ticks = last;

    struct batch_span span = {.process = convert_process(c),
                              .name = name_index(c, s->name),
                              .trace_id = {s->trace_hi, s->trace_lo},
                              .span_id = s->span_id,
                              .parent_id = s->parent_id,
                              .start_unix_ns = host_clock_unix_ns(c->clock, s->start_ticks),
                              .kind = s->kind,
                              .status = record->open ? (uint8_t)c->open_status : s->status,
                              .flags = s->flags & (uint8_t) ~(SLAB_SPAN_MORE | SPAN_FLAG_OBSERVED),
                              .dropped_attributes = s->dropped,
                              .status_message = seen.status_message,
                              .tracestate = seen.tracestate};
    span.duration_ns = duration_of(c, record, span.start_unix_ns);
    batch_span_add(c->builder, &span);
    if (c->count)
        span_counts_add(p->spans, record, &span);

    struct slab_item_view item;
    for (struct slab_walk w = slab_walk(record->payload, record->used); slab_item_next(&w, &item);)
        if (is_attribute(&item) && !(item.flags & SLAB_ITEM_NESTED))
            attribute(c, &item);
    if (seen.peer)
        connection(c, seen.peer);
    if (seen.events)
        events_or_links(c, record, SLAB_ITEM_EVENT);
    if (seen.links)
        events_or_links(c, record, SLAB_ITEM_LINK);
}
