// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/watched.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xxhash.h>

#include "lib/base/cgroup.h"
#include "lib/proc/stat.h"
#include "lib/run/ending.h"

static struct batch_str str(const char *text)
{
    return (struct batch_str){text, (uint32_t)strlen(text)};
}

struct watched *watched_create(struct stats_table *t, uint32_t pid, uint64_t start_time,
                               const char *service, const char *version, const char *cell)
{
    struct watched *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->pid = pid;
    w->start_time = start_time;
    w->pidfd = w->supervisor = w->file = -1;
    snprintf(w->service, sizeof w->service, "%s", service);
    snprintf(w->version, sizeof w->version, "%s", version);
    snprintf(w->cell, sizeof w->cell, "%s", cell);
    w->identity = stats_identity_hold(t, str(w->service), str(w->version), str(w->cell));
    if (!w->identity)
        watched_destroy(&w, t);
    return w;
}

void watched_destroy(struct watched **place, struct stats_table *t)
{
    struct watched *w = *place;
    const int descriptors[] = {w->pidfd, w->supervisor, w->file};
    for (int i = 0; i < 3; i++)
        if (descriptors[i] >= 0)
            close(descriptors[i]);
    if (w->identity)
        stats_identity_release(t, w->identity);
    free(w->kills);
    free(w);
    *place = NULL;
}

/* ---- the process ------------------------------------------------------------------------- */

void watched_look_for_kills(struct watched *w)
{
    char path[CGROUP_PATH_MAX];
    w->kills_looked_for = true;
    if (!cgroup_find_kills(w->pid, path) || !(w->kills = strdup(path)))
        return;
    w->kills_before = w->kills_lately = cgroup_count_kills(path);
}

void watched_renew_kills(struct watched *w)
{
    w->kills_before = w->kills_lately;
    w->kills_lately = cgroup_count_kills(w->kills);
}

/* Who cannot be asked after, for want of descriptors, is taken to be there. */
void watched_find(struct watched *w, uint64_t now_unix_ns)
{
    struct proc_stat stat;
    w->pidfd = (int)syscall(SYS_pidfd_open, (pid_t)w->pid, 0);
    bool gone = w->pidfd < 0 && (errno == ESRCH || errno == EINVAL);
    if (!gone)
        gone = !proc_stat_read(w->pid, &stat, NULL) || stat.start_time != w->start_time ||
               proc_stat_is_dead(&stat);
    if (!gone)
        return;
    if (w->pidfd >= 0)
        close(w->pidfd);
    w->pidfd = -1;
    w->dead = true;
    w->died_unix_ns = now_unix_ns;
}

bool watched_has_died(int pidfd)
{
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
    return poll(&poll_fd, 1, 0) > 0;
}

void watched_name(struct watched *w)
{
    struct {
        char boot[40];
        uint64_t start_time;
        uint32_t pid, zero;
    } whose = {.start_time = w->start_time, .pid = w->pid};
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file && !fgets(whose.boot, sizeof whose.boot, file))
        whose.boot[0] = '\0';
    if (file)
        fclose(file);
    XXH128_hash_t hash = XXH3_128bits(&whose, sizeof whose);
    memcpy(w->uuid, &hash, sizeof w->uuid);
}

void watched_end_unseen(struct watched *w, uint64_t unix_ns)
{
    bool killed = w->kills && cgroup_count_kills(w->kills) > w->kills_before;
    w->life.ended = (struct run_record){.event = RUN_ENDED,
                                        .how = RUN_UNSEEN,
                                        .flags = killed ? RUN_OUT_OF_MEMORY : 0,
                                        .unix_ns = unix_ns};
    w->life.has_ended = true;
}

/* ---- telling ----------------------------------------------------------------------------- */

static struct batch_process_info info_of(const struct watched *w, const char *host)
{
    struct batch_process_info info = {.host = host,
                                      .pid = w->pid,
                                      .start_unix_ns = w->start_unix_ns,
                                      .service = w->service,
                                      .version = w->version,
                                      .cell = w->cell,
                                      .state = PROCESS_ALIVE,
                                      .watched = w->source};
    memcpy(info.uuid, w->uuid, sizeof info.uuid);
    return info;
}

static bool tell_life(struct watched *w, struct batch_builder *b, const char *host)
{
    char text[ENDING_TEXT_MAX];
    struct batch_process_info info = info_of(w, host);
    bool ready = w->life.is_ready && w->ready == UNTOLD;
    bool never = w->life.has_ended && w->life.ended.how == RUN_NOT_STARTED;
    if (never || (w->alive != UNTOLD && !ready))
        return false;
    if (w->life.is_ready) {
        ending_ready_text(&w->life.ready, text);
        info.ready_unix_ns = w->life.ready.unix_ns;
        info.ready = text;
        w->ready = TOLD;
    }
    w->alive = TOLD;
    batch_process(b, &info);
    return true;
}

/* Where the process records, its slab tells of its death, too: under the same name it is one. */
static bool tell_end(struct watched *w, struct batch_builder *b, const char *host)
{
    char text[ENDING_TEXT_MAX];
    const struct run_record *ended = &w->life.ended;
    struct batch_process_info info = info_of(w, host);
    if (!w->life.has_ended || w->ended != UNTOLD)
        return false;
    ending_text(ended, text);
    info.state = ending_is_death(ended) ? PROCESS_DIED : PROCESS_EXITED;
    info.state_unix_ns = ended->unix_ns;
    info.ending = text;
    if (w->life.records)
        memcpy(info.uuid, w->life.slab_uuid, sizeof info.uuid);
    w->ended = TOLD;
    batch_process(b, &info);
    return true;
}

bool watched_tell(struct watched *w, struct batch_builder *b, const char *host, bool end)
{
    if (w->descends)
        return false;
    bool told = tell_life(w, b, host);
    return (end && tell_end(w, b, host)) || told;
}

bool watched_stored(struct watched *w)
{
    enum watched_told *const all[] = {&w->alive, &w->ready, &w->ended};
    for (int i = 0; i < 3; i++)
        if (*all[i] == TOLD)
            *all[i] = STORED;
    return w->ended == STORED || (w->descends && w->dead);
}
