// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/runs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/proc/stat.h"

/* ---- opening ----------------------------------------------------------------------------- */

static bool is_visible(const struct run_file *f)
{
    static uint64_t own;
    struct stat st;
    if (own == 0 && stat("/proc/self/ns/pid", &st) == 0)
        own = st.st_ino;
    return f->pid_namespace != 0 && f->pid_namespace == own;
}

/* A file is believed where its owner is the user of the process that it names, or one of them is
 * root: as with slabs. */
static bool is_owned(const struct run_file *f, uint32_t owner)
{
    struct proc_stat stat;
    uint32_t user;
    if (owner == 0 || !proc_stat_read(f->pid, &stat, &user) || stat.start_time != f->start_time)
        return true;
    return user == owner || user == 0;
}

static int open_supervisor(const struct run_file *f)
{
    struct proc_stat stat;
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)f->supervisor, 0);
    if (fd >= 0 && proc_stat_read(f->supervisor, &stat, NULL) &&
        stat.start_time == f->supervisor_start_time)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* To append takes a right that an agent which is not root may lack; reading does. */
static int open_file(int directory, const char *name)
{
    const int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    int fd = openat(directory, name, O_RDWR | O_APPEND | flags);
    return fd < 0 && (errno == EACCES || errno == EPERM) ? openat(directory, name, O_RDONLY | flags)
                                                         : fd;
}

static const char *judge(int fd, struct run_file *f, struct run_life *life, bool *system)
{
    struct stat st;
    *system = fstat(fd, &st) != 0;
    if (*system || !S_ISREG(st.st_mode))
        return "it is not a file";
    const char *why = run_file_read(fd, f, life, system);
    if (why)
        return why;
    return !is_visible(f) || is_owned(f, st.st_uid)
               ? NULL
               : "its owner is not the user of the process that it names";
}

struct watched *runs_open(struct stats_table *t, int directory, const char *name,
                          uint64_t now_unix_ns, const char **why)
{
    struct run_file f;
    struct run_life life;
    bool system;
    *why = NULL;
    int fd = open_file(directory, name);
    if (fd < 0) {
        *why = errno == ENOENT || errno == EMFILE || errno == ENFILE ? NULL : strerror(errno);
        return NULL;
    }
    const char *wrong = judge(fd, &f, &life, &system);
    bool visible = !wrong && is_visible(&f);
    struct watched *w = wrong ? NULL
                              : watched_create(t, visible ? f.pid : 0, f.start_time, f.service,
                                               f.version_name, f.cell);
    if (!w) {
        close(fd);
        *why = system ? NULL : wrong;
        return NULL;
    }
    w->source = PROCESS_RUN;
    w->file = fd;
    w->life = life;
    w->start_unix_ns = f.start_unix_ns;
    memcpy(w->uuid, f.uuid, sizeof w->uuid);
    snprintf(w->name, sizeof w->name, "%s", name);
    if (visible) {
        watched_find(w, now_unix_ns);
        w->supervisor = open_supervisor(&f);
    }
    return w;
}

/* ---- following --------------------------------------------------------------------------- */

static bool is_locked(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

/* `weft run` lives, and will say how it ended. */
static bool is_supervised(const struct watched *w)
{
    return w->supervisor >= 0 ? !watched_has_died(w->supervisor) : !w->pid && is_locked(w->file);
}

/* That it records is known here alone where the file could not be written. */
static void read_life(struct watched *w)
{
    struct run_life fresh;
    if (!run_file_read_life(w->file, &fresh))
        return;
    if (w->life.records) {
        fresh.records = true;
        memcpy(fresh.slab_uuid, w->life.slab_uuid, sizeof fresh.slab_uuid);
    }
    w->life = fresh;
}

void runs_renew(struct watched *w, uint64_t now_unix_ns)
{
    if (w->life.has_ended)
        return;
    bool supervised = is_supervised(w); /* before the file is read: what it wrote is there then */
    read_life(w);
    bool lives = w->pid ? !w->dead : supervised;
    if (w->life.has_ended || supervised || lives)
        return;
    watched_end_unseen(w, w->dead ? w->died_unix_ns : now_unix_ns);
    run_file_append(w->file, &w->life.ended);
}

void runs_pair(struct watched *w, const uint8_t slab_uuid[16])
{
    struct run_record record = {.event = RUN_RECORDS};
    if (w->life.records)
        return;
    memcpy(record.uuid, slab_uuid, sizeof record.uuid);
    memcpy(w->life.slab_uuid, slab_uuid, sizeof w->life.slab_uuid);
    w->life.records = true;
    if (w->file >= 0)
        run_file_append(w->file, &record);
}
