// SPDX-License-Identifier: Apache-2.0
#include "collector/query/scan.h"

#include <stdlib.h>
#include <string.h>

#include "collector/hash.h"
#include "collector/query/open.h"

enum { HEAD_ROWS = 16384, JOINED_TRACES = 128 };

enum unit_kind { UNIT_JOINED, UNIT_HEAD, UNIT_SEGMENT };

struct unit {
    uint64_t newest_unix_ns; /* no start is later */
    uint32_t place;          /* HEAD: generation of the hold. SEGMENT: entry of the edition */
    uint32_t first, count;   /* HEAD: traces. SEGMENT: the group. JOINED: ids */
    uint8_t kind;
};

struct scan {
    struct store_hold hold;
    struct inflight_hold open;
    struct open_index open_index;
    struct unit *units;
    size_t unit_count, unit_capacity;
    struct block_bounds generations[STORE_GENERATIONS_MAX]; /* cut down to one unit's rows */
    struct block_bounds joined;
    struct trace_id *ids; /* of traces that lie in several places; ascending, distinct */
    size_t id_count, id_capacity;
    uint32_t *slots; /* id + 1 */
    size_t mask;
    uint64_t start_unix_ns, end_unix_ns, complete_since_unix_ns;
};

/* ---- traces in several places ------------------------------------------------------------ */

static int add_ids(struct scan *s, const struct trace_id *ids, size_t count)
{
    if (s->id_count + count > s->id_capacity) {
        size_t more = (s->id_count + count) * 2 + 64;
        struct trace_id *bigger = realloc(s->ids, more * sizeof *bigger);
        if (!bigger)
            return -1;
        s->ids = bigger;
        s->id_capacity = more;
    }
    if (count > 0)
        memcpy(s->ids + s->id_count, ids, count * sizeof *ids);
    s->id_count += count;
    return 0;
}

static int add_from_head(struct scan *s)
{
    for (unsigned i = 0; i < s->hold.count; i++) {
        struct trace_id *ids;
        size_t count;
        if (store_head_continued(&s->hold, i, &ids, &count) != 0)
            return -1;
        int result = add_ids(s, ids, count);
        free(ids);
        if (result != 0)
            return -1;
    }
    return 0;
}

static bool overlaps(uint64_t from, uint64_t to, uint64_t start, uint64_t end)
{
    return from < end && to >= start;
}

/* Whether a segment can say something of traces in the time that is asked for. */
static bool is_near(const struct scan *s, const struct segment_summary *summary)
{
    uint64_t from = summary->start_min_unix_ns, to = summary->end_max_unix_ns;
    from = from > CATALOG_NEAR_NS ? from - CATALOG_NEAR_NS : 0;
    to = to < UINT64_MAX - CATALOG_NEAR_NS ? to + CATALOG_NEAR_NS : UINT64_MAX;
    return overlaps(from, to, s->start_unix_ns, s->end_unix_ns);
}

static int add_cut_traces(struct scan *s, const struct segment *segment)
{
    uint32_t groups = segment_summary(segment)->groups;
    for (uint32_t i = 0; i < groups; i++) {
        struct trace_id id = segment_group_first(segment, i);
        if (segment_group_is_cut(segment, i) && add_ids(s, &id, 1) != 0)
            return -1;
    }
    return 0;
}

static int add_from_segments(struct scan *s)
{
    for (size_t i = 0; i < s->hold.segments->count; i++) {
        const struct catalog_entry *entry = s->hold.segments->entries[i];
        struct trace_id *ids = NULL;
        size_t count = 0;
        if (!is_near(s, entry->summary))
            continue;
        int error = segment_continued(entry->segment, &ids, &count);
        int result = error == SEGMENT_ENOMEM ? -1 : 0;
        if (error == SEGMENT_OK)
            result = add_ids(s, ids, count);
        free(ids);
        if (result != 0 || add_cut_traces(s, entry->segment) != 0)
            return -1;
    }
    return 0;
}

static int by_id(const void *left, const void *right)
{
    const struct trace_id *a = left, *b = right;
    if (a->hi != b->hi)
        return a->hi < b->hi ? -1 : 1;
    return (a->lo > b->lo) - (a->lo < b->lo);
}

static int index_ids(struct scan *s)
{
    size_t kept = 0;
    if (s->id_count > 1)
        qsort(s->ids, s->id_count, sizeof *s->ids, by_id);
    for (size_t i = 0; i < s->id_count; i++) {
        if (kept == 0 || by_id(&s->ids[kept - 1], &s->ids[i]) != 0)
            s->ids[kept++] = s->ids[i];
    }
    s->id_count = kept;
    size_t slots = hash_slots(kept);
    s->mask = slots - 1;
    s->slots = calloc(slots, sizeof *s->slots);
    if (!s->slots)
        return -1;
    for (size_t i = 0; i < kept; i++) {
        uint64_t at = hash_words(s->ids[i].hi, s->ids[i].lo);
        while (s->slots[at & s->mask])
            at++;
        s->slots[at & s->mask] = (uint32_t)i + 1;
    }
    return 0;
}

static int find_scattered(struct scan *s)
{
    if (add_from_head(s) != 0 || add_from_segments(s) != 0)
        return -1;
    for (size_t i = 0; i < s->open_index.trace_count; i++) {
        if (add_ids(s, &s->open_index.traces[i].id, 1) != 0)
            return -1;
    }
    return index_ids(s);
}

/* ---- units ------------------------------------------------------------------------------- */

static int add_unit(struct scan *s, struct unit unit)
{
    if (s->unit_count == s->unit_capacity) {
        size_t more = s->unit_capacity ? s->unit_capacity * 2 : 256;
        struct unit *bigger = realloc(s->units, more * sizeof *bigger);
        if (!bigger)
            return -1;
        s->units = bigger;
        s->unit_capacity = more;
    }
    s->units[s->unit_count++] = unit;
    return 0;
}

static int add_joined(struct scan *s)
{
    s->joined = (struct block_bounds){
        .rows = JOINED_TRACES * 16,
        .traces = JOINED_TRACES,
        .bytes = JOINED_TRACES * 16 * 64,
        .start_max_unix_ns = UINT64_MAX,
        .end_max_unix_ns = UINT64_MAX,
        .duration_max_ns = UINT64_MAX,
        .kinds = UINT8_MAX,
        .statuses = UINT8_MAX,
    };
    for (size_t i = 0; i < s->id_count; i += JOINED_TRACES) {
        size_t left = s->id_count - i;
        uint32_t count = left < JOINED_TRACES ? (uint32_t)left : JOINED_TRACES;
        if (add_unit(s, (struct unit){UINT64_MAX, 0, (uint32_t)i, count, UNIT_JOINED}) != 0)
            return -1;
    }
    return 0;
}

static int add_generation(struct scan *s, unsigned i)
{
    struct block_bounds *bounds = &s->generations[i];
    store_head_bounds(&s->hold, i, bounds);
    if (bounds->rows == 0 || !overlaps(bounds->start_min_unix_ns, bounds->end_max_unix_ns,
                                       s->start_unix_ns, s->end_unix_ns))
        return 0;
    uint32_t traces = bounds->traces;
    uint64_t at_once = (uint64_t)traces * HEAD_ROWS / bounds->rows;
    uint32_t step = at_once > 0 ? (uint32_t)at_once : 1, units = (traces + step - 1) / step;
    for (uint32_t first = 0; first < traces; first += step) {
        uint32_t count = traces - first < step ? traces - first : step;
        if (add_unit(s, (struct unit){bounds->start_max_unix_ns, i, first, count, UNIT_HEAD}) != 0)
            return -1;
    }
    bounds->rows /= units;
    bounds->traces /= units;
    bounds->bytes /= units;
    return 0;
}

static int add_segment(struct scan *s, uint32_t place)
{
    const struct catalog_entry *entry = s->hold.segments->entries[place];
    if (!overlaps(entry->summary->start_min_unix_ns, entry->summary->end_max_unix_ns,
                  s->start_unix_ns, s->end_unix_ns))
        return 0;
    for (uint32_t group = 0; group < entry->summary->groups; group++) {
        const struct block_bounds *b = segment_group_bounds(entry->segment, group);
        if (!overlaps(b->start_min_unix_ns, b->end_max_unix_ns, s->start_unix_ns, s->end_unix_ns))
            continue;
        if (add_unit(s, (struct unit){b->start_max_unix_ns, place, group, 1, UNIT_SEGMENT}) != 0)
            return -1;
    }
    return 0;
}

static int newest_first(const void *left, const void *right)
{
    const struct unit *a = left, *b = right;
    if (a->newest_unix_ns != b->newest_unix_ns)
        return a->newest_unix_ns < b->newest_unix_ns ? 1 : -1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->place != b->place)
        return a->place < b->place ? 1 : -1;
    return (a->first < b->first) - (a->first > b->first);
}

static int add_units(struct scan *s)
{
    if (add_joined(s) != 0)
        return -1;
    for (unsigned i = 0; i < s->hold.count; i++) {
        if (add_generation(s, i) != 0)
            return -1;
    }
    for (size_t i = 0; i < s->hold.segments->count; i++) {
        if (add_segment(s, (uint32_t)i) != 0)
            return -1;
    }
    if (s->unit_count > 1)
        qsort(s->units, s->unit_count, sizeof *s->units, newest_first);
    return 0;
}

/* ---- the scan ---------------------------------------------------------------------------- */

struct scan *scan_create(const struct query *q, uint64_t start_unix_ns, uint64_t end_unix_ns,
                         uint64_t now_unix_ns)
{
    struct scan *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->start_unix_ns = start_unix_ns;
    s->end_unix_ns = end_unix_ns;
    if (inflight_hold(q->inflight, now_unix_ns, &s->open) != 0) {
        free(s);
        return NULL;
    }
    struct store_stats stats;
    store_stats(q->store, &stats);
    store_hold(q->store, &s->hold);
    s->complete_since_unix_ns = stats.segments.aged_spans > 0 ? stats.oldest_unix_ns : 0;
    if (open_index_init(&s->open_index, &s->open) != 0 || find_scattered(s) != 0 ||
        add_units(s) != 0)
        scan_destroy(&s);
    return s;
}

void scan_destroy(struct scan **place)
{
    struct scan *s = *place;
    if (!s)
        return;
    for (size_t i = 0; s->hold.store && i < s->hold.segments->count; i++)
        segment_trim(s->hold.segments->entries[i]->segment);
    open_index_fini(&s->open_index);
    inflight_release(&s->open);
    store_release(&s->hold);
    free(s->units);
    free(s->ids);
    free(s->slots);
    free(s);
    *place = NULL;
}

size_t scan_units(const struct scan *s)
{
    return s->unit_count;
}

const struct block_bounds *scan_bounds(const struct scan *s, size_t unit)
{
    const struct unit *u = &s->units[unit];
    switch (u->kind) {
    case UNIT_HEAD:
        return &s->generations[u->place];
    case UNIT_SEGMENT:
        return segment_group_bounds(s->hold.segments->entries[u->place]->segment, u->first);
    default:
        return &s->joined;
    }
}

uint64_t scan_complete_since(const struct scan *s)
{
    return s->complete_since_unix_ns;
}

bool scan_is_elsewhere(const struct scan *s, size_t unit, struct trace_id id)
{
    if (s->id_count == 0 || s->units[unit].kind == UNIT_JOINED)
        return false;
    for (uint64_t at = hash_words(id.hi, id.lo);; at++) {
        uint32_t slot = s->slots[at & s->mask];
        if (!slot)
            return false;
        if (by_id(&s->ids[slot - 1], &id) == 0)
            return true;
    }
}

/* ---- opening a unit ---------------------------------------------------------------------- */

struct joining {
    struct span_run *runs;
    size_t count, capacity;
    uint32_t *first;
    struct arena arena;
};

static int join_trace(const struct scan *s, struct joining *j, struct trace_id id)
{
    struct span_run *runs = NULL;
    size_t count = 0;
    if (open_index_gather(&s->open_index, &s->hold, id, true, &j->arena, &runs, &count) != 0)
        return -1;
    if (j->count + count > j->capacity) {
        size_t more = (j->count + count) * 2;
        struct span_run *bigger = realloc(j->runs, more * sizeof *bigger);
        if (!bigger) {
            free(runs);
            return -1;
        }
        j->runs = bigger;
        j->capacity = more;
    }
    if (count > 0)
        memcpy(j->runs + j->count, runs, count * sizeof *runs);
    j->count += count;
    free(runs);
    return 0;
}

static struct block *open_joined(const struct scan *s, const struct unit *u)
{
    struct joining j = {.first = malloc(((size_t)u->count + 1) * sizeof *j.first)};
    int result = j.first ? 0 : -1;
    arena_init(&j.arena, 64 << 10);
    for (uint32_t i = 0; result == 0 && i < u->count; i++) {
        j.first[i] = (uint32_t)j.count;
        result = join_trace(s, &j, s->ids[u->first + i]);
    }
    if (result == 0) {
        j.first[u->count] = (uint32_t)j.count;
        return block_of_own_runs(j.runs, j.first, u->count, &j.arena);
    }
    free(j.runs);
    free(j.first);
    arena_fini(&j.arena);
    return NULL;
}

struct block *scan_open(struct scan *s, size_t unit)
{
    const struct unit *u = &s->units[unit];
    struct span_run *runs;
    uint32_t *first;
    switch (u->kind) {
    case UNIT_HEAD:
        if (store_head_runs(&s->hold, u->place, u->first, u->count, &runs, &first) != 0)
            return NULL;
        return block_of_own_runs(runs, first, u->count, NULL);
    case UNIT_SEGMENT:
        return segment_group(s->hold.segments->entries[u->place]->segment, u->first);
    default:
        return open_joined(s, u);
    }
}

int scan_tree(struct scan *s, struct trace_id id, bool details, struct arena *arena,
              struct tree *tree)
{
    struct span_run *runs = NULL;
    size_t count = 0;
    if (open_index_gather(&s->open_index, &s->hold, id, details, arena, &runs, &count) != 0)
        return -1;
    int result = tree_build(tree, runs, count);
    free(runs);
    return result;
}
