// SPDX-License-Identifier: Apache-2.0
/* Everything that was lost, anywhere, added up by reason, agent and service; what
 * GET /api/v1/status and weft_lost_total show.
 *
 * Any thread adds. The table is bounded: beyond LOSSES_ROWS_MAX rows a loss is counted without
 * its service, and then without its agent, so that a count is never dropped itself.
 */
#ifndef WEFT_COLLECTOR_LOSSES_H
#define WEFT_COLLECTOR_LOSSES_H

#include "collector/bytes.h"
#include "lib/link/link.h"
#include "lib/model/loss.h"

enum { LOSSES_ROWS_MAX = 20000, LOSS_SERVICE_MAX = 127 };

struct loss_row {
    unsigned reason;
    char agent[LINK_AGENT_ID_MAX + 1];  /* "": the collector itself */
    char service[LOSS_SERVICE_MAX + 1]; /* "": none in particular; cut if longer */
    uint64_t count, first_unix_ns, last_unix_ns;
};

struct losses;

struct losses *losses_create(void);
void losses_destroy(struct losses **l);

/* `agent` may be NULL. A count of 0 adds nothing. */
void losses_add(struct losses *l, unsigned reason, const char *agent, const void *service,
                size_t service_length, uint64_t count, uint64_t from_unix_ns, uint64_t to_unix_ns);
uint64_t losses_total(struct losses *l, unsigned reason);
/* All rows, by reason, agent and service; malloc'ed. NULL with *count = 0 also for none. */
struct loss_row *losses_copy(struct losses *l, size_t *count);

/* As in docs/format/ledger.md. losses_read replaces what is there; -1 for bytes that are none
 * (then the table is empty). */
void losses_write(struct losses *l, struct buffer *out);
int losses_read(struct losses *l, struct bytes_reader *in);

#endif
