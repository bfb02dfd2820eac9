// SPDX-License-Identifier: Apache-2.0
/* Tests of one field against a constant, each kind of field by the columns that it has. */
#include "collector/query/traceql/engine/match.h"
#include "collector/query/traceql/engine/resource.h"
#include "collector/query/traceql/engine/scope.h"

/* `out` gets the rows of `from` where `condition` (of `row`) holds, a word at a time. */
#define TEST_ROWS(v, from, out, condition)                                                         \
    for (uint32_t w_ = 0; w_ < (v)->words; w_++) {                                                 \
        uint64_t word_ = 0;                                                                        \
        if (!(from)[w_])                                                                           \
            continue;                                                                              \
        uint32_t end_ = (v)->rows - w_ * 64 < 64 ? (v)->rows - w_ * 64 : 64;                       \
        for (uint32_t i_ = 0; i_ < end_; i_++) {                                                   \
            uint32_t row = w_ * 64 + i_;                                                           \
            word_ |= (uint64_t)(condition) << i_;                                                  \
        }                                                                                          \
        (out)[w_] = word_ & (from)[w_];                                                            \
    }

/* ---- columns ----------------------------------------------------------------------------- */

static void test_codes(struct view *v, enum block_u32 column, const struct predicate *p,
                       const uint64_t *from, uint64_t *out)
{
    struct match_strings s;
    if (!match_strings_init(&s, v, p) || match_strings_never(&s))
        return;
    const uint32_t *codes = view_u32(v, column);
    if (!codes)
        return;
    if (s.verdicts) {
        BITS_EACH(row, from, 0, v->rows)
        {
            if (match_string(&s, codes[row]))
                bits_set(out, row);
        }
        return;
    }
    uint32_t only = s.only;
    bool equal = p->op == TRACEQL_EQ;
    TEST_ROWS(v, from, out, (codes[row] == only) == equal)
}

static void test_keywords(struct view *v, enum block_u8 column, enum traceql_type type,
                          const struct predicate *p, const uint64_t *from, uint64_t *out)
{
    const uint8_t *codes = view_u8(v, column);
    uint8_t passes[256];
    if (!codes)
        return;
    for (unsigned i = 0; i < 256; i++) {
        struct traceql_value value = {.type = type, .keyword = (uint8_t)i};
        passes[i] = predicate_passes(p, &value);
    }
    TEST_ROWS(v, from, out, passes[codes[row]])
}

static int64_t clamped(uint64_t duration_ns)
{
    return duration_ns > INT64_MAX ? INT64_MAX : (int64_t)duration_ns;
}

static void test_duration(struct view *v, const struct predicate *p, const uint64_t *from,
                          uint64_t *out)
{
    const uint64_t *duration = view_u64(v, BLOCK_DURATION);
    if (duration)
        TEST_ROWS(v, from, out, predicate_passes_int(p, clamped(duration[row])))
}

/* ---- ids --------------------------------------------------------------------------------- */

/* Of up to `digits` hexadecimal digits; leading zeros may be left out. */
static bool parse_id(struct batch_str text, uint32_t digits, uint64_t *hi, uint64_t *lo)
{
    *hi = *lo = 0;
    if (text.length == 0 || text.length > digits)
        return false;
    for (uint32_t i = 0; i < text.length; i++) {
        char c = (char)(text.bytes[i] | 0x20);
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                                                : 16;
        if (digit == 16 || (text.bytes[i] >= 0x10 && text.bytes[i] < 0x20))
            return false;
        *hi = *hi << 4 | *lo >> 60;
        *lo = *lo << 4 | digit;
    }
    return true;
}

/* An id against a constant: equality by number, all else by its lower case digits. */
struct id_test {
    const struct predicate *p;
    uint32_t digits;
    bool by_number, is_id;
    uint64_t hi, lo;
};

static struct id_test id_test(const struct predicate *p, uint32_t digits)
{
    struct id_test t = {.p = p, .digits = digits};
    t.by_number = (p->op == TRACEQL_EQ || p->op == TRACEQL_NE) && p->value.type == TRACEQL_STRING;
    t.is_id = t.by_number && parse_id(p->value.text, digits, &t.hi, &t.lo);
    return t;
}

static bool id_passes(const struct id_test *t, uint64_t hi, uint64_t lo)
{
    static const char hex[] = "0123456789abcdef";
    char text[32];
    if (t->by_number)
        return (t->is_id && hi == t->hi && lo == t->lo) == (t->p->op == TRACEQL_EQ);
    for (uint32_t i = 0; i < t->digits; i++) {
        uint32_t shift = (t->digits - 1 - i) * 4;
        text[i] = hex[(shift >= 64 ? hi >> (shift - 64) : lo >> shift) & 15];
    }
    return predicate_passes_text(t->p, (struct batch_str){text, t->digits});
}

static void test_span_ids(struct view *v, const struct predicate *p, const uint64_t *from,
                          uint64_t *out)
{
    const uint64_t *ids = view_u64(v, BLOCK_SPAN_ID);
    struct id_test t = id_test(p, 16);
    if (ids)
        TEST_ROWS(v, from, out, id_passes(&t, 0, ids[row]))
}

static void test_parent_ids(struct view *v, const struct predicate *p, const uint64_t *from,
                            uint64_t *out)
{
    const uint64_t *ids = view_u64(v, BLOCK_PARENT_ID);
    struct id_test t = id_test(p, 16);
    if (ids)
        TEST_ROWS(v, from, out, ids[row] != 0 && id_passes(&t, 0, ids[row]))
}

/* ---- traces ------------------------------------------------------------------------------ */

/* Takes over the rows of whole traces. */
static void take_trace(struct view *v, uint32_t trace, const uint64_t *from, uint64_t *out)
{
    const struct block_trace *t = &v->block->traces[trace];
    BITS_EACH(row, from, t->row, t->row + t->count)
    bits_set(out, row);
}

static void test_traces(struct view *v, const struct traceql_field *field,
                        const struct predicate *p, const uint64_t *from, uint64_t *out)
{
    struct reader r;
    struct id_test id = id_test(p, 32);
    reader_init(&r, v, field);
    for (uint32_t i = 0; i < v->block->trace_count && !v->failed; i++) {
        const struct block_trace *t = &v->block->traces[i];
        if (!bits_any_in(from, t->row, t->row + t->count))
            continue;
        bool passes;
        if (field->intrinsic == TRACEQL_TRACE_ID) {
            passes = id_passes(&id, t->id.hi, t->id.lo);
        } else {
            struct traceql_value value = reader_first(&r, t->row);
            passes = predicate_passes(p, &value);
        }
        if (passes)
            take_trace(v, i, from, out);
    }
}

/* ---- resources --------------------------------------------------------------------------- */

/* Of several values one must pass, or all. `p` NULL: there must be one. */
static bool process_passes(const struct block_processes *processes, uint32_t process,
                           struct batch_str key, const struct predicate *p)
{
    struct traceql_value value = resource_value(processes, process, key, 0);
    bool all = p && predicate_wants_all(p);
    if (!p || value.type == TRACEQL_NIL)
        return value.type != TRACEQL_NIL;
    for (uint32_t i = 1; value.type != TRACEQL_NIL; i++) {
        bool passes = predicate_passes(p, &value);
        if (passes != all)
            return passes;
        value = resource_value(processes, process, key, i);
    }
    return all;
}

static uint8_t *test_processes(struct view *v, const struct traceql_field *field,
                               const struct predicate *p)
{
    const struct block_processes *processes = view_processes(v);
    uint8_t *passes = processes ? view_alloc(v, processes->count, 1) : NULL;
    for (uint32_t i = 0; passes && i < processes->count; i++)
        passes[i] = process_passes(processes, i, field->key, p);
    return passes;
}

/* `p` NULL: whether it is there. */
static void test_resource(struct view *v, const struct traceql_field *field,
                          const struct predicate *p, const uint64_t *from, uint64_t *out)
{
    const uint8_t *passes = test_processes(v, field, p);
    if (!passes || !memchr(passes, 1, v->processes->count))
        return;
    const uint32_t *process = view_u32(v, BLOCK_PROCESS);
    if (process)
        TEST_ROWS(v, from, out, passes[process[row]])
}

/* ---- events and links -------------------------------------------------------------------- */

static void test_event_names(struct view *v, const struct predicate *p, const uint64_t *from,
                             uint64_t *out)
{
    struct match_strings s;
    if (!match_strings_init(&s, v, p) || match_strings_never(&s))
        return;
    const struct block_events *events = view_events(v);
    uint8_t *passes = events ? view_alloc(v, events->count, 1) : NULL;
    if (!passes)
        return;
    for (uint32_t i = 0; i < events->count; i++)
        passes[i] = match_string(&s, events->name[i]);
    struct match_list list = {.count = events->count, .rows = events->row};
    match_list(v, &list, p, passes, from, out);
}

static void test_event_times(struct view *v, const struct predicate *p, const uint64_t *from,
                             uint64_t *out)
{
    const struct block_events *events = view_events(v);
    const uint64_t *start = view_u64(v, BLOCK_START);
    uint8_t *passes = events && start ? view_alloc(v, events->count, 1) : NULL;
    if (!passes)
        return;
    for (uint32_t i = 0; i < events->count; i++) {
        uint64_t begin = start[events->row[i]], at = events->unix_ns[i];
        passes[i] =
            predicate_passes_int(p, at >= begin ? clamped(at - begin) : -clamped(begin - at));
    }
    struct match_list list = {.count = events->count, .rows = events->row};
    match_list(v, &list, p, passes, from, out);
}

static void test_links(struct view *v, enum traceql_intrinsic what, const struct predicate *p,
                       const uint64_t *from, uint64_t *out)
{
    const struct block_links *links = view_links(v);
    uint8_t *passes = links ? view_alloc(v, links->count, 1) : NULL;
    bool trace = what == TRACEQL_LINK_TRACE_ID;
    struct id_test t = id_test(p, trace ? 32 : 16);
    if (!passes)
        return;
    for (uint32_t i = 0; i < links->count; i++)
        passes[i] = trace ? id_passes(&t, links->trace_hi[i], links->trace_lo[i])
                          : id_passes(&t, 0, links->span_id[i]);
    struct match_list list = {.count = links->count, .rows = links->row};
    match_list(v, &list, p, passes, from, out);
}

static void mark_rows(const uint32_t *rows, uint32_t count, const uint64_t *from, uint64_t *out)
{
    for (uint32_t i = 0; i < count; i++) {
        if (bits_get(from, rows[i]))
            bits_set(out, rows[i]);
    }
}

/* ---- fields of the tree ------------------------------------------------------------------ */

static void test_by_reader(struct view *v, const struct traceql_field *field,
                           const struct predicate *p, const uint64_t *from, uint64_t *out)
{
    struct reader r;
    reader_init(&r, v, field);
    BITS_EACH(row, from, 0, v->rows)
    {
        struct traceql_value value = reader_first(&r, row);
        if (value.type != TRACEQL_NIL && (!p || predicate_passes(p, &value)))
            bits_set(out, row);
    }
}

static void test_intrinsic(struct view *v, const struct traceql_field *field,
                           const struct predicate *p, const uint64_t *from, uint64_t *out)
{
    switch (field->intrinsic) {
    case TRACEQL_NAME:
        test_codes(v, BLOCK_NAME, p, from, out);
        break;
    case TRACEQL_STATUS_MESSAGE:
        test_codes(v, BLOCK_STATUS_MESSAGE, p, from, out);
        break;
    case TRACEQL_STATUS_OF:
        test_keywords(v, BLOCK_STATUS, TRACEQL_STATUS, p, from, out);
        break;
    case TRACEQL_KIND_OF:
        test_keywords(v, BLOCK_KIND, TRACEQL_KIND, p, from, out);
        break;
    case TRACEQL_DURATION_OF:
        test_duration(v, p, from, out);
        break;
    case TRACEQL_SPAN_ID:
        test_span_ids(v, p, from, out);
        break;
    case TRACEQL_PARENT_ID:
        test_parent_ids(v, p, from, out);
        break;
    case TRACEQL_TRACE_ID:
    case TRACEQL_TRACE_DURATION:
    case TRACEQL_ROOT_NAME:
    case TRACEQL_ROOT_SERVICE:
        test_traces(v, field, p, from, out);
        break;
    case TRACEQL_EVENT_NAME:
        test_event_names(v, p, from, out);
        break;
    case TRACEQL_EVENT_TIME:
        test_event_times(v, p, from, out);
        break;
    case TRACEQL_LINK_TRACE_ID:
    case TRACEQL_LINK_SPAN_ID:
        test_links(v, field->intrinsic, p, from, out);
        break;
    case TRACEQL_INSTRUMENTATION_NAME:
    case TRACEQL_INSTRUMENTATION_VERSION:
        match_attribute(v, BLOCK_SPAN, scope_key_of_intrinsic(field->intrinsic), p, from, out);
        break;
    default:
        test_by_reader(v, field, p, from, out);
    }
}

static void present_intrinsic(struct view *v, const struct traceql_field *field,
                              const uint64_t *from, uint64_t *out)
{
    const struct block_events *events;
    const struct block_links *links;
    switch (field->intrinsic) {
    case TRACEQL_EVENT_NAME:
    case TRACEQL_EVENT_TIME:
        events = view_events(v);
        if (events)
            mark_rows(events->row, events->count, from, out);
        break;
    case TRACEQL_LINK_TRACE_ID:
    case TRACEQL_LINK_SPAN_ID:
        links = view_links(v);
        if (links)
            mark_rows(links->row, links->count, from, out);
        break;
    case TRACEQL_INSTRUMENTATION_NAME:
    case TRACEQL_INSTRUMENTATION_VERSION:
        match_attribute_present(v, BLOCK_SPAN, scope_key_of_intrinsic(field->intrinsic), from, out);
        break;
    case TRACEQL_PARENT:
    case TRACEQL_PARENT_ID:
    case TRACEQL_ROOT_NAME:
    case TRACEQL_ROOT_SERVICE:
        test_by_reader(v, field, NULL, from, out);
        break;
    default: /* every span has it */
        memcpy(out, from, v->words * sizeof *out);
    }
}

/* ---- unscoped fields --------------------------------------------------------------------- */

static const enum traceql_scope scopes[READER_SCOPES] = {
    TRACEQL_SPAN, TRACEQL_RESOURCE, TRACEQL_EVENT, TRACEQL_LINK, TRACEQL_INSTRUMENTATION};

/* Whether an equality is with a string that neither the block nor a resource has. */
static bool is_nowhere(struct view *v, const struct traceql_field *field, const struct predicate *p)
{
    struct match_strings s;
    if (p->op != TRACEQL_EQ || p->value.type != TRACEQL_STRING || !match_strings_init(&s, v, p) ||
        !match_strings_never(&s))
        return false;
    const uint8_t *passes = test_processes(v, field, p);
    return passes && !memchr(passes, 1, v->processes->count);
}

/* The first scope in which a span has the key decides. */
static void test_unscoped(struct view *v, const struct traceql_field *field,
                          const struct predicate *p, const uint64_t *from, uint64_t *out)
{
    struct traceql_field scoped = *field;
    if (p && is_nowhere(v, field, p))
        return;
    uint64_t *rest = view_none(v);
    if (!rest)
        return;
    memcpy(rest, from, v->words * sizeof *rest);
    for (unsigned i = 0; i < READER_SCOPES && !v->failed && bits_any(rest, v->words); i++) {
        uint64_t *has = view_none(v), *passed = view_none(v);
        scoped.scope = scopes[i];
        if (!has || !passed)
            return;
        match_present(v, &scoped, rest, has);
        if (!bits_any(has, v->words))
            continue;
        if (p) {
            match_test(v, &scoped, p, has, passed);
            bits_or(out, passed, v->words);
        } else {
            bits_or(out, has, v->words);
        }
        bits_and_not(rest, has, v->words);
    }
}

/* ---- the whole --------------------------------------------------------------------------- */

void match_test(struct view *v, const struct traceql_field *field, const struct predicate *p,
                const uint64_t *from, uint64_t *out)
{
    struct batch_str key;
    switch (field->scope) {
    case TRACEQL_INTRINSIC:
        test_intrinsic(v, field, p, from, out);
        break;
    case TRACEQL_SPAN:
        match_attribute(v, BLOCK_SPAN, field->key, p, from, out);
        break;
    case TRACEQL_RESOURCE:
        test_resource(v, field, p, from, out);
        break;
    case TRACEQL_EVENT:
        match_attribute(v, BLOCK_EVENT, field->key, p, from, out);
        break;
    case TRACEQL_LINK:
        match_attribute(v, BLOCK_LINK, field->key, p, from, out);
        break;
    case TRACEQL_INSTRUMENTATION:
        key = scope_key(v, field->key);
        if (key.bytes)
            match_attribute(v, BLOCK_SPAN, key, p, from, out);
        break;
    case TRACEQL_UNSCOPED:
        test_unscoped(v, field, p, from, out);
        break;
    }
}

void match_present(struct view *v, const struct traceql_field *field, const uint64_t *from,
                   uint64_t *out)
{
    struct batch_str key;
    switch (field->scope) {
    case TRACEQL_INTRINSIC:
        present_intrinsic(v, field, from, out);
        break;
    case TRACEQL_SPAN:
        match_attribute_present(v, BLOCK_SPAN, field->key, from, out);
        break;
    case TRACEQL_RESOURCE:
        test_resource(v, field, NULL, from, out);
        break;
    case TRACEQL_EVENT:
        match_attribute_present(v, BLOCK_EVENT, field->key, from, out);
        break;
    case TRACEQL_LINK:
        match_attribute_present(v, BLOCK_LINK, field->key, from, out);
        break;
    case TRACEQL_INSTRUMENTATION:
        key = scope_key(v, field->key);
        if (key.bytes)
            match_attribute_present(v, BLOCK_SPAN, key, from, out);
        break;
    case TRACEQL_UNSCOPED:
        test_unscoped(v, field, NULL, from, out);
        break;
    }
}
