// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "lib/otlp/otlp.h"
#include "lib/otlp/otlp_names.h"

struct writing {
    struct arena *arena;
    bool failed; /* memory */
};

static void *need(struct writing *w, size_t count, size_t bytes)
{
    void *memory = arena_calloc(w->arena, count ? count : 1, bytes);
    w->failed = w->failed || !memory;
    return memory;
}

static ProtobufCBinaryData data_of(struct batch_str s)
{
    return (ProtobufCBinaryData){s.length, (uint8_t *)(uintptr_t)s.bytes};
}

static ProtobufCBinaryData text_of(const char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
}

static ProtobufCBinaryData id_of(struct writing *w, const uint64_t *words, size_t count)
{
    uint8_t *bytes = need(w, count, 8);
    for (size_t i = 0; bytes && i < count * 8; i++)
        bytes[i] = (uint8_t)(words[i / 8] >> (56 - i % 8 * 8));
    return (ProtobufCBinaryData){bytes ? count * 8 : 0, bytes};
}

/* ---- attributes -------------------------------------------------------------------------- */

static Otlp__KeyValue *key_value(struct writing *w, ProtobufCBinaryData key)
{
    Otlp__KeyValue *kv = need(w, 1, sizeof *kv);
    Otlp__AnyValue *v = need(w, 1, sizeof *v);
    if (!kv || !v)
        return NULL;
    otlp__key_value__init(kv);
    otlp__any_value__init(v);
    kv->key = key;
    kv->value = v;
    return kv;
}

static void set_text(Otlp__KeyValue *kv, ProtobufCBinaryData text)
{
    kv->value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
    kv->value->string_value = text;
}

static void set_value(Otlp__KeyValue *kv, const struct batch_str *strings, uint8_t type,
                      uint64_t value)
{
    switch (type) {
    case VALUE_INT:
        kv->value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
        kv->value->int_value = (int64_t)value;
        break;
    case VALUE_DOUBLE:
        kv->value->value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
        memcpy(&kv->value->double_value, &value, sizeof value);
        break;
    case VALUE_BOOL:
        kv->value->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
        kv->value->bool_value = value != 0;
        break;
    case VALUE_BYTES:
        kv->value->value_case = OTLP__ANY_VALUE__VALUE_BYTES_VALUE;
        kv->value->bytes_value = data_of(strings[value]);
        break;
    default:
        set_text(kv, data_of(strings[value]));
    }
}

struct list { /* of attributes, with room for all */
    Otlp__KeyValue **items;
    size_t count;
};

static void add_text(struct writing *w, struct list *l, const char *key, ProtobufCBinaryData text)
{
    Otlp__KeyValue *kv = text.len > 0 ? key_value(w, text_of(key)) : NULL;
    if (!kv)
        return;
    set_text(kv, text);
    l->items[l->count++] = kv;
}

static void add_attribute(struct writing *w, struct list *l, const struct batch *b,
                          const struct batch_attributes *from, uint32_t i, size_t skip)
{
    struct batch_str key = b->strings[from->key[i]];
    ProtobufCBinaryData name = {key.length - skip, (uint8_t *)(uintptr_t)(key.bytes + skip)};
    Otlp__KeyValue *kv = key_value(w, name);
    if (!kv)
        return;
    set_value(kv, b->strings, from->type[i], from->value[i]);
    l->items[l->count++] = kv;
}

static bool is_scope(struct batch_str key)
{
    size_t length = strlen(OTLP_SCOPE);
    return key.length > length && memcmp(key.bytes, OTLP_SCOPE, length) == 0;
}

static struct list hanging(struct writing *w, const struct batch *b, uint32_t first, uint32_t count)
{
    struct list l = {need(w, count, sizeof(Otlp__KeyValue *)), 0};
    for (uint32_t i = first; l.items && i < first + count; i++)
        add_attribute(w, &l, b, &b->attributes, i, 0);
    return l;
}

/* ---- a span ------------------------------------------------------------------------------ */

static void write_attributes(struct writing *w, Otlp__Span *s, const struct batch *b, uint32_t row)
{
    uint32_t first = b->attribute_first[row], count = b->attribute_count[row];
    struct list l = {need(w, (size_t)count + 1, sizeof(Otlp__KeyValue *)), 0};
    for (uint32_t i = first; l.items && i < first + count; i++) {
        if (!is_scope(b->strings[b->attributes.key[i]]))
            add_attribute(w, &l, b, &b->attributes, i, 0);
    }
    if (l.items && b->status[row] >= SPAN_DIED)
        add_text(w, &l, OTLP_STATUS, text_of(span_status_name(b->status[row])));
    s->attributes = l.items;
    s->n_attributes = l.count;
}

static void write_events(struct writing *w, Otlp__Span *s, const struct batch *b, uint32_t row)
{
    s->events = need(w, b->event_count[row], sizeof *s->events);
    for (uint32_t i = 0; s->events && i < b->event_count[row]; i++) {
        uint32_t event = b->event_first[row] + i;
        Otlp__Event *e = need(w, 1, sizeof *e);
        if (!e)
            return;
        otlp__event__init(e);
        e->time_unix_nano = b->event_unix_ns[event];
        e->name = data_of(b->strings[b->event_name[event]]);
        struct list l =
            hanging(w, b, b->event_attribute_first[event], b->event_attribute_count[event]);
        e->attributes = l.items;
        e->n_attributes = l.count;
        s->events[s->n_events++] = e;
    }
}

static void write_links(struct writing *w, Otlp__Span *s, const struct batch *b, uint32_t row)
{
    s->links = need(w, b->link_count[row], sizeof *s->links);
    for (uint32_t i = 0; s->links && i < b->link_count[row]; i++) {
        uint32_t link = b->link_first[row] + i;
        Otlp__Link *l = need(w, 1, sizeof *l);
        if (!l)
            return;
        otlp__link__init(l);
        l->trace_id = id_of(w, (uint64_t[]){b->link_trace_hi[link], b->link_trace_lo[link]}, 2);
        l->span_id = id_of(w, &b->link_span_id[link], 1);
        struct list attributes =
            hanging(w, b, b->link_attribute_first[link], b->link_attribute_count[link]);
        l->attributes = attributes.items;
        l->n_attributes = attributes.count;
        s->links[s->n_links++] = l;
    }
}

static void write_status(struct writing *w, Otlp__Span *s, const struct batch *b, uint32_t row)
{
    static const uint32_t codes[SPAN_STATUSES] = {
        [SPAN_OK] = 1, [SPAN_ERROR] = 2, [SPAN_DIED] = 2}; /* in flight: not known yet */
    if (codes[b->status[row]] == 0 && !b->status_message[row])
        return;
    s->status = need(w, 1, sizeof *s->status);
    if (!s->status)
        return;
    otlp__status__init(s->status);
    s->status->code = codes[b->status[row]];
    s->status->message = data_of(b->strings[b->status_message[row]]);
}

static Otlp__Span *write_span(struct writing *w, const struct batch *b, uint32_t row)
{
    Otlp__Span *s = need(w, 1, sizeof *s);
    if (!s)
        return NULL;
    otlp__span__init(s);
    s->trace_id = id_of(w, (uint64_t[]){b->trace_hi[row], b->trace_lo[row]}, 2);
    s->span_id = id_of(w, &b->span_id[row], 1);
    if (b->parent_id[row])
        s->parent_span_id = id_of(w, &b->parent_id[row], 1);
    s->trace_state = data_of(b->strings[b->tracestate[row]]);
    s->name = data_of(b->strings[b->name[row]]);
    s->kind = b->kind[row] + 1U;
    s->start_time_unix_nano = b->start_unix_ns[row];
    s->end_time_unix_nano = b->start_unix_ns[row] + b->duration_ns[row];
    s->dropped_attributes_count = b->dropped_attributes[row];
    s->flags = b->flags[row] & (SPAN_FLAG_SAMPLED | SPAN_FLAG_RANDOM);
    if (b->parent_id[row])
        s->flags |= b->flags[row] & SPAN_FLAG_REMOTE_PARENT ? 0x300 : 0x100;
    write_attributes(w, s, b, row);
    write_events(w, s, b, row);
    write_links(w, s, b, row);
    write_status(w, s, b, row);
    return s;
}

/* ---- groups ------------------------------------------------------------------------------ */

static Otlp__Resource *write_resource(struct writing *w, const struct batch *b, uint32_t process)
{
    const struct batch_process_view *p = &b->processes[process];
    Otlp__Resource *r = need(w, 1, sizeof *r);
    struct list l = {need(w, (size_t)p->attribute_count + 6, sizeof(Otlp__KeyValue *)), 0};
    if (!r || !l.items)
        return NULL;
    otlp__resource__init(r);
    add_text(w, &l, OTLP_SERVICE, data_of(p->service));
    add_text(w, &l, OTLP_VERSION, data_of(p->version));
    add_text(w, &l, OTLP_INSTANCE, data_of(p->instance));
    add_text(w, &l, OTLP_CELL, data_of(p->cell));
    add_text(w, &l, OTLP_HOST, data_of(p->host));
    Otlp__KeyValue *pid = p->pid ? key_value(w, text_of(OTLP_PID)) : NULL;
    if (pid) {
        set_value(pid, NULL, VALUE_INT, p->pid);
        l.items[l.count++] = pid;
    }
    for (uint32_t i = p->attribute_first; i < p->attribute_first + p->attribute_count; i++)
        add_attribute(w, &l, b, &b->resource, i, 0);
    r->attributes = l.items;
    r->n_attributes = l.count;
    return r;
}

static Otlp__Scope *write_scope(struct writing *w, const struct batch *b, uint32_t row)
{
    uint32_t first = b->attribute_first[row], count = b->attribute_count[row];
    Otlp__Scope *scope = NULL;
    struct list l = {0};
    for (uint32_t i = first; i < first + count; i++) {
        struct batch_str key = b->strings[b->attributes.key[i]];
        if (!is_scope(key))
            continue;
        if (!scope) {
            scope = need(w, 1, sizeof *scope);
            l.items = need(w, count, sizeof *l.items);
            if (!scope || !l.items)
                return NULL;
            otlp__scope__init(scope);
        }
        struct batch_str value =
            b->strings[b->attributes.type[i] == VALUE_STRING ? b->attributes.value[i] : 0];
        if (key.length == strlen(OTLP_SCOPE_NAME) &&
            memcmp(key.bytes, OTLP_SCOPE_NAME, key.length) == 0)
            scope->name = data_of(value);
        else if (key.length == strlen(OTLP_SCOPE_VERSION) &&
                 memcmp(key.bytes, OTLP_SCOPE_VERSION, key.length) == 0)
            scope->version = data_of(value);
        else
            add_attribute(w, &l, b, &b->attributes, i, strlen(OTLP_SCOPE));
    }
    if (scope) {
        scope->attributes = l.items;
        scope->n_attributes = l.count;
    }
    return scope;
}

static bool same_data(ProtobufCBinaryData a, ProtobufCBinaryData b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool same_scope(const Otlp__Scope *a, const Otlp__Scope *b)
{
    if (!a || !b)
        return a == b;
    return same_data(a->name, b->name) && same_data(a->version, b->version) &&
           a->n_attributes == 0 && b->n_attributes == 0;
}

struct group { /* rows of one process */
    const struct batch_process_view *process;
    Otlp__ResourceSpans *spans;
    size_t rows, capacity; /* scopes */
};

static const struct batch_process_view *process_of(const struct otlp_row *r)
{
    return &r->batch->processes[r->batch->process[r->row]];
}

static struct group *find_group(struct group *groups, size_t count, const struct otlp_row *row)
{
    const uint8_t *uuid = process_of(row)->uuid;
    for (size_t i = count; i-- > 0;) {
        if (memcmp(groups[i].process->uuid, uuid, 16) == 0)
            return &groups[i];
    }
    return NULL;
}

/* The span goes to the group's last scope if it is the same, else a further one is begun. */
static void put_span(struct writing *w, struct group *g, const struct otlp_row *row)
{
    Otlp__ResourceSpans *r = g->spans;
    Otlp__Scope *scope = write_scope(w, row->batch, row->row);
    Otlp__ScopeSpans *last = r->n_scope_spans > 0 ? r->scope_spans[r->n_scope_spans - 1] : NULL;
    if (!last || !same_scope(last->scope, scope)) {
        last = need(w, 1, sizeof *last);
        if (!last)
            return;
        otlp__scope_spans__init(last);
        last->scope = scope;
        last->spans = need(w, g->rows, sizeof *last->spans);
        r->scope_spans[r->n_scope_spans++] = last;
    }
    Otlp__Span *span = write_span(w, row->batch, row->row);
    if (last->spans && span)
        last->spans[last->n_spans++] = span;
    g->rows--; /* those that are still to come */
}

static size_t make_groups(struct group *groups, const struct otlp_row *rows, size_t count)
{
    size_t group_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct group *g = find_group(groups, group_count, &rows[i]);
        if (!g) {
            g = &groups[group_count++];
            *g = (struct group){.process = process_of(&rows[i])};
        }
        g->rows++;
    }
    return group_count;
}

Otlp__Traces *otlp_write(struct arena *arena, const struct otlp_row *rows, size_t count)
{
    struct writing w = {.arena = arena};
    Otlp__Traces *t = need(&w, 1, sizeof *t);
    struct group *groups = need(&w, count, sizeof *groups);
    if (!t || !groups)
        return NULL;
    otlp__traces__init(t);
    size_t group_count = make_groups(groups, rows, count);
    t->resource_spans = need(&w, group_count, sizeof *t->resource_spans);
    for (size_t i = 0; i < count && !w.failed; i++) {
        struct group *g = find_group(groups, group_count, &rows[i]);
        if (!g->spans) {
            g->spans = need(&w, 1, sizeof *g->spans);
            if (!g->spans)
                break;
            otlp__resource_spans__init(g->spans);
            g->spans->resource =
                write_resource(&w, rows[i].batch, rows[i].batch->process[rows[i].row]);
            g->spans->scope_spans = need(&w, g->rows, sizeof *g->spans->scope_spans);
            t->resource_spans[t->n_resource_spans++] = g->spans;
        }
        if (!w.failed)
            put_span(&w, g, &rows[i]);
    }
    return w.failed ? NULL : t;
}

void otlp_put_protobuf(struct buffer *out, const Otlp__Traces *traces)
{
    size_t size = otlp__traces__get_packed_size(traces);
    char *place = buffer_reserve(out, size);
    if (place)
        out->length += otlp__traces__pack(traces, (uint8_t *)place);
}
