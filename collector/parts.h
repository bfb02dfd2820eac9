// SPDX-License-Identifier: Apache-2.0
/* The parts of a collector, and what they tell each other: no stage calls an earlier one, so what
 * a later one has to say goes through callbacks that are set here (parts.c). collector.c has the
 * threads. */
#ifndef WEFT_COLLECTOR_PARTS_H
#define WEFT_COLLECTOR_PARTS_H

#include <pthread.h>

#include "collector/accept/commit.h"
#include "collector/accept/import.h"
#include "collector/accept/receiver.h"
#include "collector/archive/archive.h"
#include "collector/caches/observe.h"
#include "collector/collector.h"
#include "collector/firehose/firehose.h"
#include "collector/marks/observe.h"
#include "collector/own/teller.h"
#include "collector/rules/rules.h"
#include "collector/web/web.h"

struct collector {
    const struct collector_config *config;
    uint64_t start_unix_ns;
    char token[WEB_TOKEN_MAX];

    struct losses *losses;
    struct agents *agents;
    struct watchers *watchers;
    struct dedupe *dedupe;
    struct queue queue;
    struct ledger *ledger;
    char *traces_directory, *firehose_directory;
    struct firehose *firehose;
    char *series_directory, *marks_directory, *archive_directory;
    struct archive *archive; /* NULL: none is kept */
    struct marks *marks;
    struct dashboards *dashboards;
    struct observer *observer;
    char *caches_directory;
    struct caches_watch caches;
    struct observer *caches_observer;
    struct rules *rules;
    struct own_teller *own; /* NULL: its metrics are not kept */
    struct stores stores;
    struct inflight *inflight;
    struct freshness freshness;
    struct link_server *link;
    struct receiver receiver;
    struct import import;
    struct commit commit;
    struct budget search_memory, large_traces;
    struct web web;
    struct web_server *server;

    pthread_t receiving, committing;
    bool receiving_runs, committing_runs;
    atomic_bool failed;
};

/* Opens all parts, of which those that people and agents talk to come last. With config and
 * start_unix_ns set. 0, or -1 and a sentence; parts_close all the same. */
int parts_open(struct collector *c, char *why, size_t why_size);
/* Starts what works by itself: rules, the archive, what is kept of its own metrics. 0, or -1 and a
 * sentence. */
int parts_start(struct collector *c, char *why, size_t why_size);
/* No thread of collector.c may run any more. */
void parts_close(struct collector *c);

/* In parts_own.c. */
int parts_open_own(struct collector *c, char *why, size_t why_size);
int parts_start_own(struct collector *c, char *why, size_t why_size);
/* All that is asked of the parts at a moment, given back by pipeline_status_fini. -1: no memory. */
int parts_status(struct collector *c, struct pipeline_status *s);
/* Parts of that, in parts_web.c. The web comes last: its port says that all is there. */
int parts_open_web(struct collector *c, char *why, size_t why_size);
/* Why nothing can be accepted now, in a sentence; NULL: all is well. Any thread. */
const char *parts_not_ready(struct collector *c);
/* Accepts what came over HTTP or was made here, as if an agent `name` had sent it; waits until it
 * is durable. `memory` is taken over. */
enum link_verdict parts_import(struct collector *c, const char *name, enum frame_kind kind,
                               void *memory, size_t length, char *why, size_t why_size);

#endif
