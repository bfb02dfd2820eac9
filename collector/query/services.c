// SPDX-License-Identifier: Apache-2.0
/* Who recorded what: the generations' tables brought together by sorting. */
#include <stdlib.h>

#include "collector/query/query.h"

enum kind { SERVICE, OPERATION, VERSION, CELL, INSTANCE };

struct fact { /* a service has this name of this kind; for SERVICE the counts */
    struct batch_str service;
    enum kind kind;
    struct batch_str name;
    uint64_t spans, errors, died;
};

struct facts {
    struct fact *facts;
    size_t count, capacity;
    bool failed;
};

static void add(struct facts *f, struct fact fact)
{
    if (f->count == f->capacity) {
        size_t more = f->capacity ? f->capacity * 2 : 256;
        struct fact *bigger = realloc(f->facts, more * sizeof *bigger);
        f->failed = f->failed || !bigger;
        if (!bigger)
            return;
        f->facts = bigger;
        f->capacity = more;
    }
    f->facts[f->count++] = fact;
}

static void on_service(void *context, struct batch_str name, uint64_t spans, uint64_t errors,
                       uint64_t died)
{
    add(context, (struct fact){name, SERVICE, {0}, spans, errors, died});
}

static void add_name(struct facts *f, struct batch_str service, enum kind kind,
                     struct batch_str name)
{
    if (name.length > 0)
        add(f, (struct fact){.service = service, .kind = kind, .name = name});
}

static void on_operation(void *context, struct batch_str service, struct batch_str name)
{
    add_name(context, service, OPERATION, name);
}

static void on_process(void *context, const struct batch_process_view *p)
{
    add_name(context, p->service, VERSION, p->version);
    add_name(context, p->service, CELL, p->cell);
    add_name(context, p->service, INSTANCE, p->instance);
}

static int in_order(const void *left, const void *right)
{
    const struct fact *a = left, *b = right;
    int order = batch_str_compare(a->service, b->service);
    if (order == 0)
        order = (int)a->kind - (int)b->kind;
    return order ? order : batch_str_compare(a->name, b->name);
}

/* facts[0..] that are of one service and kind; the distinct ones go to `out`. */
static size_t take_names(struct service_list *list, const struct fact *facts, size_t count,
                         struct service_names *out)
{
    size_t end = 0, distinct = 0;
    while (end < count && facts[end].kind == facts[0].kind &&
           batch_str_equal(facts[end].service, facts[0].service)) {
        distinct += end == 0 || !batch_str_equal(facts[end].name, facts[end - 1].name);
        end++;
    }
    if (distinct > SERVICE_NAMES_MAX)
        distinct = SERVICE_NAMES_MAX;
    out->names = arena_alloc(&list->arena, distinct * sizeof *out->names);
    for (size_t i = 0; i < end && out->names && out->count < distinct; i++) {
        if (i == 0 || !batch_str_equal(facts[i].name, facts[i - 1].name))
            out->names[out->count++] = facts[i].name;
    }
    return end;
}

/* All facts of the service that facts[0] names. A process may be known (by a loss) that has no
 * span: its service counts zero. */
static size_t take_service(struct service_list *list, const struct fact *facts, size_t count)
{
    struct service_view *s = &list->services[list->count++];
    *s = (struct service_view){.name = facts[0].service};
    struct service_names *names[] = {NULL, &s->operations, &s->versions, &s->cells, &s->instances};
    size_t i = 0;
    while (i < count && batch_str_equal(facts[i].service, s->name)) {
        if (facts[i].kind == SERVICE) {
            s->spans += facts[i].spans;
            s->errors += facts[i].errors;
            s->died += facts[i].died;
            i++;
        } else {
            i += take_names(list, facts + i, count - i, names[facts[i].kind]);
        }
    }
    return i;
}

static int build(struct service_list *list, struct facts *f)
{
    if (f->count == 0)
        return 0;
    qsort(f->facts, f->count, sizeof *f->facts, in_order);
    size_t services = 1;
    for (size_t i = 1; i < f->count; i++)
        services += !batch_str_equal(f->facts[i].service, f->facts[i - 1].service);
    list->services = arena_alloc(&list->arena, services * sizeof *list->services);
    if (!list->services)
        return -1;
    for (size_t i = 0; i < f->count;)
        i += take_service(list, f->facts + i, f->count - i);
    return 0;
}

int query_services(const struct query *q, struct service_list *list)
{
    *list = (struct service_list){0};
    arena_init(&list->arena, 4096);
    store_hold(q->store, &list->hold);
    struct facts facts = {0};
    struct store_service_visit visit = {on_service, on_operation, on_process, &facts};
    int result = store_services(&list->hold, &list->arena, &visit);
    if (result == 0)
        result = facts.failed ? -1 : build(list, &facts);
    free(facts.facts);
    if (result != 0)
        service_list_fini(list);
    return result;
}

void service_list_fini(struct service_list *list)
{
    arena_fini(&list->arena);
    if (list->hold.store)
        store_release(&list->hold);
    *list = (struct service_list){0};
}
