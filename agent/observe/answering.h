// SPDX-License-Identifier: Apache-2.0
/* From a connection's client spans to observed spans: fetches the exchanges of their time from the
 * tap's file, matches, makes rows. Used by observer.c's rounds; one thread at a time. */
#ifndef WEFT_AGENT_OBSERVE_ANSWERING_H
#define WEFT_AGENT_OBSERVE_ANSWERING_H

#include "agent/counters.h"
#include "agent/observe/clocks.h"
#include "agent/observe/observed.h"
#include "agent/observe/pending.h"
#include "lib/exchange/exchange_reader.h"

enum { ANSWERING_EXCHANGES_MOST = 1 << 17 }; /* of a connection in a round */

struct answering {
    struct counters *counters;
    struct exchange_reader *reader;
    struct observed_rows rows;
    struct clocks clocks;
    int64_t now_ms;        /* of this round */
    uint64_t seen_unix_ns; /* the tap has read all before */
    /* The batch has a new row: time to close it? */
    void (*added)(void *context);
    void *context;
    bool full; /* this round tells no more */

    struct exchange_record *records;
    struct match_exchange *exchanges;
    uint32_t *record_of; /* by exchange; UINT32_MAX: one that the tap missed */
};

/* -1: no memory; answering_fini then too. `agent`: our own name, kept as it is, as `host`. */
int answering_init(struct answering *a, const char *agent, const char *host);
void answering_fini(struct answering *a);

/* Tells what is ripe of a connection. The visitor of pending_round; context: struct answering. */
void answering_visit(void *context, struct pending_connection *c);

#endif
