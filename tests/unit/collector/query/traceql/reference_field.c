// SPDX-License-Identifier: Apache-2.0
/* Fields: which values a span has under each. */
#include <stdio.h>
#include <string.h>

#include "collector/traces/order.h"
#include "tests/unit/collector/query/traceql/reference.h"

static void add(struct reference_values *out, struct traceql_value v)
{
    if (out->count < sizeof out->list / sizeof *out->list)
        out->list[out->count++] = v;
}

static void add_integer(struct reference_values *out, enum traceql_type type, uint64_t value)
{
    add(out, (struct traceql_value){.type = type, .integer = (int64_t)value});
}

static void add_keyword(struct reference_values *out, enum traceql_type type, uint8_t value)
{
    add(out, (struct traceql_value){.type = type, .keyword = value});
}

static void add_text(struct reference_values *out, const char *text)
{
    struct batch_str s = {text, (uint32_t)strlen(text)};
    add(out, (struct traceql_value){.type = TRACEQL_STRING, .text = s});
}

static void add_span_id(struct reference_values *out, uint32_t slot, uint64_t id)
{
    snprintf(out->ids[slot], sizeof out->ids[slot], "%016llx", (unsigned long long)id);
    add_text(out, out->ids[slot]);
}

static void add_trace_id(struct reference_values *out, uint32_t slot, struct trace_id id)
{
    snprintf(out->ids[slot], sizeof out->ids[slot], "%016llx%016llx", (unsigned long long)id.hi,
             (unsigned long long)id.lo);
    add_text(out, out->ids[slot]);
}

/* ---- attributes -------------------------------------------------------------------------- */

static void add_key(struct reference_values *out, const struct reference_attributes *a,
                    const char *key)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (strcmp(a->list[i].key, key) == 0)
            add(out, a->list[i].value);
}

static void of_resource(const struct reference_process *p, const char *key,
                        struct reference_values *out)
{
    if (strcmp(key, "service.name") == 0)
        add_text(out, p->service);
    else if (strcmp(key, "host.name") == 0)
        add_text(out, "box1");
    else if (strcmp(key, "process.pid") == 0)
        add_integer(out, TRACEQL_INT, 1000 + p->number);
    else
        add_key(out, &p->attributes, key);
}

static void of_scope(const struct reference_span *s, enum traceql_scope scope, const char *key,
                     struct reference_values *out)
{
    char long_key[128];
    switch (scope) {
    case TRACEQL_SPAN:
        add_key(out, &s->attributes, key);
        break;
    case TRACEQL_RESOURCE:
        of_resource(s->process, key, out);
        break;
    case TRACEQL_EVENT:
        for (uint32_t i = 0; i < s->event_count; i++)
            add_key(out, &s->events[i].attributes, key);
        break;
    case TRACEQL_LINK:
        for (uint32_t i = 0; i < s->link_count; i++)
            add_key(out, &s->links[i].attributes, key);
        break;
    case TRACEQL_INSTRUMENTATION:
        snprintf(long_key, sizeof long_key, "otel.scope.%s", key);
        add_key(out, &s->attributes, long_key);
        break;
    default:
        break;
    }
}

static void of_key(const struct reference_span *s, enum traceql_scope scope, const char *key,
                   struct reference_values *out)
{
    static const enum traceql_scope order[] = {TRACEQL_SPAN, TRACEQL_RESOURCE, TRACEQL_EVENT,
                                               TRACEQL_LINK, TRACEQL_INSTRUMENTATION};
    if (scope != TRACEQL_UNSCOPED) {
        of_scope(s, scope, key, out);
        return;
    }
    for (size_t i = 0; i < sizeof order / sizeof *order && out->count == 0; i++)
        of_scope(s, order[i], key, out);
}

/* ---- intrinsics -------------------------------------------------------------------------- */

/* The earliest span without a parent. */
static const struct reference_span *root_of(const struct reference_trace *t)
{
    const struct reference_span *root = NULL;
    for (uint32_t i = 0; i < t->rows; i++) {
        const struct reference_span *s = t->row[i];
        if (s->parent_id == 0 && (!root || s->start_unix_ns < root->start_unix_ns))
            root = s;
    }
    return root;
}

static int64_t nested_parent(const struct reference_trace *t, uint32_t row)
{
    if (t->row[row]->parent_id == 0)
        return -1;
    return t->parent[row] == ORDER_NONE ? 0 : t->left[t->parent[row]];
}

static void of_trace(const struct reference_trace *t, enum traceql_intrinsic i,
                     struct reference_values *out)
{
    const struct reference_span *root = root_of(t);
    if (i == TRACEQL_TRACE_ID)
        add_trace_id(out, 0, t->id);
    else if (i == TRACEQL_TRACE_DURATION)
        add_integer(out, TRACEQL_DURATION, t->end_unix_ns - t->start_unix_ns);
    else if (i == TRACEQL_ROOT_NAME && root)
        add_text(out, root->name);
    else if (i == TRACEQL_ROOT_SERVICE && root)
        add_text(out, root->process->service);
}

static void of_events(const struct reference_span *s, enum traceql_intrinsic i,
                      struct reference_values *out)
{
    for (uint32_t e = 0; e < s->event_count; e++) {
        if (i == TRACEQL_EVENT_NAME)
            add_text(out, s->events[e].name);
        else
            add_integer(out, TRACEQL_DURATION, s->events[e].unix_ns - s->start_unix_ns);
    }
}

static void of_links(const struct reference_span *s, enum traceql_intrinsic i,
                     struct reference_values *out)
{
    for (uint32_t l = 0; l < s->link_count; l++) {
        if (i == TRACEQL_LINK_SPAN_ID)
            add_span_id(out, l, s->links[l].span_id);
        else
            add_trace_id(out, l, s->links[l].trace_id);
    }
}

static void of_intrinsic(const struct reference_trace *t, uint32_t row, enum traceql_intrinsic i,
                         struct reference_values *out)
{
    const struct reference_span *s = t->row[row];
    switch (i) {
    case TRACEQL_NAME:
        add_text(out, s->name);
        break;
    case TRACEQL_STATUS_OF:
        add_keyword(out, TRACEQL_STATUS, s->status);
        break;
    case TRACEQL_STATUS_MESSAGE:
        add_text(out, s->message);
        break;
    case TRACEQL_KIND_OF:
        add_keyword(out, TRACEQL_KIND, s->kind);
        break;
    case TRACEQL_DURATION_OF:
        add_integer(out, TRACEQL_DURATION, s->duration_ns);
        break;
    case TRACEQL_CHILD_COUNT:
        add_integer(out, TRACEQL_INT, t->children[row]);
        break;
    case TRACEQL_SPAN_ID:
        add_span_id(out, 0, s->id);
        break;
    case TRACEQL_PARENT_ID:
        if (s->parent_id)
            add_span_id(out, 0, s->parent_id);
        break;
    case TRACEQL_PARENT:
        if (s->parent_id)
            add_span_id(out, 0, s->parent_id);
        break;
    case TRACEQL_NESTED_LEFT:
        add_integer(out, TRACEQL_INT, t->left[row]);
        break;
    case TRACEQL_NESTED_RIGHT:
        add_integer(out, TRACEQL_INT, t->right[row]);
        break;
    case TRACEQL_NESTED_PARENT:
        add_integer(out, TRACEQL_INT, (uint64_t)nested_parent(t, row));
        break;
    case TRACEQL_EVENT_NAME:
    case TRACEQL_EVENT_TIME:
        of_events(s, i, out);
        break;
    case TRACEQL_LINK_TRACE_ID:
    case TRACEQL_LINK_SPAN_ID:
        of_links(s, i, out);
        break;
    case TRACEQL_INSTRUMENTATION_NAME:
        of_key(s, TRACEQL_INSTRUMENTATION, "name", out);
        break;
    case TRACEQL_INSTRUMENTATION_VERSION:
        of_key(s, TRACEQL_INSTRUMENTATION, "version", out);
        break;
    default:
        of_trace(t, i, out);
    }
}

void reference_field(const struct reference_trace *t, uint32_t row, const struct traceql_field *f,
                     struct reference_values *out)
{
    char key[128];
    out->count = 0;
    if (f->parent) {
        row = t->parent[row];
        if (row == ORDER_NONE)
            return;
    }
    if (f->scope == TRACEQL_INTRINSIC) {
        of_intrinsic(t, row, f->intrinsic, out);
        return;
    }
    snprintf(key, sizeof key, "%.*s", (int)f->key.length, f->key.bytes);
    of_key(t->row[row], f->scope, key, out);
}
