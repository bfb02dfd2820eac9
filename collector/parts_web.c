// SPDX-License-Identifier: Apache-2.0
/* What people ask of a collector over HTTP: the web server, and what it asks of the other parts. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/parts.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { HTTP_TIMEOUT_S = 30 };

/* ---- what it asks of the others ---------------------------------------------------------- */

const char *parts_not_ready(struct collector *c)
{
    struct ledger_stats stats;
    if (!atomic_load(&c->commit.ready))
        return "the ledger is being read back";
    ledger_stats(c->ledger, &stats);
    if (stats.health == LEDGER_FULL)
        return "the ledger's disk is full; agents keep their batches until there is room";
    if (stats.health == LEDGER_FAILED)
        return "the ledger cannot be written; see the log and restart weft-collector";
    struct store_stats store;
    store_stats(c->stores.traces, &store);
    if (store.keeping.health == KEEPER_FULL)
        return "the disk of the traces is full; agents keep their batches when memory is";
    if (store.keeping.health == KEEPER_FAILED)
        return "traces cannot be written; see the log";
    struct series_stats series;
    series_store_stats(c->stores.series, &series);
    if (series.keeping.health == KEEPER_FULL)
        return "the disk of the series is full; agents keep their batches when memory is";
    if (series.keeping.health == KEEPER_FAILED)
        return "series cannot be written; see the log";
    return NULL;
}

static const char *on_not_ready(void *context)
{
    return parts_not_ready(context);
}

static int on_recording(void *context, const char *service, bool on)
{
    struct collector *c = context;
    if (link_server_publish_recording(c->link, service, on) != 0)
        return -1;
    LOG_INFO("recording of %s: %s", service, on ? "on" : "off");
    return (int)agents_connected(c->agents, clock_unix_ns());
}
enum link_verdict parts_import(struct collector *c, const char *name, enum frame_kind kind,
                               void *memory, size_t length, char *why, size_t why_size)
{
    const char *not_ready = parts_not_ready(c);
    if (!not_ready)
        return import_body(&c->import, name, kind, memory, length, why, why_size);
    snprintf(why, why_size, "%s", not_ready);
    free(memory);
    return LINK_BUSY;
}
static enum link_verdict on_import(void *context, enum frame_kind kind, void *memory, size_t length,
                                   char *why, size_t why_size)
{
    const char *name = kind == FRAME_BATCH ? IMPORT_OTLP : IMPORT_PROMETHEUS;
    return parts_import(context, name, kind, memory, length, why, why_size);
}

static int on_status(void *context, struct pipeline_status *s)
{
    return parts_status(context, s);
}

/* ---- opening ----------------------------------------------------------------------------- */

/* The file's first line, without space around it. */
static int read_token(struct collector *c, char *why, size_t why_size)
{
    const char *path = c->config->token_file;
    if (!path)
        return 0;
    FILE *file = fopen(path, "re");
    char line[WEB_TOKEN_MAX + 2] = "";
    bool read = file && fgets(line, sizeof line, file);
    if (file)
        fclose(file);
    size_t length = strcspn(line, "\r\n");
    while (length > 0 && isspace((unsigned char)line[length - 1]))
        length--;
    if (!read || length < 16 || length >= WEB_TOKEN_MAX) {
        snprintf(why, why_size, "token-file %s: %s", path,
                 file ? "expected a first line of 16 to 511 bytes, such as `openssl rand -hex 32` "
                        "prints"
                      : strerror(errno));
        return -1;
    }
    memcpy(c->token, line, length);
    return 0;
}
int parts_open_web(struct collector *c, char *why, size_t why_size)
{
    if (read_token(c, why, why_size) != 0)
        return -1;
    c->web = (struct web){
        .query = {c->stores.traces, c->inflight, &c->search_memory, &c->large_traces},
        .series = c->stores.series,
        .source = c->archive ? archive_source(c->archive) : series_store_source(c->stores.series),
        .marks = c->marks,
        .caches = c->caches.caches,
        .watchers = c->watchers,
        .rules = c->rules,
        .archive = c->archive,
        .own = c->own,
        .firehose = c->firehose,
        .dashboards = c->dashboards,
        .status = on_status,
        .not_ready = on_not_ready,
        .import = on_import,
        .recording = on_recording,
        .context = c,
        .query_threads = (unsigned)c->config->query_threads,
        .page_directory = c->config->page_dir,
        .log_link = c->config->log_link,
        .admin = c->config->admin_api,
        .token = *c->token ? c->token : NULL,
        .hosts = c->config->http_hosts,
    };
    struct web_server_options options = {
        .address = c->config->http,
        .connections = (unsigned)c->config->http_connections,
        .timeout_s = HTTP_TIMEOUT_S,
    };
    c->server = web_server_start(&c->web, &options, why, why_size);
    return c->server ? 0 : -1;
}
