// SPDX-License-Identifier: Apache-2.0
#include "agent/observe/pipeline.h"

#include <string.h>

static bool belongs(const struct pipeline_group *g, const struct exchange_record *e)
{
    return strcmp(g->first->command, e->command) == 0 && strcmp(g->first->pattern, e->pattern) == 0;
}

static struct pipeline_group *group_of(struct pipeline *p, const struct exchange_record *e)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (belongs(&p->groups[i], e))
            return &p->groups[i];
    struct pipeline_group *last = &p->groups[PIPELINE_GROUPS_MOST - 1];
    if (p->count == PIPELINE_GROUPS_MOST) {
        last->mixed = true;
        return last;
    }
    struct pipeline_group *added = &p->groups[p->count++];
    *added = (struct pipeline_group){.first = e, .asked_unix_ns = e->asked_unix_ns};
    return added;
}

void pipeline_add(struct pipeline *p, const struct exchange_record *e)
{
    struct pipeline_group *g = group_of(p, e);
    g->commands++;
    if (e->failed && g->failed++ == 0)
        g->error = e->error;
    g->keys += e->keys;
    g->hits += e->hits;
    g->misses += e->misses;
    g->request_bytes += e->request_bytes;
    g->reply_bytes += e->reply_bytes;
    if (e->answered_unix_ns > g->answered_unix_ns)
        g->answered_unix_ns = e->answered_unix_ns;
}
