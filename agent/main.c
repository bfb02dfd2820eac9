// SPDX-License-Identifier: Apache-2.0
/* weft-agent: puts the parts together and waits for a signal.
 *
 * Threads: the loop (sweeper, timers, signals), the outbox (link), the web server's. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include <uv.h>

#include "agent/config.h"
#include "agent/feed.h"
#include "agent/observe/observer.h"
#include "agent/outbox.h"
#include "agent/report.h"
#include "agent/sweeper.h"
#include "agent/web.h"
#include "lib/base/descriptors.h"
#include "lib/base/log.h"
#include "lib/ring/guard.h"

/* Switches come on the outbox's thread and are obeyed on the loop's. */
struct switch_queue {
    uv_mutex_t mutex;
    struct {
        char service[128];
        bool on;
    } items[64];
    size_t count;
};

struct agent {
    struct agent_config config;
    struct watch_rules rules;
    int argc;
    char **argv;
    struct counters counters;
    struct cursors *cursors;
    struct outbox *outbox;
    struct sweeper sweeper;
    struct feed *feed; /* NULL: none */
    struct shown *shown;
    /* NULL: none. The outbox's thread gives it inquiries, so it is published by one store. */
    struct cache_observer *_Atomic observer;
    struct web *web;
    struct switch_queue switches;
    uv_loop_t loop;
    uv_async_t switched;
    uv_timer_t report_timer;
    uv_signal_t terminate, interrupt, hang_up;
};

/* ---- switches ---------------------------------------------------------------------------- */

static void on_recording(void *context, const char *service, bool on)
{
    struct agent *a = context;
    struct switch_queue *q = &a->switches;
    uv_mutex_lock(&q->mutex);
    if (q->count < sizeof q->items / sizeof *q->items) {
        snprintf(q->items[q->count].service, sizeof q->items[0].service, "%s", service);
        q->items[q->count++].on = on;
    }
    uv_mutex_unlock(&q->mutex);
    uv_async_send(&a->switched);
}

static void on_inquiries(void *context, void *body, size_t length)
{
    struct agent *a = context;
    struct cache_observer *observer = a->observer;
    if (observer)
        cache_observer_take(observer, body, length);
    else
        free(body);
}

static void on_switched(uv_async_t *async)
{
    struct agent *a = async->data;
    struct switch_queue *q = &a->switches;
    uv_mutex_lock(&q->mutex);
    for (size_t i = 0; i < q->count; i++)
        sweeper_set_recording(&a->sweeper, q->items[i].service, q->items[i].on);
    q->count = 0;
    uv_mutex_unlock(&q->mutex);
}

/* ---- report, signals --------------------------------------------------------------------- */

static void on_report(uv_timer_t *timer)
{
    struct agent *a = timer->data;
    struct outbox_stats stats;
    struct buffer report = {0};
    outbox_stats(a->outbox, &stats);
    report_encode(&report, &a->counters, &stats);
    if (!report.failed)
        outbox_tell(a->outbox, LINK_REPORT, report.data, report.length);
    buffer_fini(&report);
    sd_notifyf(0, "WATCHDOG=1\nSTATUS=%llu processes, %llu spans, %llu batches waiting",
               (unsigned long long)counters_get(&a->counters.processes),
               (unsigned long long)counters_get(&a->counters.spans),
               (unsigned long long)stats.spool_batches);
}

static void on_stop(uv_signal_t *signal, int number)
{
    struct agent *a = signal->data;
    (void)number;
    LOG_INFO("stopping: sweeping once more");
    sd_notify(0, "STOPPING=1");
    sweeper_stop(&a->sweeper);
    feed_stop(a->feed);
    cache_observer_stop(a->observer);
    uv_close((uv_handle_t *)&a->switched, NULL);
    uv_close((uv_handle_t *)&a->report_timer, NULL);
    uv_close((uv_handle_t *)&a->terminate, NULL);
    uv_close((uv_handle_t *)&a->interrupt, NULL);
    uv_close((uv_handle_t *)&a->hang_up, NULL);
}

static void set_log_level(const struct agent_config *config)
{
    enum log_level level;
    if (log_parse_level(config->log_level, &level))
        log_set_level(level);
    else
        LOG_WARN("log-level: found \"%s\", expected error, warn, info or debug", config->log_level);
}

static void on_hang_up(uv_signal_t *signal, int number)
{
    struct agent *a = signal->data;
    struct agent_config fresh = {0};
    char why[256];
    (void)number;
    if (config_load(&agent_program, a->argc, a->argv, &fresh, why, sizeof why) != CONFIG_READY) {
        LOG_ERROR("%s; everything stays as it was", why);
        return;
    }
    set_log_level(&fresh);
    LOG_INFO("log level is %s; other changes need a restart", fresh.log_level);
    config_clear(&agent_program, &fresh);
}

static void watch_signal(struct agent *a, uv_signal_t *signal, int number, uv_signal_cb callback)
{
    uv_signal_init(&a->loop, signal);
    signal->data = a;
    uv_signal_start(signal, callback, number);
}

/* ---- beginning and ending ---------------------------------------------------------------- */

static void open_feed(struct agent *a)
{
    const struct feed_parts parts = {a->outbox, &a->counters, a->sweeper.services,
                                     a->shown = shown_create()};
    char why[256];
    a->feed = feed_create(&a->loop, a->config.directory, &parts, why, sizeof why);
    if (!a->feed)
        LOG_ERROR("%s; everything else goes on", why);
}

static void open_observer(struct agent *a)
{
    const struct cache_observer_parts parts = {&a->config, &a->counters, a->outbox,
                                               a->sweeper.host};
    a->observer = cache_observer_create(&a->loop, &parts);
    if (!a->observer)
        LOG_ERROR("no memory to show caches in traces; everything else goes on");
}

static int start(struct agent *a)
{
    a->cursors = cursors_create();
    uv_mutex_init(&a->switches.mutex);
    uv_loop_init(&a->loop);
    uv_async_init(&a->loop, &a->switched, on_switched);
    a->switched.data = a;
    if (!a->cursors)
        return -1;
    const struct outbox_listener listener = {on_recording, on_inquiries, a};
    a->outbox = outbox_create(&a->config, &a->counters, a->cursors, &listener);
    if (!a->outbox || sweeper_init(&a->sweeper, &a->loop, &a->config, &a->rules, &a->counters,
                                   a->outbox, a->cursors) != 0)
        return -1;
    if (a->config.http[0] && !(a->web = web_create(a->config.http, &a->counters, a->outbox)))
        return -1;
    open_feed(a);
    open_observer(a);
    uv_timer_init(&a->loop, &a->report_timer);
    a->report_timer.data = a;
    uv_timer_start(&a->report_timer, on_report, 100, 1000);
    watch_signal(a, &a->terminate, SIGTERM, on_stop);
    watch_signal(a, &a->interrupt, SIGINT, on_stop);
    watch_signal(a, &a->hang_up, SIGHUP, on_hang_up);
    return 0;
}

static void finish(struct agent *a)
{
    web_destroy(&a->web);
    outbox_destroy(&a->outbox, a->config.drain_ns);
    feed_destroy(&a->feed);
    shown_destroy(&a->shown);
    struct cache_observer *observer = a->observer;
    cache_observer_destroy(&observer);
    sweeper_fini(&a->sweeper);
    uv_loop_close(&a->loop);
    uv_mutex_destroy(&a->switches.mutex);
    cursors_destroy(&a->cursors);
}

/* The host's name where none is configured; the link checks that it can be one. */
static int settle_name(struct agent_config *config)
{
    char host[256] = "";
    if (config->agent)
        return 0;
    gethostname(host, sizeof host - 1);
    config->agent = strdup(host);
    return config->agent ? 0 : -1;
}

int main(int argc, char **argv)
{
    static struct agent a;
    char why[256];
    a.argc = argc;
    a.argv = argv;
    switch (config_load(&agent_program, argc, argv, &a.config, why, sizeof why)) {
    case CONFIG_EXIT:
        return 0;
    case CONFIG_ERROR:
        fprintf(stderr, "weft-agent: %s\n", why);
        return 2;
    case CONFIG_READY:
        break;
    }
    if (a.config.processes &&
        watch_rules_load(&a.rules, a.config.processes, why, sizeof why) != 0) {
        fprintf(stderr, "weft-agent: %s\n", why);
        return 2;
    }
    set_log_level(&a.config);
    descriptors_raise_limit();
    signal(SIGPIPE, SIG_IGN);
    guard_install();
    a.counters.start_unix_ns = host_clock_now_unix_ns();
    if (settle_name(&a.config) != 0 || start(&a) != 0)
        return 1;
    LOG_INFO("agent %s reads %s, ships to %s", a.config.agent, a.config.directory,
             a.config.collector);
    sd_notify(0, "READY=1");
    uv_run(&a.loop, UV_RUN_DEFAULT);
    finish(&a);
    LOG_INFO("stopped");
    watch_rules_fini(&a.rules);
    config_clear(&agent_program, &a.config);
    return 0;
}
