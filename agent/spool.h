// SPDX-License-Identifier: Apache-2.0
/* The agent's disk queue of sealed batches: a journal (lib/base/journal.h) whose frames are
 * batches with their sequence and cursor table. docs/format/spool.md describes the bytes.
 *
 * A batch stays until it is acknowledged; acknowledgements come in any order and are not
 * written: after a restart what is still on disk is sent again, and the collector drops what it
 * has. A segment is deleted when all its batches are acknowledged. When the limit would be
 * passed the oldest segment goes, and what was not acknowledged in it is counted.
 *
 * What spool_put took survives the agent's death. It is never synced to disk, as the sweeper
 * cannot wait for that while rings fill: a host that loses power has lost the slabs too. A spool
 * that is closed with nothing waiting leaves nothing to be sent again.
 *
 * Not thread-safe: the outbox locks.
 */
#ifndef WEFT_AGENT_SPOOL_H
#define WEFT_AGENT_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "lib/link/link.h"
#include "lib/model/loss.h"

struct spool;

struct spool_options {
    const char *directory;
    uint64_t limit_bytes;
    /* `count` spans (LOSS_SPOOL_FULL) or batches (LOSS_SPOOL_TORN) are gone. */
    void (*lost)(void *context, enum loss_reason reason, uint64_t count);
    /* The cursor table of each batch found when the spool is opened, oldest first. */
    void (*cursors)(void *context, const void *bytes, size_t length);
    void *context;
};

struct spool_batch {
    struct link_sequence sequence;
    uint32_t spans;
    const void *sealed; /* valid until the next call */
    size_t length;
};

/* NULL with a sentence in `why`. */
struct spool *spool_open(const struct spool_options *options, char *why, size_t why_size);
void spool_close(struct spool **s);

/* What the next batch will be called: it is sealed under that name before it is put. */
struct link_sequence spool_sequence(const struct spool *s);
/* 0, or -errno: then nothing was written and the sequence is free still. The oldest segments make
 * room where the limit asks for it. */
int spool_put(struct spool *s, uint32_t spans, const void *cursors, size_t cursors_length,
              const void *sealed, size_t length);

/* The next batch that was not sent since the spool was opened; the same one until spool_sent.
 * 1, or 0 where there is none, or -errno. */
int spool_next(struct spool *s, struct spool_batch *batch);
void spool_sent(struct spool *s);

/* Forgets it. How many spans it held; 0 for one that is unknown. */
uint32_t spool_acknowledge(struct spool *s, struct link_sequence sequence);

/* The oldest that is not acknowledged; the next one's where none waits. */
struct link_sequence spool_oldest(const struct spool *s);
uint64_t spool_bytes(const struct spool *s);   /* on disk */
uint64_t spool_waiting(const struct spool *s); /* batches not acknowledged */

#endif
