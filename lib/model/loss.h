// SPDX-License-Identifier: Apache-2.0
/* The reasons for which anything may be lost, one number each, everywhere the same.
 *
 * Nothing is dropped silently: whoever drops counts under one of these reasons, and the
 * counts travel to the collector as loss records in batches. Numbers 0 to 15 are counted
 * by libweft in the slab (its layout knows them by these numbers). Only ever append.
 */
#ifndef WEFT_MODEL_LOSS_H
#define WEFT_MODEL_LOSS_H

enum loss_reason {
    /* in a recording process (place "service") */
    LOSS_NO_SLOT = 0,           /* spans: more are open on the thread than it has slots */
    LOSS_RING_FULL = 1,         /* spans: ended faster than the agent swept, or it was away */
    LOSS_NO_THREAD_SLAB = 2,    /* spans: more recording threads than the file has room for */
    LOSS_NO_MEMORY = 3,         /* spans: the tmpfs was full when a thread began to record */
    LOSS_NO_FILE = 4,           /* spans, updates: no process file (directory, rights) */
    LOSS_ATTRIBUTE_NO_ROOM = 5, /* attributes, events, links: the span's slot was full */
    LOSS_NAMES_FULL = 6,        /* names: the process file's name table was full */
    LOSS_STALE_HANDLE = 7,      /* calls on a span that had ended */
    LOSS_STATS_NO_ROOM = 8,     /* updates of statistics: their instrument or cell had no room */
    LOSS_SLAB_REASONS = 16,
    /* in the agent (place "agent") */
    LOSS_BAD_RECORD = 16, /* records: a ring or slot held bytes that are no span */
    LOSS_BAD_FILE = 17,   /* files: a process file that is not one, or was shrunk */
    /* in its spool (place "spool") */
    LOSS_SPOOL_FULL = 24, /* spans: the spool's limit pushed out its oldest batches */
    LOSS_SPOOL_TORN = 25, /* batches: damaged on disk */
    /* 26 had a name once, and was never counted */
    /* on the way (place "link") */
    LOSS_REFUSED = 32, /* spans: the collector refused a batch for good */
    /* in the collector (place "collector") */
    LOSS_BAD_BATCH = 40,       /* batches: opened and checked, but not decodable */
    LOSS_LEDGER_DAMAGED = 41,  /* bytes: damaged in the ledger */
    LOSS_LEDGER_AGED = 42,     /* spans: as SEGMENT_AGED, of collectors that had no segments */
    LOSS_HEAD_EVICTED = 43,    /* spans: likewise, pushed out of memory by newer ones */
    LOSS_SEGMENT_AGED = 44,    /* spans: older than the limit of bytes or days allows */
    LOSS_SEGMENT_DAMAGED = 45, /* spans: in a segment that was set aside */
    LOSS_NOT_INDEXED = 46,     /* spans: memory was out when they came; the ledger has them */
    LOSS_REASONS = 48
};

const char *loss_reason_name(unsigned reason); /* "ring_full" …; "?" if unknown */
const char *
loss_reason_place(unsigned reason); /* "service", "agent", "spool", "link", "collector" */
const char *loss_reason_explanation(unsigned reason); /* a sentence for people */

#endif
