// SPDX-License-Identifier: Apache-2.0
/* The sweeper's timers, sockets and watches; what they set off is in sweep.c. */
#include "agent/sweeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/stats/spans.h"
#include "agent/sweep.h"
#include "lib/base/log.h"
#include "lib/ring/bell.h"

#define IN_FLIGHT_MS  500
#define HURRIED_MS    2
#define SILENT_ROUNDS 3600
#define IDLE_FACTOR   2 /* of the interval, after a second without spans */

static uint64_t monotonic_ns(void)
{
    return ticks_now(SLAB_CLOCK_MONOTONIC);
}

/* ---- rhythm ------------------------------------------------------------------------------ */

/* A service whose period is a multiple of ours would lock phase with us: so up to a quarter less
 * or more, at random (xorshift32). */
static uint64_t jittered_ms(struct sweeper *s, uint64_t ns)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 17;
    s->random ^= s->random << 5;
    uint64_t spread = ns / 2;
    uint64_t result = ns - spread / 2 + (spread ? s->random % spread : 0);
    return result / 1000000 ? result / 1000000 : 1;
}

static uint64_t next_interval_ms(struct sweeper *s, unsigned pressure, bool idle)
{
    if (pressure >= 12)
        return HURRIED_MS;
    return jittered_ms(s, s->config->sweep_interval_ns * (idle ? IDLE_FACTOR : 1));
}

static void on_sweep_timer(uv_timer_t *timer);
static void on_found(void *context, struct recording_process *p);

static void scan(struct sweeper *s)
{
    uint64_t begin = monotonic_ns();
    watch_scan(s->watched, s->processes.directory, s->config->directory);
    processes_scan(&s->processes, on_found, s);
    uint64_t end = monotonic_ns();
    s->scan_due = false;
    s->scan_after_ns = end + 9 * (end - begin);
}

static void sweep(struct sweeper *s)
{
    uint64_t now = monotonic_ns();
    if (s->scan_due && now >= s->scan_after_ns)
        scan(s);
    uint64_t pause = s->last_sweep_ns ? now - s->last_sweep_ns : 0;
    if (pause > s->longest_pause_ns)
        s->longest_pause_ns = pause;
    s->last_sweep_ns = now;
    uint64_t before = counters_get(&s->counters->spans);
    unsigned pressure = sweep_round(s);
    if (counters_get(&s->counters->spans) != before)
        s->busy_until_ns = now + 1000000000u;
    uv_timer_start(&s->sweep_timer, on_sweep_timer,
                   next_interval_ms(s, pressure, now > s->busy_until_ns), 0);
}

static void on_sweep_timer(uv_timer_t *timer)
{
    sweep(timer->data);
}

/* ---- the bell ---------------------------------------------------------------------------- */

static void on_bell(uv_poll_t *poll, int status, int events)
{
    struct sweeper *s = poll->data;
    char byte[16];
    (void)status;
    (void)events;
    for (int i = 0; i < 64 && recv(s->bell_fd, byte, sizeof byte, MSG_DONTWAIT) >= 0; i++)
        counters_add(&s->counters->bells, 1);
    /* Anybody may ring, and without end. */
    if (monotonic_ns() - s->last_sweep_ns >= HURRIED_MS * 1000000u)
        sweep(s);
    else
        uv_timer_start(&s->sweep_timer, on_sweep_timer, HURRIED_MS, 0);
}

static int open_bell(struct sweeper *s)
{
    struct sockaddr_un address;
    if (bell_address(s->config->directory, &address) != 0)
        return -1;
    unlink(address.sun_path);
    s->bell_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->bell_fd < 0 || bind(s->bell_fd, (struct sockaddr *)&address, sizeof address) != 0)
        return -1;
    return chmod(address.sun_path, 0666); /* any user's service may ring */
}

/* ---- processes --------------------------------------------------------------------------- */

/* One that made another file before (it was replaced, or another program was executed), or that is
 * watched: whatever it used is counted once. */
static void go_on(struct sweeper *s, struct recording_process *p)
{
    bool began = !p->proc.was_here, counted = watch_found(s->watched, p);
    for (size_t i = 0; i < s->processes.count; i++) {
        struct recording_process *q = s->processes.all[i];
        if (q == p || p->pidfd < 0 || q->pidfd < 0 || q->file->pid != p->file->pid ||
            q->file->start_time != p->file->start_time || q->superseded)
            continue;
        if (q->proc.read)
            p->proc = q->proc;
        q->superseded = counted = true;
    }
    if (began && !counted)
        proc_began(s->stats, span_counts_identity(p->spans));
}

static void on_found(void *context, struct recording_process *p)
{
    struct sweeper *s = context;
    LOG_DEBUG("found process %u (%s)", p->file->pid, p->service);
    bool on = switches_recording(&s->switches, p->service);
    slab_set_recording(p->reader, on ? SLAB_RECORDING_ON : SLAB_RECORDING_OFF);
    slab_set_clock(p->reader, s->clock.base_ticks, s->clock.base_unix_ns, s->clock.ns_per_tick_q32);
    struct process_identity identity;
    process_identity_read(&identity, p->reader);
    p->spans = span_counts_create(s->stats, p->reader, &identity);
    p->proc.was_here = p->file->open_unix_ns < s->counters->start_unix_ns;
    go_on(s, p);
}

static void on_directory_change(uv_fs_event_t *watch, const char *name, int events, int status)
{
    struct sweeper *s = watch->data;
    (void)name;
    (void)events;
    (void)status;
    s->scan_due = true;
}

static void on_death(uv_poll_t *poll, int status, int events)
{
    struct sweeper *s = poll->data;
    (void)status;
    (void)events;
    processes_notice_deaths(&s->processes, false);
    sweep(s);
}

static void on_second(uv_timer_t *timer)
{
    struct sweeper *s = timer->data;
    host_clock_renew(&s->clock);
    processes_notice_deaths(&s->processes, true);
    scan(s);
    for (size_t i = 0; i < s->processes.count; i++)
        slab_set_clock(s->processes.all[i]->reader, s->clock.base_ticks, s->clock.base_unix_ns,
                       s->clock.ns_per_tick_q32);
    sweep_losses(s);
    watch_census(s->watched);
    sweep_stats(s);
    counters_set(&s->counters->sweep_lag_ns, s->longest_pause_ns);
    s->longest_pause_ns = 0;
}

static void on_in_flight(uv_timer_t *timer)
{
    sweep_in_flight(timer->data);
}

void sweeper_set_recording(struct sweeper *s, const char *service, bool on)
{
    if (!switches_set(&s->switches, service, on))
        LOG_WARN_EVERY("more than %d services are switched off: %s stays on", SWITCHES_MAX,
                       service);
    for (size_t i = 0; i < s->processes.count; i++) {
        struct recording_process *p = s->processes.all[i];
        bool recording = switches_recording(&s->switches, p->service);
        slab_set_recording(p->reader, recording ? SLAB_RECORDING_ON : SLAB_RECORDING_OFF);
    }
    LOG_INFO("recording of %s is %s", service, on ? "on" : "off");
}

/* ---- beginning and ending ---------------------------------------------------------------- */

static int lock_directory(struct sweeper *s)
{
    s->lock_fd = openat(s->processes.directory, "agent.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd >= 0 && flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (s->lock_fd >= 0 && errno == EWOULDBLOCK)
        LOG_ERROR("%s: another agent reads it: stop that one, or set `directory`",
                  s->config->directory);
    else
        LOG_ERROR("%s/agent.lock: %s", s->config->directory, strerror(errno));
    return -1;
}

static int open_stats(struct sweeper *s)
{
    char why[256];
    gethostname(s->host, sizeof s->host - 1);
    s->stats = stats_table_create(&(struct stats_options){
        .host = s->host,
        .series_max = (uint32_t)s->config->series_per_metric,
        .silent_rounds = SILENT_ROUNDS,
    });
    s->services = services_create();
    if (!s->stats || !s->services) {
        LOG_ERROR("out of memory");
        return -1;
    }
    span_counts_reserve(s->stats);
    proc_reserve(s->stats);
    statsd_reserve(s->stats);
    if (!s->config->statsd[0])
        return 0;
    s->statsd = statsd_create(s->loop, s->config->statsd, s->stats, why, sizeof why);
    if (s->statsd)
        LOG_INFO("statsd on port %u of %s", statsd_port(s->statsd), s->config->statsd);
    else
        LOG_ERROR("%s; everything else goes on", why);
    return 0;
}

static int open_watch(struct sweeper *s, const struct watch_rules *rules)
{
    s->watched = watch_create(&(struct watch_parts){.loop = s->loop,
                                                    .stats = s->stats,
                                                    .counters = s->counters,
                                                    .rules = rules,
                                                    .recording = &s->processes,
                                                    .host = s->host});
    if (!s->watched)
        LOG_ERROR("out of memory, or of descriptors");
    return s->watched ? 0 : -1;
}

static void start_timers(struct sweeper *s)
{
    uv_timer_init(s->loop, &s->sweep_timer);
    uv_timer_init(s->loop, &s->second_timer);
    uv_timer_init(s->loop, &s->in_flight_timer);
    uv_fs_event_init(s->loop, &s->watch);
    uv_poll_init(s->loop, &s->bell, s->bell_fd);
    uv_poll_init(s->loop, &s->deaths, s->processes.deaths);
    s->sweep_timer.data = s->second_timer.data = s->in_flight_timer.data = s;
    s->watch.data = s->bell.data = s->deaths.data = s;
    uv_timer_start(&s->sweep_timer, on_sweep_timer, 1, 0);
    uv_timer_start(&s->second_timer, on_second, 1000, 1000);
    uv_timer_start(&s->in_flight_timer, on_in_flight, IN_FLIGHT_MS, IN_FLIGHT_MS);
    uv_poll_start(&s->bell, UV_READABLE, on_bell);
    uv_poll_start(&s->deaths, UV_READABLE, on_death);
    if (uv_fs_event_start(&s->watch, on_directory_change, s->config->directory, 0) != 0)
        LOG_WARN("%s cannot be watched: new processes are found within a second",
                 s->config->directory);
}

int sweeper_init(struct sweeper *s, uv_loop_t *loop, const struct agent_config *config,
                 const struct watch_rules *rules, struct counters *counters, struct outbox *outbox,
                 struct cursors *cursors)
{
    *s = (struct sweeper){.config = config,
                          .counters = counters,
                          .outbox = outbox,
                          .serial = 1,
                          .loop = loop,
                          .bell_fd = -1,
                          .lock_fd = -1,
                          .random = (uint32_t)monotonic_ns() | 1,
                          .told_since_unix_ns = counters->start_unix_ns};
    if (processes_init(&s->processes, config->directory, cursors, counters) != 0) {
        LOG_ERROR("%s: %s: create it on a tmpfs, or set `directory`", config->directory,
                  strerror(errno));
        return -1;
    }
    if (lock_directory(s) != 0)
        return -1;
    if (open_bell(s) != 0) {
        LOG_ERROR("%s/" BELL_NAME ": %s", config->directory, strerror(errno));
        return -1;
    }
    s->builder = batch_builder_create();
    s->in_flight_builder = batch_builder_create();
    if (!s->builder || !s->in_flight_builder) {
        LOG_ERROR("out of memory");
        return -1;
    }
    if (open_stats(s) != 0 || open_watch(s, rules) != 0)
        return -1;
    host_clock_init(&s->clock, ticks_clock());
    scan(s);
    /* What the spool's cursor tables told of is given back before its batches may be sent. */
    sweep_close_batch(s);
    outbox_release(s->outbox);
    start_timers(s);
    watch_census(s->watched);
    return 0;
}

void sweeper_stop(struct sweeper *s)
{
    scan(s); /* who began since the last one */
    processes_notice_deaths(&s->processes, true);
    sweep_round(s);
    sweep_losses(s);
    sweep_stats(s);
    statsd_stop(s->statsd);
    watch_stop(s->watched);
    uv_close((uv_handle_t *)&s->sweep_timer, NULL);
    uv_close((uv_handle_t *)&s->second_timer, NULL);
    uv_close((uv_handle_t *)&s->in_flight_timer, NULL);
    uv_close((uv_handle_t *)&s->watch, NULL);
    uv_close((uv_handle_t *)&s->bell, NULL);
    uv_close((uv_handle_t *)&s->deaths, NULL);
}

void sweeper_fini(struct sweeper *s)
{
    processes_fini(&s->processes);
    statsd_destroy(&s->statsd);
    watch_destroy(&s->watched);
    services_destroy(&s->services);
    stats_table_destroy(&s->stats);
    batch_builder_destroy(&s->builder);
    batch_builder_destroy(&s->in_flight_builder);
    buffer_fini(&s->encoded);
    buffer_fini(&s->cursor_table);
    if (s->bell_fd >= 0) {
        struct sockaddr_un address;
        if (bell_address(s->config->directory, &address) == 0)
            unlink(address.sun_path);
        close(s->bell_fd);
    }
    if (s->lock_fd >= 0)
        close(s->lock_fd);
}
