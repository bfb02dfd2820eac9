// SPDX-License-Identifier: Apache-2.0
/* Whether a process lives.
 *
 * In our own pid namespace a pidfd tells, at once and for good; the start time makes sure that
 * the pid has not been given to another process. Where no such process is seen (it is in another
 * namespace, hidden by /proc's hidepid, or dead) the lock on the file tells: the owner holds an
 * open-file-description lock until its last descriptor of the file is closed, by its death or by
 * itself. */
#include "agent/recording_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/stats/spans.h"

static uint64_t own_pid_namespace(void)
{
    static uint64_t inode;
    struct stat st;
    if (inode == 0 && stat("/proc/self/ns/pid", &st) == 0)
        inode = st.st_ino;
    return inode;
}

/* Field 22 of /proc/PID/stat, and who the process runs as. False: there is no such process. */
static bool read_process(uint32_t pid, uint64_t *start_time, uint32_t *uid)
{
    char path[32], text[1024];
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    struct stat st;
    ssize_t n = read(fd, text, sizeof text - 1);
    bool known = n > 0 && fstat(fd, &st) == 0;
    close(fd);
    if (!known)
        return false;
    text[n] = '\0';
    char *p = strrchr(text, ')');
    unsigned long long start;
    char state;
    if (!p || sscanf(p + 1,
                     " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                     "%*d %*d %llu",
                     &state, &start) != 2)
        return false;
    *start_time = start;
    *uid = st.st_uid;
    return state != 'Z' && state != 'X';
}

static bool is_visible(const struct slab_file *f)
{
    return f->pid_namespace == own_pid_namespace() && f->pid_namespace != 0;
}

/* Who made the file and who runs: a service that was root when it began, or one whose entries
 * in /proc are root's because it may not be dumped, is believed. */
static bool is_owner(const struct recording_process *p, uint32_t uid)
{
    uint32_t owner = slab_reader_uid(p->reader);
    return uid == owner || uid == 0 || owner == 0;
}

/* Sets pidfd if the process is there and is the one. SLAB_ESYSTEM where that cannot be told now
 * (no descriptor left): who cannot be asked after is not dead. *why where the file lies. */
static enum slab_error find_process(struct recording_process *p, const char **why)
{
    uint64_t start_time;
    uint32_t uid;
    if (!is_visible(p->file))
        return SLAB_OK;
    int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)p->file->pid, 0);
    if (pidfd < 0)
        return errno == ESRCH || errno == EINVAL ? SLAB_OK : SLAB_ESYSTEM;
    errno = 0;
    bool there = read_process(p->file->pid, &start_time, &uid) && start_time == p->file->start_time;
    if (there && is_owner(p, uid)) {
        p->pidfd = pidfd;
        return SLAB_OK;
    }
    int error = errno;
    close(pidfd);
    errno = error;
    if (there)
        *why = "its owner is not the user of the process that it names";
    return error == EMFILE || error == ENFILE || error == ENOMEM ? SLAB_ESYSTEM : SLAB_OK;
}

struct recording_process *recording_process_open(int directory, const char *name,
                                                 enum slab_error *error, const char **why)
{
    *why = NULL;
    struct recording_process *p = calloc(1, sizeof *p);
    if (!p) {
        *error = SLAB_ESYSTEM;
        return NULL;
    }
    p->pidfd = -1;
    snprintf(p->name, sizeof p->name, "%s", name);
    p->reader = slab_reader_open(directory, name, error);
    if (!p->reader) {
        free(p);
        return NULL;
    }
    p->file = slab_reader_file(p->reader);
    *error = find_process(p, why);
    if (*error != SLAB_OK || *why) {
        int saved = errno;
        recording_process_close(&p);
        errno = saved;
        return NULL;
    }
    p->watched_life = recording_process_liveness(p) == LIVENESS_ALIVE;
    struct process_identity identity;
    process_identity_read(&identity, p->reader);
    strcpy(p->service, identity.service);
    p->last_ticks = p->file->open_ticks;
    p->lost_since_unix_ns = p->file->open_unix_ns;
    p->reaped = slab_is_reaped(p->reader);
    for (unsigned i = 0; i < SLAB_LOSS_REASONS; i++)
        p->lost_reported[i] = slab_lost_reported(p->reader, i);
    return p;
}

void recording_process_close(struct recording_process **process)
{
    struct recording_process *p = *process;
    if (!p)
        return;
    if (p->pidfd >= 0)
        close(p->pidfd);
    span_counts_destroy(&p->spans);
    cells_fini(&p->cells);
    slab_reader_close(&p->reader);
    free(p->batch.connections);
    free(p->in_flight.connections);
    free(p->batch.names);
    free(p->in_flight.names);
    free(p);
    *process = NULL;
}

static enum liveness liveness_by_lock(const struct recording_process *p)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(slab_reader_fd(p->reader), F_OFD_GETLK, &lock) != 0)
        return LIVENESS_UNKNOWN;
    return lock.l_type == F_UNLCK ? LIVENESS_DEAD : LIVENESS_ALIVE;
}

enum liveness recording_process_liveness(const struct recording_process *p)
{
    if (p->pidfd < 0)
        return liveness_by_lock(p);
    struct pollfd poll_fd = {.fd = p->pidfd, .events = POLLIN};
    int ready = poll(&poll_fd, 1, 0);
    return ready < 0 ? LIVENESS_UNKNOWN : ready == 0 ? LIVENESS_ALIVE : LIVENESS_DEAD;
}

void recording_process_died(struct recording_process *p)
{
    if (!p->dead) {
        p->dead = true;
        p->died_unix_ns = host_clock_now_unix_ns();
    }
}
