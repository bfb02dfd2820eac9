// SPDX-License-Identifier: Apache-2.0
/* How far a batch goes: for each process in it, the position in each of its rings, whether its
 * slots were reaped, and what losses were told. Stored beside the batch in the spool; after a
 * kill between "spooled" and "given back" the next agent goes on from there, and nothing comes
 * twice. docs/format/spool.md describes the bytes. */
#ifndef WEFT_AGENT_CURSORS_H
#define WEFT_AGENT_CURSORS_H

#include <stddef.h>
#include <stdint.h>

#include "agent/recording_process.h"
#include "lib/base/buffer.h"

/* Appends the entry of a process. */
void cursors_write(struct buffer *out, const struct recording_process *p);

/* Everything that the spool's tables said when the agent began; the latest entry counts. */
struct cursors;
struct cursors *cursors_create(void); /* NULL: no memory */
void cursors_destroy(struct cursors **c);
/* Reads a table; what is malformed is passed over. */
void cursors_read(struct cursors *c, const void *bytes, size_t length);
/* Moves a process that was just opened to where the spool says. */
void cursors_apply(const struct cursors *c, struct recording_process *p);

#endif
