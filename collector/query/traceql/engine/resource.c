// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/engine/resource.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *key;
    size_t offset;
} identity[] = {
    {"service.name", offsetof(struct batch_process_view, service)},
    {"service.version", offsetof(struct batch_process_view, version)},
    {"service.instance.id", offsetof(struct batch_process_view, instance)},
    {"host.name", offsetof(struct batch_process_view, host)},
    {"weft.cell", offsetof(struct batch_process_view, cell)},
};
enum { IDENTITIES = sizeof identity / sizeof *identity };
static const char pid_key[] = "process.pid";

struct traceql_value value_of_batch(uint8_t type, uint64_t bits, const struct batch_str *strings)
{
    struct traceql_value v = {.type = TRACEQL_NIL};
    switch (type) {
    case VALUE_STRING:
    case VALUE_BYTES:
        v.type = TRACEQL_STRING;
        v.text = strings[bits];
        break;
    case VALUE_INT:
        v.type = TRACEQL_INT;
        v.integer = (int64_t)bits;
        break;
    case VALUE_DOUBLE:
        v.type = TRACEQL_FLOAT;
        memcpy(&v.number, &bits, sizeof v.number);
        break;
    case VALUE_BOOL:
        v.type = TRACEQL_BOOL;
        v.boolean = bits != 0;
        break;
    default:
        break;
    }
    return v;
}

/* NIL: it is none of the identity, or empty. */
static struct traceql_value identity_value(const struct batch_process_view *view,
                                           struct batch_str key)
{
    struct traceql_value v = {.type = TRACEQL_NIL};
    if (batch_str_is(key, pid_key) && view->pid != 0) {
        v.type = TRACEQL_INT;
        v.integer = view->pid;
    }
    for (unsigned i = 0; i < IDENTITIES; i++) {
        const struct batch_str *text =
            (const struct batch_str *)((const char *)view + identity[i].offset);
        if (text->length > 0 && batch_str_is(key, identity[i].key)) {
            v.type = TRACEQL_STRING;
            v.text = *text;
        }
    }
    return v;
}

struct traceql_value resource_value(const struct block_processes *p, uint32_t process,
                                    struct batch_str key, uint32_t i)
{
    const struct batch_process_view *view = &p->list[process];
    const struct traceql_value nil = {.type = TRACEQL_NIL};
    struct traceql_value v = identity_value(view, key);
    if (v.type != TRACEQL_NIL)
        return i == 0 ? v : nil;
    for (uint32_t at = view->attribute_first; at < view->attribute_first + view->attribute_count;
         at++) {
        struct batch_str other = p->strings[p->resource->key[at]];
        if (batch_str_equal(other, key) && i-- == 0)
            return value_of_batch(p->resource->type[at], p->resource->value[at], p->strings);
    }
    return nil;
}

static bool came_before(const struct block_processes *p, const struct batch_process_view *view,
                        uint32_t at)
{
    struct batch_str key = p->strings[p->resource->key[at]];
    for (uint32_t i = view->attribute_first; i < at; i++) {
        struct batch_str other = p->strings[p->resource->key[i]];
        if (batch_str_equal(other, key))
            return true;
    }
    return identity_value(view, key).type != TRACEQL_NIL;
}

void resource_each(const struct block_processes *p, uint32_t process,
                   void (*each)(void *context, struct batch_str key,
                                const struct traceql_value *value),
                   void *context)
{
    const struct batch_process_view *view = &p->list[process];
    for (unsigned i = 0; i <= IDENTITIES; i++) {
        const char *text = i < IDENTITIES ? identity[i].key : pid_key;
        struct batch_str key = {text, (uint32_t)strlen(text)};
        struct traceql_value v = identity_value(view, key);
        if (v.type != TRACEQL_NIL)
            each(context, key, &v);
    }
    for (uint32_t i = view->attribute_first; i < view->attribute_first + view->attribute_count;
         i++) {
        struct traceql_value v =
            value_of_batch(p->resource->type[i], p->resource->value[i], p->strings);
        if (v.type != TRACEQL_NIL && !came_before(p, view, i))
            each(context, p->strings[p->resource->key[i]], &v);
    }
}
