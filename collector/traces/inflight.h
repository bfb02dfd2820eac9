// SPDX-License-Identifier: Apache-2.0
/* The spans that are open now, as every agent last saw them: one snapshot an agent, replaced
 * by the next one, gone INFLIGHT_LIFE_NS after it came (the agent is gone, or has nothing open
 * and says so no more).
 *
 * A snapshot is a decoded batch in an arena of its own. Questions hold snapshots; one that was
 * replaced meanwhile is freed at its release. Any thread may call anything here.
 */
#ifndef WEFT_COLLECTOR_TRACES_INFLIGHT_H
#define WEFT_COLLECTOR_TRACES_INFLIGHT_H

#include "lib/codec/batch.h"
#include "lib/link/link.h"

#define INFLIGHT_LIFE_NS UINT64_C(5000000000)

struct inflight;

struct inflight_snapshot {
    struct arena arena;
    const struct batch *batch;
    char agent[LINK_AGENT_ID_MAX + 1];
    uint64_t received_unix_ns;
    unsigned references; /* under the table's lock */
};

/* NULL when memory is out. `limit_bytes`: of all snapshots together. */
struct inflight *inflight_create(uint64_t limit_bytes);
void inflight_destroy(struct inflight **t);

/* Replaces the agent's snapshot. BATCH_OK, or why it stays as it was; BATCH_ENOMEM also where
 * the limit would be passed. */
int inflight_put(struct inflight *t, const char *agent, const void *bytes, size_t length,
                 uint64_t now_unix_ns);
/* The same for a batch built in `snapshot` (from inflight_snapshot_create), which is taken over
 * in any case. */
struct inflight_snapshot *inflight_snapshot_create(const char *agent, uint64_t now_unix_ns);
int inflight_put_snapshot(struct inflight *t, struct inflight_snapshot *snapshot);

struct inflight_hold {
    struct inflight *table;
    struct inflight_snapshot **snapshots;
    size_t count;
};
/* Those that have not expired at `now`. -1 when memory is out (then nothing is held). */
int inflight_hold(struct inflight *t, uint64_t now_unix_ns, struct inflight_hold *hold);
void inflight_release(struct inflight_hold *hold);

#endif
