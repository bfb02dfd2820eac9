// SPDX-License-Identifier: Apache-2.0
/* Counting for compare(): attribute by attribute. What has codes in the block (names, processes,
 * strings of attributes) is looked up once for each code. */
#include "collector/query/traceql/engine/measure.h"
#include "collector/query/traceql/engine/resource.h"
#include "collector/query/traceql/engine/scope.h"

struct counting {
    struct contrast *c;
    struct view *v;
    const uint64_t *rows;
    uint8_t *sides;  /* by row: enum contrast_side */
    uint32_t *steps; /* by row */
    uint32_t *codes; /* scratch, a value's number + 1 by code */
};

static void add(const struct counting *n, uint32_t attribute, uint32_t value, uint32_t row)
{
    contrast_add(n->c, attribute, value, (enum contrast_side)n->sides[row], n->steps[row], 1);
}

static struct batch_str text(const char *s)
{
    return (struct batch_str){s, (uint32_t)strlen(s)};
}

/* ---- what is told of each row by a code -------------------------------------------------- */

enum { UNKNOWN = 0, TOO_MANY = UINT32_MAX };

static uint32_t coded_value(const struct counting *n, uint32_t attribute, uint32_t code,
                            const struct traceql_value *value)
{
    if (n->codes[code] == UNKNOWN) {
        uint32_t number = contrast_value(n->c, attribute, value);
        n->codes[code] = number == BLOCK_NONE ? TOO_MANY : number + 1;
    }
    return n->codes[code] == TOO_MANY ? BLOCK_NONE : n->codes[code] - 1;
}

static void count_texts(struct counting *n, const char *name, enum block_u32 column, bool empty)
{
    const uint32_t *codes = view_u32(n->v, column);
    const struct block_strings *strings = view_strings(n->v);
    uint32_t attribute = contrast_attribute(n->c, text(name));
    n->codes = strings ? view_zeroed(n->v, strings->count, sizeof *n->codes) : NULL;
    if (!codes || !n->codes || attribute == BLOCK_NONE)
        return;
    BITS_EACH(row, n->rows, 0, n->v->rows)
    {
        struct traceql_value v = {.type = TRACEQL_STRING, .text = strings->list[codes[row]]};
        if (empty || v.text.length > 0)
            add(n, attribute, coded_value(n, attribute, codes[row], &v), row);
    }
}

static void count_keywords(struct counting *n, const char *name, enum block_u8 column,
                           enum traceql_type type)
{
    const uint8_t *codes = view_u8(n->v, column);
    uint32_t attribute = contrast_attribute(n->c, text(name));
    n->codes = view_zeroed(n->v, 256, sizeof *n->codes);
    if (!codes || !n->codes || attribute == BLOCK_NONE)
        return;
    BITS_EACH(row, n->rows, 0, n->v->rows)
    {
        struct traceql_value v = {.type = type, .keyword = codes[row]};
        add(n, attribute, coded_value(n, attribute, codes[row], &v), row);
    }
}

static void count_by_reader(struct counting *n, enum traceql_intrinsic intrinsic)
{
    struct traceql_field field = {.scope = TRACEQL_INTRINSIC, .intrinsic = intrinsic};
    struct reader r;
    uint32_t attribute = contrast_attribute(n->c, text(traceql_intrinsic_name(intrinsic)));
    reader_init(&r, n->v, &field);
    if (attribute == BLOCK_NONE)
        return;
    BITS_EACH(row, n->rows, 0, n->v->rows)
    {
        struct traceql_value v = reader_first(&r, row);
        if (v.type != TRACEQL_NIL)
            add(n, attribute, contrast_value(n->c, attribute, &v), row);
    }
}

/* ---- attributes -------------------------------------------------------------------------- */

static struct batch_str prefixed(struct view *v, const char *prefix, struct batch_str key)
{
    size_t length = strlen(prefix);
    char *whole = view_alloc(v, length + key.length, 1);
    if (!whole)
        return (struct batch_str){"", 0};
    memcpy(whole, prefix, length);
    memcpy(whole + length, key.bytes, key.length);
    return (struct batch_str){whole, (uint32_t)(length + key.length)};
}

/* As a query would name it. */
static struct batch_str span_key_name(struct view *v, struct batch_str key)
{
    size_t length = strlen(SCOPE_PREFIX);
    if (key.length <= length || memcmp(key.bytes, SCOPE_PREFIX, length) != 0)
        return prefixed(v, "span.", key);
    struct batch_str rest = {key.bytes + length, key.length - (uint32_t)length};
    bool intrinsic = (rest.length == 4 && memcmp(rest.bytes, "name", 4) == 0) ||
                     (rest.length == 7 && memcmp(rest.bytes, "version", 7) == 0);
    return prefixed(v, intrinsic ? "instrumentation:" : "instrumentation.", rest);
}

static void count_attribute(struct counting *n, struct batch_str key)
{
    struct view *v = n->v;
    const struct block_attribute *a = view_attribute(v, BLOCK_SPAN, key);
    const struct block_strings *strings = view_strings(v);
    const uint32_t *rows = a && a->count ? view_attribute_rows(v, a) : NULL;
    if (!rows || !strings)
        return;
    uint32_t attribute = contrast_attribute(n->c, span_key_name(v, key));
    if (v->failed || attribute == BLOCK_NONE)
        return;
    memset(n->codes, 0, strings->count * sizeof *n->codes);
    for (uint32_t i = 0; i < a->count; i++) {
        if (!bits_get(n->rows, rows[i]))
            continue;
        struct traceql_value value = value_of_batch(a->type[i], a->value[i], strings->list);
        uint32_t number = value.type == TRACEQL_STRING
                              ? coded_value(n, attribute, (uint32_t)a->value[i], &value)
                              : contrast_value(n->c, attribute, &value);
        add(n, attribute, number, rows[i]);
    }
}

/* Keys may come several times. */
struct keys {
    struct view *v;
    struct batch_str *list;
    uint32_t count, capacity;
};

static void take_key(void *context, struct batch_str key)
{
    struct keys *k = context;
    for (uint32_t i = 0; i < k->count; i++) {
        if (batch_str_equal(k->list[i], key))
            return;
    }
    if (k->count == k->capacity) {
        uint32_t more = k->capacity ? k->capacity * 2 : 64;
        struct batch_str *bigger = view_alloc(k->v, more, sizeof *bigger);
        if (!bigger)
            return;
        if (k->count)
            memcpy(bigger, k->list, k->count * sizeof *bigger);
        k->list = bigger;
        k->capacity = more;
    }
    k->list[k->count++] = key;
}

static void count_attributes(struct counting *n)
{
    struct keys keys = {.v = n->v};
    const struct block_strings *strings = view_strings(n->v);
    if (!strings || !block_keys(n->v->block, BLOCK_SPAN, take_key, &keys)) {
        n->v->failed = true;
        return;
    }
    n->codes = view_alloc(n->v, strings->count, sizeof *n->codes);
    for (uint32_t i = 0; n->codes && i < keys.count && !n->v->failed; i++)
        count_attribute(n, keys.list[i]);
}

/* ---- resources --------------------------------------------------------------------------- */

/* The spans of one process, by side and step. */
struct of_process {
    struct counting *n;
    const double *counts; /* side × steps + step */
};

static void take_resource(void *context, struct batch_str key, const struct traceql_value *value)
{
    struct of_process *p = context;
    struct contrast *c = p->n->c;
    uint32_t attribute = contrast_attribute(c, prefixed(p->n->v, "resource.", key));
    if (attribute == BLOCK_NONE)
        return;
    uint32_t number = contrast_value(c, attribute, value);
    for (unsigned i = 0; i < CONTRAST_SIDES * c->steps; i++) {
        if (p->counts[i] > 0)
            contrast_add(c, attribute, number, (enum contrast_side)(i / c->steps), i % c->steps,
                         p->counts[i]);
    }
}

static void count_resources(struct counting *n)
{
    const uint32_t *process = view_u32(n->v, BLOCK_PROCESS);
    const struct block_processes *processes = view_processes(n->v);
    size_t each = (size_t)CONTRAST_SIDES * n->c->steps;
    double *counts = processes ? view_zeroed(n->v, processes->count * each, sizeof *counts) : NULL;
    uint8_t *used = counts ? view_zeroed(n->v, processes->count, 1) : NULL;
    if (!process || !used)
        return;
    BITS_EACH(row, n->rows, 0, n->v->rows)
    {
        used[process[row]] = 1;
        counts[process[row] * each + n->sides[row] * (size_t)n->c->steps + n->steps[row]]++;
    }
    for (uint32_t i = 0; i < processes->count; i++) {
        struct of_process p = {n, counts + i * each};
        if (used[i])
            resource_each(processes, i, take_resource, &p);
    }
}

/* ---- the whole --------------------------------------------------------------------------- */

/* Takes out what starts at another time, and says of each row its step and side. */
static bool place_rows(struct counting *n, const struct measure *m, const uint64_t *selected,
                       uint64_t *rows, uint64_t *spans)
{
    const uint64_t *start = view_u64(n->v, BLOCK_START);
    const struct traceql_metrics *q = m->metrics;
    n->sides = view_zeroed(n->v, n->v->rows, 1);
    n->steps = view_alloc(n->v, n->v->rows, sizeof *n->steps);
    if (!start || !n->sides || !n->steps)
        return false;
    for (uint32_t row = bits_next(rows, 0, n->v->rows); row != BITS_NONE;
         row = bits_next(rows, row + 1, n->v->rows)) {
        uint64_t at = start[row];
        uint64_t step = at < m->start_unix_ns ? m->steps : (at - m->start_unix_ns) / m->step_ns;
        if (at >= m->end_unix_ns || step >= m->steps) {
            bits_clear(rows, row);
            continue;
        }
        bool in_time =
            !q->has_times || (at >= (uint64_t)q->start_unix_ns && at < (uint64_t)q->end_unix_ns);
        n->steps[row] = (uint32_t)step;
        n->sides[row] = in_time && bits_get(selected, row) ? CONTRAST_SELECTION : CONTRAST_BASELINE;
        (*spans)++;
    }
    return true;
}

bool contrast_count(struct contrast *c, const struct measure *m, struct frame *f,
                    const uint64_t *rows, uint64_t *spans)
{
    struct view *v = &f->view;
    uint64_t *in_time = view_none(v);
    if (!in_time || !bits_any(rows, v->words))
        return in_time != NULL;
    bits_or(in_time, rows, v->words);
    const uint64_t *selected = frame_filter(f, m->selection, rows);
    struct counting n = {.c = c, .v = v, .rows = in_time};
    if (!selected || !place_rows(&n, m, selected, in_time, spans))
        return false;
    count_texts(&n, "name", BLOCK_NAME, true);
    count_texts(&n, "statusMessage", BLOCK_STATUS_MESSAGE, false);
    count_keywords(&n, "status", BLOCK_STATUS, TRACEQL_STATUS);
    count_keywords(&n, "kind", BLOCK_KIND, TRACEQL_KIND);
    count_by_reader(&n, TRACEQL_ROOT_NAME);
    count_by_reader(&n, TRACEQL_ROOT_SERVICE);
    count_attributes(&n);
    count_resources(&n);
    return !v->failed && !c->failed;
}
