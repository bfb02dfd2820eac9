// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/engine/reader.h"

#include <string.h>

#include "collector/query/traceql/engine/resource.h"
#include "collector/query/traceql/engine/scope.h"

void reader_init(struct reader *r, struct view *v, const struct traceql_field *field)
{
    *r = (struct reader){.view = v, .field = *field};
}

/* ---- getting ready ----------------------------------------------------------------------- */

static void prepare_attribute(struct reader *r, enum block_scope scope, struct batch_str key)
{
    r->attribute = view_attribute(r->view, scope, key);
    view_strings(r->view);
    if (r->attribute)
        r->rows = view_attribute_rows(r->view, r->attribute);
}

static void prepare_resource(struct reader *r)
{
    const struct block_processes *p = view_processes(r->view);
    r->processes = view_u32(r->view, BLOCK_PROCESS);
    r->resources = p ? view_alloc(r->view, p->count, sizeof *r->resources) : NULL;
    r->resource_counts = p ? view_zeroed(r->view, p->count, sizeof *r->resource_counts) : NULL;
    for (uint32_t i = 0; r->resources && r->resource_counts && i < p->count; i++) {
        uint32_t *count = &r->resource_counts[i];
        r->resources[i] = resource_value(p, i, r->field.key, 0);
        while (resource_value(p, i, r->field.key, *count).type != TRACEQL_NIL)
            ++*count;
    }
}

static void prepare_unscoped(struct reader *r)
{
    static const enum traceql_scope order[READER_SCOPES] = {
        TRACEQL_SPAN, TRACEQL_RESOURCE, TRACEQL_EVENT, TRACEQL_LINK, TRACEQL_INSTRUMENTATION};
    r->scopes = view_alloc(r->view, READER_SCOPES, sizeof *r->scopes);
    for (unsigned i = 0; r->scopes && i < READER_SCOPES; i++) {
        struct traceql_field field = r->field;
        field.parent = false;
        field.scope = order[i];
        reader_init(&r->scopes[i], r->view, &field);
    }
}

static void prepare_intrinsic(struct reader *r)
{
    struct view *v = r->view;
    switch (r->field.intrinsic) {
    case TRACEQL_NAME:
    case TRACEQL_STATUS_MESSAGE:
        r->u32 =
            view_u32(v, r->field.intrinsic == TRACEQL_NAME ? BLOCK_NAME : BLOCK_STATUS_MESSAGE);
        view_strings(v);
        break;
    case TRACEQL_STATUS_OF:
    case TRACEQL_KIND_OF:
        r->u8 = view_u8(v, r->field.intrinsic == TRACEQL_KIND_OF ? BLOCK_KIND : BLOCK_STATUS);
        break;
    case TRACEQL_DURATION_OF:
        r->u64 = view_u64(v, BLOCK_DURATION);
        break;
    case TRACEQL_SPAN_ID:
        r->u64 = view_u64(v, BLOCK_SPAN_ID);
        break;
    case TRACEQL_PARENT_ID:
    case TRACEQL_PARENT:
        r->u64 = view_u64(v, BLOCK_PARENT_ID);
        break;
    case TRACEQL_CHILD_COUNT:
        r->u32 = view_children(v);
        break;
    case TRACEQL_NESTED_PARENT:
        r->u64 = view_u64(v, BLOCK_PARENT_ID);
        r->parent = view_u32(v, BLOCK_PARENT);
        r->u32 = view_depths(v);
        break;
    case TRACEQL_NESTED_LEFT:
    case TRACEQL_NESTED_RIGHT:
        r->rows = view_ends(v);
        r->u32 = view_depths(v);
        break;
    case TRACEQL_ROOT_NAME:
        r->u32 = view_u32(v, BLOCK_NAME);
        view_strings(v);
        break;
    case TRACEQL_ROOT_SERVICE:
        r->processes = view_u32(v, BLOCK_PROCESS);
        view_processes(v);
        break;
    case TRACEQL_EVENT_TIME:
        r->u64 = view_u64(v, BLOCK_START);
        r->events = view_events(v);
        break;
    case TRACEQL_EVENT_NAME:
        r->events = view_events(v);
        view_strings(v);
        break;
    case TRACEQL_LINK_TRACE_ID:
    case TRACEQL_LINK_SPAN_ID:
        r->links = view_links(v);
        break;
    case TRACEQL_INSTRUMENTATION_NAME:
    case TRACEQL_INSTRUMENTATION_VERSION:
        prepare_attribute(r, BLOCK_SPAN, scope_key_of_intrinsic(r->field.intrinsic));
        break;
    default:
        break;
    }
}

static void prepare(struct reader *r)
{
    struct batch_str key = r->field.key;
    r->ready = true;
    if (r->field.parent)
        r->parent = view_u32(r->view, BLOCK_PARENT);
    switch (r->field.scope) {
    case TRACEQL_INTRINSIC:
        prepare_intrinsic(r);
        break;
    case TRACEQL_UNSCOPED:
        prepare_unscoped(r);
        break;
    case TRACEQL_RESOURCE:
        prepare_resource(r);
        break;
    case TRACEQL_INSTRUMENTATION:
        key = scope_key(r->view, key);
        if (key.bytes)
            prepare_attribute(r, BLOCK_SPAN, key);
        break;
    case TRACEQL_EVENT:
        prepare_attribute(r, BLOCK_EVENT, key);
        break;
    case TRACEQL_LINK:
        prepare_attribute(r, BLOCK_LINK, key);
        break;
    default:
        prepare_attribute(r, BLOCK_SPAN, key);
    }
}

/* ---- lists of values --------------------------------------------------------------------- */

/* The values of a row in a list that is sorted by row; first is where the last search ended. */
static uint32_t find_in(struct reader *r, const uint32_t *rows, uint32_t count, uint32_t row)
{
    uint32_t low = 0, high = count, at = r->first;
    if (at < count && rows[at] < row) { /* ahead: gallop */
        uint32_t step = 1;
        low = at + 1;
        while (low + step < count && rows[low + step] < row) {
            low += step;
            step *= 2;
        }
        high = low + step < count ? low + step + 1 : count;
    } else if (at < count && (at == 0 || rows[at - 1] < row)) {
        low = high = at;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (rows[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    r->first = low;
    uint32_t end = low;
    while (end < count && rows[end] == row)
        end++;
    return end - low;
}

static uint32_t find_unscoped(struct reader *r, uint32_t row)
{
    for (r->scope = 0; r->scope < READER_SCOPES; r->scope++) {
        uint32_t count = reader_find(&r->scopes[r->scope], row);
        if (count > 0)
            return count;
    }
    return 0;
}

static uint32_t find_intrinsic(struct reader *r, uint32_t row)
{
    switch (r->field.intrinsic) {
    case TRACEQL_PARENT_ID:
    case TRACEQL_PARENT:
        return r->u64[row] != 0;
    case TRACEQL_ROOT_NAME:
    case TRACEQL_ROOT_SERVICE:
        r->first = view_root(r->view, view_trace_of(r->view, row));
        return r->first != BLOCK_NONE;
    case TRACEQL_EVENT_NAME:
    case TRACEQL_EVENT_TIME:
        return find_in(r, r->events->row, r->events->count, row);
    case TRACEQL_LINK_TRACE_ID:
    case TRACEQL_LINK_SPAN_ID:
        return find_in(r, r->links->row, r->links->count, row);
    case TRACEQL_INSTRUMENTATION_NAME:
    case TRACEQL_INSTRUMENTATION_VERSION:
        return find_in(r, r->rows, r->attribute->count, row);
    default:
        return 1;
    }
}

uint32_t reader_find(struct reader *r, uint32_t row)
{
    if (!r->ready)
        prepare(r);
    if (r->view->failed)
        return 0;
    if (r->field.parent) {
        row = r->parent[row];
        if (row == BLOCK_NONE)
            return 0;
    }
    switch (r->field.scope) {
    case TRACEQL_INTRINSIC:
        return find_intrinsic(r, row);
    case TRACEQL_UNSCOPED:
        return find_unscoped(r, row);
    case TRACEQL_RESOURCE:
        return r->resource_counts[r->processes[row]];
    default:
        return find_in(r, r->rows, r->attribute->count, row);
    }
}

/* ---- values ------------------------------------------------------------------------------ */

static struct traceql_value text_value(struct batch_str text)
{
    return (struct traceql_value){.type = TRACEQL_STRING, .text = text};
}

static struct traceql_value int_value(enum traceql_type type, int64_t integer)
{
    return (struct traceql_value){.type = type, .integer = integer};
}

/* Durations are unsigned in spans; 292 years are the most that a query can write. */
static int64_t clamped(uint64_t duration_ns)
{
    return duration_ns > INT64_MAX ? INT64_MAX : (int64_t)duration_ns;
}

static struct traceql_value id_value(struct reader *r, uint64_t hi, uint64_t lo, uint32_t digits)
{
    static const char hex[] = "0123456789abcdef";
    for (uint32_t i = 0; i < digits; i++) {
        uint32_t shift = (digits - 1 - i) * 4;
        r->text[i] = hex[(shift >= 64 ? hi >> (shift - 64) : lo >> shift) & 15];
    }
    return text_value((struct batch_str){r->text, digits});
}

static struct traceql_value event_time(const struct reader *r, uint32_t row, uint32_t i)
{
    uint64_t start = r->u64[row], at = r->events->unix_ns[i];
    int64_t since = at >= start ? clamped(at - start) : -clamped(start - at);
    return int_value(TRACEQL_DURATION, since);
}

static struct traceql_value get_of_trace(struct reader *r, uint32_t row)
{
    uint32_t trace = view_trace_of(r->view, row);
    struct trace_id id = r->view->block->traces[trace].id;
    const struct view_trace *facts;
    switch (r->field.intrinsic) {
    case TRACEQL_TRACE_ID:
        return id_value(r, id.hi, id.lo, 32);
    case TRACEQL_ROOT_NAME:
        return text_value(r->view->strings->list[r->u32[r->first]]);
    case TRACEQL_ROOT_SERVICE:
        return text_value(r->view->processes->list[r->processes[r->first]].service);
    default:
        facts = view_trace(r->view, trace);
        return facts
                   ? int_value(TRACEQL_DURATION, clamped(facts->end_unix_ns - facts->start_unix_ns))
                   : (struct traceql_value){.type = TRACEQL_NIL};
    }
}

/* As the depth-first walk of the trace numbers the coming to and the going from each span. */
static int64_t nested_left(const struct reader *r, uint32_t row)
{
    uint32_t trace = view_trace_of(r->view, row);
    return 2 * (int64_t)(row - r->view->block->traces[trace].row) - r->u32[row] + 1;
}

static int64_t nested(const struct reader *r, uint32_t row)
{
    switch (r->field.intrinsic) {
    case TRACEQL_NESTED_LEFT:
        return nested_left(r, row);
    case TRACEQL_NESTED_RIGHT:
        return nested_left(r, row) + 2 * (int64_t)(r->rows[row] - row) - 1;
    default:
        if (r->parent[row] != BLOCK_NONE)
            return nested_left(r, r->parent[row]);
        return r->u64[row] == 0 ? -1 : 0;
    }
}

static struct traceql_value get_intrinsic(struct reader *r, uint32_t row, uint32_t i)
{
    uint32_t at = r->first + i;
    switch (r->field.intrinsic) {
    case TRACEQL_NAME:
    case TRACEQL_STATUS_MESSAGE:
        return text_value(r->view->strings->list[r->u32[row]]);
    case TRACEQL_STATUS_OF:
        return (struct traceql_value){.type = TRACEQL_STATUS, .keyword = r->u8[row]};
    case TRACEQL_KIND_OF:
        return (struct traceql_value){.type = TRACEQL_KIND, .keyword = r->u8[row]};
    case TRACEQL_DURATION_OF:
        return int_value(TRACEQL_DURATION, clamped(r->u64[row]));
    case TRACEQL_SPAN_ID:
    case TRACEQL_PARENT_ID:
        return id_value(r, 0, r->u64[row], 16);
    case TRACEQL_PARENT:
        return (struct traceql_value){.type = TRACEQL_BOOL, .boolean = true};
    case TRACEQL_CHILD_COUNT:
        return int_value(TRACEQL_INT, r->u32[row]);
    case TRACEQL_NESTED_LEFT:
    case TRACEQL_NESTED_RIGHT:
    case TRACEQL_NESTED_PARENT:
        return int_value(TRACEQL_INT, nested(r, row));
    case TRACEQL_EVENT_NAME:
        return text_value(r->view->strings->list[r->events->name[at]]);
    case TRACEQL_EVENT_TIME:
        return event_time(r, row, at);
    case TRACEQL_LINK_TRACE_ID:
        return id_value(r, r->links->trace_hi[at], r->links->trace_lo[at], 32);
    case TRACEQL_LINK_SPAN_ID:
        return id_value(r, 0, r->links->span_id[at], 16);
    case TRACEQL_INSTRUMENTATION_NAME:
    case TRACEQL_INSTRUMENTATION_VERSION:
        return value_of_batch(r->attribute->type[at], r->attribute->value[at],
                              r->view->strings->list);
    default:
        return get_of_trace(r, row);
    }
}

struct traceql_value reader_get(struct reader *r, uint32_t row, uint32_t i)
{
    if (r->field.parent)
        row = r->parent[row];
    switch (r->field.scope) {
    case TRACEQL_INTRINSIC:
        return get_intrinsic(r, row, i);
    case TRACEQL_UNSCOPED:
        return reader_get(&r->scopes[r->scope], row, i);
    case TRACEQL_RESOURCE:
        return i == 0 ? r->resources[r->processes[row]]
                      : resource_value(r->view->processes, r->processes[row], r->field.key, i);
    default:
        return value_of_batch(r->attribute->type[r->first + i], r->attribute->value[r->first + i],
                              r->view->strings->list);
    }
}

/* ---- codes ------------------------------------------------------------------------------- */

enum { TAG_NIL = 0xff, TAG_CODE = 0xfe };

bool reader_code(struct reader *r, uint32_t row, uint32_t *tag, uint64_t *word)
{
    uint32_t count = reader_find(r, row);
    *tag = TAG_CODE;
    *word = 0;
    if (count == 0) {
        *tag = TAG_NIL;
        return true;
    }
    if (r->field.parent)
        row = r->parent[row];
    switch (r->field.scope) {
    case TRACEQL_RESOURCE:
        *word = r->processes[row];
        return true;
    case TRACEQL_UNSCOPED:
        if (!reader_code(&r->scopes[r->scope], row, tag, word))
            return false;
        *tag |= r->scope << 8;
        return true;
    case TRACEQL_INTRINSIC:
        break;
    default:
        *tag = r->attribute->type[r->first];
        *word = r->attribute->value[r->first];
        return true;
    }
    switch (r->field.intrinsic) {
    case TRACEQL_NAME:
    case TRACEQL_STATUS_MESSAGE:
        *word = r->u32[row];
        return true;
    case TRACEQL_KIND_OF:
    case TRACEQL_STATUS_OF:
        *word = r->u8[row];
        return true;
    default:
        return false;
    }
}
