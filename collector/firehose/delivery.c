// SPDX-License-Identifier: Apache-2.0
/* What has arrived: from the connection's counts to an app's positions. All under the lock.
 *
 * The connection counts more bytes than the stream has: headers, and the frames of chunks. How
 * many more, is known for each block when the next one is asked for, as by then it was written; so
 * its marks are put into the trail only then, in the connection's count. */
#include <stdlib.h>

#include "collector/firehose/internal.h"

enum { UNKNOWN_OVERHEAD = 4096 }; /* more than headers and a frame */

static void store_positions(struct firehose_client *c, uint64_t partitions)
{
    struct group *g = c->group;
    for (uint64_t left = partitions; left; left &= left - 1) {
        unsigned p = (unsigned)__builtin_ctzll(left);
        g->checkpoint.positions[p] = c->trail.delivered[p];
    }
    g->dirty = g->dirty || partitions;
}

/* Partitions that are to leave, and of which everything has arrived, are free for others. */
static void let_go(struct firehose_client *c)
{
    for (uint64_t left = c->leaving; left; left &= left - 1) {
        unsigned p = (unsigned)__builtin_ctzll(left);
        if (c->left_at[p] > c->trail.acknowledged)
            continue;
        c->leaving &= ~(UINT64_C(1) << p);
        c->group->owner[p] = NULL;
        pthread_cond_broadcast(&c->firehose->wake);
    }
}

static void take_in(struct firehose_client *c, uint64_t acknowledged)
{
    store_positions(c, trail_acknowledge(&c->trail, acknowledged));
    let_go(c);
}

/* The block's marks, where it has so many bytes more in front of its own. */
static void put_marks(struct firehose_client *c, uint64_t overhead)
{
    for (unsigned i = 0; i < c->mark_count; i++) {
        const struct block_mark *m = &c->marks[i];
        uint64_t bytes = c->end + (m->offset > 0 ? overhead + m->offset : 0);
        trail_mark(&c->trail, &(struct trail_mark){bytes, m->partitions, m->at});
    }
    c->mark_count = 0;
    for (uint64_t left = c->leaving; left; left &= left - 1) {
        unsigned p = (unsigned)__builtin_ctzll(left);
        if (c->left_at[p] == UINT64_MAX)
            c->left_at[p] = c->end + (c->left_offset[p] > 0 ? overhead + c->left_offset[p] : 0);
    }
}

void client_settle(struct firehose_client *c, uint64_t end)
{
    uint64_t written = end - c->end;
    if (c->block_bytes > 0)
        c->overhead = written > c->block_bytes ? written - c->block_bytes : 0;
    if (c->group) {
        put_marks(c, c->overhead);
        take_in(c, 0);
    }
    c->end = end;
    c->handed += c->block_bytes;
    c->block_bytes = 0;
}

void client_look(struct firehose_client *c, int64_t now_ms, bool all_written)
{
    struct transport_state state;
    c->transport.look(c->transport.context, &state);
    if (!c->transport.counts) { /* then the stream's own bytes are all that is known */
        uint64_t written = all_written ? c->handed + c->block_bytes : c->handed;
        bool more = written > state.unacknowledged;
        state.acknowledged = more ? written - state.unacknowledged : 0;
        state.unacknowledged = written - state.acknowledged;
    }
    if (all_written)
        client_settle(c, state.acknowledged + state.unacknowledged);
    if (state.peer != PEER_THERE && c->peer == PEER_THERE) {
        c->peer = state.peer;
        c->over = true;
        pthread_cond_broadcast(&c->firehose->wake);
    }
    c->unread_most = state.unread_most;
    if (!c->group)
        return;
    if (state.acknowledged > c->trail.acknowledged)
        c->progress_ms = now_ms;
    take_in(c, state.acknowledged);
}

/* Its last block may have been written in part: its marks stand where they are at the latest. */
void client_leave(struct firehose_client *c, int64_t now_ms)
{
    if (c->group) {
        put_marks(c, c->handed > 0 ? c->overhead : UNKNOWN_OVERHEAD);
        group_leave(c->group, c);
    }
    c->over = true;
    c->detached = true;
    c->detached_ms = now_ms;
}

void client_finish(struct firehose_client *c)
{
    struct firehose *f = c->firehose;
    for (struct firehose_client **at = &f->clients; *at; at = &(*at)->next) {
        if (*at == c) {
            *at = c->next;
            break;
        }
    }
    f->counts.clients--;
    if (c->group) {
        struct group *g = c->group;
        if (c->peer == PEER_BROKE) {
            trail_rewind(&c->trail, c->unread_most);
            f->counts.broken++;
        }
        uint64_t partitions = c->owned | c->leaving;
        store_positions(c, partitions);
        for (uint64_t left = partitions; left; left &= left - 1)
            g->owner[__builtin_ctzll(left)] = NULL;
    }
    pthread_cond_broadcast(&f->wake);
}

void client_destroy(struct firehose_client *c)
{
    frames_fini(&c->reader);
    trail_fini(&c->trail);
    c->transport.release(c->transport.context);
    if (c->filter.close)
        c->filter.close(c->filter.context);
    free(c->rows);
    free(c);
}
