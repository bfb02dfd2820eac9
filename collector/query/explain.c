// SPDX-License-Identifier: Apache-2.0
#include "collector/query/explain.h"

#include <stdlib.h>

#include "collector/query/analysis/node.h"
#include "collector/query/scan.h"

enum { RANKED_OPERATIONS = 2000 };

static int rank_list(struct explanation *e, const struct trace_list *list)
{
    struct arena arena;
    int result = 0;
    arena_init(&arena, 256 << 10);
    for (size_t i = 0; result == 0 && i < list->count; i++) {
        struct tree tree;
        arena_reset(&arena);
        result = scan_tree(list->scan, list->traces[i].id, false, &arena, &tree);
        if (result == 0) {
            result = rank_add(&e->rank, &tree);
            e->ranked_among++;
            tree_fini(&tree);
        }
    }
    arena_fini(&arena);
    return result;
}

/* A name as filters want it: NUL-terminated; freed by the caller. */
static char *copy_name(struct batch_str name)
{
    return strndup(name.length ? name.bytes : "", name.length);
}

/* The newest traces in which the root's operation is. */
static int rank_among(const struct query *q, const struct tree *t, uint32_t among,
                      uint64_t now_unix_ns, struct explanation *e)
{
    if (among == 0 || t->root == TREE_NONE)
        return 0;
    char *service = copy_name(node_service(t, t->root)), *name = copy_name(node_name(t, t->root));
    struct trace_filter filter = {.service = service,
                                  .operation = name,
                                  .max_duration_ns = UINT64_MAX,
                                  .end_unix_ns = UINT64_MAX,
                                  .limit = among};
    struct trace_list list;
    int result = service && name ? query_traces(q, &filter, now_unix_ns, &list) : -1;
    free(service);
    free(name);
    if (result != 0)
        return -1;
    result = rank_list(e, &list);
    trace_list_fini(&list);
    return result;
}

static bool records(void *context, struct batch_str service)
{
    const struct explanation *e = context;
    for (size_t i = 0; i < e->services.count; i++) {
        if (batch_str_equal(e->services.services[i].name, service))
            return true;
    }
    return false;
}

struct holes_question explanation_question(const struct trace_view *view, struct explanation *e,
                                           uint64_t now_unix_ns)
{
    return (struct holes_question){.tree = &view->tree,
                                   .losses = view->losses,
                                   .loss_count = view->loss_count,
                                   .now_unix_ns = now_unix_ns,
                                   .records = records,
                                   .context = e};
}

static int find_holes(const struct query *q, const struct trace_view *view, uint64_t now_unix_ns,
                      struct explanation *e)
{
    if (query_services(q, &e->services) != 0)
        return -1;
    struct holes_question question = explanation_question(view, e, now_unix_ns);
    return holes_find(&e->holes, &question);
}

static int explain(const struct query *q, const struct trace_view *view, uint32_t among,
                   uint64_t now_unix_ns, struct explanation *e)
{
    const struct tree *t = &view->tree;
    if (skew_estimate(&e->skew, t) != 0 || timeline_build(&e->timeline, t, &e->skew) != 0 ||
        critical_path_build(&e->path, t, &e->timeline, TREE_NONE) != 0 ||
        culprit_find(&e->culprit, t) != 0)
        return -1;
    e->self_ns = malloc((t->count + 1) * sizeof *e->self_ns);
    if (!e->self_ns)
        return -1;
    timeline_self_ns(&e->timeline, t, e->self_ns);
    if (find_holes(q, view, now_unix_ns, e) != 0)
        return -1;
    return rank_among(q, t, among, now_unix_ns, e);
}

int explain_trace(const struct query *q, const struct trace_view *view, uint32_t among,
                  uint64_t now_unix_ns, struct explanation *e)
{
    *e = (struct explanation){0};
    rank_init(&e->rank, RANKED_OPERATIONS);
    int result = explain(q, view, among, now_unix_ns, e);
    if (result != 0)
        explanation_fini(e);
    return result;
}

void explanation_fini(struct explanation *e)
{
    skew_fini(&e->skew);
    timeline_fini(&e->timeline);
    critical_path_fini(&e->path);
    culprit_fini(&e->culprit);
    holes_fini(&e->holes);
    rank_fini(&e->rank);
    free(e->self_ns);
    e->self_ns = NULL;
    if (e->services.hold.store)
        service_list_fini(&e->services);
}
