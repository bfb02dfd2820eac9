// SPDX-License-Identifier: Apache-2.0
#include "collector/parts.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { SERIES_FUTURE_MS = 600000, EXEMPLARS_KEPT = 100000 };

/* ---- what the parts tell each other ------------------------------------------------------ */

static void on_write_state(void *context, struct buffer *out)
{
    struct collector *c = context;
    commit_write_state(&c->commit.parts, out);
}

static void on_durable(void *context)
{
    struct collector *c = context;
    if (c->firehose)
        firehose_durable(c->firehose);
}

static void on_settle(void *context, struct link_request *request, enum link_verdict verdict,
                      const char *text)
{
    struct collector *c = context;
    if (import_is_own(request->agent))
        import_settle(&c->import, request, verdict);
    else
        link_server_answer(c->link, request, verdict, text);
    link_request_release(request);
}

static int on_rules_write(void *context, void *memory, size_t length, char *why, size_t why_size)
{
    enum link_verdict verdict =
        parts_import(context, IMPORT_RULES, FRAME_BATCH, memory, length, why, why_size);
    return verdict == LINK_ACCEPTED ? 0 : -1;
}

static int on_caches_write(void *context, void *memory, size_t length, char *why, size_t why_size)
{
    enum link_verdict verdict =
        parts_import(context, IMPORT_CACHES, FRAME_BATCH, memory, length, why, why_size);
    return verdict == LINK_ACCEPTED ? 0 : -1;
}

static bool on_rules_ready(void *context)
{
    return parts_not_ready(context) == NULL;
}

/* ---- opening ----------------------------------------------------------------------------- */

static int create_parts(struct collector *c, char *why, size_t why_size)
{
    queue_init(&c->queue);
    stores_init(&c->stores);
    budget_init(&c->search_memory, c->config->memory_bytes / 4);
    budget_init(&c->large_traces, 1);
    import_init(&c->import, &c->queue, c->start_unix_ns);
    freshness_init(&c->freshness);
    c->losses = losses_create();
    c->agents = agents_create();
    c->dedupe = dedupe_create();
    c->inflight = inflight_create(c->config->memory_bytes / 8);
    c->watchers = watchers_create();
    if (c->losses && c->agents && c->dedupe && c->inflight && c->watchers)
        return 0;
    snprintf(why, why_size, "no memory");
    return -1;
}

/* The directory configured, else "DIR/NAME" for the ledger's "DIR/ledger"; malloc'ed. */
static char *directory_beside(const struct collector_config *config, const char *configured,
                              const char *name)
{
    if (configured)
        return strdup(configured);
    size_t length = strlen(config->ledger_dir);
    while (length > 1 && config->ledger_dir[length - 1] == '/')
        length--;
    while (length > 0 && config->ledger_dir[length - 1] != '/')
        length--;
    char *path = NULL;
    return asprintf(&path, "%.*s%s", (int)length, config->ledger_dir, name) < 0 ? NULL : path;
}

static int open_store(struct collector *c, char *why, size_t why_size)
{
    c->traces_directory = directory_beside(c->config, c->config->traces_dir, "traces");
    if (!c->traces_directory) {
        snprintf(why, why_size, "no memory");
        return -1;
    }
    struct ledger_stats ledger;
    ledger_stats(c->ledger, &ledger);
    struct store_options options = {
        .directory = c->traces_directory,
        .ledger_begun_unix_ns = ledger.totals.begun_unix_ns,
        .head_bytes = c->config->memory_bytes / 2,
        .cut_after_ns = c->config->traces_cut_ns,
        .limit_bytes = c->config->traces_limit_bytes,
        .max_age_ns = c->config->traces_age_ns,
        .merge_bytes_s = c->config->traces_merge_bytes,
    };
    c->stores.traces = store_open(&options, why, why_size);
    return c->stores.traces ? 0 : -1;
}

static int open_series(struct collector *c, char *why, size_t why_size)
{
    c->series_directory = directory_beside(c->config, c->config->series_dir, "series");
    if (!c->series_directory) {
        snprintf(why, why_size, "no memory");
        return -1;
    }
    struct ledger_stats ledger;
    ledger_stats(c->ledger, &ledger);
    struct series_store_options options = {
        .directory = c->series_directory,
        .ledger_begun_unix_ns = ledger.totals.begun_unix_ns,
        .head_bytes = c->config->series_memory_bytes,
        .series_bytes = c->config->series_memory_each_bytes,
        .series_limit = (uint64_t)c->config->series_active,
        .cut_after_ns = c->config->series_cut_ns,
        .out_of_order_ms = (int64_t)(c->config->series_late_ns / 1000000),
        .future_ms = SERIES_FUTURE_MS,
        .limit_bytes = c->config->series_limit_bytes,
        .max_age_ns = c->config->series_age_ns,
        .merge_bytes_s = c->config->traces_merge_bytes,
        .exemplars = EXEMPLARS_KEPT,
    };
    c->stores.series = series_store_open(&options, why, why_size);
    return c->stores.series ? 0 : -1;
}

static int open_ledger(struct collector *c, char *why, size_t why_size)
{
    struct ledger_options options = {
        .directory = c->config->ledger_dir,
        .limit_bytes = c->config->ledger_limit_bytes,
        .max_age_ns = c->config->ledger_age_ns,
        .segment_bytes = c->config->ledger_segment_bytes,
        .write_state = on_write_state,
        .durable = on_durable,
        .context = c,
    };
    struct commit_parts parts = {
        .queue = &c->queue,
        .stores = &c->stores,
        .dedupe = c->dedupe,
        .losses = c->losses,
        .freshness = &c->freshness,
        .agents = c->agents,
        .watchers = c->watchers,
        .settle = on_settle,
        .context = c,
    };
    commit_init(&c->commit, &parts);
    c->ledger = ledger_open(&options, why, why_size);
    c->commit.parts.ledger = c->ledger;
    return c->ledger ? 0 : -1;
}

static int open_marks(struct collector *c, char *why, size_t why_size)
{
    c->marks_directory = directory_beside(c->config, c->config->marks_dir, "marks");
    if (!c->marks_directory) {
        snprintf(why, why_size, "no memory");
        return -1;
    }
    c->marks = marks_open(c->marks_directory, c->config->marks_age_ns, why, why_size);
    if (!c->marks)
        return -1;
    c->observer = marks_observer_create(c->marks, c->ledger);
    if (!c->observer)
        snprintf(why, why_size, "marks: no memory, or no thread can be started");
    c->commit.parts.observers[0] = c->observer;
    return c->observer ? 0 : -1;
}

static int open_dashboards(struct collector *c, char *why, size_t why_size)
{
    char *directory = directory_beside(c->config, c->config->dashboards_dir, "dashboards");
    c->dashboards = directory ? dashboards_create(directory) : NULL;
    free(directory);
    if (!c->dashboards)
        snprintf(why, why_size, "dashboards: no memory");
    return c->dashboards ? 0 : -1;
}

static int open_caches(struct collector *c, char *why, size_t why_size)
{
    c->caches_directory = directory_beside(c->config, c->config->caches_dir, "caches");
    struct caches_options options = {
        .directory = c->caches_directory,
        .age_ns = c->config->caches_age_ns,
        .limit_bytes = c->config->caches_limit_bytes,
    };
    struct hot_keys_options hot = {
        .share = (double)c->config->hot_key_share / 100,
        .calls_per_s = (double)c->config->hot_key_rate,
        .marks = c->marks,
        .write = on_caches_write,
        .context = c,
    };
    snprintf(why, why_size, "caches: no memory, or no thread can be started");
    if (!c->caches_directory || !(c->caches.caches = caches_open(&options, why, why_size)))
        return -1;
    if (hot.share > 0 && !(c->caches.hot_keys = hot_keys_create(&hot)))
        return -1;
    c->caches_observer = caches_observer_create(&c->caches, c->ledger);
    c->commit.parts.observers[1] = c->caches_observer;
    return c->caches_observer ? 0 : -1;
}

static int open_rules(struct collector *c, char *why, size_t why_size)
{
    struct rules_options options = {
        .paths = c->config->rules,
        .alertmanagers = c->config->alertmanagers,
        .grace_ms = (int64_t)(c->config->rules_grace_ns / 1000000),
        .marks = c->marks,
        .source = c->archive ? archive_source(c->archive) : series_store_source(c->stores.series),
        .write = on_rules_write,
        .ready = on_rules_ready,
        .context = c,
    };
    c->rules = rules_create(&options, why, why_size);
    return c->rules ? 0 : -1;
}

static int64_t on_oldest_ms(void *context)
{
    struct collector *c = context;
    struct series_stats stats;
    series_store_stats(c->stores.series, &stats);
    return stats.oldest_ms;
}

static int open_archive(struct collector *c, char *why, size_t why_size)
{
    if (!collector_keeps_archive(c->config))
        return 0;
    struct archive_plan *plan = archive_plan_load(c->config->archive, why, why_size);
    if (!plan)
        return -1;
    c->archive_directory = directory_beside(c->config, c->config->archive_dir, "archive");
    if (!c->archive_directory) {
        archive_plan_destroy(&plan);
        snprintf(why, why_size, "no memory");
        return -1;
    }
    struct archive_options options = {
        .directory = c->archive_directory,
        .files_most = (uint32_t)c->config->archive_files,
        .source = series_store_source(c->stores.series),
        .oldest_ms = on_oldest_ms,
        .ready = on_rules_ready,
        .context = c,
    };
    c->archive = archive_open(&options, plan, why, why_size);
    return c->archive ? 0 : -1;
}

static int start_archive(struct collector *c, char *why, size_t why_size)
{
    if (!c->archive || archive_start(c->archive) == 0)
        return 0;
    snprintf(why, why_size, "archive: no thread can be started");
    return -1;
}

/* Once the port of HTTP is known. */
static int start_rules(struct collector *c, char *why, size_t why_size)
{
    char url[512];
    int host = (int)(strrchr(c->config->http, ':') - c->config->http);
    snprintf(url, sizeof url, "http://%.*s:%u", host, c->config->http, collector_http_port(c));
    if (rules_start(c->rules, url) == 0)
        return 0;
    snprintf(why, why_size, "rules: no memory, or no thread can be started");
    return -1;
}

static int open_firehose(struct collector *c, char *why, size_t why_size)
{
    c->firehose_directory = directory_beside(c->config, c->config->firehose_dir, "firehose");
    if (!c->firehose_directory) {
        snprintf(why, why_size, "no memory");
        return -1;
    }
    struct firehose_options options = {.ledger = c->ledger, .directory = c->firehose_directory};
    c->firehose = firehose_open(&options, why, why_size);
    return c->firehose ? 0 : -1;
}

static int open_link(struct collector *c, char *why, size_t why_size)
{
    struct link_server_options options = {
        .address = c->config->link,
        .control_address = c->config->control,
        .keys_directory = c->config->keys_dir,
    };
    c->link = link_server_create(&options, why, why_size);
    if (!c->link)
        return -1;
    c->receiver.link = c->link;
    c->receiver.queue = &c->queue;
    c->receiver.dedupe = c->dedupe;
    c->import.dedupe = c->dedupe;
    c->receiver.agents = c->agents;
    c->receiver.inflight = c->inflight;
    c->receiver.watchers = c->watchers;
    c->receiver.ledger = c->ledger;
    return 0;
}

int parts_open(struct collector *c, char *why, size_t why_size)
{
    if (create_parts(c, why, why_size) != 0 || open_ledger(c, why, why_size) != 0 ||
        open_store(c, why, why_size) != 0 || open_series(c, why, why_size) != 0 ||
        open_dashboards(c, why, why_size) != 0 || open_marks(c, why, why_size) != 0 ||
        open_caches(c, why, why_size) != 0 || open_archive(c, why, why_size) != 0 ||
        open_rules(c, why, why_size) != 0 || open_firehose(c, why, why_size) != 0 ||
        open_link(c, why, why_size) != 0 || parts_open_own(c, why, why_size) != 0 ||
        parts_open_web(c, why, why_size) != 0)
        return -1;
    return 0;
}

int parts_start(struct collector *c, char *why, size_t why_size)
{
    if (start_rules(c, why, why_size) != 0 || start_archive(c, why, why_size) != 0)
        return -1;
    return parts_start_own(c, why, why_size);
}

void parts_close(struct collector *c)
{
    own_teller_destroy(&c->own);
    rules_destroy(&c->rules);
    archive_destroy(&c->archive);
    firehose_close(&c->firehose);
    if (c->link)
        link_server_destroy(&c->link);
    observer_destroy(&c->caches_observer);
    observer_destroy(&c->observer);
    ledger_close(&c->ledger);
    inflight_destroy(&c->inflight);
    hot_keys_destroy(&c->caches.hot_keys);
    caches_close(&c->caches.caches);
    free(c->caches_directory);
    dashboards_destroy(&c->dashboards);
    marks_close(&c->marks);
    free(c->marks_directory);
    series_store_close(&c->stores.series);
    store_close(&c->stores.traces);
    stores_fini(&c->stores);
    free(c->series_directory);
    free(c->archive_directory);
    free(c->traces_directory);
    free(c->firehose_directory);
    dedupe_destroy(&c->dedupe);
    agents_destroy(&c->agents);
    watchers_destroy(&c->watchers);
    losses_destroy(&c->losses);
    freshness_fini(&c->freshness);
    budget_fini(&c->large_traces);
    budget_fini(&c->search_memory);
    import_fini(&c->import);
    queue_fini(&c->queue);
}
