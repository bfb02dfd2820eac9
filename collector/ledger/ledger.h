// SPDX-License-Identifier: Apache-2.0
/* The ledger: what was accepted, as it came, in a journal (lib/base/journal.h), the truth from
 * which everything else is made again after a restart. docs/format/ledger.md has the bytes.
 *
 * Each segment begins with a state: the ledger's own sums, and what the caller must not forget
 * when older segments are dropped (who has sent what, what was lost). So any number of old
 * segments can go, and a restart reads one state and what was appended after it.
 *
 * Segments go from the oldest on while all together are larger than `limit_bytes` less one
 * segment, or when their last change is older than `max_age_ns`. That loses no span, as older
 * ones are in the store's segments: only the firehose reaches less far back.
 *
 * One thread calls everything here except ledger_stats and what is for followers. A failed
 * append leaves no trace and may be tried again (the disk was full); after a failed sync
 * nothing is known about the data, and every later call fails: only a restart helps.
 */
#ifndef WEFT_COLLECTOR_LEDGER_LEDGER_H
#define WEFT_COLLECTOR_LEDGER_LEDGER_H

#include "collector/ledger/frame.h"
#include "lib/base/journal.h"

struct ledger;

struct ledger_options {
    const char *directory;
    uint64_t limit_bytes, max_age_ns; /* an age of 0: no limit */
    uint64_t segment_bytes;
    /* Appends the caller's part of a state. */
    void (*write_state)(void *context, struct buffer *out);
    /* More is durable now (see ledger_durable). Must not wait. NULL: nobody follows. */
    void (*durable)(void *context);
    void *context;
};

/* NULL and a sentence in `why`. */
struct ledger *ledger_open(const struct ledger_options *options, char *why, size_t why_size);
void ledger_close(struct ledger **l);

/* ---- reading back, before the first append ----------------------------------------------- */

struct ledger_told {
    bool counted; /* a state that was told contains it already */
    bool before;  /* it stands before `from` */
    struct journal_position end;
};

struct ledger_reading {
    /* Batches from here on are told; the newest state, and the batches behind it, in any case. */
    struct journal_position from;
    /* The caller's part of a state; replaces what was told before. -1: it is none. */
    int (*state)(void *context, struct bytes_reader *state);
    /* A batch, or a remote write, and the place behind it. False stops the reading. */
    bool (*batch)(void *context, const struct frame *frame, const struct ledger_told *told);
    void *context;
};

struct ledger_read_stats {
    uint64_t frames, spans, bad_frames, damaged_bytes, torn_bytes;
    bool stopped;
};

/* 0; -errno when the disk cannot be read. Damage is passed over and told in *stats. */
int ledger_read_back(struct ledger *l, const struct ledger_reading *reading,
                     struct ledger_read_stats *stats);

/* ---- appending --------------------------------------------------------------------------- */

/* 0 or -errno. Not durable before ledger_sync. *end (may be NULL): the place behind it. */
int ledger_append(struct ledger *l, const struct frame *batch, struct journal_position *end);
/* The sums and the caller's state as they are now, as a frame. 0 or -errno. */
int ledger_append_state(struct ledger *l, uint64_t now_unix_ns);
int ledger_sync(struct ledger *l);
/* Drops what is too old or too much, but nothing from segment `keep_from` on: what no segment
 * of traces has yet. Cheap when there is nothing to drop. */
void ledger_retain(struct ledger *l, uint64_t keep_from, uint64_t now_unix_ns);

/* ---- following, any thread --------------------------------------------------------------- */

struct ledger_end {
    struct journal_position end; /* behind the last frame */
    uint64_t spans;              /* accepted so far, since the ledger was begun */
};
/* What is durable, and so may be shown. All zero until it was read back. */
struct ledger_end ledger_durable(struct ledger *l);
/* A cursor of the caller's own; it runs into what is not durable yet. NULL with *error. It must be
 * closed before the ledger. */
struct journal_cursor *ledger_follow(struct ledger *l, struct journal_position from, int *error);
/* The newest segment that began before that moment; the oldest, if none did. 0 or -errno. */
int ledger_find(struct ledger *l, uint64_t unix_ns, struct journal_position *at);
bool ledger_has_segment(struct ledger *l, uint64_t segment);

enum ledger_health { LEDGER_OK, LEDGER_FULL, LEDGER_FAILED };

struct ledger_stats {
    uint64_t bytes, limit_bytes;
    uint32_t segments;
    uint64_t dropped_segments; /* since this start */
    uint64_t oldest_unix_ns;   /* the oldest segment's beginning */
    struct ledger_totals totals;
    enum ledger_health health;
    int error; /* errno of the last failure while not OK */
};
void ledger_stats(struct ledger *l, struct ledger_stats *out);

#endif
