// SPDX-License-Identifier: Apache-2.0
/* A block over runs of batches. Its dictionary is the batches' dictionaries end to end (equal
 * strings may be there more often than once), its processes likewise: so a column is made by
 * adding a batch's base to its indices, and nothing is looked up. */
#include <stdlib.h>
#include <string.h>

#include "collector/hash.h"
#include "collector/traces/block.h"
#include "collector/traces/order.h"
#include "collector/traces/run.h"

struct source { /* a batch, and where its strings and processes begin in the block's */
    const struct batch *batch;
    uint32_t strings, processes;
};

struct place { /* of a row */
    uint32_t source, row;
};

struct runs_block {
    struct block block; /* first: providers cast */
    struct arena arena;
    struct source *sources;
    uint32_t source_count;
    struct place *places;
    uint32_t *parents;
    const uint64_t *u64[BLOCK_U64S];
    const uint32_t *u32[BLOCK_U32S];
    const uint8_t *u8[BLOCK_U8S];
    struct block_strings *strings;
    struct block_processes *processes;
    struct block_events *events;
    struct block_links *links;
    struct runs_attribute *attributes;
    struct span_run
        *own_runs; /* with own_first and own_batches: what block_of_own_runs took over */
    uint32_t *own_first;
    struct arena own_batches;
};

struct runs_attribute { /* asked for before */
    struct block_attribute public;
    struct runs_attribute *next;
    enum block_scope scope;
    struct batch_str key;
    const uint32_t *rows, *items;
};

static void *need(struct runs_block *b, size_t count, size_t bytes)
{
    void *memory = arena_calloc(&b->arena, count ? count : 1, bytes);
    if (!memory)
        b->block.error = BLOCK_ENOMEM;
    return memory;
}

static const struct batch *batch_of(const struct runs_block *b, uint32_t row)
{
    return b->sources[b->places[row].source].batch;
}

/* ---- columns ----------------------------------------------------------------------------- */

static const uint64_t *batch_u64(const struct batch *batch, enum block_u64 column)
{
    const uint64_t *const columns[BLOCK_U64S] = {
        [BLOCK_START] = batch->start_unix_ns,
        [BLOCK_DURATION] = batch->duration_ns,
        [BLOCK_SPAN_ID] = batch->span_id,
        [BLOCK_PARENT_ID] = batch->parent_id,
    };
    return columns[column];
}

static const uint32_t *batch_u32(const struct batch *batch, enum block_u32 column)
{
    const uint32_t *const columns[BLOCK_U32S] = {
        [BLOCK_NAME] = batch->name,
        [BLOCK_STATUS_MESSAGE] = batch->status_message,
        [BLOCK_TRACESTATE] = batch->tracestate,
        [BLOCK_PROCESS] = batch->process,
    };
    return columns[column];
}

static const uint8_t *batch_u8(const struct batch *batch, enum block_u8 column)
{
    const uint8_t *const columns[BLOCK_U8S] = {
        [BLOCK_KIND] = batch->kind,
        [BLOCK_STATUS] = batch->status,
        [BLOCK_FLAGS] = batch->flags,
        [BLOCK_DROPPED_ATTRIBUTES] = batch->dropped_attributes,
    };
    return columns[column];
}

static const uint64_t *runs_u64(struct block *block, enum block_u64 column)
{
    struct runs_block *b = (struct runs_block *)block;
    if (b->u64[column])
        return b->u64[column];
    uint64_t *values = need(b, block->rows, sizeof *values);
    for (uint32_t row = 0; values && row < block->rows; row++)
        values[row] = batch_u64(batch_of(b, row), column)[b->places[row].row];
    return b->u64[column] = values;
}

/* A batch's index of a string as the block's; the empty string is one for all. */
static uint32_t string_of(const struct source *s, uint64_t index)
{
    return index ? s->strings + (uint32_t)index : 0;
}

static const uint32_t *runs_u32(struct block *block, enum block_u32 column)
{
    struct runs_block *b = (struct runs_block *)block;
    if (column == BLOCK_PARENT)
        return b->parents;
    if (b->u32[column])
        return b->u32[column];
    uint32_t *values = need(b, block->rows, sizeof *values);
    for (uint32_t row = 0; values && row < block->rows; row++) {
        const struct source *s = &b->sources[b->places[row].source];
        uint32_t value = batch_u32(s->batch, column)[b->places[row].row];
        values[row] = column == BLOCK_PROCESS ? s->processes + value : string_of(s, value);
    }
    return b->u32[column] = values;
}

static const uint8_t *runs_u8(struct block *block, enum block_u8 column)
{
    struct runs_block *b = (struct runs_block *)block;
    if (b->u8[column])
        return b->u8[column];
    uint8_t *values = need(b, block->rows, sizeof *values);
    for (uint32_t row = 0; values && row < block->rows; row++)
        values[row] = batch_u8(batch_of(b, row), column)[b->places[row].row];
    return b->u8[column] = values;
}

/* ---- dictionaries ------------------------------------------------------------------------ */

/* The batches' string tables end to end, [0] of each left out; `strings` of a source is the place
 * of its [1] less 1. */
static struct batch_str *join_strings(struct runs_block *b, uint32_t count)
{
    struct batch_str *list = need(b, count, sizeof *list);
    for (uint32_t s = 0; list && s < b->source_count; s++) {
        const struct source *source = &b->sources[s];
        memcpy(list + source->strings + 1, source->batch->strings + 1,
               (source->batch->string_count - 1) * sizeof *list);
    }
    return list;
}

static uint32_t count_strings(const struct runs_block *b)
{
    if (b->source_count == 0)
        return 1;
    const struct source *last = &b->sources[b->source_count - 1];
    return last->strings + last->batch->string_count;
}

static const struct block_strings *runs_strings(struct block *block)
{
    struct runs_block *b = (struct runs_block *)block;
    if (b->strings)
        return b->strings;
    uint32_t count = count_strings(b);
    struct block_strings *strings = need(b, 1, sizeof *strings);
    struct batch_str *list = strings ? join_strings(b, count) : NULL;
    if (!list)
        return NULL;
    list[0] = (struct batch_str){"", 0};
    *strings = (struct block_strings){.list = list, .count = count};
    return b->strings = strings;
}

static bool join_resources(struct runs_block *b, struct batch_process_view *views, uint32_t count)
{
    struct batch_attributes *joined = need(b, 1, sizeof *joined);
    uint32_t *key = need(b, count, sizeof *key);
    uint8_t *type = need(b, count, sizeof *type);
    uint64_t *value = need(b, count, sizeof *value);
    if (!joined || !key || !type || !value)
        return false;
    uint32_t at = 0;
    for (uint32_t s = 0; s < b->source_count; s++) {
        const struct source *source = &b->sources[s];
        const struct batch_attributes *resource = &source->batch->resource;
        for (uint32_t p = 0; p < source->batch->process_count; p++)
            views[source->processes + p].attribute_first += at;
        for (uint32_t i = 0; i < resource->count; i++, at++) {
            bool text = resource->type[i] == VALUE_STRING || resource->type[i] == VALUE_BYTES;
            key[at] = string_of(source, resource->key[i]);
            type[at] = resource->type[i];
            value[at] = text ? string_of(source, resource->value[i]) : resource->value[i];
        }
    }
    *joined = (struct batch_attributes){count, key, type, value};
    b->processes->resource = joined;
    return true;
}

static const struct block_processes *runs_processes(struct block *block)
{
    struct runs_block *b = (struct runs_block *)block;
    if (b->processes)
        return b->processes->resource ? b->processes : NULL;
    uint32_t count = 0, attributes = 0;
    for (uint32_t s = 0; s < b->source_count; s++) {
        count += b->sources[s].batch->process_count;
        attributes += b->sources[s].batch->resource.count;
    }
    struct batch_process_view *views = need(b, count, sizeof *views);
    b->processes = need(b, 1, sizeof *b->processes);
    if (!views || !b->processes || !runs_strings(block))
        return NULL;
    for (uint32_t s = 0; s < b->source_count; s++) {
        const struct source *source = &b->sources[s];
        if (source->batch->process_count > 0)
            memcpy(views + source->processes, source->batch->processes,
                   source->batch->process_count * sizeof *views);
    }
    b->processes->list = views;
    b->processes->count = count;
    b->processes->strings = b->strings->list;
    return join_resources(b, views, attributes) ? b->processes : NULL;
}

/* ---- events and links -------------------------------------------------------------------- */

static const struct block_events *runs_events(struct block *block)
{
    struct runs_block *b = (struct runs_block *)block;
    if (b->events)
        return b->events;
    uint32_t count = 0, at = 0;
    for (uint32_t row = 0; row < block->rows; row++)
        count += batch_of(b, row)->event_count[b->places[row].row];
    uint32_t *rows = need(b, count, sizeof *rows), *name = need(b, count, sizeof *name);
    uint64_t *time = need(b, count, sizeof *time);
    struct block_events *events = need(b, 1, sizeof *events);
    if (!rows || !name || !time || !events)
        return NULL;
    for (uint32_t row = 0; row < block->rows; row++) {
        const struct source *s = &b->sources[b->places[row].source];
        uint32_t first = s->batch->event_first[b->places[row].row];
        for (uint32_t i = 0; i < s->batch->event_count[b->places[row].row]; i++, at++) {
            rows[at] = row;
            name[at] = string_of(s, s->batch->event_name[first + i]);
            time[at] = s->batch->event_unix_ns[first + i];
        }
    }
    *events = (struct block_events){count, rows, name, time};
    return b->events = events;
}

static const struct block_links *runs_links(struct block *block)
{
    struct runs_block *b = (struct runs_block *)block;
    if (b->links)
        return b->links;
    uint32_t count = 0, at = 0;
    for (uint32_t row = 0; row < block->rows; row++)
        count += batch_of(b, row)->link_count[b->places[row].row];
    uint32_t *rows = need(b, count, sizeof *rows);
    uint64_t *hi = need(b, count, sizeof *hi), *lo = need(b, count, sizeof *lo);
    uint64_t *span = need(b, count, sizeof *span);
    struct block_links *links = need(b, 1, sizeof *links);
    if (!rows || !hi || !lo || !span || !links)
        return NULL;
    for (uint32_t row = 0; row < block->rows; row++) {
        const struct batch *batch = batch_of(b, row);
        uint32_t first = batch->link_first[b->places[row].row];
        for (uint32_t i = 0; i < batch->link_count[b->places[row].row]; i++, at++) {
            rows[at] = row;
            hi[at] = batch->link_trace_hi[first + i];
            lo[at] = batch->link_trace_lo[first + i];
            span[at] = batch->link_span_id[first + i];
        }
    }
    *links = (struct block_links){count, rows, hi, lo, span};
    return b->links = links;
}

/* ---- attributes -------------------------------------------------------------------------- */

/* Goes through the attributes of one scope in the order of rows. */
struct walk {
    const struct runs_block *b;
    enum block_scope scope;
    uint32_t row, hanging, hangings; /* the span's event or link that is next, and how many */
    uint32_t item;                   /* events or links begun so far */
    const struct source *source;
    uint32_t first, count; /* of the attributes found */
};

static void enter_row(struct walk *w)
{
    const struct place *p = &w->b->places[w->row];
    w->source = &w->b->sources[p->source];
    w->hanging = 0;
    w->hangings = w->scope == BLOCK_SPAN    ? 1
                  : w->scope == BLOCK_EVENT ? w->source->batch->event_count[p->row]
                                            : w->source->batch->link_count[p->row];
}

static struct walk walk_begin(const struct runs_block *b, enum block_scope scope)
{
    struct walk w = {.b = b, .scope = scope};
    if (b->block.rows > 0)
        enter_row(&w);
    return w;
}

/* The attributes of the next span, event or link; false: that was all. w->row is one too far
 * only when it is false. */
static bool walk_next(struct walk *w)
{
    while (w->row < w->b->block.rows && w->hanging == w->hangings) {
        if (++w->row < w->b->block.rows)
            enter_row(w);
    }
    if (w->row == w->b->block.rows)
        return false;
    const struct batch *batch = w->source->batch;
    uint32_t row = w->b->places[w->row].row, i = w->hanging++;
    switch (w->scope) {
    case BLOCK_EVENT:
        w->first = batch->event_attribute_first[batch->event_first[row] + i];
        w->count = batch->event_attribute_count[batch->event_first[row] + i];
        break;
    case BLOCK_LINK:
        w->first = batch->link_attribute_first[batch->link_first[row] + i];
        w->count = batch->link_attribute_count[batch->link_first[row] + i];
        break;
    default:
        w->first = batch->attribute_first[row];
        w->count = batch->attribute_count[row];
    }
    w->item++;
    return true;
}

struct matches { /* which strings of each source are the key: `first` mostly, seldom more */
    uint32_t *first;
    bool several;
};

static bool find_key(struct runs_block *b, struct batch_str key, struct matches *m)
{
    *m = (struct matches){.first = need(b, b->source_count, sizeof *m->first)};
    for (uint32_t s = 0; m->first && s < b->source_count; s++) {
        const struct batch *batch = b->sources[s].batch;
        m->first[s] = BLOCK_NONE;
        for (uint32_t i = batch->string_count; i-- > 0;) {
            if (!batch_str_equal(batch->strings[i], key))
                continue;
            m->several = m->several || m->first[s] != BLOCK_NONE;
            m->first[s] = i;
        }
    }
    return m->first != NULL;
}

static bool matches(const struct matches *m, const struct runs_block *b, const struct source *s,
                    uint32_t string, struct batch_str key)
{
    return string == m->first[s - b->sources] ||
           (m->several && batch_str_equal(s->batch->strings[string], key));
}

/* Counts (out == NULL) or fills in. */
static uint32_t gather(struct runs_block *b, struct runs_attribute *a, const struct matches *m,
                       uint8_t *type, uint64_t *value, uint32_t *rows, uint32_t *items)
{
    uint32_t at = 0;
    struct walk w = walk_begin(b, a->scope);
    while (walk_next(&w)) {
        if (m->first[w.source - b->sources] == BLOCK_NONE)
            continue;
        const struct batch_attributes *from = &w.source->batch->attributes;
        for (uint32_t i = w.first; i < w.first + w.count; i++) {
            if (!matches(m, b, w.source, from->key[i], a->key))
                continue;
            if (type) {
                bool text = from->type[i] == VALUE_STRING || from->type[i] == VALUE_BYTES;
                type[at] = from->type[i];
                value[at] = text ? string_of(w.source, from->value[i]) : from->value[i];
                rows[at] = w.row;
                items[at] = w.item - 1;
            }
            at++;
        }
    }
    return at;
}

static struct runs_attribute *add_attribute(struct runs_block *b, enum block_scope scope,
                                            struct batch_str key)
{
    struct matches m;
    struct runs_attribute *a = need(b, 1, sizeof *a);
    char *copy = a ? need(b, key.length, 1) : NULL;
    if (!copy || !find_key(b, key, &m))
        return NULL;
    if (key.length > 0)
        memcpy(copy, key.bytes, key.length);
    *a = (struct runs_attribute){.scope = scope, .key = {copy, key.length}};
    uint32_t count = gather(b, a, &m, NULL, NULL, NULL, NULL);
    uint8_t *type = need(b, count, sizeof *type);
    uint64_t *value = need(b, count, sizeof *value);
    uint32_t *rows = need(b, count, sizeof *rows), *items = need(b, count, sizeof *items);
    if (!type || !value || !rows || !items)
        return NULL;
    if (count > 0)
        gather(b, a, &m, type, value, rows, items);
    a->public = (struct block_attribute){count, type, value, a};
    a->rows = rows;
    a->items = items;
    a->next = b->attributes;
    return b->attributes = a;
}

static const struct block_attribute *runs_attribute(struct block *block, enum block_scope scope,
                                                    const void *key, size_t length)
{
    struct runs_block *b = (struct runs_block *)block;
    struct batch_str wanted = {key, (uint32_t)length};
    for (struct runs_attribute *a = b->attributes; a; a = a->next) {
        if (a->scope == scope && batch_str_equal(a->key, wanted))
            return &a->public;
    }
    struct runs_attribute *a = add_attribute(b, scope, wanted);
    return a ? &a->public : NULL;
}

static const uint32_t *runs_attribute_rows(struct block *block, const struct block_attribute *a)
{
    (void)block;
    return ((const struct runs_attribute *)a->rows)->rows;
}

static const uint32_t *runs_attribute_items(struct block *block, const struct block_attribute *a)
{
    (void)block;
    return ((const struct runs_attribute *)a->rows)->items;
}

static bool runs_keys(struct block *block, enum block_scope scope,
                      void (*each)(void *context, struct batch_str key), void *context)
{
    struct runs_block *b = (struct runs_block *)block;
    uint8_t *told = need(b, count_strings(b), 1); /* by the block's index of the key */
    if (!told)
        return false;
    struct walk w = walk_begin(b, scope);
    while (walk_next(&w)) {
        for (uint32_t i = w.first; i < w.first + w.count; i++) {
            uint32_t key = w.source->batch->attributes.key[i];
            uint8_t *mark = &told[string_of(w.source, key)];
            if (!*mark)
                each(context, w.source->batch->strings[key]);
            *mark = 1;
        }
    }
    return true;
}

static void runs_close(struct block *block)
{
    struct runs_block *b = (struct runs_block *)block;
    arena_fini(&b->arena);
    arena_fini(&b->own_batches);
    free(b->own_runs);
    free(b->own_first);
    free(b);
}

static const struct block_provider provider = {
    runs_u64,
    runs_u32,
    runs_u8,
    runs_strings,
    runs_processes,
    runs_attribute,
    runs_attribute_rows,
    runs_attribute_items,
    runs_events,
    runs_links,
    runs_keys,
    runs_close,
};

/* ---- making it --------------------------------------------------------------------------- */

struct making {
    struct runs_block *b;
    const struct span_run *runs;
    const uint32_t *first;
    uint32_t traces;
    uint32_t *slots; /* batch → source + 1 */
    size_t mask;
    struct order order;
    struct order_span *spans; /* of one trace */
    struct place *arrived;
};

static uint32_t source_of(struct making *m, const struct batch *batch)
{
    struct runs_block *b = m->b;
    for (uint64_t at = hash_words((uintptr_t)batch, 2);; at++) {
        uint32_t *slot = &m->slots[at & m->mask];
        if (*slot && b->sources[*slot - 1].batch == batch)
            return *slot - 1;
        if (*slot)
            continue;
        struct source *s = &b->sources[b->source_count];
        *s = (struct source){.batch = batch};
        if (b->source_count > 0) {
            const struct source *last = s - 1;
            s->strings = last->strings + last->batch->string_count - 1;
            s->processes = last->processes + last->batch->process_count;
        }
        return (*slot = ++b->source_count) - 1;
    }
}

static void collect(struct making *m, const struct span_run *run, uint32_t *count)
{
    const struct batch *batch = run->batch;
    uint32_t source = source_of(m, batch);
    for (uint32_t row = run->row; row < run->row + run->count; row++) {
        m->arrived[*count] = (struct place){source, row};
        m->spans[(*count)++] = (struct order_span){
            .span_id = batch->span_id[row],
            .parent_id = batch->parent_id[row],
            .start_unix_ns = batch->start_unix_ns[row],
            .process = order_process(batch->processes[batch->process[row]].uuid),
            .status = batch->status[row],
        };
    }
}

static int put_trace(struct making *m, uint32_t trace, struct block_trace *out)
{
    struct runs_block *b = m->b;
    uint32_t count = 0, row = b->block.rows;
    for (uint32_t i = m->first[trace]; i < m->first[trace + 1]; i++)
        collect(m, &m->runs[i], &count);
    if (count == 0 || order_trace(&m->order, m->spans, count) != 0)
        return count == 0 ? 0 : -1;
    const struct span_run *run = &m->runs[m->first[trace]];
    struct trace_id id = {run->batch->trace_hi[run->row], run->batch->trace_lo[run->row]};
    *out = (struct block_trace){id, row, m->order.count};
    for (uint32_t i = 0; i < m->order.count; i++) {
        b->places[row + i] = m->arrived[m->order.span[i]];
        uint32_t parent = m->order.parent[i];
        b->parents[row + i] = parent == ORDER_NONE ? BLOCK_NONE : row + parent;
    }
    b->block.rows += m->order.count;
    b->block.trace_count++;
    return 0;
}

static int fill(struct making *m)
{
    uint64_t rows = 0, most = 1;
    uint32_t runs = m->first[m->traces];
    for (uint32_t trace = 0; trace < m->traces; trace++) {
        uint64_t count = 0;
        for (uint32_t i = m->first[trace]; i < m->first[trace + 1]; i++)
            count += m->runs[i].count;
        rows += count;
        most = count > most ? count : most;
    }
    if (rows >= BLOCK_NONE)
        return -1;
    struct runs_block *b = m->b;
    size_t slots = hash_slots(runs);
    m->mask = slots - 1;
    m->slots = calloc(slots, sizeof *m->slots);
    m->spans = malloc(most * sizeof *m->spans);
    m->arrived = malloc(most * sizeof *m->arrived);
    b->sources = need(b, runs, sizeof *b->sources);
    b->places = need(b, rows, sizeof *b->places);
    b->parents = need(b, rows, sizeof *b->parents);
    struct block_trace *traces = need(b, m->traces, sizeof *traces);
    if (!m->slots || !m->spans || !m->arrived || b->block.error)
        return -1;
    b->block.traces = traces;
    for (uint32_t trace = 0; trace < m->traces; trace++) {
        if (put_trace(m, trace, &traces[b->block.trace_count]) != 0)
            return -1;
    }
    return 0;
}

struct block *block_of_runs(const struct span_run *runs, const uint32_t *first, uint32_t traces)
{
    struct runs_block *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->block.provider = &provider;
    arena_init(&b->arena, 64 << 10);
    struct making m = {.b = b, .runs = runs, .first = first, .traces = traces};
    int result = fill(&m);
    free(m.slots);
    free(m.spans);
    free(m.arrived);
    order_fini(&m.order);
    if (result == 0)
        return &b->block;
    runs_close(&b->block);
    return NULL;
}

struct block *block_of_own_runs(struct span_run *runs, uint32_t *first, uint32_t traces,
                                struct arena *arena)
{
    struct arena none;
    if (!arena)
        arena_init(arena = &none, 0);
    struct block *block = block_of_runs(runs, first, traces);
    if (!block) {
        free(runs);
        free(first);
        arena_fini(arena);
        return NULL;
    }
    struct runs_block *b = (struct runs_block *)block;
    b->own_runs = runs;
    b->own_first = first;
    b->own_batches = *arena;
    arena_init(arena, arena->block_bytes);
    return block;
}

uint32_t block_runs_row(const struct block *b, uint32_t row)
{
    return ((const struct runs_block *)b)->places[row].row;
}
