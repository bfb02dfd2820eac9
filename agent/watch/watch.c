// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/watch_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/host_clock.h"
#include "agent/watch/runs.h"
#include "lib/base/log.h"
#include "lib/proc/stat.h"

enum { SOCKETS_EVERY = 5, KILLS_EVERY_ROUNDS = 5, KILLS_LOOKS_MOST = 32 /* in a round */ };

/* ---- the table --------------------------------------------------------------------------- */

static int compare(const struct watched *a, uint32_t pid, uint64_t start_time)
{
    if (a->pid != pid)
        return a->pid < pid ? -1 : 1;
    return a->start_time < start_time ? -1 : a->start_time > start_time;
}

/* Where it is, or would be. */
static size_t place_of(const struct watch *w, uint32_t pid, uint64_t start_time)
{
    size_t low = 0, high = w->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(w->all[middle], pid, start_time) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct watched *watch_find(const struct watch *w, uint32_t pid, uint64_t start_time)
{
    size_t i = place_of(w, pid, start_time);
    return pid && i < w->count && compare(w->all[i], pid, start_time) == 0 ? w->all[i] : NULL;
}

bool watch_has_room(struct watch *w)
{
    if (w->count < WATCHED_MAX)
        return true;
    counters_add(&w->parts.counters->watched_refused, 1);
    LOG_WARN_EVERY("more than %d processes are watched: further ones are left alone", WATCHED_MAX);
    return false;
}

static void remove_at(struct watch *w, size_t i)
{
    watched_destroy(&w->all[i], w->parts.stats);
    w->count--;
    memmove(&w->all[i], &w->all[i + 1], (w->count - i) * sizeof(struct watched *));
    counters_set(&w->parts.counters->watched, w->count);
}

static bool is_new(const struct watch *w, const struct watched *x)
{
    return x->start_unix_ns >= w->parts.counters->start_unix_ns;
}

/* The one that stood for this process goes; what it counted goes on. */
static void replace(struct watch *w, struct watched *x)
{
    struct watched *before = watch_find(w, x->pid, x->start_time);
    if (!before)
        return;
    x->proc = before->proc;
    x->was_recorded = before->was_recorded;
    x->recorded_round = before->recorded_round;
    if (before->life.records && !x->life.records)
        runs_pair(x, before->life.slab_uuid);
    remove_at(w, place_of(w, x->pid, x->start_time));
}

static bool records(const struct watch *w, const struct watched *x)
{
    const struct processes *recording = w->parts.recording;
    for (size_t i = 0; i < recording->count; i++) {
        const struct recording_process *p = recording->all[i];
        if (p->pidfd >= 0 && p->file->pid == x->pid && p->file->start_time == x->start_time)
            return true;
    }
    return false;
}

static void watch_life(struct watch *w, struct watched *x)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = x};
    if (x->pidfd >= 0)
        epoll_ctl(w->deaths, EPOLL_CTL_ADD, x->pidfd, &event);
}

void watch_insert(struct watch *w, struct watched *x)
{
    bool known = watch_find(w, x->pid, x->start_time) || records(w, x);
    x->proc.was_here = !is_new(w, x);
    replace(w, x);
    size_t i = place_of(w, x->pid, x->start_time);
    memmove(&w->all[i + 1], &w->all[i], (w->count - i) * sizeof(struct watched *));
    w->all[i] = x;
    w->count++;
    watch_life(w, x);
    if (!known && !x->descends && is_new(w, x))
        proc_began(w->parts.stats, x->identity);
    counters_set(&w->parts.counters->watched, w->count);
}

/* ---- deaths ------------------------------------------------------------------------------ */

static void add_gone(struct watch *w, const struct watched *x)
{
    struct watched *root = watch_find(w, x->root_pid, x->root_start_time);
    if (root) {
        root->gone_user_s += x->proc.user_s;
        root->gone_system_s += x->proc.system_s;
    }
}

static void has_died(struct watch *w, struct watched *x)
{
    x->dead = true;
    x->died_unix_ns = host_clock_now_unix_ns();
    if (x->descends)
        add_gone(w, x);
    else if (x->source == PROCESS_FOUND)
        watched_end_unseen(x, x->died_unix_ns);
}

/* There was no descriptor left when it was found. */
static void find_again(struct watch *w, struct watched *x)
{
    watched_find(x, host_clock_now_unix_ns());
    watch_life(w, x);
    if (x->dead)
        has_died(w, x);
}

static void on_death(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;
    struct epoll_event dead[64];
    (void)status;
    (void)events;
    for (int n; (n = epoll_wait(w->deaths, dead, 64, 0)) > 0;)
        for (int i = 0; i < n; i++)
            has_died(w, dead[i].data.ptr);
}

/* ---- who runs ---------------------------------------------------------------------------- */

static void add_found(struct watch *w, const struct census_finding *f)
{
    const struct watch_rule *rule = f->rule >= 0 ? &w->parts.rules->list[f->rule] : NULL;
    const struct watched *root = watch_find(w, f->root.pid, f->root.start_time);
    const char *service = rule ? rule->service : root ? root->service : NULL;
    struct watched *known = watch_find(w, f->process.pid, f->process.start_time);
    if (!service || (known && !(known->descends && rule)) || !watch_has_room(w))
        return;
    const char *version = rule ? rule->version : root->version;
    const char *cell = rule ? rule->cell : root->cell;
    struct watched *x = watched_create(w->parts.stats, f->process.pid, f->process.start_time,
                                       service, version ? version : "", cell ? cell : "");
    if (!x)
        return;
    x->source = rule ? PROCESS_FOUND : PROCESS_RUN;
    x->descends = !rule;
    x->root_pid = f->root.pid;
    x->root_start_time = f->root.start_time;
    x->start_unix_ns = proc_start_unix_ns(f->process.start_time);
    watched_name(x);
    watched_find(x, host_clock_now_unix_ns());
    if (x->dead) /* between the look and now */
        watched_destroy(&x, w->parts.stats);
    else
        watch_insert(w, x);
}

static void on_census(uv_work_t *work)
{
    struct watch *w = work->data;
    census_take(&w->census);
}

static void take_sockets(struct watch *w)
{
    struct census_list before = w->sockets;
    w->sockets = w->census.sockets;
    w->census.sockets = before;
}

static void on_census_taken(uv_work_t *work, int status)
{
    struct watch *w = work->data;
    const struct census_finding *findings = w->census.findings.items;
    w->census_runs = false;
    if (status != 0 || w->stopped)
        return;
    for (size_t i = 0; i < w->census.findings.count; i++)
        add_found(w, &findings[i]);
    if (w->censuses % SOCKETS_EVERY == 1)
        take_sockets(w);
    if (w->census.is_blind)
        LOG_WARN_EVERY("rules by port: descriptors of other users' processes are hidden: run the "
                       "agent as root or with CAP_SYS_PTRACE");
}

static void ask_sockets(struct watch *w)
{
    const struct processes *recording = w->parts.recording;
    for (size_t i = 0; i < recording->count; i++)
        if (recording->all[i]->pidfd >= 0 && !recording->all[i]->dead)
            census_ask_sockets(&w->census, recording->all[i]->file->pid);
    for (size_t i = 0; i < w->count; i++)
        if (w->all[i]->pidfd >= 0 && !w->all[i]->dead)
            census_ask_sockets(&w->census, w->all[i]->pid);
}

void watch_census(struct watch *w)
{
    if (w->census_runs || w->stopped)
        return;
    for (size_t i = 0; i < w->count; i++) {
        const struct watched *x = w->all[i];
        if (x->file >= 0 && x->pidfd >= 0 && !x->dead)
            census_ask_root(&w->census, (struct census_process){x->pid, x->start_time});
    }
    if (w->censuses++ % SOCKETS_EVERY == 0)
        ask_sockets(w);
    w->work.data = w;
    w->census_runs = uv_queue_work(w->parts.loop, &w->work, on_census, on_census_taken) == 0;
}

const struct proc_socket_counts *watch_sockets(const struct watch *w, uint32_t pid)
{
    const struct census_sockets *list = w->sockets.items;
    for (size_t low = 0, high = w->sockets.count; low < high;) {
        size_t middle = (low + high) / 2;
        if (list[middle].pid == pid)
            return &list[middle].counts;
        if (list[middle].pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- recording processes ----------------------------------------------------------------- */

bool watch_found(struct watch *w, struct recording_process *p)
{
    struct watched *x = p->pidfd >= 0 ? watch_find(w, p->file->pid, p->file->start_time) : NULL;
    if (!x)
        return false;
    if (x->proc.read)
        p->proc = x->proc;
    x->was_recorded = true;
    runs_pair(x, p->file->uuid);
    return is_new(w, x);
}

/* ---- rounds ------------------------------------------------------------------------------ */

static void note_recording(struct watch *w)
{
    const struct processes *recording = w->parts.recording;
    w->round++;
    for (size_t i = 0; i < recording->count; i++) {
        const struct recording_process *p = recording->all[i];
        struct watched *x =
            p->pidfd >= 0 && !p->dead ? watch_find(w, p->file->pid, p->file->start_time) : NULL;
        if (!x)
            continue;
        x->recorded_round = w->round;
        x->was_recorded = true;
        if (!x->life.records) /* its slab came before we knew of it */
            runs_pair(x, p->file->uuid);
    }
}

static void note_kills(struct watch *w, size_t i, int *looks)
{
    struct watched *x = w->all[i];
    if (x->dead || x->descends)
        return;
    if (!x->kills_looked_for && *looks > 0) {
        watched_look_for_kills(x);
        --*looks;
    } else if (x->kills && (w->round + i) % KILLS_EVERY_ROUNDS == 0) {
        watched_renew_kills(x);
    }
}

void watch_round(struct watch *w)
{
    int looks = KILLS_LOOKS_MOST;
    note_recording(w);
    for (size_t i = 0; i < w->count; i++) {
        struct watched *x = w->all[i];
        note_kills(w, i, &looks);
        if (x->pid && x->pidfd < 0 && !x->dead)
            find_again(w, x);
        if (x->dead || x->life.has_ended || x->recorded_round == w->round)
            continue;
        if (x->was_recorded && x->recorded_round == w->round - 1)
            x->proc = (struct proc){.was_here = true}; /* what it used meanwhile was the slab's */
        proc_round(&x->proc, w->parts.stats, x->identity, x->pidfd >= 0 ? x->pid : 0,
                   watch_sockets(w, x->pid));
    }
}

/* The end of one that records waits until its slab is read to the end: what died with it comes
 * first, and the end explains it. */
bool watch_tell(struct watch *w, struct batch_builder *b)
{
    bool any = false;
    for (size_t i = 0; i < w->count; i++) {
        struct watched *x = w->all[i];
        any |= watched_tell(x, b, w->parts.host, x->life.has_ended && !records(w, x));
    }
    w->told |= any;
    return any;
}

bool watch_is_told(const struct watch *w)
{
    return w->told;
}

void watch_stored(struct watch *w, int directory)
{
    w->told = false;
    for (size_t i = w->count; i-- > 0;) {
        struct watched *x = w->all[i];
        if (!watched_stored(x))
            continue;
        if (x->file >= 0 && directory >= 0 && unlinkat(directory, x->name, 0) != 0 &&
            errno != ENOENT) {
            LOG_WARN_EVERY("%s cannot be removed: %s; it is left alone", x->name, strerror(errno));
            watch_refuse(w, x->name);
        }
        remove_at(w, i);
    }
}

/* ---- beginning and ending ---------------------------------------------------------------- */

struct watch *watch_create(const struct watch_parts *parts)
{
    struct watch *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->parts = *parts;
    w->all = calloc(WATCHED_MAX + 1, sizeof *w->all);
    w->refused = calloc(REFUSED_MAX, sizeof *w->refused);
    w->deaths = epoll_create1(EPOLL_CLOEXEC);
    census_init(&w->census, parts->rules);
    if (!w->all || !w->refused || w->deaths < 0) {
        w->stopped = true;
        watch_destroy(&w);
        return NULL;
    }
    uv_poll_init(parts->loop, &w->deaths_poll, w->deaths);
    w->deaths_poll.data = w;
    uv_poll_start(&w->deaths_poll, UV_READABLE, on_death);
    return w;
}

void watch_stop(struct watch *w)
{
    w->stopped = true;
    uv_close((uv_handle_t *)&w->deaths_poll, NULL);
}

void watch_destroy(struct watch **place)
{
    struct watch *w = *place;
    if (!w)
        return;
    while (w->count)
        remove_at(w, w->count - 1);
    census_fini(&w->census);
    free(w->sockets.items);
    if (w->deaths >= 0)
        close(w->deaths);
    free(w->all);
    free(w->refused);
    free(w);
    *place = NULL;
}
