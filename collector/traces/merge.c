// SPDX-License-Identifier: Apache-2.0
/* Neighbouring segments become one: fewer files to ask, and traces that were cut in two are whole
 * again.
 *
 * Sizes form tiers, each four times the one before; four neighbours of which none is beyond a
 * tier are merged, the lowest tier first, the oldest four first. So a span is rewritten about
 * log4(MERGE_SPANS_MAX / 65,536) times in its life. A segment with a trace that fills more than a
 * group stays as it is: merging would need all of that trace in memory.
 *
 * Memory: one group of each input and one being written. I/O: store_options.merge_bytes_s.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "collector/store/pace.h"
#include "collector/traces/order.h"
#include "collector/traces/store_internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { MERGE_FAN = 4, MERGE_TIERS = 6, MERGE_SPANS_FIRST = 65536 };
#define MERGE_SPANS_MAX UINT64_C(16000000)

/* ---- which ------------------------------------------------------------------------------- */

static unsigned tier_of(uint64_t spans)
{
    unsigned tier = 0;
    for (uint64_t most = MERGE_SPANS_FIRST; spans > most && tier < MERGE_TIERS; most *= 4)
        tier++;
    return tier;
}

static bool has_cut_trace(const struct catalog_entry *entry)
{
    for (uint32_t i = 0; i < entry->summary->groups; i++) {
        if (segment_group_is_cut(entry->segment, i))
            return true;
    }
    return false;
}

static bool may_merge(const struct edition *e, size_t first, unsigned tier)
{
    uint64_t spans = 0;
    for (size_t i = first; i < first + MERGE_FAN; i++) {
        if (tier_of(e->entries[i]->summary->spans) > tier || has_cut_trace(e->entries[i]) ||
            segment_damage(e->entries[i]->segment, NULL, 0))
            return false;
        spans += e->entries[i]->summary->spans;
    }
    return spans <= MERGE_SPANS_MAX;
}

static bool choose(const struct edition *e, size_t *first)
{
    for (unsigned tier = 0; tier < MERGE_TIERS; tier++) {
        for (*first = 0; *first + MERGE_FAN <= e->count; ++*first) {
            if (may_merge(e, *first, tier))
                return true;
        }
    }
    return false;
}

/* ---- one input --------------------------------------------------------------------------- */

struct input {
    struct segment *segment;
    uint32_t groups, next_group;
    struct arena arena; /* of the group that is being read */
    struct batch *batch;
    const uint32_t *parents;
    uint32_t row, end; /* of the trace that is next */
    struct trace_id id;
    bool done;
    struct trace_id *continued; /* ascending */
    size_t continued_count, continued_next;
};

struct merge {
    struct store *store;
    struct input inputs[MERGE_FAN];
    const struct edition *e;
    size_t first; /* the inputs are entries first … first + MERGE_FAN - 1 */
    struct segment_writer *writer;
    struct order order;
    struct order_span *spans;
    struct segment_row *arrived, *rows;
    uint32_t capacity;
    struct arena arena;
    struct pace pace;
    uint64_t read_bytes;
};

static int error_of(int segment_error)
{
    return segment_error == SEGMENT_OK       ? 0
           : segment_error == SEGMENT_ENOMEM ? -ENOMEM
           : segment_error == SEGMENT_EIO    ? -EIO
                                             : -EBADMSG;
}

static void step_to_trace(struct input *in)
{
    const struct batch *b = in->batch;
    in->id = (struct trace_id){b->trace_hi[in->row], b->trace_lo[in->row]};
    in->end = in->row + 1;
    while (in->end < b->span_count && b->trace_lo[in->end] == in->id.lo &&
           b->trace_hi[in->end] == in->id.hi)
        in->end++;
}

static int load_group(struct merge *m, struct input *in)
{
    /* The writer may still know the batch that goes. */
    segment_writer_forget_batches(m->writer);
    arena_reset(&in->arena);
    in->batch = NULL;
    if (in->next_group == in->groups) {
        in->done = true;
        return 0;
    }
    uint32_t group = in->next_group++;
    int error =
        error_of(segment_group_batch(in->segment, group, &in->arena, &in->batch, &in->parents));
    if (error != 0)
        return error;
    in->row = 0;
    if (in->batch->span_count == 0)
        return load_group(m, in);
    step_to_trace(in);
    m->read_bytes += segment_group_bounds(in->segment, group)->bytes;
    return pace_keep(&m->pace, m->read_bytes);
}

static int advance(struct merge *m, struct input *in)
{
    in->row = in->end;
    if (in->row == in->batch->span_count)
        return load_group(m, in);
    step_to_trace(in);
    return 0;
}

/* ---- one trace --------------------------------------------------------------------------- */

static bool id_is_less(struct trace_id a, struct trace_id b)
{
    return a.hi != b.hi ? a.hi < b.hi : a.lo < b.lo;
}

static bool id_is(struct trace_id a, struct trace_id b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

static int make_room(struct merge *m, uint32_t count)
{
    if (count <= m->capacity)
        return 0;
    free(m->spans);
    free(m->arrived);
    free(m->rows);
    m->capacity = count + count / 4;
    m->spans = malloc(m->capacity * sizeof *m->spans);
    m->arrived = malloc(m->capacity * sizeof *m->arrived);
    m->rows = malloc(m->capacity * sizeof *m->rows);
    return m->spans && m->arrived && m->rows ? 0 : -ENOMEM;
}

/* Whether the input's segment says that older ones have the trace too. */
static bool said_continued(struct input *in, struct trace_id id)
{
    while (in->continued_next < in->continued_count &&
           id_is_less(in->continued[in->continued_next], id))
        in->continued_next++;
    return in->continued_next < in->continued_count && id_is(in->continued[in->continued_next], id);
}

/* What was said may have meant another input. 1, 0 or -ENOMEM. */
static int is_continued(struct merge *m, struct trace_id id)
{
    bool said = false;
    for (unsigned i = 0; i < MERGE_FAN; i++)
        said = said_continued(&m->inputs[i], id) || said;
    for (size_t i = 0; said && i < m->first; i++) {
        struct span_run *runs;
        size_t count = 0;
        if (!segment_may_have(m->e->entries[i]->segment, id))
            continue;
        int error = segment_find(m->e->entries[i]->segment, id, false, &m->arena, &runs, &count);
        arena_reset(&m->arena);
        if (error == SEGMENT_ENOMEM)
            return -ENOMEM;
        if (error == SEGMENT_OK && count > 0)
            return 1;
    }
    return 0;
}

static void collect(struct merge *m, const struct input *in, uint32_t *count)
{
    const struct batch *b = in->batch;
    for (uint32_t row = in->row; row < in->end; row++, ++*count) {
        m->arrived[*count] = (struct segment_row){b, row, in->parents[row]};
        m->spans[*count] = (struct order_span){
            .span_id = b->span_id[row],
            .parent_id = b->parent_id[row],
            .start_unix_ns = b->start_unix_ns[row],
            .process = order_process(b->processes[b->process[row]].uuid),
            .status = b->status[row],
        };
    }
}

/* Pieces of one trace are put in order anew. */
static int join(struct merge *m, uint32_t *count)
{
    if (order_trace(&m->order, m->spans, *count) != 0)
        return -ENOMEM;
    *count = m->order.count;
    for (uint32_t i = 0; i < *count; i++) {
        m->rows[i] = m->arrived[m->order.span[i]];
        m->rows[i].parent = m->order.parent[i];
    }
    return 0;
}

static int merge_trace(struct merge *m, struct trace_id id)
{
    uint32_t rows = 0, count = 0;
    unsigned pieces = 0;
    for (unsigned i = 0; i < MERGE_FAN; i++) {
        const struct input *in = &m->inputs[i];
        if (!in->done && id_is(in->id, id)) {
            rows += in->end - in->row;
            pieces++;
        }
    }
    int error = make_room(m, rows);
    for (unsigned i = 0; error == 0 && i < MERGE_FAN; i++) {
        if (!m->inputs[i].done && id_is(m->inputs[i].id, id))
            collect(m, &m->inputs[i], &count);
    }
    if (error == 0 && pieces > 1)
        error = join(m, &count);
    int continued = error == 0 ? is_continued(m, id) : error;
    if (continued < 0)
        return continued;
    error = segment_writer_add(m->writer, id, continued, pieces > 1 ? m->rows : m->arrived, count);
    for (unsigned i = 0; error == 0 && i < MERGE_FAN; i++) {
        if (!m->inputs[i].done && id_is(m->inputs[i].id, id))
            error = advance(m, &m->inputs[i]);
    }
    return error;
}

static int merge_traces(struct merge *m)
{
    for (;;) {
        const struct input *least = NULL;
        for (unsigned i = 0; i < MERGE_FAN; i++) {
            const struct input *in = &m->inputs[i];
            if (!in->done && (!least || id_is_less(in->id, least->id)))
                least = in;
        }
        if (!least)
            return 0;
        int error = merge_trace(m, least->id);
        if (error != 0)
            return error;
    }
}

static int merge_losses(struct merge *m)
{
    for (unsigned i = 0; i < MERGE_FAN; i++) {
        struct segment_loss *losses;
        size_t count;
        int error = error_of(segment_losses(m->inputs[i].segment, &m->arena, &losses, &count));
        for (size_t n = 0; error == 0 && n < count; n++)
            error = segment_writer_loss(m->writer, &losses[n]);
        arena_reset(&m->arena);
        if (error != 0)
            return error;
    }
    return 0;
}

/* ---- the whole --------------------------------------------------------------------------- */

static int open_inputs(struct merge *m)
{
    for (unsigned i = 0; i < MERGE_FAN; i++) {
        struct input *in = &m->inputs[i];
        arena_init(&in->arena, 1 << 20);
        in->segment = m->e->entries[m->first + i]->segment;
        in->groups = segment_summary(in->segment)->groups;
    }
    for (unsigned i = 0; i < MERGE_FAN; i++) {
        struct input *in = &m->inputs[i];
        int error = error_of(segment_continued(in->segment, &in->continued, &in->continued_count));
        if (error == 0)
            error = load_group(m, in);
        if (error != 0)
            return error;
    }
    return 0;
}

static void fini(struct merge *m)
{
    for (unsigned i = 0; i < MERGE_FAN; i++) {
        arena_fini(&m->inputs[i].arena);
        free(m->inputs[i].continued);
    }
    order_fini(&m->order);
    arena_fini(&m->arena);
    free(m->spans);
    free(m->arrived);
    free(m->rows);
}

static int write_all(struct merge *m, int fd, struct segment_summary *summary)
{
    m->writer = segment_writer_create(fd);
    int error = m->writer ? open_inputs(m) : -ENOMEM;
    if (error == 0)
        error = merge_traces(m);
    if (error == 0)
        error = merge_losses(m);
    if (error == 0)
        error = segment_writer_finish(m->writer, summary);
    segment_writer_destroy(&m->writer);
    return error;
}

static struct segment_summary sum_up(const struct edition *e, size_t first)
{
    const struct segment_summary *oldest = e->entries[first]->summary;
    const struct segment_summary *newest = e->entries[first + MERGE_FAN - 1]->summary;
    return (struct segment_summary){
        .first = oldest->first,
        .last = newest->last,
        .spans_before = oldest->spans_before,
        .accepted_spans = newest->spans_before + newest->accepted_spans - oldest->spans_before,
        .ledger_end = newest->ledger_end,
        .ledger_begun_unix_ns = newest->ledger_begun_unix_ns,
        .created_unix_ns = clock_unix_ns(),
    };
}

static int merge(struct store *s, const struct edition *e, size_t first)
{
    struct merge m = {.store = s, .e = e, .first = first};
    struct segment_summary summary = sum_up(e, first);
    m.pace = pace_begin(&s->wakeup, s->options.merge_bytes_s);
    arena_init(&m.arena, 64 << 10);
    int fd = catalog_create_file(s->catalog, summary.first, summary.last);
    int error = fd < 0 ? fd : write_all(&m, fd, &summary);
    fini(&m);
    if (fd >= 0 && error != 0) {
        close(fd);
        catalog_remove_file(s->catalog, summary.first, summary.last);
    }
    if (error == 0)
        error = catalog_install(s->catalog, fd, summary.first, summary.last, NULL, NULL);
    if (error == 0)
        LOG_DEBUG("segments %llu to %llu merged: %llu spans, %llu bytes",
                  (unsigned long long)summary.first, (unsigned long long)summary.last,
                  (unsigned long long)summary.spans, (unsigned long long)summary.file_bytes);
    return error;
}

int store_merge(struct store *s)
{
    size_t first;
    int result = 0;
    struct edition *e = catalog_hold(s->catalog);
    if (choose(e, &first)) {
        int error = merge(s, e, first);
        result = error == 0 ? 1 : error;
    }
    catalog_release(s->catalog, &e);
    return result;
}
