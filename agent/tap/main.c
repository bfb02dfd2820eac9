// SPDX-License-Identifier: Apache-2.0
/* weft-tap: opens interfaces, gives up its privileges, and reads packets until a signal comes. One
 * thread reads and counts; the courier's hands over what was counted. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "agent/tap/config.h"
#include "agent/tap/memory.h"
#include "agent/tap/report.h"
#include "agent/tap/windows.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/feed/frame.h"

enum { LOOK_MS = 100, FINISH_MS = 2000 };
#define REPORT_EVERY_NS UINT64_C(1000000000)

struct tap {
    struct tap_config config;
    struct tap_plan plan;
    char host[256];
    struct tap_capture *capture;
    struct tap_connections *connections;
    struct caches caches;
    struct memory memory;
    struct courier *courier, *windows_courier; /* windows are told once: they wait for longer */
    struct courier *show_courier;
    struct report *report;
    struct windows *windows;
    uint64_t next_report_ns, next_window_ns;
    uint64_t dropped; /* packets, as far as was said */
};

static volatile sig_atomic_t stopping;

static void on_stop(int number)
{
    (void)number;
    stopping = 1;
}

/* ---- privileges --------------------------------------------------------------------------- */

static int become(const char *name)
{
    const struct passwd *user = getpwnam(name);
    if (!user) {
        LOG_ERROR("user: there is no user %s", name);
        return -1;
    }
    if (geteuid() == user->pw_uid)
        return 0;
    if (initgroups(name, user->pw_gid) == 0 && setgid(user->pw_gid) == 0 &&
        setuid(user->pw_uid) == 0)
        return 0;
    LOG_ERROR("user: cannot become %s: %s", name, strerror(errno));
    return -1;
}

/* Interfaces are open: nothing of what comes needs a right. */
static int give_up_privileges(const char *user)
{
    if (user && become(user) != 0)
        return -1;
    cap_t none = cap_init();
    int result = none ? cap_set_proc(none) : -1;
    cap_free(none);
    if (result == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        return 0;
    LOG_ERROR("privileges cannot be given up: %s", strerror(errno));
    return -1;
}

/* ---- exchanges ---------------------------------------------------------------------------- */

static void on_exchange(void *context, uint32_t cache, const struct tap_client *client,
                        const struct tap_exchange *exchange)
{
    struct tap *t = context;
    caches_observe(&t->caches, cache, client, exchange);
    memory_add(&t->memory, cache, client, exchange);
}

/* ---- beginning ---------------------------------------------------------------------------- */

static int open_capture(struct tap *t)
{
    char why[512];
    const struct tap_capture_options options = {
        .interfaces = (const char *const *)t->plan.interfaces,
        .interface_count = t->plan.interface_count,
        .ports = t->plan.numbers,
        .port_count = t->plan.port_count,
        .buffer_bytes = t->config.buffer_bytes,
    };
    t->capture = tap_capture_open(&options, why, sizeof why);
    if (!t->capture)
        LOG_ERROR("%s", why);
    return t->capture ? 0 : -1;
}

static int start(struct tap *t)
{
    char socket[512];
    caches_init(&t->caches, (uint32_t)t->config.keys, t->plan.privacy);
    t->connections = t->caches.connections =
        tap_connections_create(&(struct tap_connections_options){
            .ports = t->plan.ports,
            .port_count = t->plan.port_count,
            .connections = (uint32_t)t->config.connections,
            .memory_bytes = t->config.memory_bytes,
            .observer = {on_exchange, t},
        });
    snprintf(socket, sizeof socket, "%s/" FEED_SOCKET_NAME, t->config.directory);
    t->courier = courier_create(socket);
    t->windows_courier = courier_create(socket);
    t->show_courier = courier_create_to_show(socket);
    t->report = report_create(&(struct report_parts){
        .host = t->host,
        .caches = &t->caches,
        .connections = t->connections,
        .capture = t->capture,
        .courier = t->courier,
        .windows_courier = t->windows_courier,
    });
    t->windows = windows_create(&(struct windows_parts){
        .host = t->host,
        .caches = &t->caches,
        .connections = t->connections,
        .courier = t->windows_courier,
        .to_show = t->show_courier,
        .tell = (uint32_t)t->config.tell,
    });
    if (t->connections)
        memory_init(&t->memory, &(struct memory_options){
                                    .directory = t->config.directory,
                                    .bytes = t->config.remember_bytes,
                                    .tell_patterns = t->plan.privacy != HOT_HASHED,
                                    .connections = t->connections,
                                    .ports = t->plan.ports,
                                    .port_count = t->plan.port_count,
                                });
    if (t->connections && t->courier && t->windows_courier && t->show_courier && t->report &&
        t->windows)
        return 0;
    LOG_ERROR("no memory");
    return -1;
}

static void finish(struct tap *t)
{
    courier_destroy(&t->show_courier, 0);
    courier_destroy(&t->windows_courier, FINISH_MS);
    courier_destroy(&t->courier, FINISH_MS);
    windows_destroy(&t->windows);
    report_destroy(&t->report);
    tap_connections_destroy(&t->connections);
    memory_fini(&t->memory);
    caches_fini(&t->caches);
    tap_capture_close(&t->capture);
}

/* ---- running ------------------------------------------------------------------------------ */

static void on_segment(void *context, const struct tap_segment *segment, uint64_t unix_ns)
{
    struct tap *t = context;
    tap_connections_add(t->connections, segment, unix_ns);
}

/* Never silently. */
static void say_dropped(struct tap *t)
{
    struct tap_capture_stats seen;
    tap_capture_stats(t->capture, &seen);
    uint64_t dropped = seen.dropped + seen.missed;
    if (dropped > t->dropped)
        LOG_WARN_EVERY("tap: %llu packets were not read so far, as they came too fast: raise "
                       "`buffer`, or give the tap more of a processor",
                       (unsigned long long)dropped);
    t->dropped = dropped;
}

static void tell(struct tap *t)
{
    uint64_t now_ns = clock_unix_ns();
    if (now_ns < t->next_report_ns)
        return;
    t->next_report_ns = now_ns + REPORT_EVERY_NS;
    say_dropped(t);
    report_tell(t->report, now_ns);
    memory_renew(&t->memory, now_ns);
    sd_notify(0, "WATCHDOG=1");
    if (now_ns < t->next_window_ns) {
        windows_show(t->windows, now_ns);
        return;
    }
    t->next_window_ns = now_ns + t->config.window_ns;
    windows_turn(t->windows, now_ns);
}

static int run(struct tap *t)
{
    char why[512];
    while (!stopping) {
        if (tap_capture_read(t->capture, LOOK_MS, on_segment, t, why, sizeof why) < 0) {
            LOG_ERROR("%s", why);
            return 1;
        }
        memory_seen(&t->memory, tap_capture_seen_unix_ns(t->capture));
        tell(t);
    }
    struct tap_capture_stats seen;
    tap_capture_stats(t->capture, &seen);
    LOG_INFO("stopping: read %llu packets, dropped %llu", (unsigned long long)seen.packets,
             (unsigned long long)(seen.dropped + seen.missed));
    sd_notify(0, "STOPPING=1");
    report_tell(t->report, clock_unix_ns());
    windows_turn(t->windows, clock_unix_ns());
    return 0;
}

int main(int argc, char **argv)
{
    static struct tap t;
    char why[256];
    enum log_level level;
    switch (config_load(&tap_program, argc, argv, &t.config, why, sizeof why)) {
    case CONFIG_EXIT:
        return 0;
    case CONFIG_ERROR:
        fprintf(stderr, "weft-tap: %s\n", why);
        return 2;
    case CONFIG_READY:
        break;
    }
    if (tap_plan_read(&t.plan, &t.config, why, sizeof why) != 0) {
        fprintf(stderr, "weft-tap: %s\n", why);
        return 2;
    }
    if (log_parse_level(t.config.log_level, &level))
        log_set_level(level);
    gethostname(t.host, sizeof t.host - 1);
    if (t.config.host)
        snprintf(t.host, sizeof t.host, "%s", t.config.host);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_stop);
    signal(SIGINT, on_stop);
    int result = 1;
    if (open_capture(&t) == 0 && give_up_privileges(t.config.user) == 0 && start(&t) == 0) {
        LOG_INFO("tapping %zu ports on %zu interfaces", t.plan.port_count, t.plan.interface_count);
        sd_notify(0, "READY=1");
        result = run(&t);
    }
    finish(&t);
    config_clear(&tap_program, &t.config);
    return result;
}
