// SPDX-License-Identifier: Apache-2.0
/* Which batches were accepted already: at-least-once on the wire, exactly once in the ledger.
 *
 * For each agent and epoch a sorted set of ranges of numbers: batches come nearly in order, so
 * that it is mostly one range, and a gap of any width costs one more. What an agent says of
 * its oldest batch (`oldest`) closes what is before it in that epoch: it was acknowledged, or
 * is lost and counted there. Epochs before it are kept still, the latest 64 of them: an agent
 * that was killed sends again what was acknowledged, and two agents of one name, or one whose
 * spool was removed and whose clock was set back, send what was never seen. A batch of an epoch
 * before those is STALE: nobody knows whether it was accepted.
 *
 *     begin → NEW: in flight here.  appended → belongs to the set, still in flight.
 *     finish → not in flight: what was appended is durable, what was not is new again.
 *
 * A second copy that arrives while the first is in flight is PENDING: it may only be answered
 * once the first is durable. Any thread may call anything.
 */
#ifndef WEFT_COLLECTOR_ACCEPT_DEDUPE_H
#define WEFT_COLLECTOR_ACCEPT_DEDUPE_H

#include "collector/bytes.h"
#include "lib/link/link.h"

enum { DEDUPE_CLOSED_EPOCHS = 64 };
/* Beyond these an agent is answered "busy"; honest ones are orders of magnitude below. */
enum { DEDUPE_AGENTS_MAX = 1 << 16, DEDUPE_EPOCHS_MAX = 4096, DEDUPE_RANGES_MAX = 4096 };

enum dedupe_verdict {
    DEDUPE_NEW,
    DEDUPE_PENDING,
    DEDUPE_SEEN,
    DEDUPE_STALE, /* of an epoch that is forgotten */
    DEDUPE_FULL,  /* a limit above, or memory is out */
};

struct dedupe;

struct dedupe *dedupe_create(void);
void dedupe_destroy(struct dedupe **d);

/* `oldest` {0, 0}: not told. An oldest beyond the batch itself is taken as the batch. */
enum dedupe_verdict dedupe_begin(struct dedupe *d, const char *agent, struct link_sequence batch,
                                 struct link_sequence oldest);
/* After a begin that said NEW. Cannot fail: begin has made room. */
void dedupe_appended(struct dedupe *d, const char *agent, struct link_sequence batch);
void dedupe_finish(struct dedupe *d, const char *agent, struct link_sequence batch);

/* Was appended. */
bool dedupe_has(struct dedupe *d, const char *agent, struct link_sequence batch);
/* From the ledger: this batch is in it. -1 when a limit or memory stops it. */
int dedupe_restore(struct dedupe *d, const char *agent, struct link_sequence batch);

/* As in docs/format/ledger.md. dedupe_read replaces what is there; -1 for bytes that are none
 * (then it is empty), or when memory is out. */
void dedupe_write(struct dedupe *d, struct buffer *out);
int dedupe_read(struct dedupe *d, struct bytes_reader *in);

#endif
