// SPDX-License-Identifier: Apache-2.0
/* Structural operators. A block has its rows in the order of the tree: all that is below a row
 * follows it up to the row's end (view_ends), so two lists that are walked side by side tell what
 * is above and below what. */
#include <stdlib.h>

#include "collector/query/traceql/engine/sets.h"

static struct set *empty_like(struct scene *s, const struct set *right)
{
    struct set *out = scene_alloc(s, 1, sizeof *out);
    if (!out)
        return NULL;
    *out = (struct set){.rows = scene_alloc(s, right->count, sizeof *out->rows)};
    return out->rows ? out : NULL;
}

/* A bit for each row of the trace, from the word in which it begins. */
struct marks {
    uint64_t *bits;
    uint32_t base;
};

static struct marks new_marks(struct scene *s)
{
    struct marks m = {.base = s->row};
    size_t words = bits_words(s->end - s->row);
    m.bits = scene_alloc(s, words, sizeof *m.bits);
    if (m.bits)
        memset(m.bits, 0, words * sizeof *m.bits);
    return m;
}

static void mark(struct marks *m, uint32_t row)
{
    bits_set(m->bits, row - m->base);
}

static bool is_marked(const struct marks *m, uint32_t row)
{
    return bits_get(m->bits, row - m->base);
}

static void keep_children(struct scene *s, const struct set *left, const struct set *right,
                          struct set *out)
{
    const uint32_t *parent = view_u32(&s->frame->view, BLOCK_PARENT);
    struct marks m = new_marks(s);
    if (!parent || !m.bits)
        return;
    for (uint32_t i = 0; i < left->count; i++)
        mark(&m, left->rows[i]);
    for (uint32_t i = 0; i < right->count; i++) {
        uint32_t above = parent[right->rows[i]];
        if (above != BLOCK_NONE && is_marked(&m, above))
            out->rows[out->count++] = right->rows[i];
    }
}

static void keep_parents(struct scene *s, const struct set *left, const struct set *right,
                         struct set *out)
{
    const uint32_t *parent = view_u32(&s->frame->view, BLOCK_PARENT);
    struct marks m = new_marks(s);
    if (!parent || !m.bits)
        return;
    for (uint32_t i = 0; i < left->count; i++) {
        uint32_t above = parent[left->rows[i]];
        if (above != BLOCK_NONE)
            mark(&m, above);
    }
    for (uint32_t i = 0; i < right->count; i++) {
        if (is_marked(&m, right->rows[i]))
            out->rows[out->count++] = right->rows[i];
    }
}

/* A row is below one that came before it if that one's end is behind the row. */
static void keep_descendants(struct scene *s, const struct set *left, const struct set *right,
                             struct set *out)
{
    const uint32_t *ends = view_ends(&s->frame->view);
    uint32_t reach = 0;
    if (!ends)
        return;
    for (uint32_t i = 0, l = 0; i < right->count; i++) {
        uint32_t row = right->rows[i];
        for (; l < left->count && left->rows[l] < row; l++) {
            if (ends[left->rows[l]] > reach)
                reach = ends[left->rows[l]];
        }
        if (row < reach)
            out->rows[out->count++] = row;
    }
}

/* A row is above the next one on the left if that comes before the row's end. */
static void keep_ancestors(struct scene *s, const struct set *left, const struct set *right,
                           struct set *out)
{
    const uint32_t *ends = view_ends(&s->frame->view);
    if (!ends)
        return;
    for (uint32_t i = 0, l = 0; i < right->count; i++) {
        uint32_t row = right->rows[i];
        while (l < left->count && left->rows[l] <= row)
            l++;
        if (l < left->count && left->rows[l] < ends[row])
            out->rows[out->count++] = row;
    }
}

/* ---- siblings ---------------------------------------------------------------------------- */

static int by_value(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* The missing parents of the left's orphans, sorted. Roots have none. */
static uint64_t *missing_parents(struct scene *s, const struct set *left, const uint32_t *parent,
                                 const uint64_t *parent_id, uint32_t *count)
{
    uint64_t *ids = scene_alloc(s, left->count, sizeof *ids);
    *count = 0;
    for (uint32_t i = 0; ids && i < left->count; i++) {
        uint32_t row = left->rows[i];
        if (parent[row] == BLOCK_NONE && parent_id[row] != 0)
            ids[(*count)++] = parent_id[row];
    }
    if (ids && *count > 1)
        qsort(ids, *count, sizeof *ids, by_value);
    return ids;
}

static uint32_t count_equal(const uint64_t *ids, uint32_t count, uint64_t id)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    for (high = low; high < count && ids[high] == id && high < low + 2;)
        high++;
    return high - low; /* two are as good as more */
}

/* A span is not its own sibling; orphans of one missing parent are siblings, roots are none. */
static void keep_siblings(struct scene *s, const struct set *left, const struct set *right,
                          struct set *out)
{
    const uint32_t *parent = view_u32(&s->frame->view, BLOCK_PARENT);
    const uint64_t *parent_id = view_u64(&s->frame->view, BLOCK_PARENT_ID);
    uint32_t *counts = scene_alloc(s, s->end - s->row, sizeof *counts), missing;
    struct marks m = new_marks(s);
    if (!parent || !parent_id || !counts || !m.bits)
        return;
    memset(counts, 0, (s->end - s->row) * sizeof *counts);
    const uint64_t *ids = missing_parents(s, left, parent, parent_id, &missing);
    for (uint32_t i = 0; i < left->count; i++) {
        mark(&m, left->rows[i]);
        if (parent[left->rows[i]] != BLOCK_NONE)
            counts[parent[left->rows[i]] - s->row]++;
    }
    for (uint32_t i = 0; ids && i < right->count; i++) {
        uint32_t row = right->rows[i], itself = is_marked(&m, row), others = 0;
        if (parent[row] != BLOCK_NONE)
            others = counts[parent[row] - s->row];
        else if (parent_id[row] != 0)
            others = count_equal(ids, missing, parent_id[row]);
        if (others > itself)
            out->rows[out->count++] = row;
    }
}

/* ---- the operators ----------------------------------------------------------------------- */

/* The rows of `right` that stand so to one of `left`; for the structural operators without "not"
 * and "union". */
static struct set *related(struct scene *s, enum traceql_set_op op, const struct set *left,
                           const struct set *right)
{
    struct set *out = empty_like(s, right);
    if (!out)
        return NULL;
    switch (op) {
    case TRACEQL_SET_CHILD:
        keep_children(s, left, right, out);
        break;
    case TRACEQL_SET_PARENT:
        keep_parents(s, left, right, out);
        break;
    case TRACEQL_SET_DESCENDANT:
        keep_descendants(s, left, right, out);
        break;
    case TRACEQL_SET_ANCESTOR:
        keep_ancestors(s, left, right, out);
        break;
    default:
        keep_siblings(s, left, right, out);
    }
    return out;
}

static struct set *without(struct scene *s, const struct set *all, const struct set *some)
{
    struct set *out = empty_like(s, all);
    for (uint32_t i = 0, j = 0; out && i < all->count; i++) {
        if (j < some->count && some->rows[j] == all->rows[i])
            j++;
        else
            out->rows[out->count++] = all->rows[i];
    }
    return out;
}

static enum traceql_set_op inverse(enum traceql_set_op op)
{
    switch (op) {
    case TRACEQL_SET_CHILD:
        return TRACEQL_SET_PARENT;
    case TRACEQL_SET_PARENT:
        return TRACEQL_SET_CHILD;
    case TRACEQL_SET_DESCENDANT:
        return TRACEQL_SET_ANCESTOR;
    case TRACEQL_SET_ANCESTOR:
        return TRACEQL_SET_DESCENDANT;
    default:
        return op;
    }
}

struct set *structure_apply(struct scene *s, enum traceql_set_op op, const struct set *left,
                            const struct set *right)
{
    static const struct set none = {.count = 0};
    enum { FORMS = TRACEQL_SET_NOT_CHILD - TRACEQL_SET_CHILD };
    unsigned form = (op - TRACEQL_SET_CHILD) / FORMS;
    enum traceql_set_op plain =
        (enum traceql_set_op)(TRACEQL_SET_CHILD + (op - TRACEQL_SET_CHILD) % FORMS);
    if (!left)
        left = &none;
    struct set *out = related(s, plain, left, right);
    if (out && form == 1)
        out = without(s, right, out);
    if (out && form == 2) {
        const struct set *other = related(s, inverse(plain), right, left);
        out = other ? set_union(s, out, other) : NULL;
    }
    if (s->frame->view.failed)
        s->failed = true;
    return out && out->count && !s->failed ? out : NULL;
}
