// SPDX-License-Identifier: Apache-2.0
/* label_replace and label_join: they change series, not samples. */
#include <string.h>

#include "collector/query/promql/engine/labelset.h"
#include "collector/query/promql/engine/nodes.h"

static struct batch_str destination(struct evaluation *ev, const struct promql_expr *e)
{
    struct batch_str name = text_of(e->args[1]);
    if (!promql_is_name(name))
        evaluation_fail(ev, PROMQL_FAILED, "invalid destination label name in %s(): %.*s",
                        e->function->name, (int)name.length, name.bytes);
    return name;
}

static void set_label(struct evaluation *ev, struct column *c, struct batch_str name,
                      struct batch_str value)
{
    struct labelset s;
    labelset_begin(&s, &c->labels);
    labelset_set(ev, &s, name, value);
    c->labels = labelset_finish(ev, &s);
    if (batch_str_is(name, LABEL_METRIC))
        c->drop_name = false;
}

OPENS(label_replace_open)
{
    struct batch_str to = destination(ev, e), by = text_of(e->args[2]), from = text_of(e->args[3]);
    const struct regex *pattern = evaluation_regex(ev, text_of(e->args[4]));
    struct column_list l = stream_collect(ev, stream_open(ev, e->args[0], grid));
    struct buffer *expanded = evaluation_buffer(ev);
    for (size_t i = 0; i < l.count; i++) {
        struct batch_str value = labels_get(&l.list[i]->labels, from);
        buffer_clear(expanded);
        bool matches =
            regex_expand(pattern, value.bytes, value.length, by.bytes, by.length, expanded);
        if (expanded->failed)
            evaluation_need(ev, NULL);
        struct batch_str result = {"", (uint32_t)expanded->length};
        if (result.length > 0)
            result.bytes =
                evaluation_need(ev, arena_copy(ev->arena, expanded->data, expanded->length));
        if (matches)
            set_label(ev, l.list[i], to, result);
    }
    merge_same_labels(ev, &l);
    return stream_of_list(ev, e, grid, l);
}

OPENS(label_join_open)
{
    struct batch_str to = destination(ev, e), between = text_of(e->args[2]);
    struct column_list l = stream_collect(ev, stream_open(ev, e->args[0], grid));
    for (size_t i = 0; i < l.count; i++) {
        size_t most = 1;
        for (uint32_t j = 3; j < e->arg_count; j++)
            most += between.length + labels_get(&l.list[i]->labels, text_of(e->args[j])).length;
        char *bytes = evaluation_alloc(ev, most);
        struct batch_str joined = {bytes, 0};
        for (uint32_t j = 3; j < e->arg_count; j++) {
            struct batch_str value = labels_get(&l.list[i]->labels, text_of(e->args[j]));
            if (j > 3 && between.length)
                memcpy(bytes + joined.length, between.bytes, between.length);
            joined.length += j > 3 ? between.length : 0;
            if (value.length)
                memcpy(bytes + joined.length, value.bytes, value.length);
            joined.length += value.length;
        }
        set_label(ev, l.list[i], to, joined);
    }
    merge_same_labels(ev, &l);
    return stream_of_list(ev, e, grid, l);
}
