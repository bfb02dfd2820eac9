// SPDX-License-Identifier: Apache-2.0
#include "collector/collector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/parts.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { FIREHOSE_STOP_MS = 3000 };

static void *receive(void *context)
{
    struct collector *c = context;
    receiver_run(&c->receiver);
    return NULL;
}

static void *commit(void *context)
{
    struct collector *c = context;
    int error = commit_read_back(&c->commit);
    if (error == -ECANCELED)
        return NULL;
    if (error != 0) {
        LOG_ERROR("ledger %s: cannot be read back: %s", c->config->ledger_dir, strerror(-error));
        atomic_store(&c->failed, true);
        return NULL;
    }
    /* Batches are taken only now: what they are copies of must be known. */
    c->receiving_runs = pthread_create(&c->receiving, NULL, receive, c) == 0;
    if (c->receiving_runs)
        commit_run(&c->commit);
    else
        atomic_store(&c->failed, true);
    return NULL;
}

struct collector *collector_start(const struct collector_config *config, char *why, size_t why_size)
{
    struct collector *c = calloc(1, sizeof *c);
    if (!c) {
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    c->config = config;
    c->start_unix_ns = clock_unix_ns();
    if (parts_open(c, why, why_size) != 0)
        goto fail;
    if (pthread_create(&c->committing, NULL, commit, c) != 0) {
        snprintf(why, why_size, "no thread can be started");
        goto fail;
    }
    c->committing_runs = true;
    if (parts_start(c, why, why_size) != 0)
        goto fail;
    return c;
fail:
    collector_stop(&c);
    return NULL;
}

int collector_reload(struct collector *c, const struct collector_config *fresh, char *why,
                     size_t why_size)
{
    bool is_kept = c->archive && collector_keeps_archive(fresh);
    struct rule_set *set = rule_set_load(fresh->rules, why, why_size);
    struct archive_plan *plan =
        set && is_kept ? archive_plan_load(fresh->archive, why, why_size) : NULL;
    if (!set || (is_kept && !plan)) {
        rule_set_destroy(&set);
        return -1;
    }
    rules_replace(c->rules, set);
    if (plan)
        archive_replace(c->archive, plan);
    return 0;
}

unsigned collector_http_port(const struct collector *c)
{
    return web_server_port(c->server);
}

bool collector_is_ready(const struct collector *c)
{
    return atomic_load(&c->commit.ready);
}

bool collector_has_failed(const struct collector *c)
{
    return atomic_load(&c->failed);
}

/* From the link inwards, so that each part empties into one that still works. */
static void stop_threads(struct collector *c)
{
    atomic_store(&c->receiver.stopping, true);
    atomic_store(&c->commit.stopping, true);
    queue_close(&c->queue);
    if (c->stores.traces)
        store_interrupt(c->stores.traces);
    if (c->stores.series)
        series_store_interrupt(c->stores.series);
    if (c->committing_runs)
        pthread_join(c->committing, NULL);
    if (c->receiving_runs)
        pthread_join(c->receiving, NULL);
}

void collector_stop(struct collector **place)
{
    struct collector *c = *place;
    if (!c)
        return;
    if (c->firehose)
        firehose_stop(c->firehose, FIREHOSE_STOP_MS);
    if (c->own)
        own_teller_close(c->own);
    if (c->rules)
        rules_close(c->rules);
    if (c->archive)
        archive_close(c->archive);
    stop_threads(c);
    if (c->server)
        web_server_stop(&c->server);
    parts_close(c);
    free(c);
    *place = NULL;
}
