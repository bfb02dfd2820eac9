// SPDX-License-Identifier: Apache-2.0
#include "collector/query/tags.h"

#include <stdlib.h>
#include <time.h>

#include "collector/hash.h"
#include "lib/base/clock.h"

/* Distinct values in a table; keys are values of the type STRING. */
struct gathering {
    struct arena *arena;
    struct tag_value *list;
    uint32_t count, capacity;
    uint32_t *slots; /* value + 1 */
    size_t mask;
    size_t most;
    bool full, failed;
};

static bool is_text(uint8_t type)
{
    return type == VALUE_STRING || type == VALUE_BYTES;
}

static uint64_t hash_value(const struct tag_value *v)
{
    uint64_t hash = is_text(v->type) ? hash_bytes(v->text.bytes, v->text.length) : v->bits;
    return hash_words(hash, v->type);
}

static bool same_value(const struct tag_value *a, const struct tag_value *b)
{
    if (a->type != b->type)
        return false;
    return is_text(a->type) ? batch_str_equal(a->text, b->text) : a->bits == b->bits;
}

static bool grow(struct gathering *g)
{
    uint32_t capacity = g->capacity ? g->capacity * 2 : 64;
    struct tag_value *bigger = realloc(g->list, capacity * sizeof *bigger);
    if (bigger)
        g->list = bigger;
    size_t slots = hash_slots(capacity);
    uint32_t *fresh = bigger ? calloc(slots, sizeof *fresh) : NULL;
    if (!fresh)
        return false;
    free(g->slots);
    g->slots = fresh;
    g->mask = slots - 1;
    g->capacity = capacity;
    for (uint32_t i = 0; i < g->count; i++) {
        uint64_t at = hash_value(&g->list[i]);
        while (g->slots[at & g->mask])
            at++;
        g->slots[at & g->mask] = i + 1;
    }
    return true;
}

static void gather(struct gathering *g, const struct tag_value *v, uint64_t times)
{
    if (g->count == g->capacity && !grow(g)) {
        g->failed = true;
        return;
    }
    uint64_t at = hash_value(v);
    for (uint32_t slot; (slot = g->slots[at & g->mask]) != 0; at++) {
        if (same_value(&g->list[slot - 1], v)) {
            g->list[slot - 1].count += times;
            return;
        }
    }
    if (g->count == g->most) {
        g->full = true;
        return;
    }
    struct tag_value *added = &g->list[g->count];
    *added = *v;
    added->count = times;
    if (is_text(v->type)) {
        added->text.bytes = arena_copy(g->arena, v->text.bytes, v->text.length);
        g->failed = g->failed || (v->text.length > 0 && !added->text.bytes);
    }
    g->slots[at & g->mask] = ++g->count;
}

static void gather_text(struct gathering *g, struct batch_str text, uint64_t times)
{
    gather(g, &(struct tag_value){.type = VALUE_STRING, .text = text}, times);
}

static void gathering_fini(struct gathering *g)
{
    free(g->list);
    free(g->slots);
}

/* ---- going through units ----------------------------------------------------------------- */

typedef void unit_reader(void *context, struct block *b);

/* -1: no memory. *all: the deadline did not come. */
static int each_unit(struct scan *s, uint64_t deadline_ns, unit_reader *read, void *context,
                     bool *all)
{
    *all = true;
    for (size_t i = 0; i < scan_units(s); i++) {
        if (clock_monotonic_ns() > deadline_ns) {
            *all = false;
            return 0;
        }
        struct block *b = scan_open(s, i);
        if (!b)
            return -1;
        if (b->error == BLOCK_OK)
            read(context, b);
        bool failed = b->error == BLOCK_ENOMEM;
        block_close(&b);
        if (failed)
            return -1;
    }
    return 0;
}

/* ---- keys -------------------------------------------------------------------------------- */

struct keys {
    struct gathering scopes[TAG_SCOPES];
};

static void on_key(void *context, struct batch_str key)
{
    gather_text(context, key, 1);
}

static void read_resource_keys(struct gathering *g, struct block *b)
{
    const struct block_processes *p = block_processes(b);
    for (uint32_t i = 0; p && i < p->resource->count; i++)
        gather_text(g, p->strings[p->resource->key[i]], 1);
}

static void read_keys(void *context, struct block *b)
{
    static const enum block_scope scopes[TAG_SCOPES] = {
        [TAG_SPAN] = BLOCK_SPAN, [TAG_EVENT] = BLOCK_EVENT, [TAG_LINK] = BLOCK_LINK};
    struct keys *k = context;
    read_resource_keys(&k->scopes[TAG_RESOURCE], b);
    for (int scope = TAG_SPAN; scope < TAG_SCOPES; scope++)
        block_keys(b, scopes[scope], on_key, &k->scopes[scope]);
}

static int by_text(const void *left, const void *right)
{
    return batch_str_compare(*(const struct batch_str *)left, *(const struct batch_str *)right);
}

/* What processes have as fields of their own can be asked for as resource attributes too. */
static void add_process_fields(struct gathering *g)
{
    static const char *const fields[] = {"service.name", "service.version", "service.instance.id",
                                         "host.name",    "process.pid",     "weft.cell"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        gather_text(g, (struct batch_str){fields[i], (uint32_t)strlen(fields[i])}, 1);
}

static int list_keys(struct tags *tags, enum tag_scope scope, const struct gathering *g)
{
    struct batch_str *list = arena_alloc(&tags->arena, (g->count + 1) * sizeof *list);
    if (!list)
        return -1;
    for (uint32_t i = 0; i < g->count; i++)
        list[i] = g->list[i].text;
    qsort(list, g->count, sizeof *list, by_text);
    tags->keys[scope] = list;
    tags->key_count[scope] = g->count;
    return 0;
}

int tags_list(struct scan *s, const struct tag_limits *limits, struct tags *tags)
{
    struct keys k = {0};
    *tags = (struct tags){0};
    arena_init(&tags->arena, 4096);
    for (int scope = 0; scope < TAG_SCOPES; scope++)
        k.scopes[scope] = (struct gathering){.arena = &tags->arena, .most = limits->names};
    add_process_fields(&k.scopes[TAG_RESOURCE]);
    int result = each_unit(s, limits->deadline_monotonic_ns, read_keys, &k, &tags->all);
    for (int scope = 0; scope < TAG_SCOPES; scope++) {
        const struct gathering *g = &k.scopes[scope];
        tags->all = tags->all && !g->full;
        if (result == 0)
            result = g->failed ? -1 : list_keys(tags, (enum tag_scope)scope, g);
        gathering_fini(&k.scopes[scope]);
    }
    if (result != 0)
        tags_fini(tags);
    return result;
}

/* ---- values ------------------------------------------------------------------------------ */

struct values {
    struct gathering found;
    enum tag_scope scope;
    const char *key;
};

static struct tag_value value_of(uint8_t type, uint64_t value, const struct batch_str *strings)
{
    struct tag_value v = {.type = type};
    if (is_text(type))
        v.text = strings[value];
    else
        v.bits = value;
    return v;
}

static void read_process_field(struct values *v, const struct batch_process_view *p)
{
    const struct {
        const char *key;
        struct batch_str text;
    } fields[] = {{"service.name", p->service},
                  {"service.version", p->version},
                  {"service.instance.id", p->instance},
                  {"host.name", p->host},
                  {"weft.cell", p->cell}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (strcmp(v->key, fields[i].key) == 0 && fields[i].text.length > 0)
            gather_text(&v->found, fields[i].text, 1);
    }
    if (strcmp(v->key, "process.pid") == 0 && p->pid)
        gather(&v->found, &(struct tag_value){.type = VALUE_INT, .bits = p->pid}, 1);
}

static void read_resource_values(struct values *v, struct block *b)
{
    const struct block_processes *p = block_processes(b);
    for (uint32_t i = 0; p && i < p->count; i++) {
        const struct batch_process_view *view = &p->list[i];
        read_process_field(v, view);
        for (uint32_t n = view->attribute_first; n < view->attribute_first + view->attribute_count;
             n++) {
            if (!batch_str_is(p->strings[p->resource->key[n]], v->key))
                continue;
            struct tag_value value =
                value_of(p->resource->type[n], p->resource->value[n], p->strings);
            gather(&v->found, &value, 1);
        }
    }
}

static void read_values(void *context, struct block *b)
{
    struct values *v = context;
    if (v->scope == TAG_RESOURCE) {
        read_resource_values(v, b);
        return;
    }
    enum block_scope scope = v->scope == TAG_SPAN    ? BLOCK_SPAN
                             : v->scope == TAG_EVENT ? BLOCK_EVENT
                                                     : BLOCK_LINK;
    const struct block_attribute *a = block_attribute(b, scope, v->key, strlen(v->key));
    const struct block_strings *strings = a && a->count > 0 ? block_strings(b) : NULL;
    for (uint32_t i = 0; strings && i < a->count; i++) {
        struct tag_value value = value_of(a->type[i], a->value[i], strings->list);
        gather(&v->found, &value, 1);
    }
}

static int most_first(const void *left, const void *right)
{
    const struct tag_value *a = left, *b = right;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    return is_text(a->type) ? batch_str_compare(a->text, b->text)
                            : (a->bits > b->bits) - (a->bits < b->bits);
}

static int list_values(struct scan *s, struct values *v, unit_reader *read,
                       const struct tag_limits *limits, struct tags *tags)
{
    int result = each_unit(s, limits->deadline_monotonic_ns, read, v, &tags->all);
    if (result == 0 && !v->found.failed && v->found.count > 0) {
        qsort(v->found.list, v->found.count, sizeof *v->found.list, most_first);
        tags->values =
            arena_copy(&tags->arena, v->found.list, v->found.count * sizeof *v->found.list);
        result = tags->values ? 0 : -1;
        tags->value_count = v->found.count;
    }
    tags->all = tags->all && !v->found.full;
    result = v->found.failed ? -1 : result;
    gathering_fini(&v->found);
    if (result != 0)
        tags_fini(tags);
    return result;
}

int tags_values(struct scan *s, enum tag_scope scope, const char *key,
                const struct tag_limits *limits, struct tags *tags)
{
    *tags = (struct tags){0};
    arena_init(&tags->arena, 4096);
    struct values v = {
        .found = {.arena = &tags->arena, .most = limits->names}, .scope = scope, .key = key};
    return list_values(s, &v, read_values, limits, tags);
}

/* Codes are counted first, so that each string of the dictionary is looked up once. */
static void count_codes(struct gathering *g, struct block *b, enum block_u32 column)
{
    const struct block_strings *strings = block_strings(b);
    const uint32_t *codes = block_u32(b, column);
    uint32_t *counts = strings && codes ? calloc(strings->count, sizeof *counts) : NULL;
    if (!counts) {
        g->failed = g->failed || b->error == BLOCK_OK;
        return;
    }
    for (uint32_t row = 0; row < b->rows; row++)
        counts[codes[row]]++;
    for (uint32_t i = 1; i < strings->count; i++) {
        if (counts[i] > 0)
            gather_text(g, strings->list[i], counts[i]);
    }
    free(counts);
}

static void read_intrinsic(void *context, struct block *b)
{
    struct values *v = context;
    if (strcmp(v->key, "service") == 0) {
        v->key = "service.name";
        read_resource_values(v, b);
        v->key = "service";
    } else {
        count_codes(&v->found, b, strcmp(v->key, "name") == 0 ? BLOCK_NAME : BLOCK_STATUS_MESSAGE);
    }
}

int tags_intrinsic(struct scan *s, const char *what, const struct tag_limits *limits,
                   struct tags *tags)
{
    *tags = (struct tags){0};
    arena_init(&tags->arena, 4096);
    struct values v = {.found = {.arena = &tags->arena, .most = limits->names}, .key = what};
    return list_values(s, &v, read_intrinsic, limits, tags);
}

void tags_fini(struct tags *tags)
{
    arena_fini(&tags->arena);
    *tags = (struct tags){0};
}
