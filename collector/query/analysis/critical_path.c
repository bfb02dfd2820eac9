// SPDX-License-Identifier: Apache-2.0
/* Each span on the path gets a window: the part of its time in which it, or something below it, is
 * responsible. As parents come before their children, one pass over the nodes shares out all
 * windows; no recursion, however deep the tree. */
#include "collector/query/analysis/critical_path.h"

#include <stdlib.h>

#include "collector/query/analysis/node.h"

struct window {
    uint64_t from, to;
};

struct walk {
    const struct tree *tree;
    const struct timeline *line;
    struct critical_path *path;
    struct window *windows; /* of each node; empty: not on the path */
    uint32_t capacity;
};

/* Two lists as one, the last end first: the root's children and the orphans. */
struct below {
    struct timeline_list children, orphans;
    const struct tree *tree;
    uint32_t child, orphan;
};

static const struct timeline_span *next_below(struct below *b)
{
    const struct timeline_span *child = NULL, *orphan = NULL;
    if (b->child < b->children.count)
        child = &b->children.spans[b->child];
    while (b->orphan < b->orphans.count &&
           !(b->tree->nodes[b->orphans.spans[b->orphan].node].flags & (TREE_ORPHAN | TREE_CYCLE)))
        b->orphan++;
    if (b->orphan < b->orphans.count)
        orphan = &b->orphans.spans[b->orphan];
    if (!child || (orphan && orphan->end_unix_ns > child->end_unix_ns)) {
        b->orphan++;
        return orphan;
    }
    b->child++;
    return child;
}

static int add_segment(struct walk *w, uint32_t node, uint64_t from, uint64_t to)
{
    struct critical_path *p = w->path;
    if (from >= to)
        return 0;
    if (p->count == w->capacity) {
        uint32_t more = w->capacity ? w->capacity * 2 : 64;
        struct critical_segment *bigger = realloc(p->segments, more * sizeof *bigger);
        if (!bigger)
            return -1;
        p->segments = bigger;
        w->capacity = more;
    }
    p->segments[p->count++] = (struct critical_segment){from, to, node};
    if (node == TREE_NONE)
        p->unknown_ns += to - from;
    else
        p->critical_ns[node] += to - from;
    return 0;
}

static bool within_a_hundredth(uint64_t too_long, uint64_t duration)
{
    return too_long <= duration / 100;
}

/* Did `owner` wait for a child that outlives it? */
static bool was_waited_for(const struct walk *w, uint32_t owner, const struct timeline_span *child)
{
    const struct tree *t = w->tree;
    uint64_t end = w->line->end_unix_ns[owner], start = w->line->start_unix_ns[owner];
    if (within_a_hundredth(child->end_unix_ns - end, end - start))
        return true;
    if (node_kind(t, owner) == SPAN_CLIENT && node_kind(t, child->node) == SPAN_SERVER)
        return true;
    return node_failed(t, owner) || node_status(t, owner) == SPAN_IN_FLIGHT;
}

/* Where the child ends as seen from a moment `now` of its owner; 0: it was not waited for. */
static uint64_t end_before(const struct walk *w, uint32_t owner, struct window window, uint64_t now,
                           const struct timeline_span *child)
{
    uint64_t end = child->end_unix_ns;
    if (owner != TREE_NONE && end > w->line->end_unix_ns[owner] && !was_waited_for(w, owner, child))
        return 0;
    if (end > window.to)
        end = window.to;
    if (end > now && within_a_hundredth(end - now, end - child->start_unix_ns))
        end = now;
    return end > now ? 0 : end;
}

static int walk_back(struct walk *w, uint32_t owner, struct window window, struct below *below)
{
    uint64_t now = window.to;
    const struct timeline_span *child;
    while (now > window.from && (child = next_below(below))) {
        if (child->end_unix_ns <= window.from)
            break;
        if (child->start_unix_ns >= now)
            continue;
        uint64_t end = end_before(w, owner, window, now, child);
        uint64_t start = child->start_unix_ns > window.from ? child->start_unix_ns : window.from;
        if (start >= end)
            continue;
        if (add_segment(w, owner, end, now) != 0)
            return -1;
        w->windows[child->node] = (struct window){start, end};
        now = start;
    }
    return add_segment(w, owner, window.from, now);
}

static struct window whole_trace(const struct tree *t, const struct timeline *l)
{
    struct window w = {UINT64_MAX, 0};
    for (uint32_t i = 0; i < t->count; i++) {
        if (l->start_unix_ns[i] < w.from)
            w.from = l->start_unix_ns[i];
        if (l->end_unix_ns[i] > w.to)
            w.to = l->end_unix_ns[i];
    }
    return w;
}

/* Of the root, or of nobody. */
static int begin(struct walk *w, uint32_t root, bool adopt)
{
    const struct tree *t = w->tree;
    struct below below = {.tree = t};
    struct window window;
    if (adopt)
        below.orphans = timeline_below(w->line, t, TREE_NONE);
    if (root != TREE_NONE) {
        below.children = timeline_below(w->line, t, root);
        window = (struct window){w->line->start_unix_ns[root], w->line->end_unix_ns[root]};
    } else {
        window = whole_trace(t, w->line);
    }
    w->path->total_ns = window.to - window.from;
    return walk_back(w, root, window, &below);
}

static int in_time_order(const void *left, const void *right)
{
    const struct critical_segment *a = left, *b = right;
    return (a->from_unix_ns > b->from_unix_ns) - (a->from_unix_ns < b->from_unix_ns);
}

static int build(struct walk *w, uint32_t root)
{
    const struct tree *t = w->tree;
    bool adopt = root == TREE_NONE;
    if (root == TREE_NONE)
        root = t->root;
    if (begin(w, root, adopt) != 0)
        return -1;
    for (uint32_t i = 0; i < t->count; i++) {
        struct below below = {.tree = t, .children = timeline_below(w->line, t, i)};
        if (w->windows[i].from < w->windows[i].to && walk_back(w, i, w->windows[i], &below) != 0)
            return -1;
    }
    if (w->path->count > 1)
        qsort(w->path->segments, w->path->count, sizeof *w->path->segments, in_time_order);
    return 0;
}

int critical_path_build(struct critical_path *p, const struct tree *t, const struct timeline *l,
                        uint32_t root)
{
    *p = (struct critical_path){
        .critical_ns = calloc((size_t)t->count + 1, sizeof *p->critical_ns),
    };
    struct walk w = {
        .tree = t,
        .line = l,
        .path = p,
        .windows = calloc((size_t)t->count + 1, sizeof *w.windows),
    };
    int result = p->critical_ns && w.windows ? 0 : -1;
    if (result == 0 && t->count > 0)
        result = build(&w, root);
    free(w.windows);
    if (result != 0)
        critical_path_fini(p);
    return result;
}

void critical_path_fini(struct critical_path *p)
{
    free(p->segments);
    free(p->critical_ns);
    *p = (struct critical_path){0};
}
