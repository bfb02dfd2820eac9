// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "collector/firehose/internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

struct group *group_find(struct firehose *f, const char *app)
{
    for (struct group *g = f->groups; g; g = g->next) {
        if (!g->forgotten && strcmp(g->app, app) == 0)
            return g;
    }
    return NULL;
}

void group_rewind(struct group *g, struct firehose_position to)
{
    for (unsigned p = 0; p < FIREHOSE_PARTITIONS; p++)
        g->checkpoint.positions[p] = to;
    g->dirty = true;
}

/* Positions in a ledger that was begun anew mean nothing: all of the new one is new to the app. */
static void check_ledger(struct firehose *f, struct group *g)
{
    struct ledger_stats stats;
    ledger_stats(f->options.ledger, &stats);
    uint64_t begun = stats.totals.begun_unix_ns;
    if (g->checkpoint.ledger_begun_unix_ns == begun)
        return;
    if (g->checkpoint.ledger_begun_unix_ns != 0) {
        LOG_WARN("firehose: the ledger is another than app %s knew: it begins with the oldest",
                 g->app);
        group_rewind(g, (struct firehose_position){0});
    }
    g->checkpoint.ledger_begun_unix_ns = begun;
}

enum firehose_refusal group_load(struct firehose *f, const struct firehose_request *request,
                                 struct firehose_position start, struct group **out)
{
    struct group *g = calloc(1, sizeof *g);
    if (!g)
        return FIREHOSE_ENOMEM;
    memcpy(g->app, request->app, strlen(request->app) + 1);
    int result = checkpoints_read(f->checkpoints, g->app, &g->checkpoint);
    if (result < 0) {
        free(g);
        return result == CHECKPOINTS_EMANY ? FIREHOSE_EMANY : FIREHOSE_EIO;
    }
    if (result == CHECKPOINTS_NONE)
        group_rewind(g, start);
    check_ledger(f, g);
    g->next = f->groups;
    f->groups = g;
    *out = g;
    return FIREHOSE_OK;
}

bool group_is_idle(const struct group *g)
{
    for (unsigned p = 0; p < FIREHOSE_PARTITIONS; p++) {
        if (g->owner[p])
            return false;
    }
    return g->member_count == 0;
}

static void share(struct group *g)
{
    uint64_t wanted[FIREHOSE_APP_CLIENTS];
    for (unsigned i = 0; i < g->member_count; i++)
        wanted[i] = g->members[i]->wanted;
    share_partitions(wanted, g->member_count);
    for (unsigned i = 0; i < g->member_count; i++) {
        g->members[i]->wanted = wanted[i];
        g->members[i]->progress_ms = clock_monotonic_ms(); /* it has time to give some away */
    }
}

void group_join(struct group *g, struct firehose_client *c)
{
    c->group = g;
    g->members[g->member_count++] = c;
    share(g);
}

void group_leave(struct group *g, struct firehose_client *c)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < g->member_count; i++) {
        if (g->members[i] != c)
            g->members[kept++] = g->members[i];
    }
    g->member_count = kept;
    c->wanted = 0;
    share(g);
}
