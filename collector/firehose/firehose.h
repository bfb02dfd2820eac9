// SPDX-License-Identifier: Apache-2.0
/* The firehose: every accepted span, from the ledger, to whoever listens; docs/firehose.md tells
 * its users what they can rely on.
 *
 * A lone reader gets everything from where it asks on. Clients of an *app* (at most 16 at a time)
 * share its 64 partitions of traces, and each partition goes on where the app was: over
 * disconnects, over restarts, and when it goes from one client to another. A partition is
 * handed over only when all that its old client was sent of it is acknowledged.
 *
 *   position.h     a place in the ledger
 *   reader.h       the ledger, batch by batch
 *   format.h       spans as lines (or messages)
 *   share.h        partitions, and who gets which
 *   trail.h        from acknowledged bytes to positions
 *   transport.h    what the connection knows of that
 *   checkpoints.h  positions on disk
 *   client.c       a stream
 *   delivery.c     what of it has arrived
 *   group.c        an app
 *   attach.c       how clients come and go
 *   firehose.c     the keeper, the end
 *
 * Threads: each stream is read by a thread of its own, which waits in firehose_next. The keeper
 * asks the connections ten times a second what arrived and who is gone, and writes positions that
 * moved. The committing thread says when more is durable, and wakes who waits; it is never
 * waited for.
 *
 * Memory: for each client one decoded batch, a block of 16 KiB, and marks of what its socket
 * holds. A slow client reads later from disk; if retention overtakes it, its stream says so.
 */
#ifndef WEFT_COLLECTOR_FIREHOSE_FIREHOSE_H
#define WEFT_COLLECTOR_FIREHOSE_FIREHOSE_H

#include "collector/firehose/format.h"
#include "collector/ledger/ledger.h"

struct firehose;
struct firehose_client;

struct firehose_options {
    struct ledger *ledger;
    const char *directory;  /* for positions; made if missing */
    unsigned keep_alive_ms; /* 0: 5000 */
    unsigned clients_most;  /* 0: 64 */
    unsigned drain_ms;      /* how long the last bytes are waited for; 0: 2000 */
    unsigned stuck_ms;      /* who takes nothing for so long while others wait goes; 0: 60000 */
    unsigned checkpoint_ms; /* between two looks of the keeper; 0: 100 */
};

/* NULL and a sentence in `why`. */
struct firehose *firehose_open(const struct firehose_options *options, char *why, size_t why_size);
/* More is durable: for ledger_options.durable. Any thread; does not wait. */
void firehose_durable(struct firehose *f);
/* Ends all streams and waits until their clients have what they were sent, but no longer than
 * `timeout_ms`. Before the server is stopped. */
void firehose_stop(struct firehose *f, unsigned timeout_ms);
/* All clients must have been detached; before the ledger is closed. */
void firehose_close(struct firehose **f);

/* ---- clients ----------------------------------------------------------------------------- */

enum firehose_start {
    FIREHOSE_NEWEST, /* what is accepted from now on */
    FIREHOSE_OLDEST, /* all that the ledger has */
    FIREHOSE_BACK,   /* what was accepted in the last `back_s` seconds, and on */
    FIREHOSE_AFTER,  /* behind a line's cursor */
};

/* Chooses rows: clears the bits (row r is bit r % 64 of rows[r / 64]) of those not wanted. -1: it
 * cannot go on, and the stream ends. The stream's thread. */
struct firehose_filter {
    int (*select)(void *context, const struct batch *batch, uint64_t *rows); /* NULL: all */
    void (*close)(void *context);                                            /* may be NULL */
    void *context;
};

struct firehose_request {
    const char *app; /* NULL: a lone reader */
    enum firehose_start start;
    uint64_t back_s;
    struct firehose_position after;
    /* A known app goes on where it was, whatever `start` says, unless this is set (or `start` is
     * AFTER): then it begins there anew. Only while no other client of it is connected. */
    bool rewind;
    const struct firehose_format *format;
    struct firehose_filter filter; /* closed in any case, also where attaching fails */
};

enum firehose_refusal {
    FIREHOSE_OK = 0,
    FIREHOSE_EFULL,   /* sixteen clients of the app are connected: 409 */
    FIREHOSE_EBUSY,   /* to be rewound while others are connected: 409 */
    FIREHOSE_EAPP,    /* no name for an app: 400 */
    FIREHOSE_ECURSOR, /* no place in this ledger: 400 */
    FIREHOSE_EMANY,   /* too many clients or apps in all: 503 */
    FIREHOSE_ESTOP,   /* the collector stops, or has not begun: 503 */
    FIREHOSE_ENOMEM,  /* 503 */
    FIREHOSE_EIO,     /* positions cannot be read: 503 */
};
/* May wait for the disk. *client is given back by firehose_detach. A sentence in `why`. */
enum firehose_refusal firehose_attach(struct firehose *f, const struct firehose_request *request,
                                      struct firehose_client **client, char *why, size_t why_size);
/* The connection that the stream goes out by, before the first firehose_next. Without one, bytes
 * count as arrived when the next are asked for. -1 when descriptors or memory are out. */
int firehose_client_socket(struct firehose_client *client, int fd);

/* These two are a struct reply_stream's `next` and `close`, with the client as context.
 * Appends at least a byte to `out`; waits for it, at most for the time of a keep-alive. All that
 * was appended before must have been written to the connection by then. False: the stream is over.
 */
bool firehose_next(void *client, struct buffer *out);
/* In any case, once. Does not wait: what is not acknowledged yet is waited for by the keeper. */
void firehose_detach(void *client);

/* ---- how it does ------------------------------------------------------------------------- */

struct firehose_counts {
    unsigned clients;
    uint64_t spans, bytes;    /* sent */
    uint64_t gaps, gap_spans; /* told of in streams */
    uint64_t refused;         /* clients */
    uint64_t broken;          /* app clients that broke off: some of it is sent again */
    uint64_t checkpoint_failures;
};
void firehose_counts(struct firehose *f, struct firehose_counts *out);

/* Forgets where an app was. FIREHOSE_EBUSY while it has clients. */
enum firehose_refusal firehose_forget(struct firehose *f, const char *app);

#endif
