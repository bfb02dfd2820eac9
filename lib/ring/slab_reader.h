// SPDX-License-Identifier: Apache-2.0
/* The agent's side of a process file: reads rings and slots, trusts nothing.
 *
 * Every byte is copied into private memory under a guard (lib/ring/guard.h) before it is looked
 * at, so that a hostile owner can neither change what was checked nor take the page away. A
 * file that breaks a rule costs one error: the ring's contents up to its head are passed over.
 *
 * Reading and giving back are two steps: slab_sweep reads on from a private position,
 * slab_release publishes the positions to the owner, who may then overwrite. The agent releases
 * when what it read is in its spool: if it is killed before that, the next one reads it again.
 *
 * One thread at a time.
 */
#ifndef WEFT_RING_SLAB_READER_H
#define WEFT_RING_SLAB_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/ring/slab.h"

struct slab_reader;

enum slab_error {
    SLAB_OK = 0,
    SLAB_ESYSTEM,  /* errno says what */
    SLAB_EFORMAT,  /* not a process file */
    SLAB_EVERSION, /* of a libweft that is too new */
    SLAB_ELIMITS,  /* sizes that are beyond belief or contradict each other */
    SLAB_ESHRUNK,  /* pages that were there are gone */
    SLAB_ERECORD,  /* bytes in a ring that are no span, cells that are none */
};
const char *slab_error_text(enum slab_error error);

/* Opens `name` in a directory: a regular file, no link. NULL with *error. */
struct slab_reader *slab_reader_open(int directory, const char *name, enum slab_error *error);
void slab_reader_close(struct slab_reader **r);

/* As the owner wrote it and slab_reader_open checked it. */
const struct slab_file *slab_reader_file(const struct slab_reader *r);
uint32_t slab_reader_uid(const struct slab_reader *r);
int slab_reader_fd(const struct slab_reader *r); /* to ask after the owner's lock */

/* A span as it was in a ring or slot; payload and fields are private copies and were checked. */
struct slab_record {
    struct slab_span span;
    const char *payload;
    uint32_t used;
    bool open; /* from a slot, not ended; span.end_ticks means nothing */
};
typedef void slab_visit(void *context, const struct slab_record *record);

/* Visits what came into the rings since the last call, up to about `budget_bytes`. *more: there
 * is more to read. Returns the worst that was met; everything sound was visited all the same. */
enum slab_error slab_sweep(struct slab_reader *r, slab_visit *visit, void *context,
                           size_t budget_bytes, bool *more);
/* Visits the spans that are open now, in 262,144 slots at most. `dead`, which looks at all: the
 * owner is gone, its rings have been swept to their ends; a span caught between slot and ring is
 * then visited as ended unless it is in the ring. */
enum slab_error slab_look(struct slab_reader *r, bool dead, slab_visit *visit, void *context);
/* How many slots that was. */
uint32_t slab_looked(const struct slab_reader *r);

/* The largest share of a ring, in percent, that waits for slab_release. */
unsigned slab_pressure(const struct slab_reader *r);
enum slab_error slab_release(struct slab_reader *r);
/* Whether there is anything to release. */
bool slab_is_held(const struct slab_reader *r);
/* What slab_look found in the dead owner's slots is safe: no other agent need look again. */
enum slab_error slab_mark_reaped(struct slab_reader *r);
bool slab_is_reaped(struct slab_reader *r);

/* Positions, so that a batch in the spool can tell how far it goes. */
uint32_t slab_threads(const struct slab_reader *r);
uint64_t slab_position(const struct slab_reader *r, uint32_t thread);
/* Goes on from `position` if that is later than the published tail; false if it is no place
 * where the ring can be. */
bool slab_advance(struct slab_reader *r, uint32_t thread, uint64_t position);

/* A name's text (not NUL-terminated); NULL for 0 and for numbers that are none. Private copies,
 * valid as long as the reader. */
const char *slab_name(struct slab_reader *r, uint32_t number, size_t *length);
/* The process' resource, as a payload for slab_item_next; a private copy. */
const char *slab_resource(struct slab_reader *r, uint32_t *used);

/* Total of the owner's counter of losses for one reason, over its file and threads; and how much
 * of it an agent has told of before. */
uint64_t slab_lost(struct slab_reader *r, unsigned reason);
uint64_t slab_lost_reported(struct slab_reader *r, unsigned reason);
enum slab_error slab_set_lost_reported(struct slab_reader *r, unsigned reason, uint64_t count);
/* When an agent last looked, in the owner's ticks; 0: never. */
uint64_t slab_swept_ticks(struct slab_reader *r);

/* Tells the owner: recording on, off, or into another file. */
enum slab_error slab_set_recording(struct slab_reader *r, enum slab_recording recording);
/* Tells the owner how its clock runs: unix_ns = base_unix_ns + (ticks - base_ticks) * q32 / 2^32.
 */
enum slab_error slab_set_clock(struct slab_reader *r, uint64_t base_ticks, uint64_t base_unix_ns,
                               uint64_t ns_per_tick_q32);

/* Walks a payload. False at its end, or where the rest is no item. */
struct slab_walk {
    const char *at, *end;
};
struct slab_item_view {
    uint8_t type, flags;
    uint16_t length;
    uint32_t key;
    const char *value;
};
static inline struct slab_walk slab_walk(const char *payload, uint32_t used)
{
    return (struct slab_walk){payload, payload + used};
}
static inline bool slab_item_next(struct slab_walk *walk, struct slab_item_view *item)
{
    struct slab_item head;
    size_t left = (size_t)(walk->end - walk->at);
    if (left < sizeof head)
        return false;
    memcpy(&head, walk->at, sizeof head);
    if (head.length > left - sizeof head)
        return false;
    *item = (struct slab_item_view){head.type, head.flags, head.length, head.key,
                                    walk->at + sizeof head};
    size_t bytes = sizeof head + SLAB_ROUND8((size_t)head.length);
    walk->at += bytes < left ? bytes : left;
    return true;
}

#endif
